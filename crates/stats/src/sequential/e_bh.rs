//! e-BH: which of many streams to call, by their e-values.
//!
//! # What it measures
//!
//! Adjusted values, as for p-values: each says at which budget for the whole family its stream is
//! called. The expected share of false alarms among the alarms, the false discovery rate, is then at
//! most the budget, *however the streams depend on each other*; Benjamini–Hochberg cannot say that.
//!
//! # When it misleads
//!
//! * The family is everything that was looked at, the quiet streams too.
//! * What "at any time" means depends on what is put in; see below.
//!
//! # Formula
//!
//! With `e₍₁₎ ≥ … ≥ e₍ₖ₎`: `min over j ≥ i of k / (j e₍ⱼ₎)`, at most 1. Calling those at most `α`
//! calls the `j` largest for the largest `j` with `e₍ⱼ₎ ≥ k / (α j)`.
//!
//! # Which guarantee
//!
//! Let each stream have a capital `E` whose p-values are those of [`conformal`](super::conformal).
//!
//! * **Adjusted maxima** ([`adjusted_log_e_value`](super::running_maximum::adjusted_log_e_value)),
//!   and [`spending`](super::spending) as it is: the false discovery rate is at most `α` at any time
//!   whatsoever, whatever the dependence between streams, and no alarm is ever withdrawn. They never
//!   fall, so the limit bounds them all, and it is an e-value.
//! * **Current capitals**, looked at in a window that was *fixed beforehand*: at most `α`, whatever
//!   the dependence.
//! * **Current capitals at a time that is chosen by looking** at all streams ("the first week with
//!   an alarm"): at most `α` where each capital is an e-process in the *global* filtration, the past
//!   of all streams together. An e-process in its own, *local* filtration need not be, because one
//!   stream may betray another's future (arXiv 2502.08539, whose condition is that, given a
//!   stream's own past, the past of the others says nothing about its next window). For columns of
//!   the same rows with one pooled reference, conformal p-values meet it exactly only where columns
//!   are independent; otherwise up to the influence of the bag on how columns go together, which
//!   vanishes as the reference grows. Benchmarks measure it; only the first form has the proof.
//! * **Plain maxima**: no guarantee (arXiv 2501.19360). For those, use
//!   [`holm`](crate::false_discovery::holm) on the anytime p-values: it bounds the probability of
//!   *any* false alarm, ever, in any stream, by `α`, whatever the dependence.
//!
//! Detectors that start again after each change (arXiv 2501.04130) are something else: with a bound
//! on the time between false alarms, the false discovery rate at its worst time is 1, and what they
//! bound is the rate over the time waited. Capitals here start once and add up to a finite budget,
//! which is the case that the paper calls forfeiting a finite average run length.
//!
//! # Example
//!
//! ```
//! use stats::sequential::e_bh::{e_bh, e_bh_adjusted};
//! let log_e_values = [500.0_f64.ln(), 0.0, 300.0_f64.ln(), -1.0];
//! assert_eq!(e_bh(&log_e_values, 0.005), [false; 4]);
//! assert_eq!(e_bh(&log_e_values, 0.01), [true, false, true, false]);
//! assert!((e_bh_adjusted(&log_e_values)[2] - 4.0 / (2.0 * 300.0)).abs() < 1e-15);
//! ```
//!
//! # References
//!
//! * R. Wang, A. Ramdas, "False discovery rate control with e-values", J. R. Stat. Soc. B 84, 2022:
//!   the procedure, and its bound under arbitrary dependence.
//! * H. Wang, S. Dandapanthula, A. Ramdas, "Anytime-valid FDR control with the stopped e-BH
//!   procedure", arXiv 2502.08539.
//! * Y. Tavyrikov, J. Goeman, R. de Heide, "Carefree multiple testing with e-processes", arXiv
//!   2501.19360.
//! * S. Dandapanthula, A. Ramdas, "Multiple testing in multi-stream sequential change detection",
//!   arXiv 2501.04130.

/// Whether each stream is called at a false discovery rate of `alpha`, in the order of
/// `log_e_values`; NaN as in [`e_bh_adjusted`].
pub fn e_bh(log_e_values: &[f64], alpha: f64) -> Vec<bool> {
    e_bh_adjusted(log_e_values).into_iter().map(|adjusted| adjusted <= alpha).collect()
}

/// For each stream the smallest budget at which e-BH calls it, at most 1, in the order given.
///
/// `log_e_values`: `ln` of the e-values. A stream without one (NaN, −∞) stays in the family and
/// is called only at a budget of 1.
pub fn e_bh_adjusted(log_e_values: &[f64]) -> Vec<f64> {
    let streams = log_e_values.len() as f64;
    let usable = |log: f64| if log.is_nan() { f64::NEG_INFINITY } else { log };
    let mut sorted: Vec<(usize, f64)> = log_e_values.iter().copied().map(usable).enumerate().collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut adjusted = vec![1.0; log_e_values.len()];
    let mut least = 1.0_f64;
    for (rank, (index, log_e)) in sorted.into_iter().enumerate().rev() {
        least = least.min(streams / (rank as f64 + 1.0) * (-log_e).exp());
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_family_calls_nothing_and_a_single_stream_is_villes_inequality() {
        assert!(e_bh_adjusted(&[]).is_empty());
        assert!((e_bh_adjusted(&[100.0_f64.ln()])[0] - 0.01).abs() < 1e-15);
    }

    #[test]
    fn streams_without_an_e_value_count_in_the_family_and_are_never_called() {
        let adjusted = e_bh_adjusted(&[f64::NAN, 400.0_f64.ln(), f64::NEG_INFINITY, 0.0]);
        assert!((adjusted[1] - 0.01).abs() < 1e-15);
        assert_eq!([adjusted[0], adjusted[2], adjusted[3]], [1.0; 3]);
        assert_eq!(e_bh_adjusted(&[f64::INFINITY, 0.0]), [0.0, 1.0]);
    }

    #[test]
    fn a_small_e_value_is_carried_by_larger_ones() {
        // 4/(1·100) = 0.04, 4/(2·100) = 0.02, 4/(3·50) = 0.027, 4/(4·0.1) > 1.
        let adjusted = e_bh_adjusted(&[0.1, 50.0, 100.0, 100.0].map(f64::ln));
        let expected = [1.0, 4.0 / 150.0, 0.02, 0.02];
        assert!(adjusted.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-15), "{adjusted:?}");
    }
}
