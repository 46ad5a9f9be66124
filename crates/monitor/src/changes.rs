//! What changed since last time, in plain sentences that fit one paragraph.

use jiff::Timestamp;
use types::definition::{Cadence, Definition};
use types::finding::MaturityState;
use types::format::{capitalised, counted, number};
use types::measure::title;
use types::monitor_report::ColumnHistory;
use types::nearest::listed;
use types::window::{Dataset, instant_text};
use types::{Detail, Finding, Subject, Verdict, Window, sure_change};

use crate::quality::CHANGED_FILES;

/// Columns that a sentence names before it counts.
const NAMED: usize = 4;
/// Reasons why columns could not be measured that are said.
const REASONS_NAMED: usize = 3;

/// `windows`: the last two of the report, or fewer; `quality`: of the last one; `performance`: by window, ascending.
pub fn in_words(
    drift: &[ColumnHistory],
    windows: &[Window],
    quality: &[Finding],
    performance: &[Finding],
) -> Vec<String> {
    let mut sentences = Vec::new();
    match windows {
        [] => {}
        [only] => {
            sentences.push(format!(
                "There is nothing yet to compare {} with: it is the first window.",
                only.in_words()
            ));
        }
        [before, now, ..] => {
            sentences.extend(drift_in_words(drift, *before, *now));
            sentences.extend(held_otherwise(drift, *now, quality));
        }
    }
    sentences.extend(performance_in_words(performance));
    sentences
}

/// Why there is no window of a cadence yet; `since` is the start that somebody asked for.
pub fn no_window_in_words(definition: &Definition, every: Cadence, since: Option<Timestamp>) -> String {
    let reference = definition.reference.window;
    let of_log = reference.dataset() == Dataset::Log;
    let when = match since {
        Some(since) if of_log && since < reference.to() => {
            format!(" since {} that lies outside of the reference", instant_text(since))
        }
        Some(since) => format!(" since {}", instant_text(since)),
        None if of_log => format!(" after the reference, which ends on {},", instant_text(reference.to())),
        None => String::new(),
    };
    format!("The log has no whole {}{when} yet.", every.word())
}

fn verdict_in(column: &ColumnHistory, window: Window) -> Option<Verdict> {
    finding_of(column, window).map(|finding| finding.verdict)
}

fn finding_of(column: &ColumnHistory, window: Window) -> Option<&Finding> {
    column.findings.iter().flatten().find(|finding| finding.window == window)
}

fn drift_in_words(drift: &[ColumnHistory], before: Window, now: Window) -> Vec<String> {
    let kept = |keep: &dyn Fn(Option<Verdict>, Option<Verdict>) -> bool| -> Vec<&ColumnHistory> {
        drift.iter().filter(|column| keep(verdict_in(column, before), verdict_in(column, now))).collect()
    };
    let moved = |verdict: Option<Verdict>| matches!(verdict, Some(Verdict::Warn | Verdict::Fail));
    let unknown = Some(Verdict::Unknown);
    let newly = kept(&|before, now| !moved(before) && moved(now));
    let back = kept(&|before, now| moved(before) && now == Some(Verdict::Pass));
    let still = kept(&|before, now| moved(before) && moved(now));
    let lost = kept(&|before, now| before != unknown && now == unknown);
    let still_lost = kept(&|before, now| before == unknown && now == unknown);
    let mut sentences = Vec::new();
    let mut say = |columns: &[&ColumnHistory], one: &str, many: &str| {
        if !columns.is_empty() {
            let verb = if columns.len() == 1 { one } else { many };
            sentences.push(format!("{} {verb}.", named(columns)));
        }
    };
    say(&newly, "has moved since last time", "have moved since last time");
    say(&back, "is back to what it was", "are back to what they were");
    say(&still, "still differs, as last time", "still differ, as last time");
    if sentences.is_empty() {
        sentences.push(match kept(&|_, now| now == Some(Verdict::Pass)).len() as u64 {
            0 => "Whether anything moved is not known.".to_owned(),
            passed => {
                let all = lost.is_empty() && still_lost.is_empty();
                format!(
                    "Nothing {}moved enough to matter: {}.",
                    if all { "" } else { "that was measured " },
                    counted(passed, "column passes", "columns pass")
                )
            }
        });
    }
    sentences.extend(unmeasured_in_words(&lost, now, "could not be measured this time"));
    sentences.extend(unmeasured_in_words(&still_lost, now, "could not be measured, as last time"));
    // A column may pass though it has surely changed; without the reason the two would contradict each other.
    let passing = drift.iter().filter_map(|column| finding_of(column, now));
    if let Some(changed) = sure_change::in_words(passing.filter(|of| of.verdict == Verdict::Pass)) {
        sentences.push(format!("Of those that pass, {changed}, by too little in this window to matter."));
    }
    sentences
}

