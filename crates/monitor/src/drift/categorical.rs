//! Drift of a categorical column.

use std::collections::BTreeMap;

use stats::chi_square::{Pooling, chi_square};
use stats::g_test::g_test;
use stats::sequential::conformal::rare_bins_together;
use stats::sketch::FrequentValues;
use types::Measure;
use types::finding::{Distribution, DistributionBin, Unmeasured};
use types::format;

use super::alarm;
use super::binned::{Bins, distances};
use super::{Assessment, chi_square_measure};

/// A capped count is taken at its word where it is so many times as large as it may be wrong.
const ERRORS_LEAST: u64 = 20;

/// Values that the chart names.
const SHOWN_VALUES: usize = 15;

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
    let has_stream = alarm::has_rare_values(before, now);
    let mut assessment = Assessment {
        unseen_excess,
        unseen_stream: if has_stream { alarm::UNSEEN } else { alarm::DISTRIBUTION },
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
    let (reference, current) = counts(before, now);
    let error = share(before.count_error(), before.n()) + share(now.count_error(), now.n());
    let over = format!("{} values", format::count(reference.len() as u64));
    let bins = Bins { reference: &reference, current: &current, over: &over, share_error: error };
    assessment.measures.extend(distances(bins));
    let (p, q) = match rare_bins_together(&reference, &current) {
        Ok(together) => together,
        Err(error) => {
            assessment.unmeasured.push(Unmeasured { name: "chi_square".into(), reason: error.to_string() });
            return;
        }
    };
    let (p, q) = (&p[..], &q[..]);
    let together = if p.len() < reference.len() { "; rare values put together" } else { "" };
    if let Ok(test) = g_test(p, q, Pooling::default()) {
        let freedom = test.degrees_of_freedom;
        assessment.measures.push(Measure {
            expected_by_chance: Some(freedom as f64),
            p_value: Some(test.p_value),
            ..Measure::new(
                "g_test",
                test.statistic,
                test.n_current,
                format!("log-likelihood ratio test of homogeneity, {freedom} degrees of freedom{together}"),
            )
        });
    }
    match chi_square(p, q, Pooling::default()) {
        Ok(test) => {
            assessment.distribution_p = Some(test.p_value);
            assessment.measures.push(chi_square_measure(&test, together));
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

/// Counts over the bins that distances are computed over: every value is one, in the order of their texts. Distances
/// over many rare values take off what chance gives them. Where counts are capped, so that rare ones are too low or
/// forgotten, the values beside which that is little are bins, and all others together are another.
pub(super) fn counts(before: &FrequentValues, now: &FrequentValues) -> (Vec<u64>, Vec<u64>) {
    let error = before.count_error() + now.count_error();
    let mut by_value: BTreeMap<&str, (u64, u64)> = before
        .most_frequent()
        .into_iter()
        .filter(|(_, count)| *count >= ERRORS_LEAST * error)
        .map(|(value, count)| (value, (count, now.count(value))))
        .collect();
    if error == 0 {
        for (value, count) in now.most_frequent() {
            by_value.entry(value).or_insert((0, count));
        }
    }
    let (mut reference, mut current): (Vec<u64>, Vec<u64>) = by_value.into_values().unzip();
    let rest = (before.n() - reference.iter().sum::<u64>(), now.n() - current.iter().sum::<u64>());
    if rest != (0, 0) {
        reference.push(rest.0);
        current.push(rest.1);
    }
    (reference, current)
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
