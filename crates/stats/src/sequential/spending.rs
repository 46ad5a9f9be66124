//! Spending: evidence from windows that may depend on each other in any way.
//!
//! # What it measures
//!
//! What one has earned by betting a share of the capital, fixed beforehand, on each window by
//! itself. Nothing is ever multiplied, so nothing need be independent: with a reference that trails
//! behind, or is taken from the same weeks of last year, one window is compared in several p-values
//! and they go together in ways that nobody knows.
//!
//! # When it misleads
//!
//! * Small surprises never add up to a large one: a change must be plain in a single window. A
//!   p-value of 10⁻⁶ in window 10 earns about 50, in window 100 about half a unit.
//! * Each single p-value must still be valid, its window exchangeable with what it is compared with.
//!   A trailing reference that has itself drifted makes no alarm.
//!
//! # Formula
//!
//! `E = Σₜ γₜ eₜ` with `γₜ = 1 / (t (t + 1))`, which add up to 1, and the single window's
//! `eₜ = ∫₀¹ ε pₜ^(ε−1) dε = (1 − p + p ln p) / (p ln² p)`. Each `eₜ` has expectation at most 1, so
//! `E` has, also for the whole future; it never falls, so by Markov's inequality the probability
//! that it ever reaches `1/α` is at most `α`, and it is an e-value at any time whatsoever.
//!
//! # Example
//!
//! ```
//! use stats::sequential::spending::Spending;
//! let mut spending = Spending::new();
//! for p_value in [0.4, 0.8, 1e-9] {
//!     spending.update(p_value)?;
//! }
//! assert!(spending.anytime_p_value() < 1e-4);
//! # Ok::<(), stats::sequential::PValueError>(())
//! ```
//!
//! # References
//!
//! * V. Vovk, R. Wang, "E-values: calibration, combination and applications", Ann. Statist. 49, 2021:
//!   calibrators (section 2), weighted means under arbitrary dependence (section 3).

use serde::{Deserialize, Serialize};

use super::mixture_martingale::log_power_mixture;
use super::running_maximum::anytime_p_value;
use super::{PValueError, surprise};

/// The state of the bet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spending {
    /// How many p-values it has seen.
    pub windows: u64,
    /// `Σ γₜ eₜ` over them, 0 at the start. Finite, because p-values have a floor.
    pub e_value: f64,
}

impl Spending {
    /// Nothing seen and nothing earned.
    pub fn new() -> Spending {
        Spending::default()
    }

    /// Spends the next window's share on its p-value.
    ///
    /// # Errors
    /// A p-value outside [0, 1]; the state is then as before.
    pub fn update(&mut self, p_value: f64) -> Result<(), PValueError> {
        let log_e = log_power_mixture(1, surprise(p_value)?);
        self.windows += 1;
        let t = self.windows as f64;
        self.e_value += log_e.exp() / t / (t + 1.0);
        Ok(())
    }

    /// `ln` of what has been earned; −∞ before the first window.
    pub fn log_e_value(&self) -> f64 {
        self.e_value.ln()
    }

    /// `1 / E`, at most 1: a p-value however often one has looked.
    pub fn anytime_p_value(&self) -> f64 {
        anytime_p_value(self.log_e_value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_seen_is_no_evidence() {
        let spending = Spending::new();
        assert_eq!((spending.log_e_value(), spending.anytime_p_value()), (f64::NEG_INFINITY, 1.0));
    }

    #[test]
    fn it_never_falls_and_stays_finite() {
        let mut spending = Spending::new();
        let mut before = 0.0;
        for p_value in [1.0, 0.5, 0.0, 0.0, 1.0] {
            spending.update(p_value).unwrap();
            assert!(spending.e_value >= before && spending.e_value.is_finite());
            before = spending.e_value;
        }
        assert!(spending.update(f64::NAN).is_err());
        assert_eq!(spending.windows, 5);
    }
}
