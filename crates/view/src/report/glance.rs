//! The first screen: gates, counts, the worst in plain words, the key numbers.

use maud::{Markup, html};
use types::finding::{CheckId, Finding, Measure};
use types::report::CheckReport;
use types::{Verdict, format};

use super::{findings_of, section_of};
use crate::chart::{Part, share_bar};
use crate::page::measures::{breakable, guides, prose};
use crate::page::tile::{Tile, limits_in_words};
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
            (gates::gates(&report.gates, |check| anchor(report, check)))
            @if all.is_empty() { (nothing_found()) } @else {
                div.overview {
                    (tally(&verdicts(&all)))
                    (in_plain_words(report))
                }
                (key_numbers(report))
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

fn key_numbers(report: &CheckReport) -> Markup {
    let measured = [CheckId::Performance, CheckId::WorstSegment, CheckId::Calibration];
    let drift = findings_of(report, CheckId::Drift);
    html! {
        div.tiles {
            @for check in measured {
                @if let Some(finding) = findings_of(report, check).first() { (measured_tile(finding)) }
            }
            @if let Some(worst) = drift.first() { (drift_tile(&drift, worst)) }
        }
    }
}

/// The headline of a finding, with the sentence that says what it means.
fn measured_tile(finding: &Finding) -> Markup {
    let measure = finding.measures.first();
    let segment = finding.check == CheckId::WorstSegment;
    Tile {
        title: tile_title(finding, measure),
        verdict: finding.verdict,
        measure,
        of_what: segment.then(|| breakable(&finding.subject.label())),
        guides: measure.map(|measure| guides(finding, measure)).unwrap_or_default(),
        limits: measure.map(|measure| limits_in_words(finding, &measure.name)).unwrap_or_default(),
        summary: &finding.summary,
    }
    .markup()
}

fn tile_title(finding: &Finding, headline: Option<&Measure>) -> String {
    let measure = headline.map(|measure| words::measure_title(&measure.name));
    match (finding.check, measure) {
        (CheckId::WorstSegment, Some(measure)) => format!("{measure} of the worst segment"),
        (CheckId::Calibration, _) => "Calibration error (ECE)".into(),
        (check, None) => words::check_title(check).into(),
        (_, Some(measure)) => measure.into_owned(),
    }
}

fn drift_tile(findings: &[&Finding], worst: &Finding) -> Markup {
    let drifted =
        findings.iter().filter(|finding| matches!(finding.verdict, Verdict::Fail | Verdict::Warn)).count();
    let parts = WORST_FIRST.map(|of| Part {
        label: of.word(),
        class: of.word(),
        count: findings.iter().filter(|finding| finding.verdict == of).count() as u64,
    });
    html! {
        article.tile {
            div.tile-head { h3 { "Columns that drifted" } (verdict::chip(worst.verdict)) }
            p.big { (drifted) span.of { " of " (findings.len()) } }
            p.of-what { "worst: " (breakable(&worst.subject.label())) }
            p.sub { "failing or worth a look" }
            (share_bar("Columns by verdict", &parts))
            p.sentence { (prose(&worst.summary)) }
        }
    }
}
