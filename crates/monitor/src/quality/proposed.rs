//! Expectations for a log that has none yet, from its reference.
//!
//! Ranges are the reference's, a tenth wider and rounded outward; a set of values where there are few; the missing share
//! with room for chance. What later rows of the log do not keep is proposed all the same, but marked,
//! so that somebody looks at it before it is declared.

use stats::interval::Level;
use stats::proportion::wilson_interval;
use stats::sketch::Profile;
use types::column::{Column, ColumnKind};
use types::definition::{Expectation, OnBreach};
use types::question::Measured;
use types::{Answers, Definition, Question, Schema, Window};

use super::declared::{State, holds, parts};
use crate::{is_measured, watched};

/// Different values up to which a set of them is proposed.
const VALUES_MOST: usize = 20;
/// By which share of the whole range a proposed one is wider at either end.
const MARGIN: f64 = 0.1;
const ROUNDING: f64 = 1e-9;
/// The missing shares that are proposed as limits.
const SHARES: [f64; 7] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5];

/// What is proposed for a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposed {
    pub expectation: Expectation,
    /// Keys that later windows do not keep: `range`, `allowed`, `max_missing`.
    pub broken_later: Vec<&'static str>,
}

/// What to measure: every feature in the reference and in the windows after it.
pub fn plan(definition: &Definition, schema: &Schema, later: &[Window]) -> Vec<Question> {
    let windows = || std::iter::once(&definition.reference.window).chain(later);
    let columns = features(definition, schema);
    windows().flat_map(|&window| columns.iter().map(move |column| question(column, window))).collect()
}

/// What the answers propose, in the order of the log.
pub fn of(definition: &Definition, schema: &Schema, later: &[Window], answers: &Answers) -> Vec<Proposed> {
    features(definition, schema)
        .into_iter()
        .filter_map(|column| {
            let reference = answers.profile(&question(column, definition.reference.window))?;
            let expectation = proposal(column, reference)?;
            let mut broken_later: Vec<&'static str> = Vec::new();
            for &window in later {
                for part in parts(&expectation, schema, window, answers) {
                    let is_broken = matches!(part.state, State::Broken(_));
                    if is_broken && !broken_later.contains(&part.key) {
                        broken_later.push(part.key);
                    }
                }
            }
            Some(Proposed { expectation, broken_later })
        })
        .collect()
}

fn features<'a>(definition: &Definition, schema: &'a Schema) -> Vec<&'a Column> {
    let watched = watched(definition, schema);
    let name = |watched: crate::Watched| match (watched.subject, watched.of) {
        (types::Subject::Feature { .. }, Measured::Column { name }) => Some(name),
        _ => None,
    };
    let columns = watched.into_iter().filter_map(name).filter_map(|name| schema.column(&name));
    columns.filter(|column| is_measured(column.kind)).collect()
}

fn question(column: &Column, window: Window) -> Question {
    Question::Profile { of: Measured::Column { name: column.name.clone() }, kind: column.kind, window }
}

fn proposal(column: &Column, reference: &Profile) -> Option<Expectation> {
    if reference.rows() == 0 || reference.missing() == reference.rows() {
        return None;
    }
    let mut expected = Expectation {
        column: column.name.clone(),
        holds: holds(column.kind),
        on_breach: OnBreach::Warn,
        ..Expectation::default()
    };
    match reference {
        Profile::Numeric(numbers) => {
            (expected.min, expected.max) = wider_range(numbers.moments.min()?, numbers.moments.max()?);
        }
        Profile::Categorical(text) => {
            let values = text.values.most_frequent();
            let is_whole = text.values.count_error() == 0 && values.len() <= VALUES_MOST;
            let mut values: Vec<String> = values.into_iter().map(|(value, _)| value.to_owned()).collect();
            values.sort();
            expected.allowed = (is_whole && column.kind == ColumnKind::Categorical).then_some(values);
        }
        // What can be expected of a free text or a vector is for people to say.
        Profile::Text(_) | Profile::Embedding(_) => return None,
    }
    let likely = wilson_interval(reference.missing(), reference.rows(), Level::P95).ok()?.upper;
    expected.max_missing = SHARES.into_iter().find(|share| *share >= likely);
    Some(expected)
}

/// A range around one, a tenth wider and rounded outward; it does not cross zero where the values do not.
fn wider_range(min: f64, max: f64) -> (Option<f64>, Option<f64>) {
    let width = if max > min { max - min } else { max.abs().max(1.0) };
    let step = 10_f64.powf((width * MARGIN).log10().floor());
    if !(width.is_finite() && step.is_finite() && step > 0.0) {
        return (None, None);
    }
    let rounded = |bound: f64| {
        // Of many digits only those are left that the step has.
        let decimals = (-step.log10()).round().clamp(0.0, 12.0) as usize;
        format!("{bound:.decimals$}").parse().unwrap_or(bound)
    };
    // What is a whole number of steps but for rounding stays that number.
    let low = rounded(((min - MARGIN * width) / step + ROUNDING).floor() * step);
    let high = rounded(((max + MARGIN * width) / step - ROUNDING).ceil() * step);
    let low = if min >= 0.0 { low.max(0.0) } else { low };
    let high = if max <= 0.0 && min < 0.0 { high.min(0.0) } else { high };
    (Some(low), Some(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_rounded_outward_and_keeps_its_sign() {
        for ((min, max), expected) in [
            ((80.0, 4983.0), (0.0, 5500.0)),
            ((0.013, 0.987), (0.0, 1.09)),
            ((-3.2, 24.6), (-6.0, 28.0)),
            ((-120.5, -3.25), (-140.0, 0.0)),
            ((7.0, 7.0), (6.3, 7.7)),
            ((1996.0, 2013.0), (1994.0, 2015.0)),
            ((0.0, 0.0), (0.0, 0.1)),
        ] {
            assert_eq!(wider_range(min, max), (Some(expected.0), Some(expected.1)), "{min} to {max}");
        }
        assert_eq!(wider_range(f64::MIN, f64::MAX), (None, None));
    }
}
