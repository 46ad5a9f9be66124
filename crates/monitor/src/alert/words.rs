//! What a person is told: what happened, how sure it is, who is affected and what to do, in plain words.
//!
//! The first sentence needs no knowledge of statistics. What follows are the sentences that findings carry
//! and the numbers behind them.

use types::alert::{AlertRecord, AlertWords};
use types::definition::Definition;
use types::format::{capitalised, counted, p_value, percent};
use types::measure::{title, value_text};
use types::message::Occasion;
use types::nearest::listed;
use types::{CheckId, Detail, Finding, Record, Subject, Verdict, Window};

use super::{LOG, SYSTEM};

/// Sentences that a message repeats of its alerts; the rest are counted.
const MOST_SUMMARIES: usize = 3;
/// Names that a title lists; the rest are counted.
const MOST_NAMES: usize = 3;
/// Groups of people that a message names.
const MOST_SEGMENTS: usize = 3;

/// What can be said of an alert from the findings that it rests on, worst first.
pub(super) fn of_findings(
    definition: &Definition,
    findings: &[&Finding],
    what_to_do: Option<&str>,
) -> AlertWords {
    let Some(worst) = findings.first() else { return AlertWords::default() };
    let summary = if worst.summary.is_empty() {
        format!(
            "{} says {} of {}.",
            capitalised(check_words(worst.check)),
            worst.verdict,
            worst.subject.label()
        )
    } else {
        worst.summary.clone()
    };
    AlertWords {
        summary,
        how_sure: how_sure(definition, worst),
        who_is_affected: who_is_affected(worst),
        owner: worst.owner.clone().or_else(|| definition.system.owner.clone()),
        what_to_do: what_to_do.unwrap_or_else(|| what_to_do_about(worst.check)).to_owned(),
    }
}

/// What can be said of evidence whose time is over.
pub(super) fn of_stale(definition: &Definition, stale: &[&Record], what_to_do: Option<&str>) -> AlertWords {
    let names: Vec<&str> = stale.iter().map(|record| check_words(record.finding.check)).collect();
    let since = stale.iter().map(|record| record.fresh_until).min();
    let since = since.map(types::window::instant_text).unwrap_or_default();
    AlertWords {
        summary: format!(
            "There is no new result of {}; the last one stopped counting on {since}.",
            listed(names.iter().copied(), MOST_NAMES)
        ),
        how_sure: "Certain: it is a matter of dates.".into(),
        who_is_affected: "Everybody who relies on these results, since nobody knows how it is now.".into(),
        owner: definition.system.owner.clone(),
        what_to_do: what_to_do
            .unwrap_or("Find out why the check did not run or found no new data, and run it again.")
            .to_owned(),
    }
}

/// What can be said where the findings themselves are not what is told, such as of a spent budget.
pub(super) fn of_summary(
    definition: &Definition,
    summary: String,
    how_sure: String,
    what_to_do: &str,
) -> AlertWords {
    AlertWords {
        summary,
        how_sure,
        who_is_affected: "Everybody whom predictions are made for.".into(),
        owner: definition.system.owner.clone(),
        what_to_do: what_to_do.to_owned(),
    }
}

