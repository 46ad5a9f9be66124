//! Alarms that stay valid though somebody looks at every window for ever.
//!
//! A p-value answers for one look. Looking every week until it is small finds something in any
//! stream, sooner or later. The statistics here are bets instead: each stream starts with a
//! capital of one and stakes it, window after window, against the hypothesis that nothing has
//! changed. Where nothing has, no way of betting and no moment of looking gains on average, and
//! the probability that the capital ever reaches `1/α` is at most `α` (Ville 1939). Capital is
//! kept as its logarithm, `log_e_value`, in nats.
//!
//! * [`conformal`]: one window against everything before it, as a p-value.
//! * [`mixture_martingale`]: the capital of such p-values, for a change that was there from the
//!   start; [`change_mixture`]: the same for a change that may begin in any window, which is what
//!   monitoring waits for.
//! * [`spending`]: for windows that depend on each other in unknown ways, as with a reference that
//!   trails behind.
//! * [`mean_betting`]: whether the mean of a bounded loss has become worse than it was.
//! * [`running_maximum`]: what to report when a past peak is to count, and the p-value that holds
//!   at all times.
//! * [`e_bh`]: many streams at once.
//!
//! None of this says whether a change matters; effect sizes do.

pub mod change_mixture;
pub mod conformal;
pub mod e_bh;
pub mod mean_betting;
pub mod mixture_martingale;
pub mod running_maximum;
pub mod spending;

use thiserror::Error;

/// P-values below this count as this, so that one window cannot win without end. Raising a p-value
/// only ever weakens the evidence.
pub const P_VALUE_FLOOR: f64 = 1e-300;

/// A p-value that nobody can bet on.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("bet on a p-value of {p_value}: it must lie in [0, 1]")]
pub struct PValueError {
    /// What was given.
    pub p_value: f64,
}

/// `−ln p` of a checked p-value, 0 to about 691.
fn surprise(p_value: f64) -> Result<f64, PValueError> {
    if (0.0..=1.0).contains(&p_value) {
        // Not `-ln(1)`, which is a negative zero.
        Ok(p_value.max(P_VALUE_FLOOR).recip().ln())
    } else {
        Err(PValueError { p_value })
    }
}

/// `ln Σ exp(xᵢ)` of finite numbers; −∞ of none.
fn log_sum_exp(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let most = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return most;
    }
    most + logs.map(|log| (log - most).exp()).sum::<f64>().ln()
}
