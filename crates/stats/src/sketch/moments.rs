//! Count, extremes and the first four central moments, mergeable.

use serde::{Deserialize, Serialize};

/// Count, minimum, maximum and central moments of finite numbers.
///
/// Merging uses the pairwise formulas of Pébay (2008), "Formulas for robust, one-pass parallel
/// computation of covariances and arbitrary-order statistical moments", Sandia SAND2008-6212,
/// eqs. 2.1 and 3.1; within a slice the moments are taken about the slice's own mean, so nothing
/// cancels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    count: u64,
    min: f64,
    max: f64,
    mean: f64,
    /// Sums of the second to fourth powers of the deviations from the mean.
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { count: 0, min: f64::MAX, max: f64::MIN, mean: 0.0, m2: 0.0, m3: 0.0, m4: 0.0 }
    }
}

/// Independent sums, so that the compiler can keep them in vector registers.
const LANES: usize = 8;

impl Moments {
    /// Moments of `values`, all of which must be finite.
    pub fn of(values: &[f64]) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        let (mut sum, mut min, mut max) = ([0.0; LANES], [f64::MAX; LANES], [f64::MIN; LANES]);
        let chunks = values.chunks_exact(LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            for lane in 0..LANES {
                let value = chunk[lane];
                sum[lane] += value;
                min[lane] = if value < min[lane] { value } else { min[lane] };
                max[lane] = if value > max[lane] { value } else { max[lane] };
            }
        }
        for &value in rest {
            sum[0] += value;
            min[0] = min[0].min(value);
            max[0] = max[0].max(value);
        }
        let count = values.len() as f64;
        let mean = sum.iter().sum::<f64>() / count;
        let (mut m2, mut m3, mut m4) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let chunks = values.chunks_exact(LANES);
        for chunk in chunks {
            for lane in 0..LANES {
                let deviation = chunk[lane] - mean;
                let square = deviation * deviation;
                m2[lane] += square;
                m3[lane] += square * deviation;
                m4[lane] += square * square;
            }
        }
        for &value in rest {
            let deviation = value - mean;
            let square = deviation * deviation;
            m2[0] += square;
            m3[0] += square * deviation;
            m4[0] += square * square;
        }
        Self {
            count: values.len() as u64,
            min: min.into_iter().fold(f64::MAX, f64::min),
            max: max.into_iter().fold(f64::MIN, f64::max),
            mean,
            m2: m2.iter().sum(),
            m3: m3.iter().sum(),
            m4: m4.iter().sum(),
        }
    }

    pub fn extend(&mut self, values: &[f64]) {
        self.merge(&Self::of(values));
    }

    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (a, b) = (self.count as f64, other.count as f64);
        let n = a + b;
        let delta = other.mean - self.mean;
        let share = delta / n;
        let m4 = self.m4
            + other.m4
            + delta * share * share * share * a * b * (a * a - a * b + b * b)
            + 6.0 * share * share * (a * a * other.m2 + b * b * self.m2)
            + 4.0 * share * (a * other.m3 - b * self.m3);
        let m3 = self.m3
            + other.m3
            + delta * share * share * a * b * (a - b)
            + 3.0 * share * (a * other.m2 - b * self.m2);
        self.m2 += other.m2 + delta * share * a * b;
        self.m3 = m3;
        self.m4 = m4;
        self.mean += share * b;
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// The unbiased sample variance (divisor n − 1); `None` below two values.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.m2 / (self.count - 1) as f64)
    }

    pub fn standard_deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }

    /// Fisher–Pearson skewness g₁ = m₃ / m₂^{3/2}; `None` where the values do not vary.
    pub fn skewness(&self) -> Option<f64> {
        let n = self.count as f64;
        (self.m2 > 0.0).then(|| n.sqrt() * self.m3 / self.m2.powf(1.5))
    }

    /// Excess kurtosis g₂ = m₄ / m₂² − 3; `None` where the values do not vary.
    pub fn excess_kurtosis(&self) -> Option<f64> {
        (self.m2 > 0.0).then(|| self.count as f64 * self.m4 / (self.m2 * self.m2) - 3.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moments_of_a_short_series_are_the_textbook_ones() {
        // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, sum of squares 32, of cubes 42, of fourth powers 356.
        let moments = Moments::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(moments.mean(), Some(5.0));
        assert!((moments.variance().unwrap() - 32.0 / 7.0).abs() < 1e-12);
        assert!((moments.skewness().unwrap() - (42.0 / 8.0) / 8.0).abs() < 1e-12);
        assert!((moments.excess_kurtosis().unwrap() - ((356.0 / 8.0) / 16.0 - 3.0)).abs() < 1e-12);
    }

    #[test]
    fn nothing_varies_in_a_constant_or_single_value() {
        assert_eq!(Moments::of(&[7.0]).variance(), None);
        assert_eq!(Moments::of(&[7.0, 7.0]).variance(), Some(0.0));
        assert_eq!(Moments::of(&[7.0, 7.0]).skewness(), None);
        assert_eq!(Moments::of(&[]).mean(), None);
    }

    proptest! {
        #[test]
        fn merging_parts_gives_the_moments_of_the_whole(
            values in prop::collection::vec(-1e3..1e3f64, 0..60), cut in 0usize..60
        ) {
            let cut = cut.min(values.len());
            let mut merged = Moments::of(&values[..cut]);
            merged.merge(&Moments::of(&values[cut..]));
            let whole = Moments::of(&values);
            let close = |a: Option<f64>, b: Option<f64>, scale: f64| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * scale,
                (a, b) => a == b,
            };
            prop_assert_eq!(merged.count(), whole.count());
            prop_assert_eq!(merged.min(), whole.min());
            prop_assert_eq!(merged.max(), whole.max());
            prop_assert!(close(merged.mean(), whole.mean(), 1e3));
            prop_assert!(close(merged.variance(), whole.variance(), 1e6));
            if whole.variance().is_some_and(|v| v > 1.0) {
                prop_assert!(close(merged.skewness(), whole.skewness(), 1e3));
                prop_assert!(close(merged.excess_kurtosis(), whole.excess_kurtosis(), 1e4));
            }
        }
    }
}
