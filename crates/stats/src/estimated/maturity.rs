//! When a window's realised performance can be believed: outcomes take time to arrive.
//!
//! # What it measures
//!
//! The share of a window's predictions whose outcome is known (coverage), the share that should be
//! known at this age by the delays of earlier windows, and a verdict: settled, maturing, or too
//! early to look at.
//!
//! # When it misleads
//!
//! * Early outcomes are biased: what arrives first is seldom typical (a fraud is reported within
//!   days, its absence is only assumed after months). Coverage says how far that can go, not in
//!   which direction.
//! * The delays must come from windows that are old enough for every outcome to have arrived; from
//!   younger ones, long delays are missing and the expectation comes too early.
//! * When delays themselves change, the expectation is off; [`Maturity::behind`] shows it.
//!
//! # Formula
//!
//! With `F` the distribution of delays of outcomes that arrived, `π` the share of predictions that
//! ever got one, and `a` the predictions' ages: `matured = mean F(a)` of the outcomes to come should
//! be known, which is `expected = π · matured` of the predictions. Observed is `coverage`, which is
//! `coverage / π` of the outcomes to come. The verdict follows from
//!
//! `progress = max(coverage, min(matured, coverage / π))`:
//!
//! settled from `settled_from` on, too early below `shown_from`, maturing in between. Both time and
//! outcomes must have come, unless nearly every prediction has its outcome. Without earlier windows
//! coverage alone decides.
//!
//! # Example
//!
//! ```
//! use stats::{ecdf::Ecdf, interval::Level};
//! use stats::estimated::maturity::{MaturityRule, MaturityVerdict, OutcomeDelays, maturity};
//! let day = 86_400.0;
//! let delays = Ecdf::from_values(&mut [1.0 * day, 2.0 * day, 3.0 * day, 10.0 * day])?;
//! let delays = OutcomeDelays::new(delays, 4)?;
//! let ages = Ecdf::from_weighted(vec![(5.0 * day, 200)], 0)?;
//! let found = maturity(&delays, &ages, 148, MaturityRule::default(), Level::P95)?;
//! assert_eq!(found.expected, Some(0.75));
//! assert_eq!(found.verdict, MaturityVerdict::Maturing { coverage: 0.74, expected: Some(0.75) });
//! assert!(!found.behind);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * O. Chapelle, "Modeling delayed feedback in display advertising", KDD 2014: why young rows look
//!   negative.
//! * J. F. Lawless, "Adjustments for reporting delays and the prediction of occurred but not
//!   reported events", Canadian J. Stat. 22, 1994: delays from windows that are complete.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::classification::Estimate;
use crate::ecdf::Ecdf;
use crate::interval::Level;
use crate::proportion::Proportion;

/// How long outcomes took in windows that are settled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutcomeDelays {
    delays: Ecdf,
    predictions: u64,
}

/// From which share of the outcomes on a window is looked at, and believed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaturityRule {
    /// Settled from this progress on.
    pub settled_from: f64,
    /// Below this progress it is too early to show a number.
    pub shown_from: f64,
}

impl Default for MaturityRule {
    fn default() -> MaturityRule {
        MaturityRule { settled_from: 0.95, shown_from: 0.5 }
    }
}

/// Whether realised performance can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum MaturityVerdict {
    /// Outcomes have arrived.
    Settled,
    /// Some have; the number will still move, and those that are in may not be typical.
    Maturing {
        /// The share of predictions whose outcome is known.
        coverage: f64,
        /// The share that should be known by now; None without earlier windows.
        expected: Option<f64>,
    },
    /// Too few for a number that means anything.
    TooEarly,
}

/// How far a window's outcomes have come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maturity {
    /// What to make of it.
    pub verdict: MaturityVerdict,
    /// The share of predictions whose outcome is known, with Wilson's interval.
    pub coverage: Estimate,
    /// The share that should be known by now; None without earlier windows.
    pub expected: Option<f64>,
    /// How far `expected` can be off because delays or ages come from a sketch; 0 when exact.
    pub expected_error_bound: f64,
    /// What the verdict follows from.
    pub progress: f64,
    /// Whether fewer outcomes arrived than chance explains: the feed is late or broken.
    pub behind: bool,
}

