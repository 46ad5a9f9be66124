//! The best that a bet has ever done, made into something that may be reported.
//!
//! # What it measures
//!
//! An alarm that has been raised should not vanish because the weeks after were quiet, and the
//! moment to look is chosen by somebody who sees every column. Both are questions about the
//! *running maximum* of the capital. It is no e-value itself, whoever stops at the peak cheats;
//! but `1 / max` is a p-value, and a fixed function of the maximum, an *adjuster*, is an e-value.
//!
//! # When it misleads
//!
//! * An adjusted e-value is much smaller than the maximum, by about the square of its logarithm:
//!   reaching 10 000 takes a peak of about 2 000 000.
//! * Both say that a change has been seen at some time, not that it is still there.
//!
//! # Formula
//!
//! `p = min(1, 1 / max E)`. Adjusted: `(m − 1 − ln m) / ln² m` for `m = max E`, ½ at `m = 1`; that is
//! `∫₀¹ κ m^(1−κ) dκ`, the mixture of the simplest adjusters `κ m^(1−κ)`.
//!
//! By Ville's inequality `P(max E ≥ 1/α) ≤ α` for the whole future. So both results hold *at any
//! time whatsoever*, a time chosen with knowledge of other streams, of the rows, or of the future
//! included, and they need only that Ville's inequality holds for the stream in its own filtration.
//!
//! # Example
//!
//! ```
//! use stats::sequential::running_maximum::{adjusted_log_e_value, anytime_p_value};
//! let log_e_max = 2e6_f64.ln();
//! assert!((anytime_p_value(log_e_max) - 5e-7).abs() < 1e-18);
//! assert!((adjusted_log_e_value(log_e_max).exp() - 9501.0).abs() < 1.0);
//! ```
//!
//! # References
//!
//! * G. Shafer, A. Shen, N. Vereshchagin, V. Vovk, "Test martingales, Bayes factors and p-values",
//!   Statistical Science 26, 2011: p-values from, and calibrators of, running suprema.
//! * Y. J. Choe, A. Ramdas, "Combining evidence across filtrations", arXiv 2402.09698: adjusters
//!   lift an e-process into a finer filtration, and in a sense nothing else does.
//! * Y. Tavyrikov, J. Goeman, R. de Heide, "Carefree multiple testing with e-processes", arXiv
//!   2501.19360: e-BH on plain maxima does not keep its level, on adjusted ones it does.

use super::mixture_martingale::log_power_mixture;

/// `min(1, e^(−log_e_max))`: at most `α` with probability at most `α`, over all times together.
///
/// `log_e_max`: `ln` of the largest capital so far, the starting capital of 1 included.
pub fn anytime_p_value(log_e_max: f64) -> f64 {
    (-log_e_max.max(0.0)).exp()
}

/// `ln` of the adjusted maximum: an e-value at any time, and one that never falls.
pub fn adjusted_log_e_value(log_e_max: f64) -> f64 {
    log_power_mixture(1, log_e_max.max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_any_gain_there_is_no_evidence() {
        for log_e_max in [0.0, -3.0, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(anytime_p_value(log_e_max), 1.0);
            assert_eq!(adjusted_log_e_value(log_e_max), 0.5_f64.ln());
        }
    }
}
