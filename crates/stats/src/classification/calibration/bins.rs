//! Rows of similar score, grouped: the reliability bins.
//!
//! # What it measures
//!
//! Bin by bin, what the scores promise (their mean) beside what happened (the share of positives),
//! with the interval that the bin's rows leave open.
//!
//! # When it misleads
//!
//! * Gaps of opposite sign inside one bin cancel: with few bins scores look better than they are.
//! * Bins of equal width hold very different numbers of rows; the emptiest shows the largest gap by
//!   chance alone. Bins of equal mass say little about scores that are rare.
//! * Scores that were rounded to a grid are off by up to half its step, and so is a bin's mean; a row
//!   near an edge may be in the neighbouring bin.
//!
//! # Formula
//!
//! [`Binning::EqualMass`]: a bin is closed at the first score where it holds its share of the rows, so
//! that equal scores are never parted and ties make bins larger and fewer. [`Binning::EqualWidth`]: the
//! bins `[k/b, (k+1)/b)`, the last one with the score 1; those without rows are left out.
//!
//! # Example
//!
//! ```
//! use stats::classification::calibration::{Binning, reliability, reliability_by};
//! use stats::{interval::Level, labelled_scores::LabelledScores};
//! let rows = [(0.1, false), (0.2, false), (0.4, true), (0.9, true)];
//! let scores = LabelledScores::from_pairs(rows)?;
//! let bins = reliability(&scores, 2, Level::P95)?;
//! assert_eq!((bins[0].score_max, bins[1].score_min), (0.2, 0.4));
//! let bins = reliability_by(&scores, 2, Binning::EqualWidth, Level::P95)?;
//! assert_eq!((bins[0].score_max, bins[1].score_min), (0.4, 0.9));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * M. H. DeGroot, S. E. Fienberg, "The comparison and evaluation of forecasters", The Statistician
//!   32, 1983: the reliability diagram.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::classification::Undefined;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::{LabelledScores, ScorePoint};
use crate::proportion::wilson_bounds;

/// How scores are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binning {
    /// As many rows in every bin, as far as ties allow.
    EqualMass,
    /// Bins of the same width on [0, 1].
    EqualWidth,
}

/// Rows of similar score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// The lowest score in the bin.
    pub score_min: f64,
    /// The highest score in the bin.
    pub score_max: f64,
    /// What the scores promise: their mean.
    pub score_mean: f64,
    /// What happened: the share of positives.
    pub outcome_share: f64,
    /// Wilson's interval of `outcome_share`.
    pub interval: Interval,
    /// Rows whose outcome was positive.
    pub positives: u64,
    /// All rows, at least one.
    pub n: u64,
}

impl ReliabilityBin {
    /// What the scores promise less what happened: above zero, they promise too much.
    pub fn gap(&self) -> f64 {
        self.score_mean - self.outcome_share
    }
}

/// Rows grouped by score into at most `bins` bins of equal mass, ascending.
///
/// # Errors
/// No rows, or zero bins.
pub fn reliability(
    scores: &LabelledScores,
    bins: usize,
    level: Level,
) -> Result<Vec<ReliabilityBin>, Undefined> {
    reliability_by(scores, bins, Binning::EqualMass, level)
}

/// Rows grouped by score into at most `bins` bins, ascending, none of them empty.
///
/// # Errors
/// No rows, or zero bins.
pub fn reliability_by(
    scores: &LabelledScores,
    bins: usize,
    binning: Binning,
    level: Level,
) -> Result<Vec<ReliabilityBin>, Undefined> {
    let groups = groups(scores, bins, binning)?;
    let mut points = scores.points();
    Ok(groups.into_iter().map(|group| close(points.by_ref().take(group.len()), level)).collect())
}

/// The positions of each bin's points, ascending, none of them empty.
///
/// # Errors
/// No rows, or zero bins.
pub(super) fn groups(
    scores: &LabelledScores,
    bins: usize,
    binning: Binning,
) -> Result<Vec<Range<usize>>, Undefined> {
    if bins == 0 {
        return Err(Undefined::ZeroBins);
    }
    if scores.is_empty() {
        return Err(Undefined::NoRows);
    }
    let ends = match binning {
        Binning::EqualMass => {
            ends_of_equal_mass(scores.points().map(|point| point.n()), u128::from(scores.n()), bins)
        }
        Binning::EqualWidth => ends_of_equal_width(scores, bins),
    };
    let starts = std::iter::once(0).chain(ends.iter().copied());
    Ok(starts.zip(&ends).map(|(start, &end)| start..end).collect())
}

