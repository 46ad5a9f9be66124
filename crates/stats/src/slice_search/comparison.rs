//! The losses of a slice beside those of the other rows: intervals and p-values.

use super::confirm::{Comparison, ComparisonMethod, Confirmed};
use crate::hypergeometric::Hypergeometric;
use crate::interval::{Interval, IntervalMethod, Level};
use crate::proportion::{Proportion, newcombe_difference_interval};
use crate::special::student_t_quantile;
use crate::special::{gamma_p, gamma_q, normal_sf, student_t_two_sided};

/// Below this skewness the gamma distribution is taken as the normal one that it has become.
const SKEWNESS_LEAST: f64 = 1e-3;

/// Mean and central moments of some rows.
#[derive(Clone, Copy, Debug)]
struct Moments {
    rows: f64,
    mean: f64,
    /// Mean square of the deviations; 0 where they are rounding.
    second: f64,
    /// Their mean cube.
    third: f64,
}

impl Moments {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Moments {
        let (rows, sum) = values.clone().fold((0.0, 0.0), |(rows, sum), value| (rows + 1.0, sum + value));
        let mean = if rows > 0.0 { sum / rows } else { 0.0 };
        let (mut second, mut third) = (0.0, 0.0);
        for value in values {
            let deviation = value - mean;
            second += deviation * deviation;
            third += deviation * deviation * deviation;
        }
        if rows == 0.0 || second <= rows * (rows * f64::EPSILON * mean).powi(2) {
            return Moments { rows, mean, second: 0.0, third: 0.0 };
        }
        Moments { rows, mean, second: second / rows, third: third / rows }
    }

    /// The estimated variance of the mean, for two rows or more.
    fn variance_of_mean(&self) -> f64 {
        self.second / (self.rows - 1.0)
    }

    /// How many ones there are, where all losses are 0 or 1.
    fn ones(&self) -> u64 {
        (self.mean * self.rows).round() as u64
    }
}

/// The losses of all rows, in a unit in which their cubes are numbers.
#[derive(Debug)]
pub(super) struct Losses {
    values: Vec<f64>,
    unit: f64,
    are_binary: bool,
    moments: Moments,
}

impl Losses {
    /// Of losses that are finite and not negative.
    pub(super) fn new(losses: &[f64]) -> Losses {
        let are_binary = losses.iter().all(|&loss| loss == 0.0 || loss == 1.0);
        let most = losses.iter().copied().fold(0.0, f64::max);
        // A power of two, so that nothing but the exponents change.
        let unit = if most > 0.0 { most.log2().floor().exp2() } else { 1.0 };
        let values: Vec<f64> = losses.iter().map(|loss| loss / unit).collect();
        let moments = Moments::of(values.iter().copied());
        Losses { values, unit, are_binary, moments }
    }

    /// The slice of the rows `members` beside all others, its p-value not adjusted yet.
    pub(super) fn confirm(&self, members: &[u32], level: Level) -> Confirmed {
        let (inside, outside) = self.divided(members);
        let least = if self.are_binary { 1.0 } else { 2.0 };
        let compared = (inside.rows >= least && outside.rows >= least).then(|| {
            if self.are_binary {
                self.shares(inside, outside, level)
            } else {
                self.means(inside, outside, level)
            }
        });
        let p_value = compared.map_or(1.0, |(_, p_value)| p_value);
        Confirmed {
            rows: inside.rows as u64,
            rows_outside: outside.rows as u64,
            comparison: compared.map(|(comparison, _)| comparison),
            p_value,
            p_adjusted: p_value,
        }
    }

    fn divided(&self, members: &[u32]) -> (Moments, Moments) {
        let mut is_member = vec![false; self.values.len()];
        for &row in members {
            is_member[row as usize] = true;
        }
        let of = |side: bool| {
            let rows = self.values.iter().zip(&is_member).filter(move |(_, member)| **member == side);
            Moments::of(rows.map(|(&value, _)| value))
        };
        (of(true), of(false))
    }