fn named(columns: &[&ColumnHistory]) -> String {
    let names: Vec<String> = columns.iter().map(|column| column.subject.label()).collect();
    listed(names.iter().map(String::as_str), NAMED)
}

/// `what` of columns, with the reason: those of one reason in one sentence.
fn unmeasured_in_words(columns: &[&ColumnHistory], now: Window, what: &str) -> Vec<String> {
    let mut by_reason: Vec<(&str, Vec<&ColumnHistory>)> = Vec::new();
    for &column in columns {
        let unmeasured = finding_of(column, now).and_then(|finding| finding.unmeasured.first());
        let reason = unmeasured.map_or("", |unmeasured| unmeasured.reason.as_str());
        match by_reason.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, alike)) => alike.push(column),
            None => by_reason.push((reason, vec![column])),
        }
    }
    let others = by_reason.split_off(by_reason.len().min(REASONS_NAMED));
    let mut sentences: Vec<String> = by_reason
        .iter()
        .map(|(reason, columns)| match *reason {
            "" => format!("{} {what}.", named(columns)),
            reason => format!("{} {what}: {reason}.", named(columns)),
        })
        .collect();
    let others: Vec<&ColumnHistory> = others.into_iter().flat_map(|(_, columns)| columns).collect();
    if !others.is_empty() {
        sentences.push(format!("{} {what}, for other reasons.", named(&others)));
    }
    sentences
}

/// Columns that could be compared though files of the window hold them otherwise than those before.
fn held_otherwise(drift: &[ColumnHistory], now: Window, quality: &[Finding]) -> Option<String> {
    let of_files = quality.iter().filter(|finding| finding.measure(CHANGED_FILES).is_some());
    let known = |subject: &Subject| {
        let column = drift.iter().find(|column| column.subject.label() == subject.label());
        column.and_then(|column| verdict_in(column, now)) != Some(Verdict::Unknown)
    };
    let names: Vec<String> = of_files
        .filter(|finding| finding.subject != Subject::Log && known(&finding.subject))
        .map(|finding| finding.subject.label())
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "Files of this window hold {} otherwise than those before; data quality says how.",
            listed(names.iter().map(String::as_str), NAMED)
        )
    })
}

