//! The binomial distribution: draws, its mean absolute deviation, and the exact test of a share.
//!
//! Only what calibration and coverage need, so that the random source can be any generator
//! that the caller has seeded.

use rand_core::RngCore;

use crate::special::{ln_gamma, normal_quantile};

/// The number of successes in `n` rows with success probability `share`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binomial {
    n: u64,
    share: f64,
    mode: u64,
    probability_of_mode: f64,
}

impl Binomial {
    /// `share` must lie in [0, 1]; callers pass shares of counts or checked scores.
    pub(crate) fn new(n: u64, share: f64) -> Binomial {
        debug_assert!((0.0..=1.0).contains(&share), "{share}");
        let mode = (((n as f64 + 1.0) * share).floor() as u64).min(n);
        Binomial { n, share, mode, probability_of_mode: probability(n, share, mode) }
    }

    /// Inverts the distribution function, starting at the mode and going outwards on both sides in
    /// turn: about one standard deviation of steps (L. Devroye, "Non-Uniform Random Variate
    /// Generation", 1986, section X.4).
    pub(crate) fn sample(&self, rng: &mut impl RngCore) -> u64 {
        if self.share <= 0.0 {
            return 0;
        }
        if self.share >= 1.0 {
            return self.n;
        }
        let odds = self.share / (1.0 - self.share);
        let mut left = uniform(rng) - self.probability_of_mode;
        let (mut low, mut high) = (self.mode, self.mode);
        let (mut below, mut above) = (self.probability_of_mode, self.probability_of_mode);
        while left >= 0.0 && below + above > 1e-18 {
            above *= (self.n - high) as f64 / (high as f64 + 1.0) * odds;
            left -= above;
            if left < 0.0 {
                return high + 1;
            }
            high = (high + 1).min(self.n);
            below *= low as f64 / ((self.n - low) as f64 + 1.0) / odds;
            left -= below;
            if left < 0.0 {
                return low - 1;
            }
            low = low.saturating_sub(1);
        }
        self.mode // the first hit, or what rounding of the probabilities left over
    }

    /// As [`sample`](Self::sample), with a bound on the time: beyond a variance of 2500, a normal
    /// quantile corrected for skewness (Cornish & Fisher 1938), which is off by about one in the
    /// variance.
    pub(crate) fn sample_quickly(&self, rng: &mut impl RngCore) -> u64 {
        let variance = self.n as f64 * self.share * (1.0 - self.share);
        if variance <= 2500.0 {
            return self.sample(rng);
        }
        let z = normal_quantile(uniform(rng).max(f64::MIN_POSITIVE));
        let skewed = z * variance.sqrt() + (1.0 - 2.0 * self.share) * (z * z - 1.0) / 6.0;
        // The cast ends at 0.
        ((self.n as f64 * self.share + skewed).round() as u64).min(self.n)
    }

    /// `E |X − n · share|`, by de Moivre's closed form; by its normal limit where the variance is so
    /// large that the logarithms of factorials have no digits left.
    pub(crate) fn mean_absolute_deviation(&self) -> f64 {
        let variance = self.n as f64 * self.share * (1.0 - self.share);
        if variance > 1e8 {
            return (variance * std::f64::consts::FRAC_2_PI).sqrt();
        }
        let above = (self.n as f64 * self.share).floor() as u64 + 1;
        if above > self.n || self.share <= 0.0 {
            return 0.0;
        }
        2.0 * above as f64 * (1.0 - self.share) * probability(self.n, self.share, above)
    }
}

/// How likely a number of successes that is no more probable than the one found is, for `n` rows with
/// success probability `share`: the exact two-sided test, as in R and SciPy.
///
/// For a million rows right to about 1e-9 of itself, the logarithms of factorials having no more digits.
pub(crate) fn two_sided_p_value(successes: u64, n: u64, share: f64) -> f64 {
    /// Probabilities as close as this are equal.
    const ALIKE: f64 = 1.0 + 1e-7;
    if n == 0 || successes > n {
        return 1.0;
    }
    if share <= 0.0 || share >= 1.0 {
        return f64::from((successes == 0 && share <= 0.0) || (successes == n && share >= 1.0));
    }
    // Mirrored, so that what was found is not above the mode.
    let mode = Binomial::new(n, share).mode;
    let (found, share, mode) =
        if successes <= mode { (successes, share, mode) } else { (n - successes, 1.0 - share, n - mode) };
    if found == mode {
        return 1.0;
    }
    let odds = share / (1.0 - share);
    let most = probability(n, share, found) * ALIKE;
    // Upwards from the mode to the first that is no more probable, and everything beyond.
    let (mut at, mut mass) = (mode, probability(n, share, mode));
    let mut beyond = if mass <= most { mass } else { 0.0 };
    while at < n && (mass > most || mass > beyond * 1e-18) {
        mass *= (n - at) as f64 / (at as f64 + 1.0) * odds;
        at += 1;
        if mass <= most {
            beyond += mass;
        }
        if mass == 0.0 {
            break;
        }
    }
    // Downwards from what was found.
    let (mut at, mut mass, mut below) = (found, probability(n, share, found), 0.0);
    loop {
        below += mass;
        if at == 0 || mass <= below * 1e-18 {
            break;
        }
        mass *= at as f64 / ((n - at) as f64 + 1.0) / odds;
        at -= 1;
    }
    (below + beyond).min(1.0)
}

