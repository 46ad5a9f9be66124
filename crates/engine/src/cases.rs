//! Rows with their inputs, predictions and outcomes, for what is looked at case by case.

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type};
use jiff::Timestamp;
use stats::multiclass::rows::{are_probabilities, likeliest};
use stats::regression::errors::is_measurable;
use types::cases::{Cases, Outputs};
use types::column::ColumnKind;
use types::definition::{Output, Segment};
use types::{Answer, Answers, Question};

use crate::error::EngineError;
use crate::open::Log;
use crate::outcomes::{failing_segment, with_outcomes_sql};
use crate::sample::{
    DRAWN, HASH, add_values, empty_columns, failed, in_parts, named, numbers, same_rows, texts, with_drawn,
};
use crate::sql::{quoted, segment_column};
use crate::truth::score_column;

/// Answers the questions that ask for cases, window by window.
pub(crate) fn answer(
    log: &Log<'_>,
    questions: &[Question],
    as_of: Timestamp,
    answers: &mut Answers,
) -> Result<(), EngineError> {
    for question in questions {
        let Question::Cases { features, segments, also, rows, window } = question else { continue };
        let drawn = with_drawn(log, *rows, *window, segments, |share| {
            let of_part = |asked: Asked<'_>| {
                let query = log.engine.runtime.block_on(log.context.sql(&asked.sql(log, as_of)))?;
                asked.read(&log.collect(query)?, share, log.roles.output())
            };
            let (features, others) = in_parts(features);
            let mut cases = of_part(Asked { features, segments, also })?;
            for features in others {
                let part = of_part(Asked { features, segments: &[], also: &[] })?;
                same_rows(cases.rows(), part.rows())?;
                cases.features.extend(part.features);
            }
            Ok(cases)
        });
        let segments: Vec<&Segment> = segments.iter().collect();
        let cases = drawn.map_err(|error| failing_segment(log, &segments).unwrap_or(error))?;
        answers.insert(question.clone(), Answer::Cases(cases));
    }
    Ok(())
}

/// What is asked of each row.
struct Asked<'a> {
    features: &'a [(String, ColumnKind)],
    segments: &'a [Segment],
    also: &'a [String],
}

/// Columns of the query before those of predictions and of what was asked for: id, days and outcome.
const FIRST_PREDICTION: usize = 3;

impl Asked<'_> {
    fn sql(&self, log: &Log<'_>, as_of: Timestamp) -> String {
        let id = log.roles.id.as_deref().map(quoted);
        let mut passed_on = vec![HASH.to_owned(), "__instant".to_owned()];
        passed_on.extend(id.iter().map(|id| format!("{id} AS __id")));
        let columns = self.features.iter().map(|(name, _)| name).chain(self.also).enumerate();
        passed_on.extend(columns.map(|(at, name)| format!("{} AS __asked_{at}", quoted(name))));
        passed_on.extend((0..self.segments.len()).map(segment_column));
        let only = id.as_ref().map(|id| format!("SELECT {id} FROM {DRAWN}"));
        let joined = with_outcomes_sql(log, DRAWN, &passed_on, as_of, only.as_deref());
        let mut selected = vec![
            if id.is_some() { "__id".into() } else { "CAST(NULL AS VARCHAR)".to_owned() },
            format!("CAST(__instant AS BIGINT) / {:e}", log.time_axis().units_of_a_day() as f64),
            "outcome".into(),
        ];
        match log.roles.output() {
            Output::Score(_) | Output::Number(_) => selected.push("score".into()),
            Output::Probabilities { scores, .. } => {
                selected.push("__predicted".into());
                selected.extend((0..scores.len()).map(score_column));
            }
        }
        selected.extend((0..self.features.len() + self.also.len()).map(|at| format!("__asked_{at}")));
        selected.extend((0..self.segments.len()).map(segment_column));
        let named: Vec<String> =
            selected.iter().enumerate().map(|(at, column)| format!("{column} AS c{at}")).collect();
        format!("SELECT {} FROM ({joined}) WHERE outcome IS NOT NULL ORDER BY {HASH}", named.join(", "))
    }

    fn read(
        &self,
        batches: &[RecordBatch],
        drawn_share: f64,
        output: Output<'_>,
    ) -> Result<Cases, EngineError> {
        let mut features = empty_columns(self.features);
        let mut cases = Cases {
            drawn_share,
            segments: vec![Vec::new(); self.segments.len()],
            also: vec![Vec::new(); self.also.len()],
            outputs: empty_outputs(output),
            ..Cases::default()
        };
        for batch in batches {
            let predictions = match output {
                Output::Score(_) | Output::Number(_) => 1,
                Output::Probabilities { scores, .. } => 1 + scores.len(),
            };
            let batch = usable(batch, predictions, output)?;
            add_outputs(&mut cases.outputs, &batch)?;
            cases.ids.extend(texts(batch.column(0))?.into_iter().map(Option::unwrap_or_default));
            cases.days.extend(numbers(batch.column(1))?);
            let mut at = FIRST_PREDICTION + predictions;
            for values in &mut features {
                add_values(values, batch.column(at))?;
                at += 1;
            }
            for values in &mut cases.also {
                values.extend(numbers(batch.column(at))?);
                at += 1;
            }
            for values in &mut cases.segments {
                values.extend(texts(batch.column(at))?);
                at += 1;
            }
        }
        cases.features = named(self.features, features);
        Ok(cases)
    }
}

