//! Whether the next count of a series is one that those before it make likely.
//!
//! # What it measures
//! The rows of a window beside those of the windows before it: the interval that the next count falls into with
//! a given probability if nothing has changed, and how improbable the count is.
//!
//! # When it misleads
//! A series that grows steadily, or a holiday, is not what it was; both lie outside without anything being wrong.
//! With six counts the interval is very wide.
//!
//! # Formula
//! On logarithms: `t = (ln x − median) / (s √(1 + π / 2n))`, with `s` the median absolute deviation times 1.4826 and
//! the small-sample factor, but not below `1 / √median` (the spread that counting alone gives). The
//! distribution is Student's with `0.37 (n − 1)` degrees of freedom, because the median absolute deviation is 37 %
//! as efficient as the standard deviation under normal errors.
//!
//! # References
//! Rousseeuw & Croux (1993), "Alternatives to the median absolute deviation", JASA 88, 1273–1283 (efficiency).
//! Croux & Rousseeuw (1992), "Time-efficient algorithms for two highly robust estimators of scale", COMPSTAT,
//! pp. 411–428 (small-sample factors). Hahn & Meeker (1991), "Statistical Intervals", §4.7 (prediction intervals).

use std::f64::consts::PI;

use crate::special::student_t_two_sided;

/// With fewer counts nothing is predicted.
pub const LEAST_COUNTS: usize = 6;

/// What a series of counts predicts for the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountPrediction {
    /// The median of the counts.
    pub median: f64,
    /// Where the next count lies with the probability that was asked for.
    pub lower: f64,
    pub upper: f64,
    /// Counts that it was made from.
    pub n: usize,
    spread: f64,
}

/// Factors that make the median absolute deviation unbiased, for 2 to 9 values.
const SMALL_SAMPLE: [f64; 8] = [1.196, 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107];
/// Under normal errors, against the standard deviation.
const EFFICIENCY: f64 = 0.37;

/// Predicts the next count; it lies in the interval with probability `1 − alpha`, for `alpha` in (0, 1).
///
/// `counts` are those before it, in any order. `None` where there are fewer than [`LEAST_COUNTS`], one of them
/// is 0, or `alpha` is out of range.
///
/// ```
/// use stats::count_prediction::count_prediction;
/// let weeks = [5_012, 4_987, 5_120, 4_950, 5_043, 5_001, 4_999, 5_070];
/// let prediction = count_prediction(&weeks, 0.01).expect("enough weeks");
/// assert!(prediction.lower < 4_900.0 && prediction.upper > 5_200.0);
/// assert!(prediction.p_value(2_400) < 0.001 && prediction.p_value(5_100) > 0.1);
/// ```
pub fn count_prediction(counts: &[u64], alpha: f64) -> Option<CountPrediction> {
    let n = counts.len();
    if n < LEAST_COUNTS || counts.contains(&0) || !(alpha > 0.0 && alpha < 1.0) {
        return None;
    }
    let logs: Vec<f64> = counts.iter().map(|&count| (count as f64).ln()).collect();
    let centre = median(logs.clone());
    let deviation = median(logs.iter().map(|log| (log - centre).abs()).collect());
    let small = SMALL_SAMPLE.get(n - 2).copied().unwrap_or(n as f64 / (n as f64 - 0.8));
    let counting = (-0.5 * centre).exp();
    let scale = (1.4826 * small * deviation).max(counting);
    let spread = scale * (1.0 + PI / (2.0 * n as f64)).sqrt();
    let mut prediction = CountPrediction { median: centre.exp(), lower: 0.0, upper: 0.0, n, spread };
    let beyond = student_t_quantile(alpha, prediction.degrees_of_freedom()) * spread;
    (prediction.lower, prediction.upper) = ((centre - beyond).exp(), (centre + beyond).exp());
    Some(prediction)
}

impl CountPrediction {
    fn degrees_of_freedom(&self) -> f64 {
        EFFICIENCY * (self.n as f64 - 1.0)
    }

    /// The probability of a count at least as far from the median, in either direction; 0 for a count of 0.
    pub fn p_value(&self, count: u64) -> f64 {
        let t = ((count as f64).ln() - self.median.ln()) / self.spread;
        student_t_two_sided(t, self.degrees_of_freedom())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

/// The `t` beyond `±` which Student's distribution has the probability `alpha`.
fn student_t_quantile(alpha: f64, degrees_of_freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while student_t_two_sided(high, degrees_of_freedom) > alpha && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if student_t_two_sided(middle, degrees_of_freedom) > alpha { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_counts_and_empty_windows_predict_nothing() {
        assert_eq!(count_prediction(&[100; 5], 0.01), None);
        assert_eq!(count_prediction(&[100, 100, 0, 100, 100, 100], 0.01), None);
        assert_eq!(count_prediction(&[100; 6], 0.0), None);
    }

    #[test]
    fn equal_counts_still_vary_as_counting_does() {
        let prediction = count_prediction(&[400; 20], 0.05).unwrap();
        // One standard deviation of a Poisson count of 400 is 20.
        assert!(prediction.lower < 360.0 && prediction.lower > 330.0, "{prediction:?}");
        assert!(prediction.p_value(0) == 0.0 && prediction.p_value(400) == 1.0);
    }

    #[test]
    fn an_outlier_among_the_counts_hardly_matters() {
        let plain = count_prediction(&[1000, 1010, 990, 1005, 995, 1002, 998, 1001], 0.01).unwrap();
        let with = count_prediction(&[1000, 1010, 990, 1005, 995, 1002, 998, 1], 0.01).unwrap();
        assert!((plain.median - with.median).abs() < 2.0);
        assert!(with.p_value(100) < 0.01);
    }
}