fn probability(n: u64, share: f64, successes: u64) -> f64 {
    let (n, k) = (n as f64, successes as f64);
    if share <= 0.0 {
        return f64::from(k == 0.0);
    }
    if share >= 1.0 {
        return f64::from(k == n);
    }
    let ln_ways = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    (ln_ways + k * share.ln() + (n - k) * (-share).ln_1p()).exp()
}

/// Uniform in [0, 1) with 53 bits.
fn uniform(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// SplitMix64 (Steele, Lea & Flood 2014): small, seeded, good enough for tests.
    pub(crate) struct SplitMix(pub(crate) u64);

    impl RngCore for SplitMix {
        fn next_u32(&mut self) -> u32 {
            (self.next_u64() >> 32) as u32
        }

        fn next_u64(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }

        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.next_u64() as u8;
            }
        }
    }

    #[test]
    fn draws_have_the_binomial_mean_variance_and_mean_deviation() {
        let mut rng = SplitMix(1);
        for (n, share) in [(1, 0.5), (7, 0.01), (10, 0.99), (100, 0.3), (5000, 0.7)] {
            let binomial = Binomial::new(n, share);
            let draws: Vec<f64> = (0..20_000).map(|_| binomial.sample(&mut rng) as f64).collect();
            let mean = draws.iter().sum::<f64>() / 20_000.0;
            let truth = n as f64 * share;
            let variance = truth * (1.0 - share);
            assert!((mean - truth).abs() < 5.0 * (variance / 20_000.0).sqrt(), "{n} {share}");
            let spread = draws.iter().map(|d| (d - truth).powi(2)).sum::<f64>() / 20_000.0;
            assert!((spread / variance - 1.0).abs() < 0.15, "{n} {share} {spread}");
            let deviation = draws.iter().map(|d| (d - truth).abs()).sum::<f64>() / 20_000.0;
            let closed = binomial.mean_absolute_deviation();
            assert!((deviation / closed - 1.0).abs() < 0.1, "{n} {share} {closed}");
        }
    }

    #[test]
    fn quick_draws_have_the_binomial_mean_variance_and_skewness() {
        let mut rng = SplitMix(3);
        for (n, share) in [(100_000, 0.03), (1_000_000_000, 0.5), (300_000, 0.99)] {
            let binomial = Binomial::new(n, share);
            let (mean, variance) = (n as f64 * share, n as f64 * share * (1.0 - share));
            let z: Vec<f64> = (0..40_000)
                .map(|_| (binomial.sample_quickly(&mut rng) as f64 - mean) / variance.sqrt())
                .collect();
            let moment = |power| z.iter().map(|z: &f64| z.powi(power)).sum::<f64>() / z.len() as f64;
            assert!(moment(1).abs() < 0.02 && (moment(2) - 1.0).abs() < 0.04, "{n} {share}");
            let skewness = (1.0 - 2.0 * share) / variance.sqrt();
            assert!((moment(3) - skewness).abs() < 0.08, "{n} {share}");
        }
    }

    #[test]
    fn the_exact_test_sums_what_is_no_more_probable() {
        for (n, share) in [(1, 0.999), (7, 0.5), (10, 0.9), (40, 0.05), (60, 0.31)] {
            for found in 0..=n {
                let at = |k| probability(n, share, k);
                let sum: f64 = (0..=n).map(at).filter(|&p| p <= at(found) * (1.0 + 1e-7)).sum();
                let p_value = two_sided_p_value(found, n, share);
                assert!((p_value - sum.min(1.0)).abs() < 1e-12, "{found} of {n} at {share}: {p_value} {sum}");
            }
        }
        assert_eq!(two_sided_p_value(0, 0, 0.5), 1.0);
        assert_eq!((two_sided_p_value(3, 3, 1.0), two_sided_p_value(2, 3, 1.0)), (1.0, 0.0));
        assert!(two_sided_p_value(1, 1_000_000_000, 0.9) < 1e-300);
    }

    #[test]
    fn the_ends_are_certain() {
        let mut rng = SplitMix(2);
        for n in [0, 1, 9] {
            assert_eq!(Binomial::new(n, 0.0).sample(&mut rng), 0);
            assert_eq!(Binomial::new(n, 1.0).sample(&mut rng), n);
            assert_eq!(Binomial::new(n, 1.0).mean_absolute_deviation(), 0.0);
            assert_eq!(Binomial::new(n, 0.0).mean_absolute_deviation(), 0.0);
        }
        assert_eq!(Binomial::new(0, 0.4).sample(&mut rng), 0);
    }
}
