//! Where two segments meet: a model can serve every origin and every carrier well, and one carrier at one origin
//! badly.

use std::collections::BTreeMap;

use stats::labelled_scores::LabelledScores;
use stats::multiclass::{ClassifiedRows, KeptRow};
use stats::regression::PredictionErrors;
use types::cases::Outputs;
use types::outcomes::Outcomes;

use crate::rows::Rows;

/// Intersections that are looked at, those with the most rows.
const MOST: usize = 200;

/// Rows that have one value of one segment and one of another.
pub(crate) struct Intersection {
    /// `origin × carrier`.
    pub(crate) column: String,
    /// `JFK × B6`.
    pub(crate) value: String,
    pub(crate) outcomes: OwnedOutcomes,
}

/// [`Outcomes`] of some rows, put together here.
pub(crate) enum OwnedOutcomes {
    Binary(LabelledScores),
    Multiclass(ClassifiedRows),
    Regression(PredictionErrors),
}

impl OwnedOutcomes {
    pub(crate) fn borrowed(&self) -> Outcomes<'_> {
        match self {
            Self::Binary(scores) => Outcomes::Binary(scores),
            Self::Multiclass(rows) => Outcomes::Multiclass(rows),
            Self::Regression(errors) => Outcomes::Regression(errors),
        }
    }

    /// The rows of `outputs` at `members`.
    fn of(outputs: &Outputs, members: &[usize]) -> Self {
        match outputs {
            Outputs::Binary { scores, outcomes } => {
                let pairs = members.iter().map(|&row| (scores[row], outcomes[row]));
                Self::Binary(LabelledScores::from_pairs(pairs).unwrap_or_default())
            }
            Outputs::Regression { predicted, outcomes } => Self::Regression(PredictionErrors::of(
                members.iter().map(|&row| (predicted[row], outcomes[row])),
            )),
            Outputs::Multiclass { probabilities, predicted, outcomes } => {
                let mut rows = ClassifiedRows::new(probabilities.len(), None);
                rows.extend(members.iter().map(|&row| KeptRow {
                    // Rows are kept all, so nothing is drawn by hash.
                    hash: row as u64,
                    outcome: outcomes[row] as usize,
                    predicted: predicted[row] as usize,
                    probabilities: probabilities.iter().map(|of_class| of_class[row]).collect(),
                }));
                Self::Multiclass(rows)
            }
        }
    }
}

/// Every two values of two segments that enough rows have, and that are not the same rows as either alone.
pub(crate) fn intersections(rows: &Rows<'_>) -> Vec<Intersection> {
    let segments = &rows.scope.definition.log.segments;
    let needed = rows.scope.definition.evaluate.min_rows as usize;
    let mut found: Vec<(String, String, Vec<usize>)> = Vec::new();
    for (at, first) in segments.iter().enumerate() {
        for second in &segments[at + 1..] {
            let (one, other) = (rows.segment(first), rows.segment(second));
            let (of_one, of_other) = (counts(one), counts(other));
            let mut pairs: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
            for (row, pair) in one.iter().zip(other).enumerate() {
                if let (Some(a), Some(b)) = pair {
                    pairs.entry((a, b)).or_default().push(row);
                }
            }
            for ((a, b), members) in pairs {
                let n = members.len();
                let is_new = of_one.get(a) != Some(&n) && of_other.get(b) != Some(&n);
                if n >= needed && is_new {
                    let column = format!("{} × {}", first.name, second.name);
                    found.push((column, format!("{a} × {b}"), members));
                }
            }
        }
    }
    found.sort_by(|a, b| b.2.len().cmp(&a.2.len()).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
    found.truncate(MOST);
    let outcomes = |members: &[usize]| OwnedOutcomes::of(&rows.cases.outputs, members);
    found
        .into_iter()
        .map(|(column, value, members)| Intersection { column, value, outcomes: outcomes(&members) })
        .collect()
}

fn counts(values: &[Option<String>]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for value in values.iter().flatten() {
        *counts.entry(value.as_str()).or_insert(0) += 1;
    }
    counts
}
