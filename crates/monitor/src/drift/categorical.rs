//! Drift of a categorical column.

use stats::chi_square::{Pooling, chi_square};
use stats::g_test::g_test;
use stats::sketch::FrequentValues;
use types::Measure;
use types::finding::{Distribution, DistributionBin, Unmeasured};
use types::format;

use super::binned::{Bins, distances};
use super::{Assessment, chi_square_measure};

/// A value that is expected to occur fewer times than this in the current window is pooled with
/// the other rare ones (Cochran's rule), so that noise in the long tail does not look like drift.
const RARE_BELOW: f64 = 5.0;

/// Values that the chart names.
const SHOWN_VALUES: usize = 15;

/// Counts over the same bins: the frequent values, the rare ones pooled, the unseen ones pooled.
struct Pooled {
    reference: Vec<u64>,
    current: Vec<u64>,
    pooled_values: usize,
}

pub(super) fn assess(before: &FrequentValues, now: &FrequentValues) -> Assessment {
    let unseen = unseen(before, now);
    let unseen_rows: u64 = unseen.iter().map(|(_, count)| count).sum();
    let unseen_share = share(unseen_rows, now.n());
    let unseen_by_chance = share(chance_unseen(before, now), now.n());
    let distribution = Distribution {
        of: None,
        method: None,
        bins: shown_bins(before, now),
        reference_n: before.n(),
        current_n: now.n(),
        reference_missing: 0.0,
        current_missing: 0.0,
        reference_quantiles: vec![],
        current_quantiles: vec![],
    };
    let unseen_excess = (unseen_share - unseen_by_chance).max(0.0);
    let mut assessment = Assessment {
        unseen_excess,
        unseen: format!(
            "{} of its rows, more than chance brings, hold values that the model never saw in the reference.",
            format::percent(unseen_excess)
        ),
        ..Assessment::blank(distribution, change_in_words(before, now, &unseen))
    };
    if before.n() == 0 || now.n() == 0 {
        assessment.unseen_excess = 0.0;
        let which = if before.n() == 0 { "reference" } else { "current window" };
        for name in ["psi", "jensen_shannon", "chi_square", "unseen_share"] {
            let reason = format!("the {which} has no value");
            assessment.unmeasured.push(Unmeasured { name: name.into(), reason });
        }
        return assessment;
    }
    measure(&mut assessment, before, now);
    assessment.measures.push(Measure {
        interval: stats::proportion::wilson_interval(unseen_rows, now.n(), stats::interval::Level::P95).ok(),
        expected_by_chance: Some(unseen_by_chance),
        error_bound: share(before.count_error() + now.count_error(), now.n()),
        ..Measure::new(
            "unseen_share",
            unseen_share,
            now.n(),
            format!("share of rows with a value never seen in the reference ({} values)", unseen.len()),
        )
    });
    assessment
}

fn measure(assessment: &mut Assessment, before: &FrequentValues, now: &FrequentValues) {
    let pooled = pooled(before, now);
    let (p, q) = (&pooled.reference, &pooled.current);
    let error = share(before.count_error(), before.n()) + share(now.count_error(), now.n());
    let over = match pooled.pooled_values {
        0 => format!("{} values", p.len()),
        rare => format!("{} bins, {rare} rare values pooled", p.len()),
    };
    assessment.measures.extend(distances(Bins { reference: p, current: q, over: &over, share_error: error }));
    if let Ok(test) = g_test(p, q, Pooling::default()) {
        let freedom = test.degrees_of_freedom;
        assessment.measures.push(Measure {
            expected_by_chance: Some(freedom as f64),
            p_value: Some(test.p_value),
            ..Measure::new(
                "g_test",
                test.statistic,
                test.n_current,
                format!("log-likelihood ratio test of homogeneity, {freedom} degrees of freedom"),
            )
        });
    }
    match chi_square(p, q, Pooling::default()) {
        Ok(test) => {
            assessment.distribution_p = Some(test.p_value);
            assessment.measures.push(chi_square_measure(&test, ""));
            assessment.measures.push(Measure {
                expected_by_chance: Some(0.0),
                ..Measure::new(
                    "cramers_v",
                    test.cramers_v_corrected,
                    test.n_current,
                    "Cramér's V with the bias correction of Bergsma (2013)",
                )
            });
        }
        Err(error) => {
            assessment.unmeasured.push(Unmeasured { name: "chi_square".into(), reason: error.to_string() });
        }
    }
}

/// Counts over the bins that the distances are computed over.
pub(super) fn pooled_counts(before: &FrequentValues, now: &FrequentValues) -> (Vec<u64>, Vec<u64>) {
    let pooled = pooled(before, now);
    (pooled.reference, pooled.current)
}

