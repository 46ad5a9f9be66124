//! Simulated windows: no drift, and drift whose true distance is known.

use rand_core::RngCore;

use super::*;
use crate::binomial::Binomial;
use crate::binomial::tests::SplitMix;
use crate::special::normal_quantile;

/// A multinomial draw, bin after bin.
fn draw(shares: &[f64], rows: u64, rng: &mut SplitMix) -> Vec<u64> {
    let (mut left, mut share_left) = (rows, 1.0_f64);
    let counts = shares.iter().map(|&share| {
        let count = Binomial::new(left, (share / share_left).clamp(0.0, 1.0)).sample(rng);
        left -= count;
        share_left = (share_left - share).max(1e-300);
        count
    });
    let mut counts: Vec<u64> = counts.collect();
    if let Some(last) = counts.last_mut() {
        *last += left; // what rounding of the shares left over
    }
    counts
}

fn normalised(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let weights: Vec<f64> = weights.collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

/// The distance between shares, by definition.
fn truth(distance: BinnedDistance, q: &[f64], p: &[f64]) -> f64 {
    let sum = |f: fn(f64, f64) -> f64| q.iter().zip(p).map(|(&q, &p)| f(q, p)).sum::<f64>();
    match distance {
        BinnedDistance::Psi => sum(|q, p| (p - q) * (p / q).ln()),
        BinnedDistance::TotalVariation => 0.5 * sum(|q, p| (p - q).abs()),
        BinnedDistance::Hellinger => (1.0 - sum(|q, p| (p * q).sqrt())).max(0.0).sqrt(),
        BinnedDistance::JensenShannon => {
            let bits = |q: f64, p: f64| 0.5 * p * (2.0 * p / (p + q)).log2();
            q.iter().zip(p).map(|(&q, &p)| bits(q, p) + bits(p, q)).sum::<f64>().max(0.0).sqrt()
        }
    }
}

/// Zipf's law: bin `i` has a share of `1 / i`, before normalising.
fn zipf(bins: u32) -> Vec<f64> {
    normalised((1..=bins).map(|i| 1.0 / f64::from(i)))
}

fn flat(bins: u32) -> Vec<f64> {
    normalised((0..bins).map(|_| 1.0))
}

/// Each share times a log-normal factor.
fn drifted(shares: &[f64], spread: f64) -> Vec<f64> {
    let mut rng = SplitMix(7);
    let factors = shares.iter().map(|_| {
        let uniform = ((rng.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        (spread * normal_quantile(uniform)).exp()
    });
    normalised(shares.iter().zip(factors).map(|(share, factor)| share * factor))
}

#[derive(Default)]
struct Simulated {
    covered: f64,
    excess: f64,
    value: f64,
    expected_no_drift: f64,
}

/// Means over pairs of windows drawn from `q` and `p`.
fn simulated(distance: BinnedDistance, (q, n): (&[f64], u64), (p, m): (&[f64], u64)) -> Simulated {
    let mut rng = SplitMix(8);
    let windows = if q.len() > 1000 { 60 } else { 400 };
    let truth = truth(distance, q, p);
    let mut means = Simulated::default();
    for _ in 0..windows {
        let (reference, current) = (draw(q, n, &mut rng), draw(p, m, &mut rng));
        let found = distance_with_noise(distance, &reference, &current, Level::P95).unwrap();
        means.covered += f64::from(u8::from(found.interval.contains(truth)));
        means.excess += found.excess;
        means.value += found.value;
        means.expected_no_drift += found.expected_no_drift;
    }
    let mean = |sum: f64| sum / f64::from(windows);
    Simulated {
        covered: mean(means.covered),
        excess: mean(means.excess),
        value: mean(means.value),
        expected_no_drift: mean(means.expected_no_drift),
    }
}

#[test]
fn without_drift_the_excess_is_about_zero_and_the_interval_covers_zero() {
    for (shares, n, m) in [
        (flat(2), 1_000, 500),
        (flat(10), 200, 100),
        (flat(100), 10_000, 10_000),
        (flat(10_000), 50_000, 50_000),
        (zipf(10_000), 50_000, 50_000),
        (zipf(10_000), 500_000, 20_000),
    ] {
        for distance in BinnedDistance::ALL {
            let Simulated { covered, excess, value, expected_no_drift } =
                simulated(distance, (&shares, n), (&shares, m));
            let what = format!("{distance:?} of {} bins: {covered} {excess} of {value}", shares.len());
            assert!(covered >= 0.85, "{what}");
            assert!((expected_no_drift / value - 1.0).abs() < 0.05, "{what}, {expected_no_drift}");
            let many = shares.len() >= 10_000;
            assert!(excess < if many { 0.12 } else { 0.6 } * value, "{what}");
        }
    }
}

/// The case that the module is for.
#[test]
fn ten_thousand_values_without_drift_have_a_large_plain_distance_and_no_excess() {
    let shares = zipf(10_000);
    let found = simulated(BinnedDistance::JensenShannon, (&shares, 50_000), (&shares, 50_000));
    assert!(found.value > 0.2 && found.excess < 0.03, "{} {}", found.value, found.excess);
}

#[test]
fn with_drift_the_interval_covers_the_true_distance() {
    for (shares, spread, n, m) in [
        (flat(2), 0.5, 1_000, 500),
        (flat(10), 0.1, 10_000, 2_000),
        (flat(10), 0.5, 10_000, 2_000),
        (flat(10), 0.5, 200, 100),
        (zipf(100), 0.2, 10_000, 10_000),
        (flat(100), 0.5, 10_000, 10_000),
        (flat(10_000), 0.1, 50_000, 50_000),
        (flat(10_000), 0.5, 50_000, 50_000),
        (zipf(10_000), 0.1, 50_000, 50_000),
    ] {
        let p = drifted(&shares, spread);
        for distance in BinnedDistance::ALL {
            let found = simulated(distance, (&shares, n), (&p, m));
            let what = format!("{distance:?} of {} bins, {spread}: {}", shares.len(), found.covered);
            let widest = if distance == BinnedDistance::TotalVariation { 1.0 } else { 0.99 };
            assert!((0.88..=widest).contains(&found.covered), "{what}");
        }
    }
}

/// Where most values are seen a few times, the rare ones say little of how they drifted.
#[test]
fn strong_drift_in_a_long_tail_is_told_within_a_tenth() {
    let shares = zipf(10_000);
    let p = drifted(&shares, 0.5);
    for (n, m) in [(50_000, 50_000), (500_000, 20_000)] {
        for distance in BinnedDistance::ALL {
            let truth = truth(distance, &shares, &p);
            let found = simulated(distance, (&shares, n), (&p, m)).excess;
            assert!((found / truth - 1.0).abs() < 0.1, "{distance:?}: {found} for {truth}");
        }
    }
}

#[test]
fn values_that_are_all_different_say_nothing() {
    let reference: Vec<u64> = (0..2000).map(|bin| u64::from(bin < 1000)).collect();
    let current: Vec<u64> = reference.iter().map(|r| 1 - r).collect();
    for distance in [BinnedDistance::JensenShannon, BinnedDistance::Hellinger, BinnedDistance::TotalVariation]
    {
        let found = distance_with_noise(distance, &reference, &current, Level::P95).unwrap();
        assert!(found.value > 1.0 - 1e-9);
        assert!((found.expected_no_drift - 1.0).abs() < 1e-3 && found.excess < 0.05, "{found:?}");
    }
}

#[test]
fn one_bin_one_row_and_the_largest_counts_give_finite_bounds() {
    for (reference, current) in [
        (vec![7], vec![3]),
        (vec![1, 0], vec![0, 1]),
        (vec![1, 1], vec![1, 0]),
        (vec![5, 0, 0], vec![0, 0, 9]),
        (vec![u64::MAX - 1, 1], vec![1, u64::MAX - 1]),
        (vec![u64::MAX / 2, u64::MAX / 2], vec![3, 4]),
    ] {
        for distance in BinnedDistance::ALL {
            let found = distance_with_noise(distance, &reference, &current, Level::P95).unwrap();
            let bounds = [found.interval.lower, found.excess, found.interval.upper];
            assert!(bounds.iter().all(|x| x.is_finite() && *x >= 0.0), "{reference:?} {found:?}");
            assert!(bounds.is_sorted(), "{reference:?} {found:?}");
        }
    }
    assert!(distance_with_noise(BinnedDistance::Psi, &[1], &[0], Level::P95).is_err());
    assert!(distance_with_noise(BinnedDistance::Psi, &[1], &[1, 1], Level::P95).is_err());
}
