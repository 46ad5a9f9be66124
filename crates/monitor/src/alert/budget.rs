//! Error budgets: how fast what may go wrong over a period is being spent.
//!
//! After "Alerting on SLOs" in Google's Site Reliability Workbook (2018, chapter 5, "6: Multiwindow,
//! Multi-Burn-Rate Alerts"): an alert needs a burn rate above a limit over a longer time, which makes it worth
//! telling, and over a shorter one, which makes it true now. There the events are requests; here they are rows,
//! or windows where a check has no share of rows, and the times are parts of the period, because evidence comes
//! by the window. The shorter time is a twelfth of the longer, as there, but never less than the newest window.

use jiff::{Span, Timestamp};
use types::definition::{Budget, Metric, Spend};
use types::format::{counted, number, percent};
use types::message::Severity;
use types::{Finding, Subject, Verdict, Window};

use super::timeline::Timeline;

/// The burn rate at which a share of the budget is spent within a part of the period: 1 spends it evenly.
pub(super) fn burn_rate_limit(spend: Spend) -> f64 {
    spend.share / spend.of_period
}

/// How fast a budget is spent, as a multiple of the rate that spends it evenly.
pub(super) fn burn_rate(bad_share: f64, objective: f64) -> f64 {
    bad_share / (1.0 - objective)
}

/// The shorter of the two times is a twelfth of the longer, as in the workbook.
const SHORT_OF_LONG: f64 = 1.0 / 12.0;

/// What went wrong over a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    bad: f64,
    all: f64,
    windows: u64,
}

impl Counts {
    fn share(self) -> Option<f64> {
        (self.all > 0.0).then(|| self.bad / self.all)
    }
}

/// How a budget stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Spending {
    /// Nothing could be counted.
    NotKnown,
    Fine,
    TooFast(Burning),
}

/// A budget that is spent too fast.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Burning {
    pub(super) severity: Severity,
    pub(super) window: Window,
    pub(super) summary: String,
    pub(super) how_sure: String,
}

/// Whether a budget is spent too fast at a step.
pub(super) fn spending(
    budget: &Budget,
    severity: Severity,
    timeline: &Timeline<'_>,
    step: Timestamp,
) -> Spending {
    let Some((newest, newest_findings)) = timeline.between(budget.check, Timestamp::MIN, step).pop() else {
        return Spending::NotKnown;
    };
    // Windows that lie wholly within a part of the period; evidence comes by the window, so at least the newest.
    let over = |part: f64| {
        let hours = (budget.period.hours() as f64 * part).round() as i64;
        let since = Span::new().try_hours(hours.max(1)).ok().and_then(|span| step.checked_sub(span).ok());
        let windows = timeline.between(budget.check, since.unwrap_or(Timestamp::MIN), step);
        let newest_alone = || vec![(newest, newest_findings.clone())];
        counted_over(budget, &if windows.is_empty() { newest_alone() } else { windows })
    };
    let mut answered = false;
    for (spend, severity) in [(budget.fast, severity), (budget.slow, milder(severity))] {
        let (long, short) = (over(spend.of_period), over(spend.of_period * SHORT_OF_LONG));
        let (Some(long_share), Some(short_share)) = (long.share(), short.share()) else { continue };
        answered = true;
        let limit = burn_rate_limit(spend);
        let rate = burn_rate(long_share, budget.objective);
        if rate >= limit && burn_rate(short_share, budget.objective) >= limit {
            let burning = Burning {
                severity,
                window: newest,
                summary: words(budget, long, rate),
                how_sure: sure(budget, long, limit),
            };
            return Spending::TooFast(burning);
        }
    }
    if answered { Spending::Fine } else { Spending::NotKnown }
}