/// The newest window with outcomes against the one before it, and what is expected of the ones after.
fn performance_in_words(findings: &[Finding]) -> Vec<String> {
    let details = || {
        findings.iter().filter_map(|finding| match &finding.detail {
            Some(Detail::Performance(performance)) => Some((finding.window, performance)),
            _ => None,
        })
    };
    let mut realised = details().filter_map(|(window, of)| Some((window, of, of.realised.as_ref()?)));
    let mut sentences = Vec::new();
    let last = realised.next_back();
    if let Some((window, of, measure)) = last {
        let before = realised.next_back();
        let compared = before.map_or_else(String::new, |(_, _, before)| {
            format!(", after {} the time before", number(before.value))
        });
        sentences.push(format!(
            "{} was {} in {}{compared}.",
            capitalised(&title(&of.metric)),
            number(measure.value),
            window.in_words()
        ));
    }
    let newer = |window: Window| last.is_none_or(|(realised, ..)| window > realised);
    let mut waiting =
        details().filter(|(window, of)| newer(*window) && of.maturity.state != MaturityState::Settled);
    if let Some((window, of)) = waiting.next_back()
        && let Some(estimated) = &of.estimated
    {
        sentences.push(format!(
            "For {}, whose outcomes are still arriving, it is estimated at {}.",
            window.in_words(),
            number(estimated.value)
        ));
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::finding::Unmeasured;
    use types::{CheckId, Measure};

    const WINDOWS: [&str; 2] = ["2024-03-04/2024-03-11", "2024-03-11/2024-03-18"];

    fn window(at: usize) -> Window {
        WINDOWS[at].parse().unwrap()
    }

    fn subject(name: &str) -> Subject {
        Subject::Feature { name: name.into(), source: None }
    }

    /// A column's verdicts in both windows; `reason` is why the last one is unknown.
    fn column(name: &str, verdicts: [Verdict; 2], reason: &str) -> ColumnHistory {
        let finding = |(at, verdict): (usize, Verdict)| {
            let unmeasured = Unmeasured { name: "psi".into(), reason: reason.into() };
            Some(Finding {
                unmeasured: (verdict == Verdict::Unknown).then_some(unmeasured).into_iter().collect(),
                ..Finding::blank(CheckId::Drift, subject(name), verdict, window(at))
            })
        };
        let findings = verdicts.into_iter().enumerate().map(finding).collect();
        ColumnHistory { subject: subject(name), findings }
    }

    fn words(drift: &[ColumnHistory], quality: &[Finding]) -> String {
        in_words(drift, &[window(0), window(1)], quality, &[]).join(" ")
    }

    #[test]
    fn a_column_that_is_gone_is_named_with_the_reason_beside_those_that_pass() {
        let gone = "the column is gone, no longer there from log/b.csv (2024-03-06) on";
        let [pass, fail, unknown] = [Verdict::Pass, Verdict::Fail, Verdict::Unknown];
        let drift = |before: Verdict| {
            [
                column("x", [pass; 2], ""),
                column("a", [before, unknown], gone),
                column("b", [before, unknown], gone),
            ]
        };
        assert_eq!(
            words(&drift(unknown), &[]),
            format!(
                "Nothing that was measured moved enough to matter: 1 column passes. a, b could not be measured, as last time: {gone}."
            )
        );
        assert_eq!(
            words(&drift(fail), &[]),
            format!(
                "Nothing that was measured moved enough to matter: 1 column passes. a, b could not be measured this time: {gone}."
            )
        );
        assert_eq!(
            words(&[column("a", [unknown; 2], gone)], &[]),
            format!("Whether anything moved is not known. a could not be measured, as last time: {gone}.")
        );
    }

    #[test]
    fn that_there_is_no_window_yet_is_said_of_the_case_at_hand() {
        let defined = |reference: &str| {
            let text =
                format!("[log]\npath = \"l\"\ntime = \"t\"\nscore = \"p\"\n[reference]\n{reference}\n");
            types::definition::parse(&text).unwrap()
        };
        let within = defined("window = \"2024-01-01/2024-03-01\"");
        let at = |text: &str| types::window::parse_instant(text).ok();
        let said = |definition: &Definition, since| no_window_in_words(definition, Cadence::Week, since);
        assert_eq!(
            said(&within, None),
            "The log has no whole week after the reference, which ends on 2024-03-01, yet."
        );
        assert_eq!(said(&within, at("2024-04-01")), "The log has no whole week since 2024-04-01 yet.");
        assert_eq!(
            said(&within, at("2024-02-01")),
            "The log has no whole week since 2024-02-01 that lies outside of the reference yet."
        );
    }

    #[test]
    fn a_column_of_another_type_that_passes_is_named_too() {
        let retyped = Finding {
            measures: vec![Measure::new(CHANGED_FILES, 1.0, 1, "files")],
            ..Finding::blank(CheckId::Quality, subject("a"), Verdict::Fail, window(1))
        };
        let changed_log = Finding { subject: Subject::Log, ..retyped.clone() };
        let drift = [column("a", [Verdict::Pass; 2], ""), column("x", [Verdict::Pass, Verdict::Fail], "")];
        assert_eq!(
            words(&drift, &[retyped, changed_log]),
            "x has moved since last time. Files of this window hold a otherwise than those before; data quality says how."
        );
    }
}
