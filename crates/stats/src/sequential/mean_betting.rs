//! Harmful shift: whether the mean of a bounded loss has become worse than it was.
//!
//! # What it measures
//!
//! Evidence that the mean loss of the rows that come in is above a bound: the reference's mean, as
//! high as it may plausibly be, plus a tolerance. Shifts that leave the loss alone stay quiet. The
//! loss may be an error (0 or 1), a Brier score, or an absolute error by its largest value.
//!
//! # When it misleads
//!
//! * Outcomes arrive late, and early ones are seldom typical. Feed a window when its outcomes have
//!   matured, as the definition of the evaluation says, not as they trickle in.
//! * The hypothesis is that *each* row's mean loss, given what came before, is within the bound.
//!   Good weeks before a bad one are no loss of validity, but they cost capital.
//! * A loss seldom near 1 with a bound far below its largest value is slow to show.
//! * Rows that come in groups, such as flights of a day that share its weather, are not each within
//!   the bound given the others of their group. Feed the mean of each group as one loss.
//!
//! # Formula
//!
//! `E = ⅛ Σⱼ Π (1 + λⱼ (x − m))` over all rows, with `m` the bound and fixed bets `λⱼ = cⱼ / m`,
//! `cⱼ = 1/2, 1/8, …, 2⁻¹⁵`. For losses `x ≥ 0` no factor is below `1 − c`; where the mean of `x` is
//! at most `m`, each factor has expectation at most 1. A bet within a factor of 2 of the best one
//! is always among them (for a small gain `δ` over variance `σ²`: `λ = δ / σ²`), and earns at least
//! three quarters of its growth.
//!
//! Losses whose neighbours are alike count less: with a *dispersion* `D` of at least 1, the variance
//! of their mean over that of independent ones ([`serial_mean`](crate::serial_mean)), each factor is
//! raised to the power `1/D`. For groups of `D` that are wholly alike this is the geometric mean of a
//! group's factors and so at most their arithmetic mean, which bets on the group's mean loss: valid
//! without approximation. For any other dependence with that dispersion it is valid to second order of
//! the bet.
//!
//! Upper bound of the reference's mean at error probability `a`, for `n` rows with sample variance
//! `V`: `x̄ + √(2 V ln(2/a) / n) + 7 ln(2/a) / (3 (n − 1))`. (The 2 in `ln(2/a)`
//! pays for estimating the variance; the bound is one-sided.)
//!
//! The bound may fail with probability `a`, the capital with `1/E`; so `a + 1 / max E` is the p-value
//! that holds at all times. With a budget of `α`, half of it for either: alarm at a capital of `2/α`.
//!
//! # Example
//!
//! ```
//! use stats::sequential::mean_betting::HarmfulShift;
//! // Wrong in 5 % of 10 000 reference rows; then in 10 % of 1 000 rows a week.
//! let mut shift = HarmfulShift::against_reference(&[(1.0, 500), (0.0, 9500)], 0.01, 0.005)?;
//! for _ in 0..4 {
//!     shift.update(&[(1.0, 100), (0.0, 900)])?;
//! }
//! assert!(shift.anytime_p_value() < 0.01);
//! # Ok::<(), stats::sequential::mean_betting::HarmfulShiftError>(())
//! ```
//!
//! # References
//!
//! * A. Podkopaev, A. Ramdas, "Tracking the risk of a deployed model and detecting harmful
//!   distribution shifts", ICLR 2022, arXiv 2110.06177: the hypothesis with its tolerance, and the
//!   budget split between the source's and the target's bound.
//! * I. Waudby-Smith, A. Ramdas, "Estimating means of bounded random variables by betting", J. R.
//!   Stat. Soc. B 86, 2024: capital processes, mixtures over a grid of bets.
//! * A. Maurer, M. Pontil, "Empirical Bernstein bounds and sample-variance penalization", COLT 2009,
//!   theorem 4.
//! * R. L. Berger, D. D. Boos, "P values maximized over a confidence set for the nuisance
//!   parameter", J. Am. Stat. Assoc. 89, 1994: adding up the two.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::log_sum_exp;
use super::running_maximum::anytime_p_value;

/// Bets as shares of the largest one that cannot ruin, `1 / m`.
const BETS: [f64; 8] =
    [1.0 / 2.0, 1.0 / 8.0, 1.0 / 32.0, 1.0 / 128.0, 1.0 / 512.0, 1.0 / 2048.0, 1.0 / 8192.0, 1.0 / 32768.0];

