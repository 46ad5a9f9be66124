//! What the predictions of each day lost, by one pass over predictions joined with outcomes.

use std::collections::BTreeMap;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use jiff::Timestamp;
use types::answer::DayLosses;
use types::definition::Output;
use types::question::Exactly;
use types::{Answer, Answers, Question};

use crate::cells::Cells;
use crate::error::EngineError;
use crate::open::{LOG, Log};
use crate::outcomes::with_outcomes_sql;
use crate::sql::CELL;
use crate::truth::{LARGEST_OUTCOME, score_column};

/// Losses are added up as whole multiples of this, so that the sum does not depend on the order of
/// the rows.
const UNIT: f64 = 1e-9;
const ROWS: &str = "predictions_by_day";
const DAY: &str = "__day";
const SCORE: &str = "CAST(score AS DOUBLE)";

/// Answers the questions about the losses of days, all windows at once. They are about one largest error, because
/// they are of one definition.
pub(crate) fn answer(
    log: &Log<'_>,
    questions: &[Question],
    as_of: Timestamp,
    answers: &mut Answers,
) -> Result<(), EngineError> {
    let largest_error = |question: &Question| match question {
        Question::DailyLosses { largest_error, .. } => Some(largest_error.map(Exactly::get)),
        _ => None,
    };
    let wanted: Vec<&Question> =
        questions.iter().filter(|question| largest_error(question).is_some()).collect();
    let Some(largest) = wanted.first().copied().and_then(largest_error) else { return Ok(()) };
    let cells = Cells::of(wanted.iter().map(|question| question.window()));
    let axis = log.time_axis();
    let table = log.engine.runtime.block_on(log.context.table(LOG))?;
    let rows = axis.with_day(axis.in_cells(table, &cells)?)?;
    log.context.register_table(ROWS, rows.into_view())?;
    let joined = with_outcomes_sql(log, ROWS, &[DAY.to_owned()], as_of, None);
    let query = log.engine.runtime.block_on(log.context.sql(&by_day_sql(log, &joined, largest)));
    let batches = query.map_err(EngineError::from).and_then(|query| log.collect(query));
    log.context.deregister_table(ROWS)?;
    let parts = read(&batches.map_err(|error| log.explain_time(error))?)?;
    for question in wanted {
        let mut days: BTreeMap<i64, DayLosses> = BTreeMap::new();
        let within = cells.within(question.window());
        for (_, part) in parts.iter().filter(|(cell, _)| within.contains(cell)) {
            let whole = days.entry(part.day).or_insert(DayLosses { rows: 0, graded: 0.0, wrong: 0, ..*part });
            whole.rows += part.rows;
            whole.graded += part.graded;
            whole.wrong += part.wrong;
        }
        answers.insert(question.clone(), Answer::DailyLosses(days.into_values().collect()));
    }
    Ok(())
}

/// Of rows of which the loss is defined: that, between 0 and 1, and whether the prediction was plainly wrong.
fn loss_sql(log: &Log<'_>, largest_error: Option<f64>) -> Lost {
    match log.roles.output() {
        Output::Score(_) => Lost {
            graded: format!("({SCORE} - CAST(outcome AS INT)) * ({SCORE} - CAST(outcome AS INT))"),
            wrong: format!("({SCORE} >= {:e}) <> outcome", log.roles.threshold),
            defined: format!("{SCORE} >= 0 AND {SCORE} <= 1"),
        },
        Output::Number(_) => {
            // Without a largest error there is no loss between 0 and 1, and no row has one.
            let largest =
                largest_error.map_or("CAST(NULL AS DOUBLE)".into(), |largest| format!("{largest:e}"));
            Lost {
                graded: format!("least(abs({SCORE} - outcome) / {largest}, 1)"),
                wrong: format!("abs({SCORE} - outcome) >= {largest}"),
                // NaN compares as larger than every number.
                defined: format!("{largest} > 0 AND abs({SCORE}) < {LARGEST_OUTCOME:e}"),
            }
        }
        Output::Probabilities { scores, .. } => {
            let columns: Vec<String> =
                (0..scores.len()).map(|class| format!("CAST({} AS DOUBLE)", score_column(class))).collect();
            let joined = |of: &dyn Fn((usize, &String)) -> String, by: &str| {
                columns.iter().enumerate().map(of).collect::<Vec<String>>().join(by)
            };
            let distance = |class: usize, column: &str| {
                format!("({column} - CASE WHEN outcome = {class} THEN 1 ELSE 0 END)")
            };
            let squares = |(class, column): (usize, &String)| format!("{0} * {0}", distance(class, column));
            let all = columns.join(", ");
            let likeliest =
                |(class, column): (usize, &String)| format!("WHEN {column} = greatest({all}) THEN {class}");
            let valid = |(_, column): (usize, &String)| format!("{column} >= 0 AND {column} <= 1");
            Lost {
                graded: format!("({}) / 2", joined(&squares, " + ")),
                // Without a column of its own the likeliest class, the first of several, is the predicted one.
                wrong: format!(
                    "(CASE WHEN __predicted >= 0 THEN __predicted {} END) <> outcome",
                    joined(&likeliest, " ")
                ),
                defined: format!("__predicted IS NOT NULL AND {}", joined(&valid, " AND ")),
            }
        }
    }
}

/// The SQL of a row's loss.
struct Lost {
    graded: String,
    wrong: String,
    defined: String,
}

fn by_day_sql(log: &Log<'_>, joined: &str, largest_error: Option<f64>) -> String {
    let Lost { graded, wrong, defined } = loss_sql(log, largest_error);
    format!(
        "SELECT {CELL}, {DAY}, count(*), sum(CAST(round({graded} / {UNIT:e}) AS BIGINT)), \
         count(*) FILTER (WHERE {wrong}) FROM ({joined}) WHERE outcome IS NOT NULL AND {defined} \
         GROUP BY {CELL}, {DAY} ORDER BY {CELL}, {DAY}"
    )
}

/// The losses of each day in each cell.
fn read(batches: &[RecordBatch]) -> Result<Vec<(usize, DayLosses)>, EngineError> {
    let mut parts = Vec::new();
    for batch in batches {
        let numbers: Vec<_> = (0..batch.num_columns())
            .map(|at| cast(batch.column(at), &DataType::Int64))
            .collect::<Result<_, _>>()
            .map_err(|error| EngineError::Query(error.to_string()))?;
        for row in 0..batch.num_rows() {
            let number = |at: usize| numbers[at].as_primitive::<Int64Type>().value(row);
            let losses = DayLosses {
                day: number(1),
                rows: number(2) as u64,
                graded: number(3) as f64 * UNIT,
                wrong: number(4) as u64,
            };
            parts.push((number(0) as usize, losses));
        }
    }
    Ok(parts)
}
