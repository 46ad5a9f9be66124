//! The score of a slice, and how high that of its parts can be.

use super::SliceOptions;

/// What is known of a slice's rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Totals {
    pub(super) rows: u32,
    pub(super) loss_sum: f64,
    pub(super) loss_max: f64,
}

impl Totals {
    /// What no slice that is a part of both can exceed.
    pub(super) fn min(self, other: Totals) -> Totals {
        Totals {
            rows: self.rows.min(other.rows),
            loss_sum: self.loss_sum.min(other.loss_sum),
            loss_max: self.loss_max.min(other.loss_max),
        }
    }
}

/// By how much, relative to the terms of a score, a bound is lifted so that rounding prunes nothing.
const ROUNDING: f64 = 1e-12;

/// What the score of a slice depends on beside its own rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    rows: f64,
    loss_sum: f64,
    alpha: f64,
    rows_min: f64,
}

impl Scale {
    pub(super) fn new(losses: &[f64], options: &SliceOptions) -> Scale {
        Scale {
            rows: losses.len() as f64,
            loss_sum: losses.iter().sum(),
            alpha: options.alpha,
            rows_min: options.rows_min as f64,
        }
    }

    /// The paper's equation 1, with the slice's share of the loss for `ē_S |S| / ē n`.
    pub(super) fn score(&self, rows: f64, loss_sum: f64) -> f64 {
        let size = self.rows / rows;
        let share = loss_sum / self.loss_sum;
        self.alpha * (share * size - 1.0) - (1.0 - self.alpha) * (size - 1.0)
    }

    /// The highest score of a part with `rows_min` rows or more.
    ///
    /// With `r` rows the loss is at most `min(E, r M)`. Up to `r = E / M` the score grows with `r`; beyond,
    /// it falls where the loss is worth more than the size, and grows otherwise.
    pub(super) fn bound(&self, of: Totals) -> f64 {
        let most = f64::from(of.rows);
        let falls = self.alpha * (of.loss_sum / self.loss_sum) > 1.0 - self.alpha;
        let rows = if falls { (of.loss_sum / of.loss_max).max(self.rows_min).min(most) } else { most };
        let size = self.rows / rows;
        self.score(rows, of.loss_sum.min(rows * of.loss_max)) + ROUNDING * (1.0 + size)
    }

    /// Whether a slice is large enough to be one, with any loss at all.
    pub(super) fn is_slice(&self, of: Totals) -> bool {
        f64::from(of.rows) >= self.rows_min && of.loss_sum > 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(alpha: f64, rows_min: usize) -> Scale {
        let losses: Vec<f64> = (0..1000).map(|row| f64::from(row % 10 == 0)).collect();
        Scale::new(&losses, &SliceOptions { alpha, rows_min, ..SliceOptions::new(1000) })
    }

    #[test]
    fn all_rows_have_the_score_zero_exactly() {
        for alpha in [0.05, 0.3, 0.5, 0.95, 1.0] {
            assert_eq!(scale(alpha, 1).score(1000.0, 100.0), 0.0);
        }
    }

    #[test]
    fn no_part_scores_above_the_bound() {
        for (alpha, rows_min, rows, errors) in
            [(0.95, 1, 60, 30), (0.95, 20, 60, 5), (0.5, 20, 60, 59), (0.05, 3, 200, 40), (1.0, 7, 40, 3)]
        {
            let scale = scale(alpha, rows_min);
            let whole = Totals { rows, loss_sum: f64::from(errors), loss_max: 1.0 };
            let parts = (rows_min as u32..=rows).flat_map(|r| (0..=errors.min(r)).map(move |e| (r, e)));
            let best = parts.map(|(r, e)| scale.score(f64::from(r), f64::from(e)));
            let best = best.fold(f64::NEG_INFINITY, f64::max);
            let bound = scale.bound(whole);
            assert!(
                best <= bound && bound < best + 1e-6,
                "{alpha} {rows_min} {rows} {errors}: {best} {bound}"
            );
        }
    }
}
