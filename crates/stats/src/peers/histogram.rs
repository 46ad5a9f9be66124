//! Bins of equal width as NumPy makes them, to the last bit where a bin's edge decides.

use crate::ecdf::Ecdf;

/// `numpy.sum` of a contiguous array: pairwise above 128 terms, by eights below.
///
/// Near zero a distance is the root of what rounding left, so the order of additions is part of a
/// peer's result.
pub(super) fn sum(values: &[f64]) -> f64 {
    if values.len() < 8 {
        return values.iter().sum();
    }
    if values.len() > 128 {
        let half = values.len() / 2;
        let (left, right) = values.split_at(half - half % 8);
        return sum(left) + sum(right);
    }
    let (eights, rest) = values.as_chunks::<8>();
    let mut s = [0.0; 8];
    for eight in eights {
        for (s, value) in s.iter_mut().zip(eight) {
            *s += value;
        }
    }
    let paired = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
    rest.iter().fold(paired, |sum, value| sum + value)
}

/// `numpy.linspace`, both ends included.
pub(super) fn linspace(first: f64, last: f64, intervals: u32) -> Vec<f64> {
    let step = (last - first) / f64::from(intervals);
    let mut edges: Vec<f64> = (0..intervals).map(|i| f64::from(i) * step + first).collect();
    edges.push(last);
    edges
}

/// Edges of `intervals` bins of equal width from `first` to `last`; half a unit to either side where
/// those are equal. None where they are too close for that many bins, or further apart than
/// floating point can say.
pub(super) fn equal_width(first: f64, last: f64, intervals: u32) -> Option<Vec<f64>> {
    let (first, last) = if first == last { (first - 0.5, last + 0.5) } else { (first, last) };
    if intervals == 0 || !(last - first).is_finite() {
        return None;
    }
    let edges = linspace(first, last, intervals);
    edges.is_sorted_by(|a, b| a < b).then_some(edges)
}

/// The number of bins that a width gives.
fn intervals(range: f64, width: f64) -> u32 {
    if width > 0.0 { (range / width).ceil() as u32 } else { 1 }
}

/// Sturges' rule for `size` values between `first` and `last`.
pub(super) fn sturges(first: f64, last: f64, size: f64) -> Option<Vec<f64>> {
    let range = last - first;
    equal_width(first, last, intervals(range, range / (size.log2() + 1.0)))
}

/// Doane's rule, which is Sturges' with more bins for skewed values.
pub(super) fn doane(ecdf: &Ecdf) -> Option<Vec<f64>> {
    let (first, last) = (ecdf.min()?, ecdf.max()?);
    let n = ecdf.n() as f64;
    let mean = ecdf.points().map(|(value, count)| value * count as f64).sum::<f64>() / n;
    let moment = |power: i32, scale: f64| {
        let terms = ecdf.points().map(|(value, count)| ((value - mean) / scale).powi(power) * count as f64);
        terms.sum::<f64>() / n
    };
    let deviation = moment(2, 1.0).sqrt();
    let range = last - first;
    let width = if n > 2.0 && deviation > 0.0 {
        let spread = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
        let skewness = moment(3, deviation).abs();
        range / (1.0 + n.log2() + (1.0 + skewness / spread).log2())
    } else {
        0.0
    };
    equal_width(first, last, intervals(range, width))
}

/// Rows per bin; the last bin is closed, rows outside are left out.
pub(super) fn counts(ecdf: &Ecdf, edges: &[f64]) -> Vec<f64> {
    let last = edges.len() - 1;
    let upto = |i: usize| if i == last { ecdf.count_le(edges[i]) } else { ecdf.count_lt(edges[i]) };
    (0..last).map(|i| upto(i + 1).saturating_sub(upto(i)) as f64).collect()
}

/// [`counts`] divided by all rows, those outside included.
pub(super) fn shares(ecdf: &Ecdf, edges: &[f64]) -> Vec<f64> {
    let n = ecdf.n() as f64;
    counts(ecdf, edges).into_iter().map(|count| count / n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_that_cannot_be_told_apart_are_refused() {
        assert_eq!(equal_width(1.0, 1.0, 1), Some(vec![0.5, 1.5]));
        assert_eq!(equal_width(1.0, 1.0_f64.next_up(), 3), None);
        assert_eq!(equal_width(f64::MIN, f64::MAX, 3), None);
        assert_eq!(sturges(f64::MIN, f64::MAX, 9.0), None);
        let extremes = Ecdf::from_values(&mut [f64::MIN, 0.0, f64::MAX]).unwrap();
        assert_eq!(doane(&extremes), None);
    }

    #[test]
    fn rows_outside_the_edges_are_left_out_and_the_last_edge_is_inside() {
        let ecdf = Ecdf::from_values(&mut [-1.0, 0.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!(counts(&ecdf, &[0.0, 1.0, 2.0]), [1.0, 2.0]);
    }
}
