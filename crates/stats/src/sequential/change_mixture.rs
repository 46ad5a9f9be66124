//! Change mixture: what betting on a change in any window has earned.
//!
//! # What it measures
//!
//! Evidence that p-values tend to be small from *some* window on. Part of the capital is put aside
//! for each window as the first one of a change, and bets from that window on; so quiet windows
//! before the change cost little, where [`mixture_martingale`](super::mixture_martingale) pays for
//! each of them.
//!
//! # When it misleads
//!
//! * It is slower than the mixture martingale, by a factor of 2, where the change is there from the
//!   first window; a change in window `s` costs a factor of `s (s + 1)`.
//! * The p-values must be as for the mixture martingale.
//!
//! # Formula
//!
//! `Eₜ = Σ_{s ≤ t} γₛ · ⅛ Σⱼ Π_{r=s..t} εⱼ pᵣ^(εⱼ−1) + Σ_{s > t} γₛ`, `γₛ = 1 / (s (s + 1))`, and
//! eight `ε` from 0.8 down to 1/128. A mixture of martingales that start at 1, so an e-process and
//! as good at any time. Kept as eight stakes, each with the share for the next window in it:
//! `Vⱼ ← Vⱼ εⱼ p^(εⱼ−1) + γₜ₊₁`, and `Eₜ = ⅛ Σ Vⱼ + 1 / (t + 2)`.
//!
//! # Example
//!
//! ```
//! use stats::sequential::change_mixture::ChangeMixture;
//! let mut capital = ChangeMixture::new();
//! for window in 0..30 {
//!     capital.update(if window < 25 { 0.7 } else { 1e-4 })?;
//! }
//! assert!(capital.log_e_value() > 1000.0_f64.ln());
//! # Ok::<(), stats::sequential::PValueError>(())
//! ```
//!
//! # References
//!
//! * A. N. Shiryaev, "On optimum methods in quickest detection problems", Theory Probab. Appl. 8,
//!   1963: a prior over the moment of change.
//! * J. Shin, A. Ramdas, A. Rinaldo, "E-detectors", New England J. Statistics in Data Science 2024:
//!   mixtures over betting strategies; theirs bounds the time between false alarms, a prior that
//!   adds up to one bounds the probability that there ever is one.

use serde::{Deserialize, Serialize};

use super::running_maximum::anytime_p_value;
use super::{PValueError, log_sum_exp, surprise};

/// Close together where surprises are small and the choice matters most; the last one takes a
/// p-value of 10⁻⁵⁵ at its best.
const EPSILONS: [f64; 8] = [0.8, 0.6, 0.4, 0.25, 0.125, 1.0 / 32.0, 1.0 / 64.0, 1.0 / 128.0];

/// The state of the bet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeMixture {
    /// How many p-values it has seen.
    pub windows: u64,
    /// `ln` of the stakes, one for each `ε`, for changes up to and including the next window.
    pub log_stakes: [f64; EPSILONS.len()],
    /// The largest `log_e_value` so far, 0 at the start.
    pub log_e_max: f64,
}

impl Default for ChangeMixture {
    fn default() -> ChangeMixture {
        ChangeMixture { windows: 0, log_stakes: [log_share(1); EPSILONS.len()], log_e_max: 0.0 }
    }
}

impl ChangeMixture {
    /// Nothing seen, capital 1.
    pub fn new() -> ChangeMixture {
        ChangeMixture::default()
    }

    /// Bets on the next window's p-value.
    ///
    /// # Errors
    /// A p-value outside [0, 1]; the state is then as before.
    pub fn update(&mut self, p_value: f64) -> Result<(), PValueError> {
        let surprise = surprise(p_value)?;
        self.windows += 1;
        let fresh = log_share(self.windows + 1);
        for (stake, epsilon) in self.log_stakes.iter_mut().zip(EPSILONS) {
            let kept = *stake + epsilon.ln() + (1.0 - epsilon) * surprise;
            *stake = log_sum_exp([kept, fresh].into_iter());
        }
        self.log_e_max = self.log_e_max.max(self.log_e_value());
        Ok(())
    }

    /// `ln` of the capital; 0 at the start, and never less than `−ln(t + 2)`.
    pub fn log_e_value(&self) -> f64 {
        let aside = -(self.windows as f64 + 2.0).ln();
        let strategies = (EPSILONS.len() as f64).ln();
        let stakes = self.log_stakes.iter().map(|stake| stake - strategies);
        log_sum_exp(stakes.chain([aside]))
    }

    /// `1 / max E`, at most 1: a p-value however often one has looked.
    pub fn anytime_p_value(&self) -> f64 {
        anytime_p_value(self.log_e_max)
    }
}

/// `ln γₛ`, the share of the capital that is put aside for a change in window `s`, from 1.
fn log_share(window: u64) -> f64 {
    let s = window as f64;
    -s.ln() - (s + 1.0).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_stream_has_a_capital_of_one() {
        let capital = ChangeMixture::new();
        assert!(capital.log_e_value().abs() < 1e-15);
        assert_eq!(capital.anytime_p_value(), 1.0);
    }

    #[test]
    fn years_of_quiet_cost_little() {
        let mut capital = ChangeMixture::new();
        for _ in 0..1000 {
            capital.update(1.0).unwrap();
        }
        assert!(capital.log_e_value() > -1003.0_f64.ln(), "{}", capital.log_e_value());
    }

    #[test]
    fn what_is_no_p_value_is_refused_and_changes_nothing() {
        let mut capital = ChangeMixture::new();
        assert!(capital.update(f64::NAN).is_err() && capital.update(1.5).is_err());
        assert_eq!(capital, ChangeMixture::new());
    }

    #[test]
    fn a_stored_bet_goes_on_where_it_stopped() {
        let mut capital = ChangeMixture::new();
        for p_value in [0.3, 0.0, 1.0, 1e-9] {
            let text = serde_json::to_string(&capital).unwrap();
            let mut stored: ChangeMixture = serde_json::from_str(&text).unwrap();
            stored.update(p_value).unwrap();
            capital.update(p_value).unwrap();
            // JSON keeps 17 digits, and serde_json reads the last of them nearly right.
            assert!((stored.log_e_value() - capital.log_e_value()).abs() < 1e-9);
        }
    }
}
