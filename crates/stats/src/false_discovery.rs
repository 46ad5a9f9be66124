//! Corrections for looking at many tests at once.
//!
//! # What it measures
//!
//! Adjusted p-values: each says at which budget for the whole family its test would be called.
//! Benjamini–Hochberg bounds the expected share of false alarms among the alarms; Holm bounds the
//! probability of any false alarm at all, and is stricter.
//!
//! # When it misleads
//!
//! * The family is everything that was looked at. Leaving out the tests that came out quiet makes
//!   the others look stronger than they are.
//! * Benjamini–Hochberg needs tests that are independent or positively dependent.
//! * Looking again every week is a new family each time; neither corrects for that.
//!
//! # Formula
//!
//! With p₍₁₎ ≤ … ≤ p₍ₖ₎. Benjamini–Hochberg: `min over j ≥ i of p₍ⱼ₎ · k / j`. Holm:
//! `max over j ≤ i of p₍ⱼ₎ · (k − j + 1)`. Both at most 1.
//!
//! # Example
//!
//! ```
//! use stats::false_discovery::{benjamini_hochberg, holm};
//! assert_eq!(benjamini_hochberg(&[0.5, 0.01, 0.02]), [0.5, 0.03, 0.03]);
//! assert_eq!(holm(&[0.5, 0.01, 0.02]), [0.5, 0.03, 0.04]);
//! ```
//!
//! # References
//!
//! * Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", J. R. Stat. Soc. B 57, 1995.
//! * S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6, 1979.

/// Benjamini–Hochberg adjusted p-values, in the order of `p_values`.
///
/// A test without a p-value (NaN) stays in the family and counts as 1: it can never be called.
/// Values outside [0, 1] count as the nearer end.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let tests = p_values.len() as f64;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 1.0_f64;
    for (rank, (index, p)) in ascending(p_values).into_iter().enumerate().rev() {
        least = least.min(p * (tests / (rank as f64 + 1.0)));
        adjusted[index] = least;
    }
    adjusted
}

/// Holm's adjusted p-values, in the order of `p_values`; NaN as in [`benjamini_hochberg`].
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let tests = p_values.len();
    let mut adjusted = vec![1.0; tests];
    let mut most = 0.0_f64;
    for (rank, (index, p)) in ascending(p_values).into_iter().enumerate() {
        most = most.max(p * (tests - rank) as f64).min(1.0);
        adjusted[index] = most;
    }
    adjusted
}

fn ascending(p_values: &[f64]) -> Vec<(usize, f64)> {
    let usable = |p: f64| if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) };
    let mut sorted: Vec<(usize, f64)> = p_values.iter().map(|&p| usable(p)).enumerate().collect();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_family_and_a_single_test_are_left_as_they_are() {
        for adjust in [benjamini_hochberg, holm] {
            assert!(adjust(&[]).is_empty());
            assert_eq!(adjust(&[0.04]), [0.04]);
        }
    }

    #[test]
    fn a_missing_p_value_counts_in_the_family_and_is_never_called() {
        assert_eq!(benjamini_hochberg(&[f64::NAN, 0.01]), [1.0, 0.02]);
        assert_eq!(holm(&[0.01, f64::NAN]), [0.02, 1.0]);
    }

    #[test]
    fn ties_are_adjusted_alike() {
        for adjust in [benjamini_hochberg, holm] {
            let adjusted = adjust(&[0.02, 0.5, 0.02, 0.02]);
            assert_eq!((adjusted[0], adjusted[0]), (adjusted[2], adjusted[3]));
        }
    }

    #[test]
    fn rounding_never_adjusts_a_p_value_downwards() {
        // 0.7248879850547139 * 3 / 3 is smaller than it was, multiplied and divided in turn.
        let p_values = [0.0, 0.0, 0.724_887_985_054_713_9];
        assert_eq!(benjamini_hochberg(&p_values), p_values);
    }

    #[test]
    fn values_outside_the_range_count_as_the_nearer_end() {
        assert_eq!(benjamini_hochberg(&[-1.0, 2.0]), [0.0, 1.0]);
    }
}
