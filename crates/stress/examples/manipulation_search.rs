//! The search for manipulations with a model on the other side of a pipe, for `bench/manipulation.py`.
//!
//! The first line that it reads has the cases, ordinary rows, the constraints and the threshold. Then it writes a line of
//! rows for each question and reads a line of scores, and at the end it writes what it found.

use std::io::{BufRead, Stdin, Write};

use serde::Deserialize;
use serde_json::{Value, json};
use stress::manipulate::{Answer, CaseFound, Goal, Outcome, search};
use types::batch::{Batch, BatchColumn, Values};
use types::definition::Manipulation;

#[derive(Deserialize)]
struct Task {
    names: Vec<String>,
    cases: Vec<Vec<f64>>,
    data: Vec<Vec<f64>>,
    constraints: Manipulation,
    threshold: f64,
    seed: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let input = std::io::stdin();
    let task: Task = serde_json::from_str(&line(&input)?)?;
    let [cases, data] = [&task.cases, &task.data].map(|rows| batch(&task.names, rows));
    let mut model = |batch: &Batch| ask(&input, batch).map_err(|error| error.to_string());
    let goal = Goal::Flip { threshold: task.threshold, towards: None };
    let found = search((&cases?, &data?), &task.constraints, goal, task.seed, &mut model)?;
    let cases: Vec<Value> = found.cases.iter().map(case).collect();
    let told =
        json!({"found": cases, "queries_reference": found.rows_asked_of_data, "stopped": found.stopped});
    writeln!(std::io::stdout(), "{told}")?;
    Ok(())
}

fn batch(names: &[String], rows: &[Vec<f64>]) -> Result<Batch, types::batch::BatchError> {
    let column = |(at, name): (usize, &String)| BatchColumn {
        name: name.clone(),
        values: Values::Numbers(rows.iter().map(|row| row.get(at).copied()).collect()),
    };
    Batch::new(names.iter().enumerate().map(column).collect())
}

fn line(input: &Stdin) -> std::io::Result<String> {
    let mut line = String::new();
    input.lock().read_line(&mut line)?;
    Ok(line)
}

fn ask(input: &Stdin, batch: &Batch) -> Result<Vec<Option<Answer>>, Box<dyn std::error::Error>> {
    let row = |row: usize| -> Vec<Option<f64>> {
        batch.columns().iter().map(|column| column.values.number(row)).collect()
    };
    let rows: Vec<Vec<Option<f64>>> = (0..batch.rows()).map(row).collect();
    writeln!(std::io::stdout(), "{}", json!({"rows": rows}))?;
    let scores: Vec<f64> = serde_json::from_str(&line(input)?)?;
    Ok(scores.into_iter().map(|score| Some(Answer::Number(score))).collect())
}

fn case(of: &CaseFound) -> Value {
    match &of.outcome {
        Outcome::Flipped(flip) => {
            let after: Vec<Value> =
                flip.changes.iter().map(|change| json!([change.feature, change.to])).collect();
            json!({"case": of.case, "queries": of.queries, "cost": flip.cost, "after": after})
        }
        _ => json!({"case": of.case, "queries": of.queries}),
    }
}
