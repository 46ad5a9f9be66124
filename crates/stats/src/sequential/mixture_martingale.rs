//! Mixture power martingale: what betting on a stream of p-values has earned.
//!
//! # What it measures
//!
//! Evidence that p-values tend to be small, from the first window on. Capital starts at 1 and
//! multiplies by `ε p^(ε−1)` in each window, mixed evenly over all `ε` from 0 to 1, so that nobody
//! has to choose between many small surprises and few large ones.
//!
//! # When it misleads
//!
//! * It remembers everything, quiet years too: after `t` quiet windows it owes about `t` nats
//!   before a change shows. Where a change may come late, use
//!   [`change_mixture`](super::change_mixture).
//! * The p-values must be independent and at least as likely as the uniform one, or each must be so
//!   given those before it. For others, see [`spending`](super::spending).
//!
//! # Formula
//!
//! `E(t, L) = ∫₀¹ εᵗ e^((1−ε)L) dε` with `t` windows and `L = Σ −ln pₛ`; nothing else of the past
//! matters. In the lower incomplete gamma function, `E = e^L γ(t+1, L) / L^(t+1)`, and as a series
//! of positive terms `E = Σₙ Lⁿ / ((t+1)(t+2)…(t+1+n))`.
//!
//! For independent uniform p-values every `Π ε pₛ^(ε−1)` is a martingale that starts at 1, since
//! `∫₀¹ ε p^(ε−1) dp = 1`; so is their mixture.
//!
//! # Example
//!
//! ```
//! use stats::sequential::mixture_martingale::PowerMartingale;
//! let mut capital = PowerMartingale::new();
//! for _ in 0..6 {
//!     capital.update(0.01)?;
//! }
//! assert!(capital.log_e_value() > 1000.0_f64.ln());
//! # Ok::<(), stats::sequential::PValueError>(())
//! ```
//!
//! # References
//!
//! * V. Vovk, I. Nouretdinov, A. Gammerman, "Testing exchangeability on-line", ICML 2003: power
//!   martingales and their simple mixture.
//! * J. Ville, "Étude critique de la notion de collectif", 1939: the inequality.
//! * V. Vovk, R. Wang, "E-values: calibration, combination and applications", Ann. Statist. 49, 2021,
//!   section 2: one window's factor as a calibrator from p-values to e-values.

use serde::{Deserialize, Serialize};

use super::running_maximum::anytime_p_value;
use super::{PValueError, surprise};
use crate::special::{gamma_q, ln_gamma};

/// The state of the bet, which is all that need be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PowerMartingale {
    /// How many p-values it has seen.
    pub windows: u64,
    /// `Σ −ln p` over them, in nats.
    pub log_surprise: f64,
    /// The largest `log_e_value` so far, 0 at the start.
    pub log_e_max: f64,
}

impl PowerMartingale {
    /// Nothing seen, capital 1.
    pub fn new() -> PowerMartingale {
        PowerMartingale::default()
    }

    /// Bets on the next window's p-value.
    ///
    /// # Errors
    /// A p-value outside [0, 1]; the state is then as before.
    pub fn update(&mut self, p_value: f64) -> Result<(), PValueError> {
        self.log_surprise += surprise(p_value)?;
        self.windows += 1;
        self.log_e_max = self.log_e_max.max(self.log_e_value());
        Ok(())
    }

    /// `ln` of the capital; 0 at the start.
    pub fn log_e_value(&self) -> f64 {
        log_power_mixture(self.windows, self.log_surprise)
    }

    /// `1 / max E`, at most 1: a p-value however often one has looked.
    pub fn anytime_p_value(&self) -> f64 {
        anytime_p_value(self.log_e_max)
    }
}

/// `ln ∫₀¹ εᵗ e^((1−ε)L) dε` for `t` windows with a summed surprise of `L ≥ 0`.
pub(super) fn log_power_mixture(windows: u64, log_surprise: f64) -> f64 {
    let a = windows as f64 + 1.0;
    let x = log_surprise;
    if x > a + 1.0 {
        // The lower part is at least about a half here, so its complement loses nothing.
        return x + ln_gamma(a) - a * x.ln() + (-gamma_q(a, x)).ln_1p();
    }
    // The terms fall from the first one on, slowest where L is near t; then √t of them matter.
    let (mut term, mut sum) = (1.0 / a, 1.0 / a);
    let mut next = a + 1.0;
    while term > sum * 1e-17 {
        term *= x / next;
        sum += term;
        next += 1.0;
    }
    sum.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_stream_has_a_capital_of_one() {
        let capital = PowerMartingale::new();
        assert_eq!((capital.log_e_value(), capital.anytime_p_value()), (0.0, 1.0));
    }

    #[test]
    fn p_values_of_one_lose_slowly_and_of_zero_are_floored() {
        let mut capital = PowerMartingale::new();
        capital.update(1.0).unwrap();
        assert!((capital.log_e_value() - 0.5_f64.ln()).abs() < 1e-15);
        capital.update(0.0).unwrap();
        assert!(capital.log_e_value().is_finite() && capital.log_e_value() > 600.0);
    }

    #[test]
    fn what_is_no_p_value_is_refused_and_changes_nothing() {
        let mut capital = PowerMartingale::new();
        for p_value in [f64::NAN, -1e-9, 1.0 + 1e-9, f64::INFINITY] {
            assert!(capital.update(p_value).is_err(), "{p_value}");
        }
        assert_eq!(capital, PowerMartingale::new());
    }

    #[test]
    fn the_maximum_stays_where_the_capital_falls() {
        let mut capital = PowerMartingale::new();
        capital.update(1e-6).unwrap();
        let peak = capital.log_e_value();
        capital.update(1.0).unwrap();
        assert!(capital.log_e_value() < peak);
        assert_eq!(capital.log_e_max, peak);
    }
}
