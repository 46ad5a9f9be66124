//! Drift of a numeric column.

use stats::bins::QuantileBins;
use stats::chi_square::{Pooling, chi_square};
use stats::ecdf::Ecdf;
use stats::jensen_shannon::{jensen_shannon_distance, jensen_shannon_expected_no_drift};
use stats::kolmogorov_smirnov::{Method, kolmogorov_smirnov};
use stats::psi::{Smoothing, psi, psi_expected_no_drift};
use stats::wasserstein::normalised_wasserstein;
use types::Measure;
use types::finding::{Distribution, DistributionBin, QUANTILES, Unmeasured};
use types::format;

use super::{Assessment, BINS, chi_square_measure};

/// With at most this many different values a number is tested like a category: ties make the
/// Kolmogorov–Smirnov test blunt.
const FEW_VALUES: usize = 20;

/// Bins of the histogram that people look at.
const SHOWN_BINS: usize = 20;

pub(super) fn assess(before: &Ecdf, now: &Ecdf) -> Assessment {
    let quantiles =
        |ecdf: &Ecdf| QUANTILES.iter().filter_map(|&share| ecdf.quantile(share)).collect::<Vec<f64>>();
    let mut assessment = Assessment {
        measures: Vec::new(),
        unmeasured: Vec::new(),
        distribution_p: None,
        sequential: None,
        psi_excess: 0.0,
        psi_usual: 0.0,
        unseen_excess: 0.0,
        missing: None,
        distribution: Distribution {
            bins: shown_bins(before, now),
            reference_n: before.n(),
            current_n: now.n(),
            reference_missing: 0.0,
            current_missing: 0.0,
            reference_quantiles: quantiles(&before.finite()),
            current_quantiles: quantiles(&now.finite()),
        },
        change: change_in_words(before, now),
    };
    if before.is_empty() || now.is_empty() {
        let which = if before.is_empty() { "reference" } else { "current window" };
        for name in ["psi", "jensen_shannon", "kolmogorov_smirnov", "wasserstein"] {
            assessment
                .unmeasured
                .push(Unmeasured { name: name.into(), reason: format!("the {which} has no value") });
        }
        return assessment;
    }
    measure_binned(&mut assessment, before, now);
    measure_wasserstein(&mut assessment, before, now);
    assessment
}

fn measure_binned(assessment: &mut Assessment, before: &Ecdf, now: &Ecdf) {
    let bins = match QuantileBins::from_reference(before, BINS) {
        Ok(bins) => bins,
        Err(error) => {
            assessment.unmeasured.push(Unmeasured { name: "psi".into(), reason: error.to_string() });
            return;
        }
    };
    let (p, q) = (bins.counts(before), bins.counts(now));
    let n = now.n();
    // Each of a bin's two edges can be off by the rank error, and so can the share in the bin.
    let share_error = 2.0 * (before.rank_error_share() + now.rank_error_share());
    let binning = format!("{} bins at quantiles of the reference, open ends", bins.len());
    if let (Ok(value), expected) = (psi(&p, &q, Smoothing::default()), psi_expected_no_drift(&p, &q)) {
        assessment.psi_excess = (value - expected).max(0.0);
        assessment.measures.push(Measure {
            error_bound: psi_error(&p, &q, share_error),
            expected_by_chance: Some(expected),
            ..Measure::new("psi", value, n, format!("population stability index in nats, {binning}"))
        });
    }
    if let Ok(value) = jensen_shannon_distance(&p, &q) {
        assessment.measures.push(Measure {
            error_bound: jensen_shannon_error(value, &p, &q, share_error),
            expected_by_chance: Some(jensen_shannon_expected_no_drift(&p, &q)),
            ..Measure::new("jensen_shannon", value, n, format!("Jensen–Shannon distance, base 2, {binning}"))
        });
    }
    measure_significance(assessment, before, now, &p, &q);
}

fn measure_significance(assessment: &mut Assessment, before: &Ecdf, now: &Ecdf, p: &[u64], q: &[u64]) {
    let ks = match kolmogorov_smirnov(before, now) {
        Ok(ks) => ks,
        Err(error) => {
            let reason = error.to_string();
            assessment.unmeasured.push(Unmeasured { name: "kolmogorov_smirnov".into(), reason });
            return;
        }
    };
    let discrete = before.distinct().max(now.distinct()) <= FEW_VALUES;
    let tested = if discrete { chi_square(p, q, Pooling::default()).ok() } else { None };
    let how = match ks.method {
        Method::Exact => "two-sample test, exact p-value",
        Method::Asymptotic => "two-sample test, asymptotic p-value",
    };
    assessment.measures.push(Measure {
        error_bound: ks.statistic_error,
        p_value: tested.is_none().then_some(ks.p_value),
        ..Measure::new("kolmogorov_smirnov", ks.statistic, ks.n_current, how)
    });
    assessment.distribution_p = Some(ks.p_value);
    if let Some(test) = tested {
        assessment.distribution_p = Some(test.p_value);
        let why = "; chosen because the column has few values";
        assessment.measures.push(chi_square_measure(&test, why));
    }
}

fn measure_wasserstein(assessment: &mut Assessment, before: &Ecdf, now: &Ecdf) {
    match normalised_wasserstein(&before.finite(), &now.finite()) {
        Ok(distance) => assessment.measures.push(Measure {
            error_bound: distance.error_bound,
            ..Measure::new(
                "wasserstein",
                distance.value,
                distance.n_current,
                "1-Wasserstein distance in standard deviations of the reference, finite values",
            )
        }),
        Err(error) => {
            assessment.unmeasured.push(Unmeasured { name: "wasserstein".into(), reason: error.to_string() });
        }
    }
}