/// Why maturity cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum MaturityError {
    /// A window without predictions.
    #[error("tell how far outcomes have come: the window has no predictions")]
    NoPredictions,
    /// More outcomes than predictions.
    #[error("tell how far outcomes have come: {outcomes} outcomes belong to {predictions} predictions")]
    MoreOutcomesThanPredictions {
        /// Outcomes.
        outcomes: u64,
        /// Predictions.
        predictions: u64,
    },
    /// Shares that are not in order.
    #[error(
        "show a window from {shown_from} and believe it from {settled_from}: both must lie above 0 and up \
         to 1, the first no higher than the second"
    )]
    Rule {
        /// From where on to show.
        shown_from: f64,
        /// From where on to believe.
        settled_from: f64,
    },
}

impl OutcomeDelays {
    /// `delays`: seconds from prediction to outcome, of the outcomes that arrived for
    /// `predictions` in settled windows. A negative delay counts as known at once. Both empty
    /// where no window is settled yet.
    pub fn new(delays: Ecdf, predictions: u64) -> Result<OutcomeDelays, MaturityError> {
        let outcomes = delays.n();
        if outcomes > predictions {
            return Err(MaturityError::MoreOutcomesThanPredictions { outcomes, predictions });
        }
        Ok(OutcomeDelays { delays, predictions })
    }

    /// The distribution of delays, in seconds.
    pub fn delays(&self) -> &Ecdf {
        &self.delays
    }

    /// The share of predictions that ever got an outcome; None where none is known to have.
    pub fn ever_share(&self) -> Option<f64> {
        (!self.delays.is_empty()).then(|| self.delays.n() as f64 / self.predictions as f64)
    }

    /// The age in seconds at which `share` of the outcomes that ever arrive have arrived.
    pub fn age_at(&self, share: f64) -> Option<f64> {
        self.delays.quantile(share)
    }

    /// The mean of the delays' distribution function over `ages`.
    fn matured_share(&self, ages: &Ecdf) -> f64 {
        let arrived =
            |(age, rows): (f64, u64)| self.delays.count_le(age) as f64 / self.delays.n() as f64 * rows as f64;
        ages.points().map(arrived).sum::<f64>() / ages.n() as f64
    }
}

