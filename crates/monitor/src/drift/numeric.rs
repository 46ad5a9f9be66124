//! Drift of a numeric column.

use stats::bins::QuantileBins;
use stats::chi_square::{Pooling, chi_square};
use stats::cramer_von_mises::cramer_von_mises;
use stats::ecdf::Ecdf;
use stats::energy_distance::{energy_distance, energy_distance_expected_no_drift};
use stats::kolmogorov_smirnov::{Method, gap_expected_no_drift, kolmogorov_smirnov};
use stats::wasserstein::{normalised_wasserstein, wasserstein_expected_no_drift};
use types::Measure;
use types::finding::{Distribution, DistributionBin, QUANTILES, Unmeasured};
use types::format;

use super::binned::{Bins, distances, psi_excess};
use super::{Assessment, BINS, chi_square_measure};

/// With at most this many different values a number is tested like a category: ties make the
/// Kolmogorov–Smirnov test blunt.
pub(super) const FEW_VALUES: usize = 20;

/// Bins of the histogram that people look at.
const SHOWN_BINS: usize = 20;

/// The bins of the index: deciles of the reference; `None` where it has no value.
pub(super) fn bins(reference: &Ecdf) -> Option<QuantileBins> {
    QuantileBins::from_reference(reference, BINS).ok()
}

/// The population stability index without its sampling noise.
pub(super) fn psi_excess_of(before: &Ecdf, now: &Ecdf) -> Option<f64> {
    let bins = bins(before)?;
    psi_excess(&bins.counts(before), &bins.counts(now))
}

/// By how much the share of a bin can be off: each of its two edges by the rank error.
pub(super) fn share_error(before: &Ecdf, now: &Ecdf) -> f64 {
    2.0 * (before.rank_error_share() + now.rank_error_share())
}

/// What there is to see of numbers, without a measure; `of` says what they are, if not the column's values.
pub(super) fn blank(before: &Ecdf, now: &Ecdf, of: Option<&str>) -> Assessment {
    let quantiles =
        |ecdf: &Ecdf| QUANTILES.iter().filter_map(|&share| ecdf.quantile(share)).collect::<Vec<f64>>();
    let distribution = Distribution {
        of: of.map(str::to_owned),
        method: None,
        bins: shown_bins(before, now),
        reference_n: before.n(),
        current_n: now.n(),
        reference_missing: 0.0,
        current_missing: 0.0,
        reference_quantiles: quantiles(&before.finite()),
        current_quantiles: quantiles(&now.finite()),
    };
    Assessment::blank(distribution, change_in_words(before, now))
}

pub(super) fn assess(before: &Ecdf, now: &Ecdf) -> Assessment {
    let mut assessment = blank(before, now, None);
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
    measure_gaps(&mut assessment, before, now);
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
    let share_error = share_error(before, now);
    let over = format!("{} bins at quantiles of the reference, open ends", bins.len());
    assessment.measures.extend(distances(Bins { reference: &p, current: &q, over: &over, share_error }));
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
        expected_by_chance: Some(gap_expected_no_drift(before.n(), now.n())),
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

/// The mean squared gap of the distributions, and the energy distance, which weighs it by the values.
fn measure_gaps(assessment: &mut Assessment, before: &Ecdf, now: &Ecdf) {
    match cramer_von_mises(before, now) {
        // Ties add to the statistic as much on both sides as on one, so that it tells nothing of drift.
        Ok(test) if has_ties(before, now) => assessment.measures.push(Measure::new(
            "root_mean_squared_gap",
            test.gap_root_mean_square,
            test.n_current,
            "root mean squared gap between the distribution functions; values repeat, which the test does not allow",
        )),
        Ok(test) => assessment.measures.push(Measure {
            error_bound: test.statistic_error,
            expected_by_chance: Some(1.0 / 6.0),
            p_value: Some(test.p_value),
            ..Measure::new(
                "cramer_von_mises",
                test.statistic,
                test.n_current,
                format!(
                    "two-sample statistic T, asymptotic p-value; root mean squared gap {:.4}",
                    test.gap_root_mean_square
                ),
            )
        }),
        Err(error) => assessment
            .unmeasured
            .push(Unmeasured { name: "cramer_von_mises".into(), reason: error.to_string() }),
    }
    match energy_distance(&before.finite(), &now.finite()) {
        Ok(found) => assessment.measures.push(Measure {
            error_bound: found.error_bound,
            expected_by_chance: Some(energy_distance_expected_no_drift(&before.finite(), found.n_current)),
            ..Measure::new(
                "energy_distance",
                found.distance,
                found.n_current,
                "√(2 ∫ (F − G)²), in the square root of the column's unit, finite values",
            )
        }),
        Err(error) => assessment
            .unmeasured
            .push(Unmeasured { name: "energy_distance".into(), reason: error.to_string() }),
    }
}

/// Whether values repeat so much that a test for continuous ones does not hold. A sketch of many rows keeps more
/// points than this, so it is not taken for one.
fn has_ties(before: &Ecdf, now: &Ecdf) -> bool {
    const VALUES_MOST: usize = 4096;
    const REPEATS_LEAST: u64 = 10;
    let different = before.distinct().max(now.distinct());
    different <= VALUES_MOST && different as u64 * REPEATS_LEAST < before.n().min(now.n()).max(1)
}

fn measure_wasserstein(assessment: &mut Assessment, before: &Ecdf, now: &Ecdf) {
    match normalised_wasserstein(&before.finite(), &now.finite()) {
        Ok(distance) => assessment.measures.push(Measure {
            error_bound: distance.error_bound,
            expected_by_chance: Some(
                wasserstein_expected_no_drift(&before.finite(), distance.n_current)
                    / distance.standard_deviation_reference,
            ),
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
    let ranges: Vec<(f64, f64)> =
        [before.finite(), now.finite()].iter().filter_map(|side| ends(side)).collect();
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
