//! Bins at the reference's quantiles, for the statistics that compare shares per bin.
//!
//! The edges come from the reference alone, so nothing in the current window can move them: an
//! outlier lands in an end bin instead of stretching every bin until a shift disappears inside
//! one. What to compute from the counts is in [`psi`](crate::psi) and
//! [`jensen_shannon`](crate::jensen_shannon).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ecdf::Ecdf;

/// Right-closed bins `(−∞, e₁], (e₁, e₂], …, (eₖ, +∞)` over the interior edges `e₁ < … < eₖ`.
///
/// # How the edges are chosen
///
/// * A reference with more distinct values than `bins` is cut at its quantiles `i / bins`.
/// * A value that holds a bin's share of the reference by itself (a spike, such as the zeros of an
///   amount) gets a bin of its own, so that rows that leave the spike by a hair are seen.
/// * A reference with at most `bins` distinct values gets one bin per value and one for each gap
///   between, below and above them. New values are then seen, however near they are. A constant
///   reference has three bins: below, equal, above.
///
/// There can thus be more bins than asked for, some of them empty in the reference. Infinite
/// values of the reference choose no edges; they count in the end bins.
///
/// # Example
/// ```
/// use stats::{bins::QuantileBins, ecdf::Ecdf};
/// let reference = Ecdf::from_values(&mut (1..=100).map(f64::from).collect::<Vec<_>>())?;
/// let bins = QuantileBins::from_reference(&reference, 4)?;
/// assert_eq!(bins.edges(), [25.0, 50.0, 75.0]);
/// assert_eq!(bins.counts(&reference), [25, 25, 25, 25]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct QuantileBins {
    edges: Vec<f64>,
}

/// Why no bins could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BinsError {
    /// Nobody can count into no bins.
    #[error("make zero bins: ask for at least one")]
    ZeroBins,
    /// The reference has nothing to cut.
    #[error("cut the reference into bins: it has no finite value")]
    EmptyReference,
    /// Stored edges out of order.
    #[error("read the bin edges: they must be finite and ascending")]
    EdgesNotAscending,
}

impl QuantileBins {
    /// Cuts `reference` into about `bins` bins of equal mass; see the type for the rules.
    pub fn from_reference(reference: &Ecdf, bins: usize) -> Result<QuantileBins, BinsError> {
        if bins == 0 {
            return Err(BinsError::ZeroBins);
        }
        let finite = reference.finite();
        if finite.is_empty() {
            return Err(BinsError::EmptyReference);
        }
        let mut edges: Vec<f64> = Vec::new();
        let few_values = finite.distinct() <= bins;
        if !few_values {
            edges.extend((1..bins).filter_map(|i| finite.quantile(i as f64 / bins as f64)));
        }
        let n = u128::from(finite.n());
        for (value, count) in finite.points() {
            if few_values || u128::from(count) * bins as u128 >= n {
                edges.extend([value.next_down(), value]);
            }
        }
        edges.retain(|edge| edge.is_finite()); // next_down of the smallest number
        edges.sort_unstable_by(f64::total_cmp);
        edges.dedup();
        Ok(QuantileBins { edges })
    }

    /// The interior edges, ascending; the first and the last bin are open.
    pub fn edges(&self) -> &[f64] {
        &self.edges
    }

    /// The number of bins, one more than the edges.
    pub fn len(&self) -> usize {
        self.edges.len() + 1
    }

    /// Never: there is always at least one bin.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The number of rows per bin, shape `[edges + 1]`; they add up to `ecdf.n()`.
    pub fn counts(&self, ecdf: &Ecdf) -> Vec<u64> {
        let mut before = 0;
        let upto = self.edges.iter().map(|&edge| ecdf.count_le(edge));
        upto.chain(std::iter::once(ecdf.n()))
            .map(|upto| upto - std::mem::replace(&mut before, upto))
            .collect()
    }
}

impl TryFrom<Vec<f64>> for QuantileBins {
    type Error = BinsError;

    fn try_from(edges: Vec<f64>) -> Result<QuantileBins, BinsError> {
        let finite = edges.iter().all(|edge| edge.is_finite());
        if finite && edges.is_sorted_by(|a, b| a < b) {
            Ok(QuantileBins { edges })
        } else {
            Err(BinsError::EdgesNotAscending)
        }
    }
}

impl From<QuantileBins> for Vec<f64> {
    fn from(bins: QuantileBins) -> Vec<f64> {
        bins.edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ecdf(values: &[f64]) -> Ecdf {
        Ecdf::from_values(&mut values.to_vec()).unwrap()
    }

    fn counts(reference: &[f64], bins: usize, current: &[f64]) -> Vec<u64> {
        QuantileBins::from_reference(&ecdf(reference), bins).unwrap().counts(&ecdf(current))
    }

    #[test]
    fn a_constant_reference_sees_below_equal_and_above() {
        let current = [4.0, 5.0_f64.next_down(), 5.0, 5.0_f64.next_up(), 6.0];
        assert_eq!(counts(&[5.0; 9], 10, &current), [2, 1, 2]);
        assert_eq!(counts(&[5.0], 1, &current), [2, 1, 2]);
    }

    #[test]
    fn few_distinct_values_get_a_bin_each_and_one_per_gap() {
        let reference = [0.0, 0.0, 1.0, 1.0, 1.0];
        assert_eq!(counts(&reference, 10, &reference), [0, 2, 0, 3, 0]);
        assert_eq!(counts(&reference, 10, &[-1.0, 0.0, 0.5, 1.0, 2.0]), [1; 5]);
    }

    #[test]
    fn a_spike_has_a_bin_of_its_own() {
        let mut reference = vec![0.0; 60];
        reference.extend((1..=40).map(f64::from));
        let shares = counts(&reference, 10, &reference);
        assert_eq!(shares[..2], [0, 60], "nothing below the spike, then the spike");
        let mut left_by_a_hair = vec![-1e-9; 60];
        left_by_a_hair.extend((1..=40).map(f64::from));
        assert_eq!(counts(&reference, 10, &left_by_a_hair)[..2], [60, 0]);
    }

    #[test]
    fn infinite_values_count_in_the_end_bins() {
        let reference = [f64::NEG_INFINITY, 1.0, 2.0, 3.0, f64::INFINITY];
        let bins = QuantileBins::from_reference(&ecdf(&reference), 2).unwrap();
        assert_eq!(bins.edges(), [2.0]);
        assert_eq!(bins.counts(&ecdf(&reference)), [3, 2]);
    }

    #[test]
    fn nothing_to_cut_and_no_bins_are_errors() {
        let cases = [
            (vec![], 10, BinsError::EmptyReference),
            (vec![f64::INFINITY], 10, BinsError::EmptyReference),
            (vec![1.0], 0, BinsError::ZeroBins),
        ];
        for (values, bins, expected) in cases {
            assert_eq!(QuantileBins::from_reference(&ecdf(&values), bins), Err(expected));
        }
    }

    #[test]
    fn the_extremes_of_f64_are_edges_without_overflow() {
        assert_eq!(counts(&[f64::MIN, f64::MAX], 10, &[0.0]), [0, 1, 0, 0]);
    }

    #[test]
    fn stored_edges_are_checked() {
        let bins = QuantileBins::from_reference(&ecdf(&[1.0, 2.0, 3.0]), 2).unwrap();
        let text = serde_json::to_string(&bins).unwrap();
        assert_eq!(serde_json::from_str::<QuantileBins>(&text).unwrap(), bins);
        assert!(serde_json::from_str::<QuantileBins>("[2.0, 1.0]").is_err());
    }
}