/// The state of the bet that the mean loss is above `mean_bound`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HarmfulShift {
    /// What the mean loss must not exceed, strictly between 0 and 1.
    pub mean_bound: f64,
    /// The probability that the reference's mean is above its share of `mean_bound`; 0 where the
    /// bound was given.
    pub reference_alpha: f64,
    /// Rows seen.
    pub rows: u64,
    /// `ln` of the capital of each bet.
    pub log_capitals: [f64; BETS.len()],
    /// The largest `log_e_value` so far at the end of a window, 0 at the start.
    pub log_e_max: f64,
}

/// Why there is no bet.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum HarmfulShiftError {
    /// A loss that is not in [0, 1].
    #[error("bet on a loss of {loss}: losses must lie in [0, 1]; divide by the largest possible one")]
    Loss {
        /// What was given.
        loss: f64,
    },
    /// Nothing to compare with.
    #[error("bound the reference's mean loss: it has {rows} rows, and two are needed")]
    TooFewRows {
        /// How many there are.
        rows: u64,
    },
    /// A bound that no mean exceeds, or that every mean does.
    #[error(
        "bet on a mean loss above {mean_bound}: the bound must lie strictly between 0 and 1; give more reference rows or a smaller tolerance"
    )]
    MeanBound {
        /// The reference's bound and the tolerance together.
        mean_bound: f64,
    },
    /// An error probability that is none.
    #[error(
        "bound the reference's mean loss at an error probability of {alpha}: it must lie strictly between 0 and 1"
    )]
    Alpha {
        /// What was given.
        alpha: f64,
    },
    /// A variance below that of independent losses, or none at all.
    #[error("bet on losses of dispersion {dispersion}: it must be a number of at least 1")]
    Dispersion {
        /// What was given.
        dispersion: f64,
    },
    /// A tolerance below zero, or none at all.
    #[error("tolerate {tolerance} more loss: the tolerance must lie in [0, 1]")]
    Tolerance {
        /// What was given.
        tolerance: f64,
    },
}

impl HarmfulShift {
    /// Against a bound that is known.
    ///
    /// # Errors
    /// A bound that is not strictly between 0 and 1.
    pub fn above(mean_bound: f64) -> Result<HarmfulShift, HarmfulShiftError> {
        if mean_bound > 0.0 && mean_bound < 1.0 {
            let log_capitals = [0.0; BETS.len()];
            Ok(HarmfulShift { mean_bound, reference_alpha: 0.0, rows: 0, log_capitals, log_e_max: 0.0 })
        } else {
            Err(HarmfulShiftError::MeanBound { mean_bound })
        }
    }

    /// Against the mean of the `reference`, bounded at `alpha`, and the tolerance on top.
    ///
    /// `reference`: losses in [0, 1] with how often each occurs.
    ///
    /// # Errors
    /// As [`reference_mean_bound`]; a tolerance that is not in [0, 1]; a sum of 1 or more.
    pub fn against_reference(
        reference: &[(f64, u64)],
        tolerance: f64,
        alpha: f64,
    ) -> Result<HarmfulShift, HarmfulShiftError> {
        if !(0.0..=1.0).contains(&tolerance) {
            return Err(HarmfulShiftError::Tolerance { tolerance });
        }
        let shift = HarmfulShift::above(reference_mean_bound(reference, alpha)? + tolerance)?;
        Ok(HarmfulShift { reference_alpha: alpha, ..shift })
    }

    /// Bets on the next window: its losses with how often each occurs, in any order.
    ///
    /// # Errors
    /// A loss outside [0, 1]; the state is then as before.
    pub fn update(&mut self, losses: &[(f64, u64)]) -> Result<(), HarmfulShiftError> {
        self.update_dispersed(losses, 1.0)
    }

    /// As [`Self::update`], for losses whose neighbours are alike: `dispersion` is the variance of their
    /// mean over that of independent ones, at least 1.
    ///
    /// # Errors
    /// A loss outside [0, 1], a dispersion below 1 or without end; the state is then as before.
    pub fn update_dispersed(
        &mut self,
        losses: &[(f64, u64)],
        dispersion: f64,
    ) -> Result<(), HarmfulShiftError> {
        check_losses(losses)?;
        if !(1.0..f64::INFINITY).contains(&dispersion) {
            return Err(HarmfulShiftError::Dispersion { dispersion });
        }
        for (capital, bet) in self.log_capitals.iter_mut().zip(BETS) {
            let factor = |loss: f64| (bet * (loss / self.mean_bound - 1.0)).ln_1p();
            let gain = losses.iter().map(|&(loss, rows)| rows as f64 * factor(loss)).sum::<f64>();
            *capital += gain / dispersion;
        }
        self.rows += losses.iter().map(|&(_, rows)| rows).fold(0, u64::saturating_add);
        self.log_e_max = self.log_e_max.max(self.log_e_value());
        Ok(())
    }