fn pooled(before: &FrequentValues, now: &FrequentValues) -> Pooled {
    let scale = now.n() as f64 / before.n() as f64;
    let (mut reference, mut current) = (Vec::new(), Vec::new());
    let (mut rare_before, mut rare_now, mut pooled_values) = (0, 0, 0);
    let (mut seen_before, mut seen_now) = (0, 0);
    for (value, count) in before.most_frequent() {
        let count_now = now.count(value);
        seen_before += count;
        seen_now += count_now;
        if count as f64 * scale < RARE_BELOW {
            rare_before += count;
            rare_now += count_now;
            pooled_values += 1;
        } else {
            reference.push(count);
            current.push(count_now);
        }
    }
    // What a capped count forgot is rare by construction. Of the current values that the reference
    // does not have, as many as chance alone brings are rare too, and only the rest is unseen.
    rare_before += before.n() - seen_before;
    let not_seen = now.n() - seen_now;
    let by_chance =
        if before.count_error() > 0 { not_seen } else { chance_unseen(before, now).min(not_seen) };
    reference.push(rare_before);
    current.push(rare_now + by_chance);
    reference.push(0);
    current.push(not_seen - by_chance);
    Pooled { reference, current, pooled_values }
}

/// How many rows of the current window would hold a value that the reference does not have if both
/// were drawn from one distribution: the Good–Turing estimate, rows × values seen once / rows of the
/// reference (Good 1953, "The population frequencies of species", eq. 9).
fn chance_unseen(before: &FrequentValues, now: &FrequentValues) -> u64 {
    let seen_once = before.most_frequent().iter().filter(|(_, count)| *count == 1).count();
    (share(seen_once as u64, before.n()) * now.n() as f64).round() as u64
}

/// Values of the current window that the reference does not have, most frequent first.
fn unseen<'a>(before: &FrequentValues, now: &'a FrequentValues) -> Vec<(&'a str, u64)> {
    // A value that a capped reference may have forgotten is not called unseen.
    let may_be_forgotten = before.count_error() > 0;
    let mut unseen = now.most_frequent();
    unseen.retain(|(value, _)| before.count(value) == 0 && !may_be_forgotten);
    unseen
}

fn share(count: u64, n: u64) -> f64 {
    if n == 0 { 0.0 } else { count as f64 / n as f64 }
}

fn change_in_words(before: &FrequentValues, now: &FrequentValues, unseen: &[(&str, u64)]) -> String {
    if now.n() == 0 {
        return "no values any more".into();
    }
    if before.n() == 0 {
        return "values where there were none".into();
    }
    let values = before.most_frequent();
    let changed = values
        .iter()
        .map(|(value, count)| (*value, share(*count, before.n()), share(now.count(value), now.n())))
        .max_by(|a, b| (a.1 - a.2).abs().total_cmp(&(b.1 - b.2).abs()));
    let mut words = changed.map_or_else(String::new, |(value, old, new)| {
        format!(
            "the largest change is `{value}`, now {} of rows, before {}",
            format::percent(new),
            format::percent(old)
        )
    });
    if let Some((value, count)) = unseen.first() {
        words.push_str(&format!(
            "; {} never seen before, such as `{value}` ({})",
            format::counted(unseen.len() as u64, "value", "values"),
            format::counted(*count, "row", "rows")
        ));
    }
    words
}

fn shown_bins(before: &FrequentValues, now: &FrequentValues) -> Vec<DistributionBin> {
    let mut values: Vec<(&str, f64, f64)> = before
        .most_frequent()
        .iter()
        .map(|(value, count)| (*value, share(*count, before.n()), share(now.count(value), now.n())))
        .collect();
    values.extend(unseen(before, now).iter().map(|(value, count)| (*value, 0.0, share(*count, now.n()))));
    values.sort_by(|a, b| b.1.max(b.2).total_cmp(&a.1.max(a.2)).then(a.0.cmp(b.0)));
    let rest = values.split_off(values.len().min(SHOWN_VALUES));
    let mut bins: Vec<DistributionBin> = values
        .into_iter()
        .map(|(value, reference, current)| DistributionBin { label: value.to_owned(), reference, current })
        .collect();
    if !rest.is_empty() {
        bins.push(DistributionBin {
            label: format!("{} others", format::count(rest.len() as u64)),
            reference: rest.iter().map(|value| value.1).sum(),
            current: rest.iter().map(|value| value.2).sum(),
        });
    }
    bins
}
