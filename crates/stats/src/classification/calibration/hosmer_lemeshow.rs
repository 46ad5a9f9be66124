//! Hosmer–Lemeshow test: can the gaps between scores and outcomes be chance?
//!
//! # What it measures
//!
//! Over groups of rows of similar score, the squared gaps between positives and what scores promise,
//! each in units of its own noise, with the probability that calibrated scores show as much.
//!
//! # When it misleads
//!
//! * With many rows it refuses scores whose error nobody cares about, with few it accepts anything: look
//!   at the size of the error beside it.
//! * Another number of groups gives another answer. It says nothing of the direction of a gap.
//! * A group whose expected positives or negatives are fewer than about five (`expected_min`) makes the
//!   p-value approximate.
//! * Scores that were rounded to a grid are refused for that alone once the step is comparable with a
//!   group's noise.
//!
//! # Formula
//!
//! Groups of equal mass that never part equal scores, `π` the mean score of a group:
//! `Σ (positives − n π)² / (n π (1 − π))`, chi-square with as many degrees of freedom as there are
//! groups. `g − 2` is for a logistic regression that was fitted to these very rows; scores that came
//! from elsewhere have no parameter fitted here, and every group is free.
//!
//! Groups whose scores are all exactly 0, or all 1, have no noise. They are left out of the sum; if one
//! of their rows is not as it was promised, the hypothesis is refuted and the p-value is 0.
//!
//! # Example
//!
//! ```
//! use stats::classification::calibration::hosmer_lemeshow::hosmer_lemeshow;
//! use stats::labelled_scores::LabelledScores;
//! let scores = LabelledScores::from_counts(vec![(0.1, 20, 80), (0.8, 80, 20)], None)?;
//! let test = hosmer_lemeshow(&scores, 10)?;
//! assert_eq!(test.degrees_of_freedom, 2);
//! assert!((test.statistic - 10.0 * 10.0 / 9.0).abs() < 1e-9 && test.p_value < 0.01);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * D. W. Hosmer, S. Lemeshow, "Goodness of fit tests for the multiple logistic regression model",
//!   Commun. Stat. Theory Methods 9, 1980.
//! * D. W. Hosmer, S. Lemeshow, R. X. Sturdivant, "Applied logistic regression", 3rd ed., 2013, section
//!   5.2.2: `g` degrees of freedom for rows that the model was not fitted to.

use serde::{Deserialize, Serialize};

use super::bins::{ReliabilityBin, reliability};
use crate::classification::Undefined;
use crate::interval::Level;
use crate::labelled_scores::LabelledScores;
use crate::special::chi_square_sf;

/// The test with what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HosmerLemeshow {
    /// The sum over groups.
    pub statistic: f64,
    /// Groups in the sum.
    pub degrees_of_freedom: u64,
    /// How likely a statistic at least this large is if scores are calibrated; approximate.
    pub p_value: f64,
    /// The smallest expected number of positives or of negatives in a group of the sum; 0 without one.
    pub expected_min: f64,
    /// Rows of groups whose scores are all 0 or all 1 that were not as promised.
    pub certain_wrong: u64,
    /// The groups, ascending, with Wilson's intervals at 95 %.
    pub groups: Vec<ReliabilityBin>,
    /// All rows.
    pub n: u64,
}

/// Tests whether `scores` are calibrated, over at most `groups` groups of equal mass.
///
/// # Errors
/// No rows, or zero groups.
pub fn hosmer_lemeshow(scores: &LabelledScores, groups: usize) -> Result<HosmerLemeshow, Undefined> {
    let groups = reliability(scores, groups, Level::P95)?;
    let (mut statistic, mut expected_min) = (0.0, f64::MAX);
    let (mut degrees_of_freedom, mut certain_wrong) = (0, 0);
    for group in &groups {
        let (n, promised) = (group.n as f64, group.score_mean);
        let (positives, negatives) = (n * promised, n * (1.0 - promised));
        if promised <= 0.0 {
            certain_wrong += group.positives;
        } else if promised >= 1.0 {
            certain_wrong += group.n - group.positives;
        } else {
            // Both cells of the group: 1 / n π + 1 / n (1 − π) is 1 / n π (1 − π).
            let gap = group.positives as f64 - positives;
            statistic += gap * gap / positives + gap * gap / negatives;
            expected_min = positives.min(negatives).min(expected_min);
            degrees_of_freedom += 1;
        }
    }
    let p_value = match (certain_wrong, degrees_of_freedom) {
        (0, 0) => 1.0,
        (0, free) => chi_square_sf(statistic, free as f64),
        _ => 0.0,
    };
    Ok(HosmerLemeshow {
        statistic: statistic.min(f64::MAX),
        degrees_of_freedom,
        p_value,
        expected_min: if degrees_of_freedom == 0 { 0.0 } else { expected_min },
        certain_wrong,
        groups,
        n: scores.n(),
    })
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
    fn what_cannot_be_tested_says_why() {
        assert_eq!(hosmer_lemeshow(&counts(&[]), 10), Err(Undefined::NoRows));
        assert_eq!(hosmer_lemeshow(&counts(&[(0.5, 1, 1)]), 0), Err(Undefined::ZeroBins));
    }

    #[test]
    fn certainty_that_is_right_costs_no_degree_of_freedom_and_one_miss_refutes_it() {
        let right = hosmer_lemeshow(&counts(&[(0.0, 0, 9), (0.5, 5, 5), (1.0, 9, 0)]), 3).unwrap();
        assert_eq!((right.degrees_of_freedom, right.p_value, right.certain_wrong), (1, 1.0, 0));
        let wrong = hosmer_lemeshow(&counts(&[(0.0, 1, 9), (0.5, 5, 5), (1.0, 9, 0)]), 3).unwrap();
        assert_eq!((wrong.p_value, wrong.certain_wrong), (0.0, 1));
        assert!(wrong.statistic.is_finite());
        let only = hosmer_lemeshow(&counts(&[(1.0, 9, 0)]), 3).unwrap();
        assert_eq!((only.p_value, only.degrees_of_freedom, only.expected_min), (1.0, 0, 0.0));
    }

    #[test]
    fn one_class_and_tiny_scores_have_a_finite_statistic() {
        let tiny = hosmer_lemeshow(&counts(&[(5e-324, 3, 0), (0.2, 4, 0)]), 2).unwrap();
        assert!(tiny.statistic.is_finite() && tiny.p_value < 1e-6);
    }

    #[test]
    fn calibrated_scores_are_refused_as_often_as_the_level_says() {
        const WINDOWS: u32 = 2000;
        let mut rng = SplitMix(4);
        let mut refused = 0;
        for _ in 0..WINDOWS {
            let points = (1..50).map(|i| {
                let score = f64::from(i) / 50.0;
                let positives = Binomial::new(20, score).sample(&mut rng);
                (score, positives, 20 - positives)
            });
            let scores = LabelledScores::from_counts(points.collect(), None).unwrap();
            refused += u32::from(hosmer_lemeshow(&scores, 10).unwrap().p_value <= 0.05);
        }
        assert!((60..=140).contains(&refused), "{refused} of {WINDOWS}");
    }
}