/// The headline with its interval, its limit, the rows behind it, and how often it would be wrong.
fn how_sure(definition: &Definition, finding: &Finding) -> String {
    let mut sentences = Vec::new();
    let measure = finding
        .thresholds
        .iter()
        .find_map(|threshold| finding.measure(&threshold.measure))
        .or_else(|| finding.measures.first());
    if let Some(measure) = measure {
        let mut text =
            format!("{} is {}", capitalised(&title(&measure.name)), value_text(&measure.name, measure.value));
        if let Some(interval) = &measure.interval {
            text.push_str(&format!(
                " (with {} confidence between {} and {})",
                percent(interval.level.get()),
                value_text(&measure.name, interval.lower),
                value_text(&measure.name, interval.upper)
            ));
        }
        if let Some(limit) = limit_words(finding, &measure.name) {
            text.push_str(&format!(", {limit}"));
        }
        if measure.n > 0 {
            text.push_str(&format!("; it rests on {}", counted(measure.n, "row", "rows")));
        }
        if let Some(p) = measure.p_adjusted.or(measure.p_value) {
            text.push_str(&format!("; p {}", p_value(p)));
        }
        sentences.push(format!("{text}."));
    }
    let budget = match finding.check {
        CheckId::Drift => Some(definition.monitor.drift.false_alarms),
        CheckId::PerformanceOverTime => Some(definition.monitor.performance.false_alarms),
        _ => None,
    };
    if let (Some(budget), Some(_)) = (budget, &finding.sequential) {
        sentences.push(format!(
            "If nothing had changed, such an alarm would ever come up with a probability of at most {}.",
            percent(budget)
        ));
    }
    if finding.verdict == Verdict::Unknown {
        sentences.push("It could not be measured, so it may be better or worse.".into());
    }
    if sentences.is_empty() {
        sentences.push("Counted, not estimated.".into());
    }
    sentences.join(" ")
}

fn limit_words(finding: &Finding, measure: &str) -> Option<String> {
    let limit = finding.thresholds.iter().find(|threshold| threshold.measure == measure)?;
    match (limit.at_least, limit.at_most) {
        (Some(least), _) => Some(format!("where at least {} is asked for", value_text(measure, least))),
        (_, Some(most)) => Some(format!("where at most {} is acceptable", value_text(measure, most))),
        _ => None,
    }
}

fn who_is_affected(finding: &Finding) -> String {
    let window = finding.window.in_words();
    let failing = failing_segments(finding);
    if !failing.is_empty() {
        return format!("Most of all {}.", listed(failing.iter().map(String::as_str), MOST_SEGMENTS));
    }
    match &finding.subject {
        Subject::Segment { .. } => format!("Those with {}.", finding.subject.label()),
        Subject::Feature { name, .. } => format!("Every prediction of {window} that used `{name}`."),
        _ => format!("The predictions of {window}."),
    }
}

/// Segments that fail, with their share of the rows where it is known.
fn failing_segments(finding: &Finding) -> Vec<String> {
    let (rows, all) = match &finding.detail {
        Some(Detail::Segments { rows, overall, .. }) => (rows, overall.as_ref().map(|measure| measure.n)),
        Some(Detail::Performance(of)) => (&of.segments, of.realised.as_ref().map(|measure| measure.n)),
        _ => return Vec::new(),
    };
    rows.iter()
        .filter(|row| row.verdict == Some(Verdict::Fail))
        .map(|row| {
            let label = types::finding::segment_label(&row.column, row.value.as_deref());
            match all.filter(|all| *all >= row.rows && *all > 0) {
                Some(all) => format!("{label} ({} of rows)", percent(row.rows as f64 / all as f64)),
                None => label,
            }
        })
        .collect()
}

/// A check in words that fit after "a result of".
pub(super) fn check_words(check: CheckId) -> &'static str {
    match check {
        CheckId::Drift => "drift",
        CheckId::Quality => "data quality",
        CheckId::Multivariate => "drift of all columns together",
        CheckId::PerformanceOverTime => "performance over time",
        CheckId::Outcomes => "arrived outcomes",
        CheckId::Performance => "performance",
        CheckId::WorstSegment => "the worst segment",
        CheckId::Calibration => "calibration",
        CheckId::Slices => "slices",
        CheckId::WorstSubpopulation => "the worst subpopulation",
        CheckId::Errors => "errors",
        CheckId::Tail => "rare cases",
        CheckId::Fairness => "fairness",
        CheckId::Comparison => "the comparison of versions",
        CheckId::Parity => "the model that can be asked",
        CheckId::Missing => "missing inputs",
        CheckId::Faults => "faulty inputs",
        CheckId::Detection => "faults that nobody notices",
        CheckId::Load => "load on the model's server",
        CheckId::Endpoint => "faults of the model's server",
        CheckId::Manipulation => "decisions that can be flipped",
    }
}

