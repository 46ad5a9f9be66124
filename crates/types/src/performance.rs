//! Metrics of scores with outcomes as measures, and the limits that they are held against: the one place
//! that both the watching of performance over time and its evaluation use.

use crate::definition::Metric;
use crate::finding::{Measure, Threshold};
use crate::format::{count, number, percent};
use crate::outcomes::of_another_task;
use crate::verdict::Verdict;
use stats::classification::average_precision::average_precision;
use stats::classification::brier::brier_score;
use stats::classification::confusion::Confusion;
use stats::classification::log_loss::log_loss;
use stats::classification::roc_auc::roc_auc;
use stats::classification::{Estimate, Undefined};
use stats::interval::{Interval, IntervalMethod, Level};
use stats::labelled_scores::LabelledScores;

/// A metric at a decision threshold, with an interval of the given level.
///
/// # Errors
/// Why the metric does not exist for these rows, as words that complete "because …".
pub fn measure(
    scores: &LabelledScores,
    metric: Metric,
    threshold: f64,
    level: Level,
) -> Result<Measure, String> {
    let at_threshold = || Confusion::at(scores, threshold);
    let mut note = String::new();
    let estimate: Result<Estimate, Undefined> = match metric {
        Metric::Accuracy => at_threshold().and_then(|confusion| confusion.accuracy(level)),
        Metric::Precision => at_threshold().and_then(|confusion| confusion.precision(level)),
        Metric::Recall => at_threshold().and_then(|confusion| confusion.recall(level)),
        Metric::F1 => at_threshold().and_then(|confusion| confusion.f1(level)),
        Metric::RocAuc => roc_auc(scores, level),
        Metric::AveragePrecision => average_precision(scores, level),
        Metric::Brier => brier_score(scores, level),
        Metric::LogLoss => log_loss(scores, level).map(|loss| {
            if loss.clipped > 0 {
                note = format!("; {} rows with a score of 0 or 1 clipped", loss.clipped);
            }
            loss.estimate
        }),
        _ => return Err(of_another_task(metric, "binary")),
    };
    let estimate = estimate.map_err(|undefined| reason(&undefined))?;
    Ok(named_measure(metric, &estimate, &note))
}

/// An estimate as the measure of a metric; `note` follows the words about the interval.
pub(crate) fn named_measure(metric: Metric, estimate: &Estimate, note: &str) -> Measure {
    let Interval { method, level, .. } = estimate.interval;
    Measure {
        interval: Some(estimate.interval),
        error_bound: estimate.error_bound,
        ..Measure::new(
            metric.name(),
            estimate.value,
            estimate.n,
            format!("{} interval, level {:.4}{note}", method.name(), level.get()),
        )
    }
    .without_empty_interval()
}

/// The part of the message that says why, without the "failed to …" that it completes.
pub fn reason(undefined: &Undefined) -> String {
    without_failed_to(undefined)
}

/// What an error says after the "failed to …" that it completes; all of it where it gives no reason.
pub fn without_failed_to(undefined: &impl std::fmt::Display) -> String {
    let message = undefined.to_string();
    match message.split_once(": ") {
        Some((_, reason)) => reason.to_owned(),
        None => format!("failed to {message}"),
    }
}

/// How much worse the window is than the reference, positive for worse, with Newcombe's hybrid
/// interval of a difference of two independent estimates (Zou & Donner 2008, "Construction of
/// confidence limits about effect measures", eq. 4).
///
/// Errors in the unit of the outcome are compared as a share of the reference's, as
/// [`RELATIVE_LOSS`]: an amount that is much for minutes is little for metres.
pub fn loss_against(metric: Metric, current: &Measure, reference: &Measure) -> Measure {
    if metric.has_unit()
        && let Some(loss) = relative_loss(metric, current, reference)
    {
        return loss;
    }
    let sign = if metric.higher_is_better() { 1.0 } else { -1.0 };
    let value = sign * (reference.value - current.value);
    let interval = current.interval.as_ref().zip(reference.interval.as_ref()).map(|(now, before)| {
        let (worse, better) = if sign > 0.0 {
            (
                (before.upper - reference.value).hypot(current.value - now.lower),
                (reference.value - before.lower).hypot(now.upper - current.value),
            )
        } else {
            (
                (reference.value - before.lower).hypot(now.upper - current.value),
                (before.upper - reference.value).hypot(current.value - now.lower),
            )
        };
        Interval {
            lower: value - better,
            upper: value + worse,
            level: now.level,
            method: IntervalMethod::Newcombe,
        }
    });
    Measure {
        interval,
        error_bound: current.error_bound + reference.error_bound,
        expected_by_chance: Some(0.0),
        ..Measure::new(
            LOSS,
            value,
            current.n,
            format!(
                "{} of the reference ({} rows) less that of the window, so that worse is positive{}",
                metric.title(),
                count(reference.n),
                without_interval(current, reference)
            ),
        )
    }
}