/// What is counted of some windows: rows where the budget has a measure, else windows.
fn counted_over(budget: &Budget, windows: &[(Window, Vec<&Finding>)]) -> Counts {
    let mut counts = Counts::default();
    for (_, findings) in windows {
        let of_window = match &budget.measure {
            Some(measure) => rows_of(measure, findings),
            None => Verdict::worst(findings.iter().map(|finding| finding.verdict))
                .filter(|worst| *worst != Verdict::Unknown)
                .map(|worst| (f64::from(u8::from(worst == Verdict::Fail)), 1.0)),
        };
        if let Some((bad, all)) = of_window {
            counts.bad += bad;
            counts.all += all;
            counts.windows += 1;
        }
    }
    counts
}

/// Bad rows and all rows, of the model or the log as a whole where that is measured, else of all subjects.
fn rows_of(measure: &str, findings: &[&Finding]) -> Option<(f64, f64)> {
    let is_whole = |finding: &&&Finding| matches!(finding.subject, Subject::Model | Subject::Log);
    let measured = |finding: &&Finding| {
        let measure = finding.measure(measure)?;
        let is_good = Metric::named(&measure.name).is_some_and(Metric::higher_is_better)
            || measure.name.ends_with("coverage");
        let share = if is_good { 1.0 - measure.value } else { measure.value };
        (0.0..=1.0).contains(&share).then_some((share * measure.n as f64, measure.n as f64))
    };
    let whole: Vec<(f64, f64)> = findings.iter().filter(is_whole).filter_map(measured).collect();
    let counted = if whole.is_empty() { findings.iter().filter_map(measured).collect() } else { whole };
    let sum = counted.iter().fold((0.0, 0.0), |(bad, all), (more_bad, more)| (bad + more_bad, all + more));
    (sum.1 > 0.0).then_some(sum)
}

fn milder(severity: Severity) -> Severity {
    let at = Severity::ALL.iter().position(|other| *other == severity).unwrap_or(0);
    Severity::ALL[at.saturating_sub(1)]
}

fn words(budget: &Budget, long: Counts, rate: f64) -> String {
    let unit = if budget.measure.is_some() { "predictions" } else { "periods" };
    let bad = percent(long.share().unwrap_or_default());
    format!(
        "{bad} of {unit} went wrong, where {} may; at this rate what may go wrong in a {} is used up after {}.",
        percent(1.0 - budget.objective),
        budget.period.word(),
        days(budget.period.hours() as f64 / rate / 24.0),
    )
}

fn days(days: f64) -> String {
    if days >= 2.0 {
        format!("{} days", days.round())
    } else {
        format!("{} hours", (days * 24.0).round().max(1.0))
    }
}

fn sure(budget: &Budget, long: Counts, limit: f64) -> String {
    let counted_in = counted(long.windows, "window", "windows");
    let of = match &budget.measure {
        Some(_) => format!("{} in {counted_in}", counted(long.all as u64, "row", "rows")),
        None => counted_in,
    };
    format!(
        "Counted over {of} of {}; the budget is spent at least {} times as fast as would be even.",
        budget.check,
        number(limit)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Google, The Site Reliability Workbook (2018), chapter 5, the table of recommended parameters (for an objective
    /// of 99.9 % over 30 days): the share of the budget, the hours of the long window, the burn rate.
    #[test]
    fn burn_rates_are_those_of_the_workbook() {
        for (share, hours, expected) in [(0.02, 1.0, 14.4), (0.05, 6.0, 6.0), (0.10, 72.0, 1.0)] {
            let limit = burn_rate_limit(Spend { share, of_period: hours / 720.0 });
            assert!((limit - expected).abs() < 1e-9, "{share} in {hours} h: {limit}");
        }
    }

    /// The same chapter, the table of burn rates and time to exhaustion: burn rate, error rate for an objective of 99.9 %, hours to exhaustion.
    #[test]
    fn a_budget_lasts_as_long_as_in_the_workbook() {
        for (rate, errors, hours) in
            [(1.0, 0.001, 720.0), (2.0, 0.002, 360.0), (10.0, 0.01, 72.0), (1000.0, 1.0, 0.72)]
        {
            let found: f64 = burn_rate(errors, 0.999);
            assert!((found - rate).abs() < 1e-6 * rate, "{errors}: {found}");
            assert!((720.0 / found - hours).abs() < 1e-3, "{errors}");
        }
    }
}