    /// `ln` of the capital, given that the bound is one; 0 at the start.
    pub fn log_e_value(&self) -> f64 {
        log_sum_exp(self.log_capitals.iter().copied()) - (BETS.len() as f64).ln()
    }

    /// `reference_alpha + 1 / max E`, at most 1: a p-value however often one has looked.
    pub fn anytime_p_value(&self) -> f64 {
        (self.reference_alpha + anytime_p_value(self.log_e_max)).min(1.0)
    }
}

/// Upper bound of the mean loss behind the `reference`, wrong with probability at most `alpha`.
///
/// `reference`: losses in [0, 1] with how often each occurs, of independent rows. At most 1.
///
/// # Errors
/// Fewer than two rows, a loss outside [0, 1], an `alpha` that is not strictly between 0 and 1.
pub fn reference_mean_bound(reference: &[(f64, u64)], alpha: f64) -> Result<f64, HarmfulShiftError> {
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(HarmfulShiftError::Alpha { alpha });
    }
    check_losses(reference)?;
    let rows = reference.iter().map(|&(_, rows)| rows).fold(0, u64::saturating_add);
    if rows < 2 {
        return Err(HarmfulShiftError::TooFewRows { rows });
    }
    let n = rows as f64;
    let mean = reference.iter().map(|&(loss, rows)| loss * rows as f64).sum::<f64>() / n;
    let squares = reference.iter().map(|&(loss, rows)| (loss - mean).powi(2) * rows as f64).sum::<f64>();
    let variance = squares / (n - 1.0);
    let ln = (2.0 / alpha).ln();
    let margin = (2.0 * variance * ln / n).sqrt() + 7.0 * ln / (3.0 * (n - 1.0));
    Ok((mean + margin).min(1.0))
}

fn check_losses(losses: &[(f64, u64)]) -> Result<(), HarmfulShiftError> {
    match losses.iter().find(|(loss, _)| !(0.0..=1.0).contains(loss)) {
        Some(&(loss, _)) => Err(HarmfulShiftError::Loss { loss }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_at_the_bound_neither_win_nor_lose() {
        let mut shift = HarmfulShift::above(0.25).unwrap();
        shift.update(&[(0.25, 1000)]).unwrap();
        assert!(shift.log_e_value().abs() < 1e-12);
    }

    #[test]
    fn losses_that_come_twice_count_once_at_a_dispersion_of_two() {
        let mut once = HarmfulShift::above(0.25).unwrap();
        once.update(&[(0.1, 3), (0.9, 5)]).unwrap();
        let mut twice = HarmfulShift::above(0.25).unwrap();
        twice.update_dispersed(&[(0.1, 6), (0.9, 10)], 2.0).unwrap();
        assert!((once.log_e_value() - twice.log_e_value()).abs() < 1e-12);
    }

    #[test]
    fn an_empty_window_changes_nothing() {
        let mut shift = HarmfulShift::above(0.25).unwrap();
        let before = shift;
        shift.update(&[]).unwrap();
        shift.update(&[(1.0, 0)]).unwrap();
        assert_eq!(shift, before);
    }

    #[test]
    fn what_cannot_be_bet_on_is_refused() {
        let mut shift = HarmfulShift::above(0.25).unwrap();
        for loss in [f64::NAN, -0.1, 1.1] {
            assert!(shift.update(&[(0.5, 1), (loss, 1)]).is_err(), "{loss}");
        }
        for dispersion in [0.9, f64::NAN, f64::INFINITY] {
            assert!(shift.update_dispersed(&[(0.5, 1)], dispersion).is_err(), "{dispersion}");
        }
        assert_eq!(shift, HarmfulShift::above(0.25).unwrap());
        for bound in [0.0, 1.0, f64::NAN] {
            assert!(HarmfulShift::above(bound).is_err(), "{bound}");
        }
        let reference = [(0.0, 50), (1.0, 50)];
        assert!(HarmfulShift::against_reference(&reference, f64::NAN, 0.01).is_err());
        assert!(HarmfulShift::against_reference(&reference, 0.5, 0.01).is_err());
        assert!(reference_mean_bound(&reference, 0.0).is_err());
        assert_eq!(reference_mean_bound(&[(0.5, 1)], 0.1), Err(HarmfulShiftError::TooFewRows { rows: 1 }));
    }

    #[test]
    fn no_alarm_can_be_surer_than_the_reference() {
        let mut shift = HarmfulShift::against_reference(&[(0.0, 5000), (1.0, 50)], 0.0, 0.005).unwrap();
        shift.update(&[(1.0, 1000)]).unwrap();
        assert!((shift.anytime_p_value() - 0.005).abs() < 1e-12);
    }
}