/// Why two values have no interval of how they differ, where they have none.
fn without_interval(current: &Measure, reference: &Measure) -> &'static str {
    match (current.interval, reference.interval) {
        (Some(_), Some(_)) => "",
        (None, Some(_)) => "; no interval, because that of the window has none",
        (Some(_), None) => "; no interval, because that of the reference has none",
        (None, None) => "; no interval, because neither of the two has one",
    }
}

/// The loss against the reference, as a difference.
pub const LOSS: &str = "loss_against_reference";
/// The loss against the reference, as a share of the reference.
pub const RELATIVE_LOSS: &str = "loss_share_against_reference";

/// A loss, or a limit of it, in words: `5.0 %` where it is a share of the reference's, else `0.05`.
pub fn loss_text(loss: &Measure, value: f64) -> String {
    if loss.name == RELATIVE_LOSS { percent(value) } else { number(value) }
}

/// The ratio of two errors less 1; `None` where the reference may well be 0, since nothing is a share of that.
fn relative_loss(metric: Metric, current: &Measure, reference: &Measure) -> Option<Measure> {
    let method = format!(
        "{} of the window over that of the reference ({} rows), less 1, so that worse is positive{}",
        metric.title(),
        count(reference.n),
        without_interval(current, reference)
    );
    rise(RELATIVE_LOSS, current, reference, method)
}

/// The ratio of two independent estimates of a loss less 1, with the hybrid interval of [`loss_against`] on the
/// logarithmic scale; `None` where the reference may well be 0, since nothing is a share of that.
pub fn rise(
    name: &str,
    current: &Measure,
    reference: &Measure,
    method: impl Into<String>,
) -> Option<Measure> {
    let before = reference.interval.as_ref().filter(|before| before.lower > 0.0)?;
    let ratio = current.value / reference.value;
    let interval = current.interval.as_ref().map(|now| {
        let down = (current.value / now.lower).ln().hypot((before.upper / reference.value).ln());
        let up = (now.upper / current.value).ln().hypot((reference.value / before.lower).ln());
        // An error that may be 0 has no lower bound on this scale: the ratio may be 0 too.
        let lower = if now.lower > 0.0 { ratio * (-down).exp() } else { 0.0 };
        let upper = if current.value > 0.0 { ratio * up.exp() } else { now.upper / before.lower };
        Interval {
            lower: lower - 1.0,
            upper: upper - 1.0,
            level: now.level,
            method: IntervalMethod::Newcombe,
        }
    });
    Some(Measure {
        interval,
        expected_by_chance: Some(0.0),
        ..Measure::new(name, ratio - 1.0, current.n, method)
    })
}

/// The part of a limit that rounding may put a value off by.
const SAME: f64 = 1e-9;

