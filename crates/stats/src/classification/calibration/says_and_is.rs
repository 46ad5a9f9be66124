//! Says and is: where scores are surest of themselves, how often are they right?
//!
//! # What it measures
//!
//! The stretch at the upper or the lower end of the scores that misses most: what it says (its mean
//! score) and what is (its share of positives). "When it says 90 %, it happens 78 % of the time" is
//! understood by anyone, and acted on at the ends.
//!
//! # When it misleads
//!
//! * It is the worst of several stretches. Its interval allows for all that were looked at, so that it is
//!   wider than that of a stretch chosen beforehand; where it holds what the scores say, the sentence
//!   may be chance (`is_off`).
//! * It says nothing of the middle.
//!
//! # Formula
//!
//! Bins of equal mass, ties unparted. Stretches are the last one, two, … bins up to half of them, and
//! the same from below, each with at least `rows_min` rows. Wilson's interval of the share of positives,
//! at a level that makes those of all stretches hold together (Bonferroni). Answered is the stretch whose
//! interval lies furthest from its mean score; where every interval holds it, the largest gap.
//!
//! # Example
//!
//! ```
//! use stats::classification::calibration::says_and_is::{End, says_and_is};
//! use stats::{interval::Level, labelled_scores::LabelledScores};
//! let points = vec![(0.1, 100, 900), (0.5, 500, 500), (0.9, 780, 220)];
//! let found = says_and_is(&LabelledScores::from_counts(points, None)?, 3, Level::P95, 100)?;
//! assert_eq!((found.end, found.is.n), (End::Upper, 1000));
//! assert!((found.says - 0.9).abs() < 1e-12 && found.is.value == 0.78);
//! assert!(found.is_off() && found.is_overconfident());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * S. Lichtenstein, B. Fischhoff, L. D. Phillips, "Calibration of probabilities: the state of the art
//!   to 1980", in: Judgment under Uncertainty, 1982: over-confidence at the ends.

use serde::{Deserialize, Serialize};

use super::bins::{Binning, ReliabilityBin, close, groups};
use crate::classification::{Estimate, Undefined};
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::{LabelledScores, ScorePoint};
use crate::proportion::wilson_bounds;

/// Which scores a stretch holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The highest.
    Upper,
    /// The lowest.
    Lower,
}

/// What a stretch of scores says, and what is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SaysAndIs {
    /// Which scores.
    pub end: End,
    /// The lowest score of the stretch.
    pub score_min: f64,
    /// The highest score of the stretch.
    pub score_max: f64,
    /// The mean score; of scores rounded in steps of `h` it is off by at most `h/2`.
    pub says: f64,
    /// The share of positives; the interval holds together with those of all stretches looked at.
    pub is: Estimate,
    /// Stretches looked at.
    pub stretches: usize,
}

impl SaysAndIs {
    /// Whether the difference cannot be chance.
    pub fn is_off(&self) -> bool {
        !self.is.interval.contains(self.says)
    }

    /// Whether scores of a half or more promise more than what happens. Below a half a score is no promise that it
    /// will happen, and what it says of the other outcome is for a reader to turn round.
    pub fn is_overconfident(&self) -> bool {
        self.says >= 0.5 && self.says > self.is.value
    }

    /// How far the interval stays from what the scores say.
    fn certain_gap(&self) -> f64 {
        (self.says - self.is.interval.upper).max(self.is.interval.lower - self.says).max(0.0)
    }
}

/// The stretch at an end of `scores` that misses most, over at most `bins` bins.
///
/// # Errors
/// No rows, zero bins, or fewer than `rows_min` rows in every stretch.
pub fn says_and_is(
    scores: &LabelledScores,
    bins: usize,
    level: Level,
    rows_min: u64,
) -> Result<SaysAndIs, Undefined> {
    let groups = groups(scores, bins, Binning::EqualMass)?;
    let points: Vec<ScorePoint> = scores.points().collect();
    let parted: Vec<ReliabilityBin> =
        groups.into_iter().map(|group| close(points[group].iter().copied(), level)).collect();
    let mut stretches = Vec::new();
    if let [only] = parted[..] {
        stretches.push((if only.score_mean < 0.5 { End::Lower } else { End::Upper }, only));
    } else {
        stretches.extend(runs(parted.iter(), parted.len() / 2).into_iter().map(|run| (End::Lower, run)));
        stretches
            .extend(runs(parted.iter().rev(), parted.len() / 2).into_iter().map(|run| (End::Upper, run)));
    }
    let most_rows = stretches.iter().map(|(_, run)| run.n).max().unwrap_or(0);
    stretches.retain(|(_, run)| run.n >= rows_min);
    let each = level.for_each_of(stretches.len());
    let found = stretches.iter().map(|&(end, run)| {
        let (lower, upper) = wilson_bounds(run.outcome_share, run.n as f64, each);
        let interval = Interval { lower, upper, level: each, method: IntervalMethod::Wilson };
        SaysAndIs {
            end,
            score_min: run.score_min,
            score_max: run.score_max,
            says: run.score_mean,
            is: Estimate { value: run.outcome_share, interval, n: run.n, error_bound: 0.0 },
            stretches: stretches.len(),
        }
    });
    let by_gap = |a: &SaysAndIs, b: &SaysAndIs| {
        let size = |of: &SaysAndIs| (of.says - of.is.value).abs();
        a.certain_gap().total_cmp(&b.certain_gap()).then_with(|| size(a).total_cmp(&size(b)))
    };
    found.max_by(by_gap).ok_or(Undefined::TooFewRows { n: most_rows, needed: rows_min })
}