/// What happened, for somebody who knows neither models nor statistics.
fn plain(check: CheckId) -> &'static str {
    match check {
        CheckId::Drift | CheckId::Multivariate => {
            "The data that the model works with no longer looks like the data that it was compared with."
        }
        CheckId::Quality => "The data that the model was given is not as it should be.",
        CheckId::PerformanceOverTime => "The model has become worse at what it does.",
        CheckId::Outcomes => "It is not known well enough how predictions turned out.",
        CheckId::Performance => "The model is not as good as it has to be.",
        CheckId::WorstSegment | CheckId::Slices | CheckId::WorstSubpopulation => {
            "For some, the model is much worse than for others."
        }
        CheckId::Calibration => "The model's probabilities do not mean what they say.",
        CheckId::Errors => "The model's mistakes follow a pattern instead of being random.",
        CheckId::Tail => "In rare and unusual cases the model goes wrong too often.",
        CheckId::Fairness => "Groups of people are not treated alike.",
        CheckId::Comparison => "Another version of the model does better or worse on the same cases.",
        CheckId::Parity => "The model that was tested does not answer as the one in production did.",
        CheckId::Missing => "When some of its inputs are missing, the model fails or goes wrong too often.",
        CheckId::Faults => "When some of its inputs are wrong, the model fails or goes wrong too often.",
        CheckId::Detection => "Inputs could go wrong, and hurt, without anybody noticing.",
        CheckId::Load => "The server of the model does not stand as many requests as it has to.",
        CheckId::Endpoint => {
            "When the server of the model fails, those who ask it are left without an answer or an error."
        }
        CheckId::Manipulation => "Who changes some of the inputs gets another decision too often.",
    }
}

fn what_to_do_about(check: CheckId) -> &'static str {
    match check {
        CheckId::Drift | CheckId::Multivariate => {
            "Find out whether the world changed or a feed broke; if performance holds, accept it with a new reference."
        }
        CheckId::Quality => {
            "Look at the feed that the data comes from; until it is repaired, trust predictions less."
        }
        CheckId::PerformanceOverTime => {
            "Look at what explains the loss, decide whether decisions can wait, and plan retraining or a way back."
        }
        CheckId::Outcomes => {
            "Find out why outcomes are late or missing; without them nobody knows how good the model is."
        }
        CheckId::Performance => {
            "Do not release it; compare with the version before and decide whether to go back."
        }
        CheckId::WorstSegment | CheckId::Slices | CheckId::WorstSubpopulation => {
            "Look at these cases one by one, and consider deciding them in another way until the model is better there."
        }
        CheckId::Calibration => "Do not use the scores as probabilities until they are calibrated again.",
        CheckId::Errors => {
            "Look for what the wrong cases have in common; the model lacks something that is knowable."
        }
        CheckId::Tail => "Route unusual cases to people until the model has seen more of them.",
        CheckId::Fairness => "Bring it before those who answer for fairness before more decisions are made.",
        CheckId::Comparison => "Decide with its owner which version should be used.",
        CheckId::Parity => "Test the model that is in production, or find out why the two differ.",
        CheckId::Missing | CheckId::Faults => {
            "Decide what should happen when these inputs fail: another model, a rule, or a person."
        }
        CheckId::Detection => "Tighten the checks of these inputs until such a fault is noticed.",
        CheckId::Load => "Add servers or a queue, or let callers ask less, before it is needed.",
        CheckId::Endpoint => {
            "Give callers a time-out, and another way to decide while the model does not answer."
        }
        CheckId::Manipulation => {
            "Have the inputs that flip decisions verified, or train a model that relies on them less."
        }
    }
}

