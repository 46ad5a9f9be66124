//! What the reference knows of the model's inputs: ranges, categories, how often values are missing, and rows from
//! which missing values are filled in.

use std::collections::HashSet;

use serving::guard::Expected;
use stats::sketch::Profile;
use types::ColumnKind;
use types::batch::{Batch, ValueKind};
use types::definition::Guard;
use types::question::{Measured, Question};

use crate::check::CheckError;
use crate::opened::Opened;
use crate::stress::rows;

/// Rows of the reference that say what is usual.
const ROWS: u32 = 2_000;

/// The reference of a guard.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    pub(super) expected: Vec<Expected>,
    /// Rows drawn from it, with the same inputs in the same order.
    pub(super) rows: Batch,
}

impl Reference {
    /// Reads it; none where its window has no rows.
    pub(super) fn of(
        opened: &Opened<'_>,
        inputs: &[(String, ColumnKind)],
    ) -> Result<Option<Self>, CheckError> {
        let (definition, window) = (&opened.definition, opened.definition.reference.window);
        let sample = Question::Sample { features: inputs.to_vec(), rows: ROWS, outcomes: false, window };
        let profile = |(name, kind): &(String, ColumnKind)| Question::Profile {
            of: Measured::Column { name: name.clone() },
            kind: *kind,
            window,
        };
        let mut questions: Vec<Question> = inputs.iter().map(profile).collect();
        questions.push(sample.clone());
        let now = jiff::Timestamp::now();
        let answers = opened.log.answer(&questions, now).map_err(|error| opened.explain(error))?;
        let Some(sample) = answers.sample(&sample).filter(|sample| sample.rows() > 0) else {
            return Ok(None);
        };
        let rows = rows::of_columns(&sample.columns, &opened.schema)
            .map_err(|error| CheckError::Model(error.to_string()))?;
        let guard = definition.guard.clone().unwrap_or_default();
        let expected = rows.columns().iter().zip(&questions).map(|(column, question)| {
            expected(&column.name, column.values.kind(), answers.profile(question), &guard)
        });
        Ok(Some(Self { expected: expected.collect(), rows }))
    }
}

fn expected(name: &str, kind: ValueKind, profile: Option<&Profile>, guard: &Guard) -> Expected {
    let mut expected =
        Expected { name: name.to_owned(), kind, may_be_missing: false, range: None, categories: None };
    let Some(profile) = profile else { return expected };
    let share = profile.missing() as f64 / profile.rows().max(1) as f64;
    expected.may_be_missing = share > guard.usual_missing;
    match profile {
        Profile::Numeric(numbers) => {
            if let (Some(least), Some(most)) = (numbers.moments.min(), numbers.moments.max()) {
                let far = (most - least) * guard.range_margin;
                expected.range = Some((least - far, most + far));
            }
        }
        Profile::Categorical(categories) if kind == ValueKind::Text => {
            // Where there were too many to keep them all, none can be said to be new.
            let known: HashSet<String> =
                categories.values.values().map(|(value, _)| value.to_owned()).collect();
            let is_all = categories.values.count_error() == 0
                && known.len() as f64 >= categories.values.distinct().round();
            expected.categories = is_all.then_some(known);
        }
        _ => {}
    }
    expected
}