    /// Losses of 0 and 1.
    fn shares(&self, inside: Moments, outside: Moments, level: Level) -> (Comparison, f64) {
        let proportion =
            |of: Moments| Proportion::new(of.ones(), of.rows as u64).expect("ones among one row or more");
        let (slice, rest) = (proportion(inside), proportion(outside));
        let difference_interval = newcombe_difference_interval(rest, slice, level);
        // Half a row is added to all counts, so that none is 0.
        let half_more = |of: Proportion| (of.successes() as f64 + 0.5, of.n() as f64 + 0.5);
        let ((ones, rows), (other_ones, other_rows)) = (half_more(slice), half_more(rest));
        let ln_ratio = (ones / rows / (other_ones / other_rows)).ln();
        let error = (1.0 / ones - 1.0 / rows + 1.0 / other_ones - 1.0 / other_rows).sqrt();
        let mut comparison =
            self.comparison(inside, outside, difference_interval, ComparisonMethod::FisherExact);
        let share = inside.rows / self.moments.rows;
        comparison.lift_interval = Some(lift_interval(comparison.lift, (ln_ratio, error), share, level));
        (comparison, fisher_exact(slice, rest))
    }

    /// Any losses, with two rows or more on either side.
    fn means(&self, inside: Moments, outside: Moments, level: Level) -> (Comparison, f64) {
        let (slice, rest) = (inside.variance_of_mean(), outside.variance_of_mean());
        let variance = slice + rest;
        let difference = inside.mean - outside.mean;
        let degrees = if variance > 0.0 {
            variance * variance / (slice * slice / (inside.rows - 1.0) + rest * rest / (outside.rows - 1.0))
        } else {
            self.moments.rows - 2.0
        };
        let half = student_t_quantile(level.tail(), degrees) * variance.sqrt();
        let bound = |at: f64| (at * self.unit).clamp(f64::MIN, f64::MAX);
        let difference_interval = Interval {
            lower: bound(difference - half),
            upper: bound(difference + half),
            level,
            method: IntervalMethod::WelchOfDifference,
        };
        let mut comparison =
            self.comparison(inside, outside, difference_interval, ComparisonMethod::WelchAndPermutation);
        if inside.mean > 0.0 && outside.mean > 0.0 && variance > 0.0 {
            let error = (slice / inside.mean.powi(2) + rest / outside.mean.powi(2)).sqrt();
            let ln_ratio = inside.mean.ln() - outside.mean.ln();
            let share = inside.rows / self.moments.rows;
            comparison.lift_interval = Some(lift_interval(comparison.lift, (ln_ratio, error), share, level));
        }
        let welch = welch_p_value(difference, variance, degrees);
        (comparison, welch.max(self.permutation_p_value(inside)))
    }

    fn comparison(
        &self,
        inside: Moments,
        outside: Moments,
        difference_interval: Interval,
        method: ComparisonMethod,
    ) -> Comparison {
        let overall = self.moments.mean;
        Comparison {
            mean_inside: inside.mean * self.unit,
            mean_outside: outside.mean * self.unit,
            mean_overall: overall * self.unit,
            difference: (inside.mean - outside.mean) * self.unit,
            difference_interval,
            lift: if overall > 0.0 { inside.mean / overall } else { 1.0 },
            lift_interval: None,
            method,
        }
    }

    /// How probable a mean as large is for as many rows drawn without replacement, from three moments.
    fn permutation_p_value(&self, inside: Moments) -> f64 {
        let Moments { rows: all, mean, second, third } = self.moments;
        let (drawn, left) = (inside.rows, all - inside.rows);
        let variance = second * left / (drawn * (all - 1.0));
        if variance <= 0.0 {
            return 1.0;
        }
        let cube = third * left * (all - 2.0 * drawn) / (drawn * drawn * (all - 1.0) * (all - 2.0));
        pearson_upper_tail((inside.mean - mean) / variance.sqrt(), cube / variance.powf(1.5))
    }
}

/// The probability that a draw without replacement has as many ones as the slice, or more.
fn fisher_exact(slice: Proportion, rest: Proportion) -> f64 {
    let ones = slice.successes() + rest.successes();
    let zeros = slice.n() + rest.n() - ones;
    // As many ones or more is as many zeros or fewer.
    Hypergeometric::new(zeros, ones, slice.n()).at_most(slice.n() - slice.successes())
}

/// The probability that Student's t is as large.
fn welch_p_value(difference: f64, variance: f64, degrees_of_freedom: f64) -> f64 {
    if variance <= 0.0 {
        return if difference > 0.0 { 0.0 } else { 1.0 };
    }
    let t = difference / variance.sqrt();
    let beyond = student_t_two_sided(t, degrees_of_freedom) / 2.0;
    if t > 0.0 { beyond } else { 1.0 - beyond }
}

