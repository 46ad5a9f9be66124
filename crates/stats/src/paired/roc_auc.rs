//! Two areas under the ROC curve over the same rows: DeLong's paired test.
//!
//! # What it measures
//!
//! The second model's area less the first's, with an interval and a p-value that take into account that
//! both rank the same rows.
//!
//! # When it misleads
//!
//! * Of nested models (one is the other with more features, both fitted on these rows) the test is far too
//!   quiet: it holds for scores made elsewhere.
//! * Equal areas can belong to models that are good at different rows and thresholds.
//! * Some tens of rows of each class at least; with fewer the interval is rough.
//!
//! # Formula
//!
//! With placements `v` (for each positive the share of negatives below it, for each negative the share of
//! positives above it, ties half) of both models, row by row, `d = v₂ − v₁`: the difference is the mean of
//! `d` over positives, its variance `var(d of positives) / P + var(d of negatives) / N`. Interval
//! `± z` standard errors, cut at ±1. Where both models rank alike the difference is 0 and p = 1; of as many
//! disjoint pairs as the smaller class has rows none was ranked otherwise, and Wilson's upper bound on the share of
//! pairs that are is the interval to both sides. Where all rows gain the same amount, DeLong has no variance: Wilson's formula on
//! [−1, 1] and the sign test, both with the smaller class as number of rows (that many disjoint pairs are
//! independent).
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, paired::roc_auc::paired_roc_auc};
//! let outcomes = [false, false, true, true, false, true];
//! let first = [0.1, 0.6, 0.5, 0.7, 0.2, 0.3];
//! let second = [0.1, 0.3, 0.5, 0.7, 0.2, 0.4];
//! let found = paired_roc_auc(&first, &second, &outcomes, Level::P95)?;
//! assert!((found.area_first - 7.0 / 9.0).abs() < 1e-12 && found.area_second == 1.0);
//! assert!((found.difference.value - 2.0 / 9.0).abs() < 1e-12 && found.p_value > 0.05);
//! # Ok::<(), stats::paired::PairedError>(())
//! ```
//!
//! # References
//!
//! * E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44, 1988; X. Sun, W. Xu, IEEE Signal
//!   Process. Lett. 21, 2014.
//! * O. V. Demler, M. J. Pencina, R. B. D'Agostino, "Misuse of DeLong test to compare AUCs for nested
//!   models", Stat. Med. 31, 2012.

use serde::{Deserialize, Serialize};

use super::{PairedError, all_alike_p_value, check};
use crate::classification::Estimate;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::proportion::wilson_bounds;
use crate::special::normal_sf;

/// Two areas over the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedRocAuc {
    /// The first model's area.
    pub area_first: f64,
    /// The second model's area.
    pub area_second: f64,
    /// The second less the first, in [−1, 1].
    pub difference: Estimate,
    /// The difference in standard errors; `None` where it has no variance.
    pub z: Option<f64>,
    /// Two-sided, approximate where there is a variance.
    pub p_value: f64,
}

/// Compares how two models rank the same rows. Scores may be on any scale.
///
/// # Errors
/// Slices of different length, scores that are not finite, or fewer than two rows of either class.
pub fn paired_roc_auc(
    first: &[f64],
    second: &[f64],
    outcomes: &[bool],
    level: Level,
) -> Result<PairedRocAuc, PairedError> {
    check(first, second, outcomes.len())?;
    let positives = outcomes.iter().filter(|outcome| **outcome).count();
    let negatives = outcomes.len() - positives;
    if positives < 2 || negatives < 2 {
        let (positives, negatives) = (positives as u64, negatives as u64);
        return Err(PairedError::TooFewOfAClass { positives, negatives });
    }
    let (of_first, of_second) = (placements(first, outcomes), placements(second, outcomes));
    let of_class = |class: bool, of: &[f64]| -> Vec<f64> {
        of.iter().zip(outcomes).filter(|(_, outcome)| **outcome == class).map(|(v, _)| *v).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let gains: Vec<f64> = of_second.iter().zip(&of_first).map(|(b, a)| b - a).collect();
    let square_of = |class: bool| {
        let gains = of_class(class, &gains);
        let centre = mean(&gains);
        let squares: f64 = gains.iter().map(|gain| (gain - centre).powi(2)).sum();
        squares / (gains.len() as f64 - 1.0) / gains.len() as f64
    };
    let value = mean(&of_class(true, &gains)).clamp(-1.0, 1.0);
    let error = (square_of(true) + square_of(false)).sqrt();
    // Below this the gains are rounding.
    let error = if error < 1e-15 { 0.0 } else { error };
    let value = if error == 0.0 && value.abs() < 1e-15 { 0.0 } else { value };
    let rarest = positives.min(negatives);
    let (z, p_value, (lower, upper), method) = if error > 0.0 {
        let (z, half) = (value / error, level.z() * error);
        let bounds = ((value - half).max(-1.0), (value + half).min(1.0));
        (Some(z), (2.0 * normal_sf(z.abs())).min(1.0), bounds, IntervalMethod::DeLongOfDifference)
    } else if value == 0.0 {
        let (_, most) = wilson_bounds(0.0, rarest as f64, level);
        (None, 1.0, (-most, most), IntervalMethod::WilsonOfNoDifference)
    } else {
        let (lower, upper) = wilson_bounds(f64::midpoint(value, 1.0), rarest as f64, level);
        let bounds = (2.0 * lower - 1.0, 2.0 * upper - 1.0);
        (None, all_alike_p_value(rarest), bounds, IntervalMethod::WilsonOfPairs)
    };
    let interval = Interval { lower: lower.min(value), upper: upper.max(value), level, method };
    Ok(PairedRocAuc {
        area_first: mean(&of_class(true, &of_first)),
        area_second: mean(&of_class(true, &of_second)),
        difference: Estimate { value, interval, n: outcomes.len() as u64, error_bound: 0.0 },
        z,
        p_value,
    })
}

/// For each row the share of the other class that it is on the right side of, ties half.
fn placements(scores: &[f64], outcomes: &[bool]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let positives = outcomes.iter().filter(|outcome| **outcome).count() as f64;
    let negatives = outcomes.len() as f64 - positives;
    let (mut positives_below, mut negatives_below) = (0.0, 0.0);
    let mut placements = vec![0.0; scores.len()];
    // 0 and −0 are the same score, and the order puts them side by side.
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let here = tied.iter().filter(|&&row| outcomes[row]).count() as f64;
        let others = tied.len() as f64 - here;
        for &row in tied {
            placements[row] = if outcomes[row] {
                (negatives_below + others / 2.0) / negatives
            } else {
                (positives - positives_below - here / 2.0) / positives
            };
        }
        positives_below += here;
        negatives_below += others;
    }
    placements
}