/// A limit on one side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Limit {
    /// The limit that is written in a definition, on the side that the metric allows.
    pub fn written(metric: Metric, at_least: Option<f64>, at_most: Option<f64>) -> Option<Self> {
        if metric.higher_is_better() { at_least.map(Self::AtLeast) } else { at_most.map(Self::AtMost) }
    }

    pub fn value(self) -> f64 {
        match self {
            Self::AtLeast(value) | Self::AtMost(value) => value,
        }
    }

    /// The verdict on a measure by its interval (by its value where it has none), widened by what the
    /// value itself may be off.
    pub fn verdict(self, measure: &Measure) -> Verdict {
        let (lower, upper) =
            measure.interval.as_ref().map_or((measure.value, measure.value), |i| (i.lower, i.upper));
        // What differs from the limit by rounding alone is at the limit.
        let (lower, upper) = (lower - measure.error_bound, upper + measure.error_bound);
        let rounding = SAME * self.value().abs();
        let (all_good, all_bad) = match self {
            Self::AtLeast(least) => (lower >= least - rounding, upper < least - rounding),
            Self::AtMost(most) => (upper <= most + rounding, lower > most + rounding),
        };
        if all_good {
            Verdict::Pass
        } else if all_bad {
            Verdict::Fail
        } else {
            Verdict::Warn
        }
    }

    pub fn threshold(self, measure: &str, from: &str) -> Threshold {
        let (at_least, at_most) = match self {
            Self::AtLeast(least) => (Some(least), None),
            Self::AtMost(most) => (None, Some(most)),
        };
        Threshold { measure: measure.into(), at_least, at_most, from: from.into() }
    }

    pub fn words(self) -> String {
        match self {
            Self::AtLeast(least) => format!("at least {}", number(least)),
            Self::AtMost(most) => format!("at most {}", number(most)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Absolute errors as predictions of 0.
    fn mae(errors: &serde_json::Value) -> Measure {
        let rows = errors.as_array().unwrap().iter().map(|error| (0.0, error.as_f64().unwrap()));
        let errors = stats::regression::PredictionErrors::of(rows);
        let log = crate::definition::parse(
            "[model]\ntask = \"regression\"\n[log]\npath = \"l\"\ntime = \"t\"\npredicted = \"p\"\n[reference]\nwindow = \"2024-01-01/2024-02-01\"\n",
        );
        let outcomes = crate::outcomes::Outcomes::Regression(&errors);
        outcomes.measure(Metric::Mae, &log.unwrap().log, Level::P95).unwrap()
    }

    #[test]
    fn an_error_with_a_unit_is_compared_as_a_share_of_the_references() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/reference/tasks.json");
        let content: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let case = &content["cases"]["ratio"];
        let loss = loss_against(Metric::Mae, &mae(&case["current"]), &mae(&case["reference"]));
        assert_eq!((loss.name.as_str(), loss.n), (RELATIVE_LOSS, 300));
        assert!((loss.value - case["value"].as_f64().unwrap()).abs() < 1e-12);
        let interval = loss.interval.unwrap();
        let bound = |at: usize| case["bounds"][at].as_f64().unwrap();
        let allowed = 0.1 * (bound(1) - bound(0));
        let close = |found: f64, expected: f64| (found - expected).abs() < allowed;
        assert!(close(interval.lower, bound(0)) && close(interval.upper, bound(1)), "{interval:?}");
        // Nothing is a share of an error of 0: the difference it is then.
        let none = serde_json::json!([0.0, 0.0]);
        let from_none = loss_against(Metric::Mae, &mae(&case["current"]), &mae(&none));
        assert_eq!(from_none.name, LOSS);
        let to_none = loss_against(Metric::Mae, &mae(&none), &mae(&case["reference"]));
        assert_eq!((to_none.name.as_str(), to_none.value), (RELATIVE_LOSS, -1.0));
        // Errors that are all 0 do not show how much others vary.
        assert_eq!(to_none.interval, None);
    }

    #[test]
    fn a_limit_is_held_against_the_whole_interval() {
        let measure = |lower, upper| Measure {
            interval: Some(Interval { lower, upper, level: Level::P95, method: IntervalMethod::Wilson }),
            ..Measure::new("roc_auc", f64::midpoint(lower, upper), 1, String::new())
        };
        assert_eq!(Limit::AtLeast(0.6).verdict(&measure(0.6, 0.7)), Verdict::Pass);
        assert_eq!(Limit::AtLeast(0.6).verdict(&measure(0.55, 0.65)), Verdict::Warn);
        assert_eq!(Limit::AtLeast(0.6).verdict(&measure(0.5, 0.59)), Verdict::Fail);
        assert_eq!(Limit::AtMost(0.05).verdict(&measure(0.01, 0.05)), Verdict::Pass);
        assert_eq!(Limit::AtMost(0.05).verdict(&measure(0.06, 0.09)), Verdict::Fail);
        // Rounding alone misses no limit.
        assert_eq!(Limit::AtMost(0.05).verdict(&measure(0.01, 0.050_000_000_000_000_044)), Verdict::Pass);
        assert_eq!(Limit::AtLeast(0.9).verdict(&measure(0.9 - 1e-15, 0.95)), Verdict::Pass);
    }
}