/// Where bins of equal mass end, from the rows of each distinct score, `n` together; `bins` is not 0.
pub(super) fn ends_of_equal_mass(rows: impl Iterator<Item = u64>, n: u128, bins: usize) -> Vec<usize> {
    // More bins than memory holds scores are no other bins, and the products below stay in range.
    let bins = (bins as u128).min(1 << 40);
    let (mut seen, mut goal) = (0_u128, 1_u128);
    let mut ends = Vec::new();
    for (at, rows) in rows.enumerate() {
        seen += u128::from(rows);
        if seen * bins >= goal * n {
            ends.push(at + 1);
            goal = seen * bins / n + 1;
        }
    }
    ends
}

fn ends_of_equal_width(scores: &LabelledScores, bins: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut open = None;
    for (at, point) in scores.points().enumerate() {
        let here = cell(point.score, bins);
        if open.is_some_and(|open| open != here) {
            ends.push(at);
        }
        open = Some(here);
    }
    ends.push(scores.distinct());
    ends
}

/// The bin of equal width that `score` lies in, from 0.
pub(super) fn cell(score: f64, bins: usize) -> usize {
    let edge = |k: usize| k as f64 / bins as f64;
    let near = ((score * bins as f64) as usize).min(bins - 1);
    // The product is rounded; the edges decide.
    if score < edge(near) {
        near - 1
    } else if near + 1 < bins && score >= edge(near + 1) {
        near + 1
    } else {
        near
    }
}

/// The bin of one or more points, ascending.
pub(super) fn close(points: impl Iterator<Item = ScorePoint>, level: Level) -> ReliabilityBin {
    let (mut score_min, mut score_max, mut score_sum) = (f64::INFINITY, 0.0, 0.0);
    let (mut positives, mut rows) = (0, 0);
    for point in points {
        score_min = point.score.min(score_min);
        score_max = point.score;
        score_sum += point.score * point.n() as f64;
        positives += point.positives;
        rows += point.n();
    }
    let n = rows as f64;
    let outcome_share = positives as f64 / n;
    let (lower, upper) = wilson_bounds(outcome_share, n, level);
    ReliabilityBin {
        score_min,
        score_max,
        score_mean: (score_sum / n).clamp(score_min.min(score_max), score_max),
        outcome_share,
        interval: Interval { lower, upper, level, method: IntervalMethod::Wilson },
        positives,
        n: rows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(rows: &[(f64, bool)]) -> LabelledScores {
        LabelledScores::from_pairs(rows.iter().copied()).unwrap()
    }

    #[test]
    fn equal_scores_are_one_bin_however_many_are_asked_for() {
        let rows: Vec<_> = (0..40).map(|i| (0.4, i % 2 == 0)).collect();
        for binning in [Binning::EqualMass, Binning::EqualWidth] {
            let bins = reliability_by(&scores(&rows), 10, binning, Level::P95).unwrap();
            assert_eq!((bins.len(), bins[0].n, bins[0].outcome_share), (1, 40, 0.5));
        }
    }

    #[test]
    fn a_large_tie_makes_one_large_bin_and_leaves_the_rest_alone() {
        let mut rows: Vec<_> = (0..50).map(|_| (0.0, false)).collect();
        rows.extend((1..=50).map(|i| (f64::from(i) / 50.0, true)));
        let bins = reliability(&scores(&rows), 10, Level::P95).unwrap();
        let masses: Vec<u64> = bins.iter().map(|bin| bin.n).collect();
        assert_eq!(masses, [50, 10, 10, 10, 10, 10]);
    }

    #[test]
    fn an_edge_belongs_to_the_bin_above_it_and_one_to_the_last() {
        for bins in [1, 3, 7, 10, 100, 1000] {
            for k in 0..bins {
                let edge = k as f64 / bins as f64;
                assert_eq!(cell(edge, bins), k, "{k} of {bins}");
                if k > 0 {
                    assert_eq!(cell(edge.next_down(), bins), k - 1, "below {k} of {bins}");
                }
            }
            assert_eq!(cell(1.0, bins), bins - 1);
        }
    }

    #[test]
    fn more_bins_than_any_number_of_rows_are_no_trouble() {
        let few = scores(&[(0.0, false), (0.5, true), (1.0, true)]);
        for binning in [Binning::EqualMass, Binning::EqualWidth] {
            let bins = reliability_by(&few, usize::MAX, binning, Level::P95).unwrap();
            assert_eq!(bins.iter().map(|bin| bin.n).collect::<Vec<_>>(), [1, 1, 1]);
        }
    }
}