/// How far the outcomes of a window have come, whose predictions have `ages` in seconds and
/// `outcomes` known outcomes.
///
/// # Errors
/// No predictions, more outcomes than predictions, or a rule that is none.
pub fn maturity(
    delays: &OutcomeDelays,
    ages: &Ecdf,
    outcomes: u64,
    rule: MaturityRule,
    level: Level,
) -> Result<Maturity, MaturityError> {
    let MaturityRule { settled_from, shown_from } = rule;
    if !(shown_from > 0.0 && shown_from <= settled_from && settled_from <= 1.0) {
        return Err(MaturityError::Rule { shown_from, settled_from });
    }
    let predictions = ages.n();
    if predictions == 0 {
        return Err(MaturityError::NoPredictions);
    }
    let known = Proportion::new(outcomes, predictions)
        .map_err(|_| MaturityError::MoreOutcomesThanPredictions { outcomes, predictions })?;
    let coverage =
        Estimate { value: known.share(), interval: known.wilson(level), n: predictions, error_bound: 0.0 };
    let ever_and_matured = delays.ever_share().map(|ever| (ever, delays.matured_share(ages)));
    let expected = ever_and_matured.map(|(ever, matured)| ever * matured);
    let progress = match ever_and_matured {
        Some((ever, matured)) => matured.min(coverage.value / ever).max(coverage.value),
        None => coverage.value,
    };
    let expected_error_bound = match delays.ever_share() {
        Some(ever) => (ever * (delays.delays.rank_error_share() + ages.rank_error_share())).min(1.0),
        None => 0.0,
    };
    let verdict = if progress >= settled_from {
        MaturityVerdict::Settled
    } else if progress >= shown_from {
        MaturityVerdict::Maturing { coverage: coverage.value, expected }
    } else {
        MaturityVerdict::TooEarly
    };
    let behind = expected.is_some_and(|e| coverage.interval.upper < e - expected_error_bound);
    Ok(Maturity { verdict, coverage, expected, expected_error_bound, progress, behind })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One outcome after each of 1 to 100 seconds, of as many predictions as said.
    fn delays(predictions: u64) -> OutcomeDelays {
        let seconds = (1..=100).map(|s| (f64::from(s), 1)).collect();
        OutcomeDelays::new(Ecdf::from_weighted(seconds, 0).unwrap(), predictions).unwrap()
    }

    fn found(predictions: u64, age: f64, rows: u64, outcomes: u64) -> Maturity {
        let ages = Ecdf::from_weighted(vec![(age, rows)], 0).unwrap();
        maturity(&delays(predictions), &ages, outcomes, MaturityRule::default(), Level::P95).unwrap()
    }

    #[test]
    fn a_window_matures_with_its_age_and_its_outcomes() {
        let maturing = |coverage, expected| MaturityVerdict::Maturing { coverage, expected: Some(expected) };
        for (age, outcomes, verdict) in [
            (-5.0, 0, MaturityVerdict::TooEarly),
            (20.0, 200, MaturityVerdict::TooEarly),
            (60.0, 600, maturing(0.6, 0.6)),
            (96.0, 960, MaturityVerdict::Settled),
            (1e9, 1000, MaturityVerdict::Settled),
        ] {
            assert_eq!(found(100, age, 1000, outcomes).verdict, verdict, "{age}");
        }
    }

    #[test]
    fn outcomes_that_never_come_are_not_waited_for() {
        // A fifth of the predictions ever get an outcome.
        let settled = found(500, 100.0, 1000, 200);
        assert_eq!((settled.verdict, settled.expected), (MaturityVerdict::Settled, Some(0.2)));
        // As many at a tenth of the time are a surge, not the whole.
        assert_eq!(found(500, 10.0, 1000, 200).verdict, MaturityVerdict::TooEarly);
    }

    #[test]
    fn a_feed_that_broke_leaves_an_old_window_unsettled_and_behind() {
        let broken = found(100, 1e6, 1000, 600);
        assert_eq!(broken.verdict, MaturityVerdict::Maturing { coverage: 0.6, expected: Some(1.0) });
        assert!(broken.behind);
        assert!(!found(100, 60.0, 1000, 590).behind, "ten of six hundred are chance");
    }

    #[test]
    fn without_earlier_windows_coverage_decides() {
        let none = OutcomeDelays::new(Ecdf::from_weighted(vec![], 0).unwrap(), 0).unwrap();
        let ages = Ecdf::from_weighted(vec![(10.0, 100)], 0).unwrap();
        let by =
            |outcomes| maturity(&none, &ages, outcomes, MaturityRule::default(), Level::P95).unwrap().verdict;
        assert_eq!(by(96), MaturityVerdict::Settled);
        assert_eq!(by(70), MaturityVerdict::Maturing { coverage: 0.7, expected: None });
        assert_eq!(by(10), MaturityVerdict::TooEarly);
        assert_eq!((none.ever_share(), none.age_at(0.9)), (None, None));
        assert_eq!(delays(200).age_at(0.9), Some(90.0));
    }

    #[test]
    fn ages_and_delays_from_sketches_carry_their_error() {
        let seconds = (1..=100).map(|s| (f64::from(s), 1)).collect();
        let rough = OutcomeDelays::new(Ecdf::from_weighted(seconds, 2).unwrap(), 200).unwrap();
        let ages = Ecdf::from_weighted(vec![(50.0, 100)], 1).unwrap();
        let found = maturity(&rough, &ages, 24, MaturityRule::default(), Level::P95).unwrap();
        assert!((found.expected_error_bound - 0.5 * 0.03).abs() < 1e-12);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let ages = |rows| Ecdf::from_weighted(vec![(1.0, rows)], 0).unwrap();
        let with = |rows, outcomes, shown_from, settled_from| {
            let rule = MaturityRule { settled_from, shown_from };
            maturity(&delays(100), &ages(rows), outcomes, rule, Level::P95).map(|_| ())
        };
        assert_eq!(with(0, 0, 0.5, 0.9), Err(MaturityError::NoPredictions));
        let too_many = MaturityError::MoreOutcomesThanPredictions { outcomes: 6, predictions: 5 };
        assert_eq!(with(5, 6, 0.5, 0.9), Err(too_many));
        for (shown_from, settled_from) in [(0.0, 0.9), (0.95, 0.9), (0.5, 1.1), (f64::NAN, 0.9)] {
            let refused = with(5, 5, shown_from, settled_from);
            assert!(matches!(refused, Err(MaturityError::Rule { .. })), "{shown_from} {settled_from}");
        }
        let delays = Ecdf::from_values(&mut [1.0, 2.0]).unwrap();
        assert!(OutcomeDelays::new(delays, 1).is_err());
    }
}
