//! What changed since last time, in plain sentences that fit one paragraph.

use types::finding::MaturityState;
use types::format::{capitalised, counted, number};
use types::measure::title;
use types::monitor_report::ColumnHistory;
use types::nearest::listed;
use types::{Detail, Finding, Verdict, Window, sure_change};

/// Columns that a sentence names before it counts.
const NAMED: usize = 4;

/// `windows`: the last two of the report, or fewer; `performance`: by window, ascending.
pub fn in_words(drift: &[ColumnHistory], windows: &[Window], performance: &[Finding]) -> Vec<String> {
    let mut sentences = Vec::new();
    match windows {
        [] => sentences.push(
            "There is no whole window after the reference, or since the start that was asked for, yet."
                .to_owned(),
        ),
        [only] => {
            sentences.push(format!(
                "There is nothing yet to compare {} with: it is the first window.",
                only.in_words()
            ));
        }
        [before, now, ..] => sentences.extend(drift_in_words(drift, *before, *now)),
    }
    sentences.extend(performance_in_words(performance));
    sentences
}

fn drift_in_words(drift: &[ColumnHistory], before: Window, now: Window) -> Vec<String> {
    let verdict = |column: &ColumnHistory, window: Window| {
        let finding = column.findings.iter().flatten().find(|finding| finding.window == window);
        finding.map(|finding| finding.verdict)
    };
    let names = |keep: &dyn Fn(Option<Verdict>, Option<Verdict>) -> bool| -> Vec<String> {
        let kept = drift.iter().filter(|column| keep(verdict(column, before), verdict(column, now)));
        kept.map(|column| column.subject.label()).collect()
    };
    let moved = |verdict: Option<Verdict>| matches!(verdict, Some(Verdict::Warn | Verdict::Fail));
    let newly = names(&|before, now| !moved(before) && moved(now));
    let back = names(&|before, now| moved(before) && now == Some(Verdict::Pass));
    let still = names(&|before, now| moved(before) && moved(now));
    let lost = names(&|before, now| before != Some(Verdict::Unknown) && now == Some(Verdict::Unknown));
    let mut sentences = Vec::new();
    let mut say = |names: &[String], one: &str, many: &str| {
        if !names.is_empty() {
            let verb = if names.len() == 1 { one } else { many };
            sentences.push(format!("{} {verb}.", listed(names.iter().map(String::as_str), NAMED)));
        }
    };
    say(&newly, "has moved since last time", "have moved since last time");
    say(&back, "is back to what it was", "are back to what they were");
    say(&lost, "could not be measured this time", "could not be measured this time");
    say(&still, "still differs, as last time", "still differ, as last time");
    if sentences.is_empty() {
        let measured = names(&|_, now| now == Some(Verdict::Pass)).len() as u64;
        sentences.push(match (measured, drift.len() as u64 - measured) {
            (0, _) => "Whether anything moved is not known.".to_owned(),
            (passed, 0) => {
                format!(
                    "Nothing moved enough to matter: {}.",
                    counted(passed, "column passes", "columns pass")
                )
            }
            (passed, unknown) => format!(
                "Nothing moved enough to matter: {}; of {} it is not known.",
                counted(passed, "column passes", "columns pass"),
                counted(unknown, "column", "columns")
            ),
        });
    }
    // A column may pass though it has surely changed; without the reason the two would contradict each other.
    let passing = drift.iter().filter(|column| verdict(column, now) == Some(Verdict::Pass));
    let passing = passing.flat_map(|column| column.findings.iter().flatten()).filter(|of| of.window == now);
    if let Some(changed) = sure_change::in_words(passing) {
        sentences.push(format!("Of those that pass, {changed}, by too little in this window to matter."));
    }
    sentences
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