/// The first bin, the first two, … up to `most`, each as one.
fn runs<'a>(bins: impl Iterator<Item = &'a ReliabilityBin>, most: usize) -> Vec<ReliabilityBin> {
    let mut runs: Vec<ReliabilityBin> = Vec::new();
    for bin in bins.take(most) {
        let run = match runs.last() {
            None => *bin,
            Some(last) => joined(last, bin),
        };
        runs.push(run);
    }
    runs
}

fn joined(a: &ReliabilityBin, b: &ReliabilityBin) -> ReliabilityBin {
    let (n, positives) = (a.n + b.n, a.positives + b.positives);
    let weight = b.n as f64 / n as f64;
    ReliabilityBin {
        score_min: a.score_min.min(b.score_min),
        score_max: a.score_max.max(b.score_max),
        score_mean: a.score_mean + weight * (b.score_mean - a.score_mean),
        outcome_share: positives as f64 / n as f64,
        positives,
        n,
        ..*a
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binomial::Binomial;
    use crate::binomial::tests::SplitMix;

    fn counts(points: &[(f64, u64, u64)]) -> LabelledScores {
        LabelledScores::from_counts(points.to_vec(), None).unwrap()
    }

    #[test]
    fn what_has_no_stretch_says_why() {
        let of = |points: &[(f64, u64, u64)], bins, rows_min| {
            says_and_is(&counts(points), bins, Level::P95, rows_min).map(|found| (found.end, found.is.n))
        };
        assert_eq!(of(&[], 5, 1), Err(Undefined::NoRows));
        assert_eq!(of(&[(0.2, 1, 1)], 0, 1), Err(Undefined::ZeroBins));
        assert_eq!(of(&[(0.2, 2, 1), (0.3, 1, 1)], 2, 9), Err(Undefined::TooFewRows { n: 3, needed: 9 }));
        assert_eq!(of(&[(0.2, 1, 1)], 9, 1), Ok((End::Lower, 2)));
        assert_eq!(of(&[(0.7, 1, 1)], 9, 1), Ok((End::Upper, 2)));
    }

    #[test]
    fn the_lower_end_is_found_and_neither_it_nor_caution_is_overconfidence() {
        let low =
            says_and_is(&counts(&[(0.02, 90, 910), (0.5, 500, 500), (0.9, 900, 100)]), 3, Level::P95, 1);
        let low = low.unwrap();
        assert!(low.end == End::Lower && low.is_off() && !low.is_overconfident(), "{low:?}");
        let timid = says_and_is(&counts(&[(0.2, 200, 800), (0.8, 990, 10)]), 2, Level::P95, 1).unwrap();
        assert!(timid.end == End::Upper && timid.is_off() && !timid.is_overconfident(), "{timid:?}");
    }

    #[test]
    fn several_bins_together_are_surer_than_one() {
        let points: Vec<_> = (0..20).map(|i| (0.02 + 0.04 * f64::from(i), 0, 0)).collect();
        let points: Vec<_> = points
            .iter()
            .map(|&(s, ..)| {
                let share = if s > 0.5 { s - 0.1 } else { s };
                let positives = (share * 100.0_f64).round() as u64;
                (s, positives, 100 - positives)
            })
            .collect();
        let found = says_and_is(&counts(&points), 20, Level::P95, 1).unwrap();
        assert!(found.end == End::Upper && found.is.n > 300 && found.is_off(), "{found:?}");
    }

    #[test]
    fn calibrated_scores_are_seldom_called_off() {
        const WINDOWS: u32 = 1000;
        let mut rng = SplitMix(6);
        let mut off = 0;
        for _ in 0..WINDOWS {
            let points = (1..40).map(|i| {
                let score = f64::from(i) / 40.0;
                let positives = Binomial::new(10, score).sample(&mut rng);
                (score, positives, 10 - positives)
            });
            let scores = LabelledScores::from_counts(points.collect(), None).unwrap();
            off += u32::from(says_and_is(&scores, 10, Level::P95, 1).unwrap().is_off());
        }
        assert!(off <= 60, "{off} of {WINDOWS}");
    }
}
