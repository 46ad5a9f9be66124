//! Predictions with their outcomes, as far as the metrics of a regression need them.
//!
//! Sums and central moments only: a few hundred bytes for any number of rows, the same (up to
//! rounding) in whatever order rows come and parts are merged.

use serde::{Deserialize, Serialize};

use crate::sketch::Moments;

/// Values beyond this (or errors beyond it) have squares of squares that no 64-bit float holds.
pub(super) const LARGEST: f64 = 1e72;

/// What predictions and outcomes have in common, row by row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PredictionErrors {
    /// Prediction less outcome.
    pub(super) signed: Moments,
    pub(super) absolute: Moments,
    pub(super) squared: Moments,
    /// `|prediction − outcome| / |outcome|`, where the outcome is not 0.
    pub(super) percentage: Moments,
    pub(super) zero_outcomes: u64,
    pub(super) outcome: Moments,
    pub(super) cross: Cross,
}

/// How squared errors `u` go along with outcomes `y`, both about their means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Cross {
    /// `Σ (u − ū)(y − ȳ)`.
    pub(super) u_y: f64,
    /// `Σ (u − ū)(y − ȳ)²`.
    pub(super) u_yy: f64,
}

/// Whether a prediction and its outcome can be measured: both finite, and of a size whose fourth power is.
pub fn is_measurable(prediction: f64, outcome: f64) -> bool {
    prediction.abs() < LARGEST && outcome.abs() < LARGEST
}

impl PredictionErrors {
    /// The errors of `(prediction, outcome)` rows; rows that are not measurable are left out.
    pub fn of(rows: impl IntoIterator<Item = (f64, f64)>) -> PredictionErrors {
        let rows: Vec<(f64, f64)> = rows.into_iter().filter(|&(p, y)| is_measurable(p, y)).collect();
        let column = |of: fn(f64, f64) -> f64| rows.iter().map(|&(p, y)| of(p, y)).collect::<Vec<f64>>();
        let (signed, outcomes) = (column(|p, y| p - y), column(|_, y| y));
        let (absolute, squared) = (column(|p, y| (p - y).abs()), column(|p, y| (p - y).powi(2)));
        let nonzero = rows.iter().filter(|&&(_, y)| y != 0.0);
        let shares: Vec<f64> =
            nonzero.map(|&(p, y)| (p - y).abs() / y.abs()).map(|share| share.min(LARGEST)).collect();
        let (of_squared, of_outcomes) = (Moments::of(&squared), Moments::of(&outcomes));
        let mut cross = Cross::default();
        if let (Some(u_mean), Some(y_mean)) = (of_squared.mean(), of_outcomes.mean()) {
            for (u, y) in squared.iter().zip(&outcomes) {
                let (u, y) = (u - u_mean, y - y_mean);
                cross.u_y += u * y;
                cross.u_yy += u * y * y;
            }
        }
        PredictionErrors {
            signed: Moments::of(&signed),
            absolute: Moments::of(&absolute),
            squared: of_squared,
            zero_outcomes: (rows.len() - shares.len()) as u64,
            percentage: Moments::of(&shares),
            outcome: of_outcomes,
            cross,
        }
    }

    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: &PredictionErrors) {
        self.cross = self.merged_cross(other);
        self.signed.merge(&other.signed);
        self.absolute.merge(&other.absolute);
        self.squared.merge(&other.squared);
        self.percentage.merge(&other.percentage);
        self.zero_outcomes += other.zero_outcomes;
        self.outcome.merge(&other.outcome);
    }

    /// The number of rows.
    pub fn n(&self) -> u64 {
        self.outcome.count()
    }

    /// Both sides' sums, moved to the means of the whole: `Σ (u + a)(y + b)²` multiplied out.
    fn merged_cross(&self, other: &PredictionErrors) -> Cross {
        let means = |of: &PredictionErrors| Some((of.squared.mean()?, of.outcome.mean()?));
        let (Some(mine), Some(theirs)) = (means(self), means(other)) else {
            return if self.n() == 0 { other.cross } else { self.cross };
        };
        let (here, there) = (self.n() as f64, other.n() as f64);
        let whole = here + there;
        let moved = |of: &PredictionErrors, n: f64, a: f64, b: f64| {
            let deviations = of.outcome.variance().map_or(0.0, |variance| variance * (n - 1.0));
            Cross {
                u_y: of.cross.u_y + n * a * b,
                u_yy: of.cross.u_yy + 2.0 * b * of.cross.u_y + a * deviations + n * a * b * b,
            }
        };
        let (u_step, y_step) = (theirs.0 - mine.0, theirs.1 - mine.1);
        let mine = moved(self, here, -u_step * there / whole, -y_step * there / whole);
        let theirs = moved(other, there, u_step * here / whole, y_step * here / whole);
        Cross { u_y: mine.u_y + theirs.u_y, u_yy: mine.u_yy + theirs.u_yy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn merging_parts_gives_the_errors_of_the_whole(
            rows in prop::collection::vec((-1e2..1e2f64, -1e2..1e2f64), 2..60), cut in 0usize..60
        ) {
            let cut = cut.min(rows.len());
            let mut merged = PredictionErrors::of(rows[..cut].iter().copied());
            merged.merge(&PredictionErrors::of(rows[cut..].iter().copied()));
            let whole = PredictionErrors::of(rows.iter().copied());
            prop_assert_eq!(merged.n(), whole.n());
            prop_assert_eq!(merged.zero_outcomes, whole.zero_outcomes);
            let close = |a: f64, b: f64, scale: f64| (a - b).abs() <= 1e-9 * scale;
            prop_assert!(close(merged.cross.u_y, whole.cross.u_y, 1e8));
            prop_assert!(close(merged.cross.u_yy, whole.cross.u_yy, 1e10));
            prop_assert!(close(merged.squared.mean().unwrap(), whole.squared.mean().unwrap(), 1e5));
        }
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let rows = [(f64::NAN, 1.0), (1.0, f64::INFINITY), (1e73, 0.0), (1.0, 2.0)];
        assert_eq!(PredictionErrors::of(rows).n(), 1);
        assert_eq!(PredictionErrors::of([]).n(), 0);
    }
}
