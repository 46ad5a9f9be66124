//! Mistakes of each segment against the rest of the rows.
//!
//! # What it measures
//!
//! The false positive rate and the false negative rate of every segment, less the same rate of all rows
//! outside of it, with an interval, a p-value, and a p-value that allows for all that was tested.
//!
//! # When it misleads
//!
//! * Each segment has another rest. One very bad large segment makes all others look good: the
//!   differences add up to nothing, they are no differences between segments.
//! * With many rows every difference is significant: look at its size and its interval.
//! * Intervals hold for one segment at a time; the adjusted p-values allow for the number of segments.
//! * Rows must be independent; a thousand rows of ten customers are closer to ten.
//!
//! # Formula
//!
//! Pooled z-test of two proportions. Where a cell of the 2 × 2 table is expected to hold fewer than five
//! rows, Fisher's exact test: twice the smaller hypergeometric tail, at most 1. Newcombe's interval of the
//! difference. Benjamini–Hochberg over every test that was made; a segment without negatives (positives),
//! or with all of them, has no test and does not count.
//!
//! # Example
//!
//! ```
//! use stats::{classification::confusion::Confusion, group_rates::against_rest::against_rest};
//! use stats::interval::Level;
//! // True positives, false positives, true negatives, false negatives.
//! let segments = [[80, 20, 180, 20], [60, 15, 150, 18], [40, 60, 120, 9]];
//! let segments = segments.map(|counts| Confusion::from_counts(0.5, counts).unwrap());
//! let found = against_rest(&segments, Level::P95)?;
//! let worst = found.tests.iter().min_by(|a, b| a.p_adjusted.total_cmp(&b.p_adjusted)).unwrap();
//! assert_eq!(worst.segment, 2);
//! assert!(worst.difference > 0.2 && worst.p_adjusted < 1e-8);
//! # Ok::<(), stats::group_rates::against_rest::AgainstRestError>(())
//! ```
//!
//! # References
//!
//! * R. A. Fisher, "The logic of inductive inference", J. R. Stat. Soc. 98, 1935; W. G. Cochran, "Some
//!   methods for strengthening the common χ² tests", Biometrics 10, 1954: five expected rows.
//! * Y. Benjamini, Y. Hochberg, J. R. Stat. Soc. B 57, 1995.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::classification::confusion::Confusion;
use crate::false_discovery::benjamini_hochberg;
use crate::hypergeometric::Hypergeometric;
use crate::interval::{Interval, Level};
use crate::proportion::{Proportion, two_proportion_z_test};

/// Below this many expected rows in a cell the normal distribution is too rough.
const EXPECTED_MIN: f64 = 5.0;

/// A rate of mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MistakeRate {
    /// Negatives called positive, of the negatives.
    FalsePositive,
    /// Positives called negative, of the positives.
    FalseNegative,
}

/// How a p-value was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateTest {
    /// Pooled z-test of two proportions, approximate.
    PooledZ,
    /// Fisher's exact test.
    FisherExact,
}

/// One rate of one segment beside the rest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentTest {
    /// Position of the segment.
    pub segment: usize,
    /// Which rate.
    pub rate: MistakeRate,
    /// In the segment, in [0, 1].
    pub share: f64,
    /// Wilson's interval of `share`.
    pub interval: Interval,
    /// Among all other rows.
    pub share_of_rest: f64,
    /// Wilson's interval of `share_of_rest`.
    pub interval_of_rest: Interval,
    /// `share` less `share_of_rest`.
    pub difference: f64,
    /// Newcombe's interval of `difference`.
    pub difference_interval: Interval,
    /// Two-sided, for this test alone.
    pub p_value: f64,
    /// Benjamini–Hochberg, over all tests that were made.
    pub p_adjusted: f64,
    /// How `p_value` was made.
    pub test: RateTest,
    /// Rows of the segment behind the rate: its negatives, or its positives.
    pub n: u64,
    /// Such rows outside of the segment.
    pub n_rest: u64,
}

/// A rate that could not be tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untested {
    /// Position of the segment.
    pub segment: usize,
    /// Which rate.
    pub rate: MistakeRate,
    /// Why not.
    pub why: UntestedReason,
}

/// Why a rate could not be tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UntestedReason {
    /// The segment has no rows of the class.
    #[error("measure the rate: the segment has no rows of this class")]
    NotInSegment,
    /// Nothing to compare with.
    #[error("compare the rate: all rows of this class are in the segment")]
    NotInRest,
}

/// All tests of all segments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgainstRest {
    /// By segment, the false positive rate first.
    pub tests: Vec<SegmentTest>,
    /// What could not be tested.
    pub untested: Vec<Untested>,
}

/// Why nothing can be tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AgainstRestError {
    /// A segment without a rest.
    #[error("compare a segment with the rest: too few segments, {segments} where at least 2 are needed")]
    FewerThanTwoSegments {
        /// Segments at hand.
        segments: usize,
    },
    /// Counts that no rows have.
    #[error("count the rows: those of all segments are more than 2^64")]
    TooManyRows,
}

