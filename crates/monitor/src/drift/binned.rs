//! Every distance over bins of one column, each with what chance alone would give and an interval.

use stats::interval::Level;
use stats::l_infinity::{l_infinity, l_infinity_expected_no_drift};
use stats::sampling_noise::{BinnedDistance, distance_with_noise};
use types::Measure;

/// Counts of both windows over the same bins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bins<'a> {
    pub(super) reference: &'a [u64],
    pub(super) current: &'a [u64],
    /// How the bins were made, in words.
    pub(super) over: &'a str,
    /// By how much a share can be off, where the counts come from a sketch.
    pub(super) share_error: f64,
}

/// The population stability index without its sampling noise, not below 0.
pub(super) fn psi_excess(reference: &[u64], current: &[u64]) -> Option<f64> {
    let psi = distance_with_noise(BinnedDistance::Psi, reference, current, Level::P95).ok()?;
    Some(psi.excess)
}

/// The population stability index; `None` where a side has no rows.
pub(super) fn psi(bins: Bins<'_>) -> Option<Measure> {
    distance(BinnedDistance::Psi, "psi", "population stability index in nats", bins)
}

/// PSI first, then the others; none where a side has no rows.
pub(super) fn distances(bins: Bins<'_>) -> Vec<Measure> {
    let named = [
        (BinnedDistance::JensenShannon, "jensen_shannon", "Jensen–Shannon distance, base 2"),
        (BinnedDistance::Hellinger, "hellinger", "Hellinger distance"),
        (BinnedDistance::TotalVariation, "total_variation", "total variation distance"),
    ];
    let others = named.into_iter().filter_map(|(of, name, words)| distance(of, name, words, bins));
    let n = bins.current.iter().sum();
    let largest = l_infinity(bins.reference, bins.current).ok().map(|largest| Measure {
        error_bound: bins.share_error,
        expected_by_chance: Some(l_infinity_expected_no_drift(bins.reference, bins.current)),
        ..Measure::new("l_infinity", largest.distance, n, format!("largest change of a share, {}", bins.over))
    });
    psi(bins).into_iter().chain(others).chain(largest).collect()
}

fn distance(of: BinnedDistance, name: &str, words: &str, bins: Bins<'_>) -> Option<Measure> {
    let found = distance_with_noise(of, bins.reference, bins.current, Level::P95).ok()?;
    let method = format!("{words}, {}; the interval is for the distance without sampling noise", bins.over);
    Some(Measure {
        interval: Some(found.interval),
        error_bound: error_bound(of, found.value, bins),
        expected_by_chance: Some(found.expected_no_drift),
        ..Measure::new(name, found.value, bins.current.iter().sum(), method)
    })
}

/// First-order change of a distance when every share is off by `share_error`. PSI has
/// `∂/∂p = ln(p/q) + (p − q)/p`; the squares of the next two `½ log₂(p/m)` and `½ (1 − √(q/p))`; total
/// variation a half; all the same with the sides exchanged.
fn error_bound(distance: BinnedDistance, value: f64, bins: Bins<'_>) -> f64 {
    if bins.share_error == 0.0 {
        return 0.0;
    }
    let slope = |a: f64, b: f64| match distance {
        BinnedDistance::Psi => ((a / b).ln() + (a - b) / a).abs() / 2.0,
        BinnedDistance::JensenShannon => (a / f64::midpoint(a, b)).log2().abs() / 4.0,
        BinnedDistance::Hellinger => (1.0 - (b / a).sqrt()).abs() / 4.0,
        BinnedDistance::TotalVariation => 0.25,
    };
    let change: f64 = smoothed_shares(bins.reference, bins.current)
        .map(|(a, b)| bins.share_error * (slope(a, b) + slope(b, a)))
        .sum();
    match distance {
        BinnedDistance::Psi | BinnedDistance::TotalVariation => change,
        BinnedDistance::JensenShannon | BinnedDistance::Hellinger => (value * value + change).sqrt() - value,
    }
}

/// Shares of both sides with half a row added to every bin, so that none is zero.
fn smoothed_shares<'a>(p: &'a [u64], q: &'a [u64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    let total = |counts: &[u64]| counts.iter().sum::<u64>() as f64 + 0.5 * counts.len() as f64;
    let (n, m) = (total(p), total(q));
    p.iter().zip(q).map(move |(&a, &b)| ((a as f64 + 0.5) / n, (b as f64 + 0.5) / m))
}