/// First-order change of the distance when every share is off by `share_error`: the divergence has
/// ∂JSD/∂p = ½ log₂(p/m), and the distance is its root.
fn jensen_shannon_error(distance: f64, p: &[u64], q: &[u64], share_error: f64) -> f64 {
    if share_error == 0.0 {
        return 0.0;
    }
    let divergence_error: f64 = smoothed_shares(p, q)
        .map(|(a, b)| {
            let middle = f64::midpoint(a, b);
            share_error / 4.0 * ((a / middle).log2().abs() + (b / middle).log2().abs())
        })
        .sum();
    (distance * distance + divergence_error).sqrt() - distance
}

/// Shares of both sides with half a row added to every bin, so that none is zero.
fn smoothed_shares<'a>(p: &'a [u64], q: &'a [u64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    let total = |counts: &[u64]| counts.iter().sum::<u64>() as f64 + 0.5 * counts.len() as f64;
    let (n, m) = (total(p), total(q));
    p.iter().zip(q).map(move |(&a, &b)| ((a as f64 + 0.5) / n, (b as f64 + 0.5) / m))
}

/// First-order change of the index when every share is off by `share_error`:
/// ∂PSI/∂p = ln(p/q) + (p − q)/p, and the same with the sides exchanged.
fn psi_error(p: &[u64], q: &[u64], share_error: f64) -> f64 {
    if share_error == 0.0 {
        return 0.0;
    }
    smoothed_shares(p, q)
        .map(|(a, b)| {
            let slope = |a: f64, b: f64| ((a / b).ln() + (a - b) / a).abs();
            share_error / 2.0 * (slope(a, b) + slope(b, a))
        })
        .sum()
}

fn change_in_words(before: &Ecdf, now: &Ecdf) -> String {
    let (Some(old), Some(new)) = (before.quantile(0.5), now.quantile(0.5)) else {
        return if now.is_empty() {
            "no values any more".into()
        } else {
            "values where there were none".into()
        };
    };
    if before.distinct() == 1 {
        return if now.distinct() == 1 && old == new {
            format!("always {}, as before", format::value(old))
        } else {
            format!("no longer always {}", format::value(old))
        };
    }
    if now.distinct() == 1 {
        return format!("always {}", format::value(new));
    }
    if old == new {
        let spread = |ecdf: &Ecdf| Some((ecdf.quantile(0.1)?, ecdf.quantile(0.9)?));
        if let (Some((low, high)), Some((old_low, old_high))) = (spread(before), spread(now)) {
            return format!(
                "the same median ({}), but the middle 80 % now lie between {} and {} (before {} and {})",
                format::value(old),
                format::value(old_low),
                format::value(old_high),
                format::value(low),
                format::value(high)
            );
        }
    }
    let direction = if new > old { "higher" } else { "lower" };
    format!("{direction}: the median is {}, it was {}", format::value(new), format::value(old))
}

/// Equal-width bins for the eye, with open ends beyond the central 99 % of both windows.
fn shown_bins(before: &Ecdf, now: &Ecdf) -> Vec<DistributionBin> {
    let ends = |ecdf: &Ecdf| Some((ecdf.quantile(0.005)?, ecdf.quantile(0.995)?));
    let ranges: Vec<(f64, f64)> = [before.finite(), now.finite()].iter().filter_map(ends).collect();
    let low = ranges.iter().map(|range| range.0).fold(f64::INFINITY, f64::min);
    let high = ranges.iter().map(|range| range.1).fold(f64::NEG_INFINITY, f64::max);
    if !(low.is_finite() && high.is_finite()) {
        return Vec::new();
    }
    let step = nice_step((high - low) / SHOWN_BINS as f64);
    let edges: Vec<f64> = if step > 0.0 {
        let first = (low / step).ceil();
        let count = (((high / step).floor() - first) as usize).min(2 * SHOWN_BINS);
        (0..=count).map(|at| (first + at as f64) * step).collect()
    } else {
        vec![low]
    };
    let share = |ecdf: &Ecdf, from: Option<f64>, to: Option<f64>| {
        let upper = to.map_or(ecdf.n(), |to| ecdf.count_le(to));
        let lower = from.map_or(0, |from| ecdf.count_le(from));
        if ecdf.n() == 0 { 0.0 } else { upper.saturating_sub(lower) as f64 / ecdf.n() as f64 }
    };
    let bounds: Vec<Option<f64>> =
        std::iter::once(None).chain(edges.into_iter().map(Some)).chain(std::iter::once(None)).collect();
    bounds
        .windows(2)
        .map(|pair| DistributionBin {
            label: bin_label(pair[0], pair[1]),
            reference: share(before, pair[0], pair[1]),
            current: share(now, pair[0], pair[1]),
        })
        .collect()
}

fn bin_label(from: Option<f64>, to: Option<f64>) -> String {
    match (from, to) {
        (None, Some(to)) => format!("≤ {}", format::value(to)),
        (Some(from), None) => format!("> {}", format::value(from)),
        (Some(from), Some(to)) => format!("{} – {}", format::value(from), format::value(to)),
        (None, None) => "all".into(),
    }
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least `step`.
fn nice_step(step: f64) -> f64 {
    if !(step.is_finite() && step > 0.0) {
        return 0.0;
    }
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|nice| *nice >= step)
        .unwrap_or(10.0 * power)
}
