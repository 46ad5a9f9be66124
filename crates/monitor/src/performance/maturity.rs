//! Whether a window's outcomes have arrived, judged by how long those of the reference took.

use stats::ecdf::Ecdf;
use stats::estimated::maturity::{MaturityRule, MaturityVerdict, OutcomeDelays, maturity};
use stats::interval::Level;
use types::finding::{Maturity, MaturityState, QUANTILES};
use types::{Answers, Question};

use super::PerformanceScope;

const SECONDS_OF_A_DAY: f64 = 86_400.0;
/// A window's predictions are taken to be spread evenly over it, at as many instants.
const INSTANTS: u64 = 64;

/// `None` where the window has no predictions.
pub(super) fn of(scope: PerformanceScope<'_>, answers: &Answers) -> Option<Maturity> {
    let reference = scope.definition.reference.window;
    let coverage = answers.coverage(&Question::Coverage { orphans: false, window: scope.window })?;
    let before = answers.coverage(&Question::Coverage { orphans: false, window: reference })?;
    let delays = answers.ecdf(&Question::Delays { window: reference })?;
    let seconds = delays.points().map(|(days, count)| (days.max(0.0) * SECONDS_OF_A_DAY, count)).collect();
    let delays_in_seconds = Ecdf::from_weighted(seconds, delays.rank_error()).ok()?;
    // Outcomes without a time are there or not; how long they took is not known.
    let known = OutcomeDelays::new(delays_in_seconds, before.predictions.max(delays.n()));
    let settled_from = scope.definition.monitor.performance.least_coverage;
    let rule = MaturityRule { settled_from, shown_from: 0.5_f64.min(settled_from) };
    let found = match &known {
        Ok(known) if !delays.is_empty() => {
            maturity(known, &ages(scope, coverage.predictions)?, coverage.with_outcome, rule, Level::P95)
                .ok()?
        }
        _ => return by_coverage(coverage.with_outcome, coverage.predictions, rule),
    };
    Some(Maturity {
        state: match found.verdict {
            MaturityVerdict::Settled => MaturityState::Settled,
            MaturityVerdict::Maturing { .. } => MaturityState::Maturing,
            MaturityVerdict::TooEarly => MaturityState::TooEarly,
        },
        coverage: found.coverage.value,
        expected_coverage: found.expected.unwrap_or(1.0),
        delay_days: QUANTILES.iter().filter_map(|&share| delays.quantile(share)).collect(),
    })
}

fn by_coverage(with_outcome: u64, predictions: u64, rule: MaturityRule) -> Option<Maturity> {
    let coverage = (predictions > 0).then(|| with_outcome as f64 / predictions as f64)?;
    let state = if coverage >= rule.settled_from {
        MaturityState::Settled
    } else if coverage >= rule.shown_from {
        MaturityState::Maturing
    } else {
        MaturityState::TooEarly
    };
    Some(Maturity { state, coverage, expected_coverage: 1.0, delay_days: Vec::new() })
}

/// How old the window's predictions are, in seconds.
fn ages(scope: PerformanceScope<'_>, predictions: u64) -> Option<Ecdf> {
    let (from, to) = (scope.window.from().as_second() as f64, scope.window.to().as_second() as f64);
    let now = scope.as_of.as_second() as f64;
    let step = (to - from) / INSTANTS as f64;
    let age = |at: u64| (now - (from + (at as f64 + 0.5) * step)).max(0.0);
    let upto = |at: u64| (u128::from(predictions) * u128::from(at) / u128::from(INSTANTS)) as u64;
    let points = (0..INSTANTS).map(|at| (age(at), upto(at + 1) - upto(at)));
    Ecdf::from_weighted(points.collect(), 0).ok()
}
