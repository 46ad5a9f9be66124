//! The first screen: gates, counts, the worst in plain words, and the dashboard.

use maud::{Markup, html};
use types::CheckId;
use types::finding::Finding;
use types::report::CheckReport;
use types::{Verdict, format};

use super::{dashboard, findings_of, section_of};
use crate::chart::{Part, share_bar};
use crate::page::measures::prose;
use crate::page::{FIRST, Section, gates, verdict, verdicts};
use crate::words::{self, WORST_FIRST};

/// Sentences in the opening paragraph.
const SENTENCES: usize = 5;

pub(super) fn section(report: &CheckReport) -> Section {
    let all: Vec<&Finding> = report.findings.iter().collect();
    Section {
        id: FIRST,
        title: "At a glance",
        short: "Overview",
        question: "May it go ahead, and what needs attention first?",
        verdicts: Vec::new(),
        body: html! {
            (gates::gates(&report.gates, |check| anchor(report, check).map(|section| format!("#{section}"))))
            @if all.is_empty() { (nothing_found()) } @else {
                div.overview {
                    (tally(&verdicts(&all)))
                    (in_plain_words(report))
                }
                (dashboard::cells(report))
                (dashboard::panels(report))
            }
        },
    }
}

/// The section of a check, where the report shows it.
fn anchor(report: &CheckReport, check: &str) -> Option<&'static str> {
    report.findings.iter().map(|finding| finding.check).find(|shown| shown.name() == check).map(section_of)
}

fn nothing_found() -> Markup {
    html! {
        p.empty.panel {
            "This run made no findings. Check that the log has rows in the window, then run " code { "forewarn check" } " again."
        }
    }
}

fn tally(verdicts: &[Verdict]) -> Markup {
    let count = |of: Verdict| verdicts.iter().filter(|verdict| **verdict == of).count();
    let parts = WORST_FIRST.map(|of| Part { label: of.word(), class: of.word(), count: count(of) as u64 });
    html! {
        div.tally {
            h3 { (format::counted(verdicts.len() as u64, "finding", "findings")) }
            (share_bar("Findings by verdict", &parts))
            ul {
                @for of in WORST_FIRST {
                    li.zero[count(of) == 0] { strong { (count(of)) } (verdict::chip(of)) }
                }
            }
        }
    }
}

fn in_plain_words(report: &CheckReport) -> Markup {
    let worst = worst_of_each_check(report);
    html! {
        div.plain {
            h3 { "In plain words" }
            p {
                (opening(report))
                @for finding in worst {
                    " " a.sentence href=(format!("#{}", section_of(finding.check))) { (prose(words::first_sentence(&finding.summary))) }
                }
            }
        }
    }
}

/// `Of 41 findings, 5 fail, 2 could not be measured, 6 deserve a look and 28 pass.`
fn opening(report: &CheckReport) -> String {
    let total = report.findings.len();
    if report.count(Verdict::Pass) == total {
        return format!("All {} pass.", format::counted(total as u64, "finding", "findings"));
    }
    let said: Vec<String> = WORST_FIRST
        .into_iter()
        .map(|of| (of, report.count(of)))
        .filter(|(_, count)| *count > 0)
        .map(|(of, count)| match (of, count) {
            (Verdict::Fail, 1) => "1 fails".into(),
            (Verdict::Fail, _) => format!("{count} fail"),
            (Verdict::Unknown, _) => format!("{count} could not be measured"),
            (Verdict::Warn, 1) => "1 deserves a look".into(),
            (Verdict::Warn, _) => format!("{count} deserve a look"),
            (Verdict::Pass, 1) => "1 passes".into(),
            (Verdict::Pass, _) => format!("{count} pass"),
        })
        .collect();
    format!("Of {}, {}.", format::counted(total as u64, "finding", "findings"), words::list(&said))
}

/// The worst finding of each check that does not pass, failing ones first.
fn worst_of_each_check(report: &CheckReport) -> Vec<&Finding> {
    let mut worst: Vec<&Finding> = CheckId::ALL
        .into_iter()
        .filter_map(|check| findings_of(report, check).first().copied())
        .filter(|finding| finding.verdict != Verdict::Pass)
        .collect();
    worst.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    worst.truncate(SENTENCES);
    worst
}