fn empty_outputs(output: Output<'_>) -> Outputs {
    match output {
        Output::Score(_) => Outputs::Binary { scores: Vec::new(), outcomes: Vec::new() },
        Output::Number(_) => Outputs::Regression { predicted: Vec::new(), outcomes: Vec::new() },
        Output::Probabilities { scores, .. } => Outputs::Multiclass {
            probabilities: vec![Vec::new(); scores.len()],
            predicted: Vec::new(),
            outcomes: Vec::new(),
        },
    }
}

/// The rows of a batch whose prediction is one.
fn usable(batch: &RecordBatch, predictions: usize, output: Output<'_>) -> Result<RecordBatch, EngineError> {
    let mut columns = Vec::new();
    for at in FIRST_PREDICTION..FIRST_PREDICTION + predictions {
        columns.push(numbers(batch.column(at))?);
    }
    let outcomes = match output {
        Output::Number(_) => numbers(batch.column(2))?,
        Output::Score(_) | Output::Probabilities { .. } => Vec::new(),
    };
    let keeps = |row: usize| match output {
        Output::Score(_) => (0.0..=1.0).contains(&columns[0][row]),
        Output::Number(_) => is_measurable(columns[0][row], outcomes[row]),
        Output::Probabilities { .. } => {
            let probabilities: Vec<f64> = columns[1..].iter().map(|column| column[row]).collect();
            columns[0][row].is_finite() && are_probabilities(&probabilities)
        }
    };
    let mask: Vec<bool> = (0..batch.num_rows()).map(keeps).collect();
    datafusion::arrow::compute::filter_record_batch(batch, &mask.into()).map_err(failed)
}

/// Adds predictions and outcomes of rows that are usable.
fn add_outputs(outputs: &mut Outputs, batch: &RecordBatch) -> Result<(), EngineError> {
    let integers = |column: &ArrayRef| -> Result<Vec<i32>, EngineError> {
        let integers = cast(column, &DataType::Int32).map_err(failed)?;
        Ok(integers.as_primitive::<Int32Type>().values().to_vec())
    };
    match outputs {
        Outputs::Binary { scores, outcomes } => {
            scores.extend(numbers(batch.column(FIRST_PREDICTION))?);
            let column = batch.column(2).as_boolean();
            outcomes.extend((0..column.len()).map(|row| column.value(row)));
        }
        Outputs::Regression { predicted, outcomes } => {
            predicted.extend(numbers(batch.column(FIRST_PREDICTION))?);
            outcomes.extend(numbers(batch.column(2))?);
        }
        Outputs::Multiclass { probabilities, predicted, outcomes } => {
            let first = predicted.len();
            for (class, of_class) in probabilities.iter_mut().enumerate() {
                of_class.extend(numbers(batch.column(FIRST_PREDICTION + 1 + class))?);
            }
            for (row, class) in integers(batch.column(FIRST_PREDICTION))?.into_iter().enumerate() {
                let of_row: Vec<f64> = probabilities.iter().map(|of_class| of_class[first + row]).collect();
                // Without a column of its own the likeliest class is the predicted one: it is passed as -1.
                let likeliest = || likeliest(&of_row).unwrap_or_default() as u32;
                predicted.push(u32::try_from(class).unwrap_or_else(|_| likeliest()));
            }
            outcomes.extend(integers(batch.column(2))?.into_iter().map(|class| class as u32));
        }
    }
    Ok(())
}
