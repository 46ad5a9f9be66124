//! Whether a window's outcomes have arrived, judged by how long those of the reference took.

use jiff::Timestamp;
use stats::ecdf::Ecdf;
use stats::estimated::maturity::{MaturityRule, MaturityVerdict, OutcomeDelays, maturity};
use stats::interval::Level;
use types::finding::{Maturity, MaturityState, QUANTILES};
use types::{Answers, Question, Window};

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
    let state = match found.verdict {
        MaturityVerdict::Settled => MaturityState::Settled,
        MaturityVerdict::Maturing { .. } => MaturityState::Maturing,
        MaturityVerdict::TooEarly => MaturityState::TooEarly,
    };
    let own = answers.ecdf(&Question::Delays { window: scope.window });
    let own = own.filter(|own| state == MaturityState::Settled && !own.is_empty());
    let quantiles = |of: &Ecdf| QUANTILES.iter().filter_map(|&share| of.quantile(share)).collect();
    Some(Maturity {
        state,
        coverage: found.coverage.value,
        expected_coverage: found.expected.unwrap_or(1.0),
        delay_days: quantiles(delays),
        own_delay_days: own.map(quantiles).unwrap_or_default(),
        settled_by: arrived_by(scope.window, own.unwrap_or(delays), settled_from),
    })
}

/// The end of the day by which a share of a window's outcomes arrives, of those that ever do; its predictions are
/// taken to be spread evenly over it, and each outcome to take as long as any other.
fn arrived_by(window: Window, delays: &Ecdf, share: f64) -> Option<Timestamp> {
    let begins = instants(window);
    let arrived = |day: f64| {
        let within = begins.iter().map(|begin| delays.count_le(day - begin) as f64 / delays.n() as f64);
        within.sum::<f64>() / begins.len() as f64
    };
    let day = |at: Timestamp| at.as_second() as f64 / SECONDS_OF_A_DAY;
    let (mut before, mut by) =
        (day(window.from()).floor(), (day(window.to()) + delays.max()?.max(0.0)).ceil());
    if !by.is_finite() {
        return None;
    }
    while by - before > 1.0 {
        let middle = f64::midpoint(before, by).floor();
        if arrived(middle) >= share { by = middle } else { before = middle }
    }
    Timestamp::from_second((by * SECONDS_OF_A_DAY) as i64).ok()
}

/// Instants spread evenly over a window, in days since 1970-01-01.
fn instants(window: Window) -> Vec<f64> {
    let (from, to) = (window.from().as_second() as f64, window.to().as_second() as f64);
    let step = (to - from) / INSTANTS as f64;
    (0..INSTANTS).map(|at| (from + (at as f64 + 0.5) * step) / SECONDS_OF_A_DAY).collect()
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
    Some(Maturity {
        state,
        coverage,
        expected_coverage: 1.0,
        delay_days: Vec::new(),
        own_delay_days: Vec::new(),
        settled_by: None,
    })
}

/// How old the window's predictions are, in seconds.
fn ages(scope: PerformanceScope<'_>, predictions: u64) -> Option<Ecdf> {
    let now = scope.as_of.as_second() as f64;
    let upto = |at: u64| (u128::from(predictions) * u128::from(at) / u128::from(INSTANTS)) as u64;
    let points = (0..).zip(instants(scope.window)).map(|(at, instant)| {
        let age = (now - instant * SECONDS_OF_A_DAY).max(0.0);
        (age, upto(at + 1) - upto(at))
    });
    Ecdf::from_weighted(points.collect(), 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(window: &str, delays: &mut [f64], share: f64) -> Option<String> {
        let delays = Ecdf::from_values(delays).unwrap();
        arrived_by(window.parse().unwrap(), &delays, share).map(types::window::instant_text)
    }

    #[test]
    fn a_window_settles_on_the_day_by_which_the_share_of_its_outcomes_arrives() {
        let week = "2024-01-01/2024-01-08";
        // All take two days: nine tenths of a week are predicted by 6.3 days, and known by 8.3.
        assert_eq!(by(week, &mut [2.0; 10], 0.9).as_deref(), Some("2024-01-10"));
        // At once: the share of the week itself.
        assert_eq!(by(week, &mut [0.0; 10], 0.5).as_deref(), Some("2024-01-05"));
        // One in ten takes a month, which nine tenths do not wait for and all do.
        let mut slow = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 30.0];
        assert_eq!(by(week, &mut slow, 0.85).as_deref(), Some("2024-01-09"));
        assert_eq!(by(week, &mut slow, 1.0).as_deref(), Some("2024-02-07"));
        assert_eq!(by(week, &mut [1.0, f64::INFINITY], 0.9), None);
    }
}