/// Tests both rates of mistakes of every segment against the rows of all others.
///
/// # Errors
/// Fewer than two segments, or more than 2^64 rows.
pub fn against_rest(segments: &[Confusion], level: Level) -> Result<AgainstRest, AgainstRestError> {
    if segments.len() < 2 {
        return Err(AgainstRestError::FewerThanTwoSegments { segments: segments.len() });
    }
    let counts = |c: &Confusion| [c.false_positives, c.true_negatives, c.false_negatives, c.true_positives];
    let all = segments.iter().flat_map(counts).try_fold(0, u64::checked_add);
    all.ok_or(AgainstRestError::TooManyRows)?;
    let total = |of: fn(&Confusion) -> u64| segments.iter().map(of).sum::<u64>();
    let (false_positives, negatives) = (total(|c| c.false_positives), total(Confusion::negatives));
    let (false_negatives, positives) = (total(|c| c.false_negatives), total(Confusion::positives));
    let mut found = AgainstRest::default();
    for (segment, c) in segments.iter().enumerate() {
        for (rate, mistakes, n, mistakes_all, n_all) in [
            (MistakeRate::FalsePositive, c.false_positives, c.negatives(), false_positives, negatives),
            (MistakeRate::FalseNegative, c.false_negatives, c.positives(), false_negatives, positives),
        ] {
            let rest = Proportion::new(mistakes_all - mistakes, n_all - n);
            match (Proportion::new(mistakes, n), rest) {
                (Ok(here), Ok(rest)) => found.tests.push(tested(segment, rate, here, rest, level)),
                (here, _) => {
                    let why =
                        if here.is_err() { UntestedReason::NotInSegment } else { UntestedReason::NotInRest };
                    found.untested.push(Untested { segment, rate, why });
                }
            }
        }
    }
    let p_values: Vec<f64> = found.tests.iter().map(|test| test.p_value).collect();
    for (test, adjusted) in found.tests.iter_mut().zip(benjamini_hochberg(&p_values)) {
        test.p_adjusted = adjusted;
    }
    Ok(found)
}

fn tested(
    segment: usize,
    rate: MistakeRate,
    here: Proportion,
    rest: Proportion,
    level: Level,
) -> SegmentTest {
    let z_test = two_proportion_z_test(rest, here, level);
    let (p_value, test) = if expected_least(here, rest) < EXPECTED_MIN {
        (fisher_two_sided(here, rest), RateTest::FisherExact)
    } else {
        (z_test.p_value, RateTest::PooledZ)
    };
    SegmentTest {
        segment,
        rate,
        share: here.share(),
        interval: here.wilson(level),
        share_of_rest: rest.share(),
        interval_of_rest: rest.wilson(level),
        difference: z_test.difference,
        difference_interval: z_test.interval,
        p_value,
        p_adjusted: p_value,
        test,
        n: here.n(),
        n_rest: rest.n(),
    }
}

/// The rows that the emptiest cell of the table would hold if both shares were the same.
fn expected_least(a: Proportion, b: Proportion) -> f64 {
    let n = a.n() as f64 + b.n() as f64;
    let hits = a.successes() as f64 + b.successes() as f64;
    a.n().min(b.n()) as f64 * (hits.min(n - hits) / n)
}

/// Twice the smaller tail of how many of all successes fall to `a`.
fn fisher_two_sided(a: Proportion, b: Proportion) -> f64 {
    let hits = a.successes() + b.successes();
    let misses = (a.n() - a.successes()) + (b.n() - b.successes());
    let draw = Hypergeometric::new(hits, misses, a.n());
    let at_most = draw.at_most(a.successes());
    let at_least = draw.of_others().at_most(a.n() - a.successes());
    (2.0 * at_most.min(at_least)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(counts: &[[u64; 4]]) -> Vec<Confusion> {
        counts.iter().map(|&counts| Confusion::from_counts(0.5, counts).unwrap()).collect()
    }

    #[test]
    fn a_segment_without_a_class_or_with_all_of_it_is_not_tested() {
        let found = against_rest(&segments(&[[5, 0, 0, 5], [5, 10, 10, 5]]), Level::P95).unwrap();
        assert_eq!(found.tests.len(), 2);
        let of = |segment, why| Untested { segment, rate: MistakeRate::FalsePositive, why };
        let expected = [of(0, UntestedReason::NotInSegment), of(1, UntestedReason::NotInRest)];
        assert_eq!(found.untested, expected);
    }

    #[test]
    fn nothing_to_compare_with_and_too_many_rows_are_errors() {
        let one = AgainstRestError::FewerThanTwoSegments { segments: 1 };
        assert_eq!(against_rest(&segments(&[[1; 4]]), Level::P95), Err(one));
        let huge = segments(&[[u64::MAX, 0, 0, 0], [1; 4]]);
        assert_eq!(against_rest(&huge, Level::P95), Err(AgainstRestError::TooManyRows));
    }

    #[test]
    fn segments_without_mistakes_do_not_differ() {
        let found = against_rest(&segments(&[[9, 0, 9, 0], [3, 0, 400, 0], [0; 4]]), Level::P95).unwrap();
        assert!(found.tests.iter().all(|test| test.p_value == 1.0 && test.difference == 0.0));
        assert_eq!((found.tests.len(), found.untested.len()), (4, 2));
    }
}
