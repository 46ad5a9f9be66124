//! One scan for all profiles: every measured column, every window.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int32Type;
use stats::sketch::{Fidelity, Profile};
use types::answer::Identity;
use types::column::ColumnKind;
use types::question::Measured;
use types::{Answer, Answers, Question};

use crate::aggregate::{
    CategoriesSummary, IdsSummary, NumbersSummary, Summary, TextsSummary, VectorsSummary, decode,
    function_name,
};
use crate::cells::Cells;
use crate::error::EngineError;
use crate::open::{LOG, Log};
use crate::sql::{CELL, quoted};
use crate::truth::{predicted_class_sql, score_sum_sql};

/// One column of the query's result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asked {
    Numbers(Measured),
    Categories(Measured),
    Texts(Measured),
    Vectors(Measured),
    /// How often the values of a column repeat.
    Ids(String),
}

impl Asked {
    /// What is measured, in words that are the same from run to run: the key of what is kept of it.
    pub(crate) fn key(&self, log: &Log<'_>) -> String {
        aggregate_sql(log, log.days_fidelity, self)
    }
}

/// What a question asks of a column; `None` where it asks about outcomes.
pub(crate) fn asked(question: &Question) -> Option<Asked> {
    match question {
        Question::Profile { of, kind: ColumnKind::Numeric, .. } => Some(Asked::Numbers(of.clone())),
        Question::Profile { of, kind: ColumnKind::Text, .. } => Some(Asked::Texts(of.clone())),
        Question::Profile { of, kind: ColumnKind::Embedding, .. } => Some(Asked::Vectors(of.clone())),
        Question::Profile { of, .. } => Some(Asked::Categories(of.clone())),
        Question::Identity { column, .. } => Some(Asked::Ids(column.clone())),
        Question::ScoredOutcomes { .. }
        | Question::Outcomes { .. }
        | Question::Coverage { .. }
        | Question::Delays { .. }
        | Question::DailyLosses { .. }
        | Question::Sample { .. }
        | Question::Cases { .. } => None,
    }
}

/// Answers the questions about columns by one pass over the log.
pub(crate) fn answer(
    log: &Log<'_>,
    fidelity: Fidelity,
    questions: &[Question],
    answers: &mut Answers,
) -> Result<(), EngineError> {
    let questions: Vec<(&Question, Asked)> =
        questions.iter().filter_map(|question| Some((question, asked(question)?))).collect();
    if questions.is_empty() {
        return Ok(());
    }
    let cells = Cells::of(questions.iter().map(|(question, _)| question.window()));
    let mut columns: HashMap<Asked, usize> = HashMap::new();
    let mut selected: Vec<String> = Vec::new();
    for (_, asked) in &questions {
        columns.entry(asked.clone()).or_insert_with(|| {
            selected.push(aggregate_sql(log, fidelity, asked));
            selected.len()
        });
    }
    let batches = scan(log, &cells, &selected)?;
    let states = States::new(&batches, cells.len());
    for (question, asked) in questions {
        let within = cells.within(question.window());
        let of_window = within.filter_map(|cell| states.of(cell, columns[&asked]));
        let answer = match asked {
            Asked::Numbers(_) => {
                let NumbersSummary(profile) = merged(of_window, fidelity)?;
                Answer::Profile(Profile::Numeric(profile))
            }
            Asked::Categories(_) => Answer::Profile(Profile::Categorical(
                merged::<CategoriesSummary>(of_window, fidelity)?.into_profile(),
            )),
            Asked::Texts(_) => {
                let TextsSummary(profile) = merged(of_window, fidelity)?;
                Answer::Profile(Profile::Text(Box::new(profile)))
            }
            Asked::Vectors(_) => {
                let VectorsSummary(profile) = merged(of_window, fidelity)?;
                Answer::Profile(Profile::Embedding(profile))
            }
            Asked::Ids(_) => {
                let identity: Identity = merged::<IdsSummary>(of_window, fidelity)?.identity();
                Answer::Identity(identity)
            }
        };
        answers.insert(question.clone(), answer);
    }
    Ok(())
}

pub(crate) fn aggregate_sql(log: &Log<'_>, fidelity: Fidelity, asked: &Asked) -> String {
    match asked {
        Asked::Numbers(of) => {
            format!("{}({})", function_name::<NumbersSummary>(fidelity), measured_sql(log, of))
        }
        Asked::Categories(of) => {
            format!("{}({})", function_name::<CategoriesSummary>(fidelity), measured_sql(log, of))
        }
        Asked::Texts(of) => {
            format!("{}({})", function_name::<TextsSummary>(fidelity), measured_sql(log, of))
        }
        Asked::Vectors(of) => {
            format!("{}({})", function_name::<VectorsSummary>(fidelity), measured_sql(log, of))
        }
        Asked::Ids(column) => format!("{}({})", function_name::<IdsSummary>(fidelity), quoted(column)),
    }
}

fn measured_sql(log: &Log<'_>, of: &Measured) -> String {
    match of {
        Measured::Column { name } => quoted(name),
        Measured::PredictedClass => predicted_class_sql(log),
        Measured::ScoreSum => score_sum_sql(log),
    }
}

fn scan(log: &Log<'_>, cells: &Cells, aggregates: &[String]) -> Result<Vec<RecordBatch>, EngineError> {
    const ROWS: &str = "rows_in_cells";
    let axis = log.time_axis();
    let table = log.engine.runtime.block_on(log.context.table(LOG))?;
    let rows = axis.in_cells(table, cells)?;
    log.context.register_table(ROWS, rows.into_view())?;
    let columns: Vec<String> =
        aggregates.iter().enumerate().map(|(at, sql)| format!("{sql} AS a{at}")).collect();
    let sql = format!("SELECT {CELL}, {} FROM {ROWS} GROUP BY {CELL}", columns.join(", "));
    let query = log.engine.runtime.block_on(log.context.sql(&sql));
    let batches = query.map_err(EngineError::from).and_then(|query| log.collect(query));
    log.context.deregister_table(ROWS)?;
    batches.map_err(|error| log.explain_time(error))
}

/// The encoded summaries of a query's result, by cell.
struct States<'a> {
    rows: Vec<Option<(&'a RecordBatch, usize)>>,
}

impl<'a> States<'a> {
    fn new(batches: &'a [RecordBatch], cells: usize) -> Self {
        let mut rows = vec![None; cells];
        for batch in batches {
            for (row, cell) in batch.column(0).as_primitive::<Int32Type>().iter().enumerate() {
                if let Some(at) = cell.and_then(|cell| rows.get_mut(cell as usize)) {
                    *at = Some((batch, row));
                }
            }
        }
        Self { rows }
    }

    fn of(&self, cell: usize, column: usize) -> Option<&'a [u8]> {
        let (batch, row) = self.rows.get(cell).copied().flatten()?;
        let states = batch.column(column).as_binary::<i64>();
        states.is_valid(row).then(|| states.value(row))
    }
}

fn merged<'a, S: Summary>(
    states: impl Iterator<Item = &'a [u8]>,
    fidelity: Fidelity,
) -> Result<S, EngineError> {
    let mut whole: Option<S> = None;
    for state in states {
        match &mut whole {
            None => whole = Some(decode(state)?),
            Some(whole) => whole.merge_encoded(state)?,
        }
    }
    Ok(whole.unwrap_or_else(|| S::new(fidelity)))
}
