//! Total variation, whose kink at no drift leaves bounds for its bias.

use std::f64::consts::{FRAC_2_PI, PI};

use crate::binomial::Binomial;
use crate::interval::{IntervalMethod, Level};
use crate::special::normal_cdf;

use super::Estimate;
use super::cells::Cells;

/// The total variation `value` with its noise taken off.
pub(super) fn without_noise(cells: &Cells, value: f64, level: Level) -> Estimate {
    let all = cells.n + cells.m;
    let (part, scale) = (cells.current_share(), cells.scale());
    let (mut mean_no_drift, mut variance_no_drift) = (0.0, 0.0);
    let (mut bias, mut bias_least, mut rest) = (0.0, 0.0, 0.0);
    let mut slopes = [(0.0, 0.0); 2];
    let mut deviation = (0.0, 0.0); // rows, and mean absolute deviation for that many
    for cell in &cells.cells {
        let rows = cell.rows();
        if deviation.0 != rows {
            let binomial = Binomial::new(rows as u64, part);
            deviation = (rows, binomial.mean_absolute_deviation());
        }
        let without_replacement = ((all - rows) / (all - 1.0)).max(0.0).sqrt();
        let mean = 0.5 * scale * deviation.1 * without_replacement;
        let noise = scale * (rows * part * (1.0 - part)).sqrt();
        let variance = 0.25 * noise * noise * (1.0 - FRAC_2_PI);
        mean_no_drift += cell.bins * mean;
        variance_no_drift += cell.bins * variance;
        let share = cell.drift_share_most.min(1.0 - 1e-12);
        bias_least += cell.bins * mean * bias_left((share / (1.0 - share)).sqrt());
        for (q, p) in cells.believed_shares(cell) {
            let (bins, moved) = (cell.bins / 2.0, (p - q) / noise);
            bias += bins * mean * bias_left(moved.abs());
            // The slope of |x| is ±½ where the sign is sure, and 0 on average where it is not.
            let sign = 2.0 * normal_cdf(moved) - 1.0;
            rest += bins * variance * (1.0 - sign * sign);
            for (sums, side) in [(0, q), (1, p)] {
                slopes[sums].0 += bins * side * 0.25 * sign * sign;
                slopes[sums].1 += bins * side * 0.5 * sign;
            }
        }
    }
    let [(q2, q1), (p2, p1)] = slopes;
    let linear = (q2 - q1 * q1).max(0.0) / cells.n + (p2 - p1 * p1).max(0.0) / cells.m;
    let reach = level.z() * (linear + rest).sqrt();
    Estimate {
        mean_no_drift,
        variance_no_drift,
        excess: value - bias,
        lower: value - mean_no_drift - reach,
        upper: value - bias_least.min(bias) + reach,
        most: 1.0,
        level,
        method: IntervalMethod::NormalWithinBiasBounds,
    }
}

/// The bias of `|x|` for a normal `x` whose mean is `moved` standard deviations from 0, as a part
/// of that at 0.
fn bias_left(moved: f64) -> f64 {
    let density = (-0.5 * moved * moved).exp() / (2.0 * PI).sqrt();
    let mean = 2.0 * density + moved * (2.0 * normal_cdf(moved) - 1.0);
    ((mean - moved) / FRAC_2_PI.sqrt()).clamp(0.0, 1.0)
}
