//! What the predictions of each day lost, by one pass over predictions joined with outcomes.

use std::collections::BTreeMap;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use jiff::Timestamp;
use types::answer::DayLosses;
use types::{Answer, Answers, Question};

use crate::cells::Cells;
use crate::error::EngineError;
use crate::open::{LOG, Log};
use crate::outcomes::with_outcomes_sql;
use crate::sql::CELL;

/// Squared distances are added up as whole multiples of this, so that the sum does not depend on the order of
/// the rows.
const UNIT: f64 = 1e-9;
const ROWS: &str = "predictions_by_day";
const DAY: &str = "__day";

/// Answers the questions about the losses of days, all windows at once.
pub(crate) fn answer(
    log: &Log<'_>,
    questions: &[Question],
    as_of: Timestamp,
    answers: &mut Answers,
) -> Result<(), EngineError> {
    let wanted: Vec<&Question> =
        questions.iter().filter(|question| matches!(question, Question::DailyLosses { .. })).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let cells = Cells::of(wanted.iter().map(|question| question.window()));
    let axis = log.time_axis();
    let table = log.engine.runtime.block_on(log.context.table(LOG))?;
    let rows = axis.with_day(axis.in_cells(table, &cells)?)?;
    log.context.register_table(ROWS, rows.into_view())?;
    let joined = with_outcomes_sql(log, ROWS, &[DAY.to_owned()], as_of, None);
    let query = log.engine.runtime.block_on(log.context.sql(&by_day_sql(&joined, log.roles.threshold)));
    let batches = query.map_err(EngineError::from).and_then(|query| log.collect(query));
    log.context.deregister_table(ROWS)?;
    let parts = read(&batches.map_err(|error| axis.explain(error))?)?;
    for question in wanted {
        let mut days: BTreeMap<i64, DayLosses> = BTreeMap::new();
        let within = cells.within(question.window());
        for (_, part) in parts.iter().filter(|(cell, _)| within.contains(cell)) {
            let whole =
                days.entry(part.day).or_insert(DayLosses { rows: 0, squared: 0.0, wrong: 0, ..*part });
            whole.rows += part.rows;
            whole.squared += part.squared;
            whole.wrong += part.wrong;
        }
        answers.insert(question.clone(), Answer::DailyLosses(days.into_values().collect()));
    }
    Ok(())
}

fn by_day_sql(joined: &str, threshold: f64) -> String {
    let distance = "(score - CAST(outcome AS INT))";
    format!(
        "SELECT {CELL}, {DAY}, count(*), \
         sum(CAST(round({distance} * {distance} / {UNIT:e}) AS BIGINT)), \
         count(*) FILTER (WHERE (score >= {threshold:e}) <> outcome) \
         FROM (SELECT {CELL}, {DAY}, CAST(score AS DOUBLE) AS score, outcome FROM ({joined})) \
         WHERE outcome IS NOT NULL AND score >= 0 AND score <= 1 \
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
                squared: number(3) as f64 * UNIT,
                wrong: number(4) as u64,
            };
            parts.push((number(0) as usize, losses));
        }
    }
    Ok(parts)
}