/// The message's sentences about alerts that are told together, worst first.
pub(super) fn of_group(
    occasion: Occasion,
    alerts: &[&AlertRecord],
    window: Option<Window>,
) -> (String, AlertWords) {
    let names = || {
        let mut names: Vec<&str> =
            alerts.iter().map(|alert| alert.subject.as_str()).filter(|name| !is_everything(name)).collect();
        names.dedup();
        names
    };
    let what = what_words(alerts);
    let of = if names().is_empty() { String::new() } else { format!(" of {}", listed(names(), MOST_NAMES)) };
    let within = window.map(|window| format!(" in {}", window.in_words())).unwrap_or_default();
    let title = match occasion {
        Occasion::Resolved => format!("over: {what}{of}"),
        Occasion::Reminder => format!("still: {what}{of}{within}"),
        Occasion::Escalation => format!("nobody has taken on: {what}{of}{within}"),
        Occasion::Firing | Occasion::Test => format!("{what}{of}{within}"),
    };
    (title, body(occasion, alerts))
}

/// What need not be named, since it is all that there is.
fn is_everything(subject: &str) -> bool {
    [SYSTEM, LOG, "model"].contains(&subject)
}

fn what_words(alerts: &[&AlertRecord]) -> String {
    let mut words: Vec<&str> = Vec::new();
    for alert in alerts {
        if alert.checks.is_empty() && !words.contains(&alert.rule.as_str()) {
            words.push(&alert.rule);
        }
        for check in alert.checks.iter().map(|check| check_words(*check)) {
            if !words.contains(&check) {
                words.push(check);
            }
        }
    }
    words.truncate(2);
    words.join(" and ")
}

fn body(occasion: Occasion, alerts: &[&AlertRecord]) -> AlertWords {
    let mut what: Vec<String> = Vec::new();
    if occasion == Occasion::Resolved {
        what.push("It is over: the condition no longer holds.".into());
    } else if let Some((alert, check)) = alerts.first().and_then(|alert| Some((alert, alert.checks.first()?)))
    {
        what.push(match alert.grade.verdict {
            Verdict::Warn | Verdict::Fail => plain(*check).into(),
            Verdict::Unknown => "Nobody knows at the moment whether all is well.".into(),
            Verdict::Pass => "A limit that was set for this alert is crossed.".into(),
        });
    }
    let mut summaries = distinct(alerts.iter().map(|alert| alert.words.summary.as_str()));
    let more = summaries.len().saturating_sub(MOST_SUMMARIES);
    summaries.truncate(MOST_SUMMARIES);
    if occasion == Occasion::Resolved && !summaries.is_empty() {
        what.push("What was told:".into());
    }
    what.extend(summaries.into_iter().map(str::to_owned));
    if more > 0 {
        what.push(format!("And {}.", counted(more as u64, "more like it", "more like these")));
    }
    let first = |of: fn(&AlertWords) -> &str| {
        distinct(alerts.iter().map(|alert| of(&alert.words))).first().copied().unwrap_or_default().to_owned()
    };
    let affected = distinct(alerts.iter().map(|alert| alert.words.who_is_affected.as_str()));
    let mut affected: Vec<String> = affected.into_iter().take(MOST_SEGMENTS).map(str::to_owned).collect();
    let owners = distinct(alerts.iter().filter_map(|alert| alert.words.owner.as_deref()));
    match owners.as_slice() {
        [] => {}
        [one] => affected.push(format!("{one} answers for it.")),
        [others @ .., last] => affected.push(format!("{} and {last} answer for it.", others.join(", "))),
    }
    AlertWords {
        summary: what.join(" "),
        how_sure: first(|words| &words.how_sure),
        who_is_affected: affected.join(" "),
        owner: None,
        what_to_do: if occasion == Occasion::Resolved {
            "Nothing; write down what it was, so that the next one is understood faster.".into()
        } else {
            distinct(alerts.iter().map(|alert| alert.words.what_to_do.as_str())).join(" ")
        },
    }
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for text in texts {
        if !text.is_empty() && !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}
