//! P-values of folds that are learnt from the folds before, and how they become one.

use rand_core::RngCore;

use crate::random::{shuffle, shuffle_front};
use crate::special::{chi_square_sf, normal_sf};

/// Fisher's combination of p-values, each of which holds whatever the ones before it were: `−2 Σ ln p`
/// is at most chi-square with two degrees of freedom for each.
pub(super) fn combined(p_values: &[f64]) -> f64 {
    let statistic: f64 = p_values.iter().map(|p| -2.0 * p.ln()).sum();
    chi_square_sf(statistic, 2.0 * p_values.len() as f64)
}

/// How often the positives have ranks as high as here where labels fall on rows at random.
pub(super) fn rank_sum_p_value(
    predicted: &[f64],
    is_positive: &[bool],
    permutations: usize,
    rng: &mut impl RngCore,
) -> f64 {
    let mut ranks = mid_ranks(predicted);
    let sum_of = |ranks: &[f64]| ranks.iter().sum::<f64>();
    // Sums of halves are exact, so that ties are counted as such.
    let found: f64 = ranks.iter().zip(is_positive).filter(|(_, positive)| **positive).map(|(r, _)| r).sum();
    let positives = is_positive.iter().filter(|&&positive| positive).count();
    let as_high = (0..permutations)
        .filter(|_| {
            shuffle_front(&mut ranks, positives, rng);
            sum_of(&ranks[..positives]) >= found
        })
        .count();
    (1.0 + as_high as f64) / (1.0 + permutations as f64)
}

/// Ranks from 1, tied values sharing the mean of theirs.
fn mid_ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let upto = from + tied.len();
        for &row in tied {
            ranks[row] = (from + upto + 1) as f64 / 2.0;
        }
        from = upto;
    }
    ranks
}

/// How often values go along with predictions as much as here where they fall on rows at random.
pub(super) fn covariance_p_value(
    predicted: &[f64],
    values: &[f64],
    permutations: usize,
    rng: &mut impl RngCore,
) -> f64 {
    let centred = |values: &[f64]| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| value - mean).collect()
    };
    let (predicted, mut values) = (centred(predicted), centred(values));
    let product = |values: &[f64]| predicted.iter().zip(values).map(|(p, v)| p * v).sum::<f64>();
    let size = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>().sqrt();
    // Equal up to the rounding of sums in another order counts as equal.
    let found = product(&values) - 1e-12 * size(&predicted) * size(&values);
    let as_high = (0..permutations)
        .filter(|_| {
            shuffle(&mut values, rng);
            product(&values) >= found
        })
        .count();
    (1.0 + as_high as f64) / (1.0 + permutations as f64)
}

/// `Σ r h / √(Σ r² h²)` of one fold: about normal where residuals have mean 0 whatever the features.
/// None where nothing was predicted.
pub(super) fn residual_score(predicted: &[f64], residuals: &[f64]) -> Option<f64> {
    let products = || predicted.iter().zip(residuals).map(|(h, r)| h * r);
    let deviation = products().map(|product| product * product).sum::<f64>().sqrt();
    (deviation > 0.0).then(|| products().sum::<f64>() / deviation)
}

/// Stouffer's combination of folds' scores, each with the root of its rows as weight: the statistic and
/// its one-sided p-value.
pub(super) fn combined_scores(scores: &[(f64, usize)]) -> (f64, f64) {
    let rows: f64 = scores.iter().map(|&(_, rows)| rows as f64).sum();
    if rows == 0.0 {
        return (0.0, 1.0);
    }
    let statistic =
        scores.iter().map(|&(score, rows)| score * (rows as f64).sqrt()).sum::<f64>() / rows.sqrt();
    (statistic, normal_sf(statistic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;

    #[test]
    fn ties_share_ranks_and_predictions_that_are_alike_tell_nothing() {
        assert_eq!(mid_ranks(&[2.0, 1.0, 2.0, -0.0, 0.0]), [4.5, 3.0, 4.5, 1.5, 1.5]);
        let mut rng = SplitMix64::new(1);
        assert_eq!(rank_sum_p_value(&[0.3; 4], &[true, false, true, false], 99, &mut rng), 1.0);
        let values = [0.1, 0.7, 1e30, 0.2];
        assert_eq!(covariance_p_value(&[0.3; 4], &values, 99, &mut rng), 1.0);
        assert_eq!(combined(&[1.0, 1.0]), 1.0);
        assert_eq!(combined_scores(&[]), (0.0, 1.0));
        assert_eq!(residual_score(&[0.0; 3], &[1.0; 3]), None);
    }

    #[test]
    fn permutations_of_a_few_rows_have_the_exact_probability() {
        let mut rng = SplitMix64::new(2);
        let predicted = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        // Both positives on top: one of 15 choices.
        let labels = [false, false, false, false, true, true];
        let p = rank_sum_p_value(&predicted, &labels, 20_000, &mut rng);
        assert!((p - 1.0 / 15.0).abs() < 0.006, "{p}");
        let values = [0.0, 0.0, 0.0, 0.0, 3.0, 3.0];
        let p = covariance_p_value(&predicted, &values, 20_000, &mut rng);
        assert!((p - 1.0 / 15.0).abs() < 0.006, "{p}");
    }
}
