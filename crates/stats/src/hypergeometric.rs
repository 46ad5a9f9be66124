//! The hypergeometric distribution: exact tails of a draw without replacement.
//!
//! Probabilities by Loader's saddle-point form, which keeps its digits at billions of rows, where
//! differences of log-factorials have lost them.

use std::f64::consts::PI;

use crate::special::ln_gamma;

/// The number of marked rows among `drawn` rows, taken without replacement from `marked` marked
/// and `others` other ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hypergeometric {
    marked: u64,
    others: u64,
    drawn: u64,
}

impl Hypergeometric {
    /// `drawn` must not be more than there are; callers draw a part of what they counted.
    pub(crate) fn new(marked: u64, others: u64, drawn: u64) -> Hypergeometric {
        debug_assert!(drawn <= marked + others, "{drawn} of {marked} + {others}");
        Hypergeometric { marked, others, drawn }
    }

    /// The probability of `hits` or fewer, where `hits` is possible.
    ///
    /// Sums outwards from `hits`, about ten standard deviations of terms at most.
    pub(crate) fn at_most(&self, hits: u64) -> f64 {
        let Hypergeometric { marked, others, drawn } = *self;
        let mut term = self.probability(hits);
        let mut sum = term;
        let mut k = hits;
        // The ratio reaches zero at the least possible number of hits, so `k` cannot pass it.
        while k > 0 && term > sum * 1e-17 {
            let ratio_up = k as f64 * (others + k - drawn) as f64;
            term *= ratio_up / ((marked - k + 1) as f64 * (drawn - k + 1) as f64);
            sum += term;
            k -= 1;
        }
        sum.min(1.0)
    }

    /// The same draw with the other rows marked.
    pub(crate) fn of_others(&self) -> Hypergeometric {
        Hypergeometric { marked: self.others, others: self.marked, drawn: self.drawn }
    }

    /// Three binomial probabilities at any common success probability; the drawn share makes the
    /// last one largest (C. Loader, "Fast and accurate computation of binomial probabilities", 2000).
    fn probability(&self, hits: u64) -> f64 {
        let Hypergeometric { marked, others, drawn } = *self;
        let all = marked + others;
        if drawn == 0 || drawn == all {
            return 1.0;
        }
        let share = drawn as f64 / all as f64;
        let unshared = (all - drawn) as f64 / all as f64;
        let ln = |n, k| ln_binomial_probability(n, k, share, unshared);
        (ln(marked, hits) + ln(others, drawn - hits) - ln(all, drawn)).exp()
    }
}

/// `ln` of the probability of `k` successes in `n`, `share + unshared = 1`, both above zero.
pub(crate) fn ln_binomial_probability(n: u64, k: u64, share: f64, unshared: f64) -> f64 {
    let (rows, hits, misses) = (n as f64, k as f64, (n - k) as f64);
    if k == 0 {
        return rows * unshared.ln();
    }
    if k == n {
        return rows * share.ln();
    }
    let stirling = stirling_error(n) - stirling_error(k) - stirling_error(n - k);
    let deviance = deviance(hits, rows * share) + deviance(misses, rows * unshared);
    stirling - deviance + 0.5 * (rows / (2.0 * PI * hits * misses)).ln()
}

/// `ln n! − ln(√(2πn) · (n/e)ⁿ)` for `n ≥ 1`.
fn stirling_error(n: u64) -> f64 {
    let x = n as f64;
    if n < 16 {
        return ln_gamma(x + 1.0) - (x + 0.5) * x.ln() + x - 0.5 * (2.0 * PI).ln();
    }
    let square = x * x;
    (1.0 / 12.0
        - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square)
        / x
}

/// `x ln(x / mean) + mean − x`, by its series where the two are close.
fn deviance(x: f64, mean: f64) -> f64 {
    let gap = x - mean;
    if gap.abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() - gap;
    }
    let v = gap / (x + mean);
    let mut sum = gap * v;
    let mut power = 2.0 * x * v;
    for odd in (3..).step_by(2) {
        power *= v * v;
        let next = sum + power / f64::from(odd);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certain_draws_are_certain() {
        for (marked, others, drawn, hits) in [(0, 5, 2, 0), (5, 0, 2, 2), (3, 4, 0, 0), (3, 4, 7, 3)] {
            assert_eq!(Hypergeometric::new(marked, others, drawn).at_most(hits), 1.0);
        }
    }

    #[test]
    fn small_draws_equal_counting() {
        // Two of three marked and two others: C(3,h) C(2,2−h) / C(5,2) = 1, 6, 3 tenths.
        let draw = Hypergeometric::new(3, 2, 2);
        for (hits, expected) in [(0, 0.1), (1, 0.7), (2, 1.0)] {
            assert!((draw.at_most(hits) - expected).abs() < 1e-15, "{hits}");
        }
        assert!((draw.of_others().at_most(0) - 0.3).abs() < 1e-15);
    }
}