/// The probability that a gamma variable of mean 0, variance 1 and this skewness, mirrored where that is
/// negative, is `z` or more.
fn pearson_upper_tail(z: f64, skewness: f64) -> f64 {
    if skewness.abs() < SKEWNESS_LEAST {
        return normal_sf(z);
    }
    let root = 2.0 / skewness.abs();
    let shape = root * root;
    if skewness > 0.0 {
        gamma_q(shape, (shape + z * root).max(0.0))
    } else {
        gamma_p(shape, (shape - z * root).max(0.0))
    }
}

/// The interval of the lift from the logarithm of the ratio of the slice's mean to the other rows' and its
/// standard error; `share` is the slice's share of the rows, below 1. Always holds the lift.
fn lift_interval(lift: f64, (ln_ratio, error): (f64, f64), share: f64, level: Level) -> Interval {
    // ρ / (w ρ + 1 − w), in a form that an infinite ratio does not harm.
    let lift_at = |ln_ratio: f64| 1.0 / (share + (1.0 - share) * (-ln_ratio).exp());
    let half = level.z() * error;
    Interval {
        lower: lift_at(ln_ratio - half).min(lift),
        upper: lift_at(ln_ratio + half).max(lift),
        level,
        method: IntervalMethod::NormalOfLogarithm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirm(losses: &[f64], members: &[u32]) -> Confirmed {
        Losses::new(losses).confirm(members, Level::P95)
    }

    #[test]
    fn what_cannot_be_compared_is_not_confirmed() {
        for (losses, members) in [
            (vec![1.0, 0.0], vec![]),
            (vec![1.0, 0.0], vec![0, 1]),
            (vec![3.0, 1.0, 1.0], vec![0]),
            (vec![3.0, 1.0, 1.0], vec![0, 1]),
        ] {
            let found = confirm(&losses, &members);
            assert_eq!((found.comparison, found.p_value), (None, 1.0), "{losses:?} {members:?}");
        }
    }

    #[test]
    fn equal_losses_are_no_worse_on_either_side() {
        for losses in [[0.0; 6], [1.0; 6], [0.3; 6]] {
            let found = confirm(&losses, &[0, 1]);
            let comparison = found.comparison.unwrap();
            assert_eq!((found.p_value, comparison.difference, comparison.lift), (1.0, 0.0, 1.0));
        }
    }

    #[test]
    fn losses_in_any_unit_have_the_same_lift_and_p_value() {
        let losses: Vec<f64> = (0..60).map(|row| f64::from(row * row % 37) + f64::from(row % 5)).collect();
        let members: Vec<u32> = (0..12).map(|row| row * 5 + 4).collect();
        let plain = confirm(&losses, &members);
        for unit in [1e-300, 1e-3, 1e280, 2.0_f64.powi(1000)] {
            let scaled: Vec<f64> = losses.iter().map(|loss| loss * unit).collect();
            let found = confirm(&scaled, &members);
            let (a, b) = (plain.comparison.unwrap(), found.comparison.unwrap());
            assert!((found.p_value / plain.p_value - 1.0).abs() < 1e-9, "{unit}");
            assert!((a.lift - b.lift).abs() < 1e-12 && b.difference_interval.upper.is_finite(), "{unit}");
            assert!((a.lift_interval.unwrap().lower - b.lift_interval.unwrap().lower).abs() < 1e-12);
        }
    }

    #[test]
    fn a_side_without_loss_has_a_lift_within_its_interval() {
        let mut losses = vec![0.0; 40];
        losses[..5].fill(1.0);
        let all_inside = confirm(&losses, &[0, 1, 2, 3, 4, 5]).comparison.unwrap();
        assert!((all_inside.lift - 40.0 / 6.0).abs() < 1e-12);
        let none_inside = confirm(&losses, &[20, 21, 22]).comparison.unwrap();
        assert_eq!(none_inside.lift, 0.0);
        for comparison in [all_inside, none_inside] {
            let interval = comparison.lift_interval.unwrap();
            assert!(
                interval.contains(comparison.lift) && interval.width() > 0.0 && interval.upper.is_finite()
            );
        }
    }

    #[test]
    fn the_tail_changes_smoothly_where_skewness_vanishes() {
        for z in [-3.0, 0.0, 2.0, 6.0] {
            let normal = normal_sf(z);
            for skewness in [1.001e-3, -1.001e-3] {
                assert!((pearson_upper_tail(z, skewness) / normal - 1.0).abs() < 0.05, "{z} {skewness}");
            }
        }
        // Beyond the end of a mirrored gamma distribution.
        assert_eq!(pearson_upper_tail(3.0, -1.0), 0.0);
        assert_eq!(pearson_upper_tail(-3.0, 1.0), 1.0);
    }
}
