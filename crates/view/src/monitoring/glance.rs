//! The first screen: gates, what changed since last time, the key numbers.

use maud::{Markup, html};
use types::CheckId;
use types::finding::{Finding, Measure, WindowPerformance};
use types::monitor_report::MonitorReport;
use types::{Verdict, sure_change};

use super::{last_drift, last_estimated, last_realised, last_together, section_of};
use crate::chart::{Part, share_bar};
use crate::page::effect::alarm_stands;
use crate::page::measures::{breakable, guides, prose};
use crate::page::tile::{Tile, limits_in_words};
use crate::page::{FIRST, Section, gates, performance, verdict, worst_first};
use crate::words::{self, WORST_FIRST};

pub(super) fn section(report: &MonitorReport) -> Section {
    Section {
        id: FIRST,
        title: "At a glance",
        short: "Overview",
        question: "May it go ahead, and what changed since last time?",
        verdicts: Vec::new(),
        body: html! {
            (gates::gates(&report.gates, |check| anchor(report, check).map(|section| format!("#{section}"))))
            @if is_empty(report) { (nothing_found()) } @else {
                (changes(report))
                (key_numbers(report))
            }
        },
    }
}

fn is_empty(report: &MonitorReport) -> bool {
    report.drift.is_empty()
        && report.performance.is_empty()
        && report.quality.is_empty()
        && last_together(report).is_none()
}

fn nothing_found() -> Markup {
    html! {
        p.empty.panel {
            "There is no evidence to show. Check that the log has rows since the start that was asked for, then run " code { "forewarn monitor" } " again."
        }
    }
}

/// The section of a check, where the report shows it.
fn anchor(report: &MonitorReport, check: &str) -> Option<&'static str> {
    let check = CheckId::ALL.into_iter().find(|known| known.name() == check)?;
    let shown = match check {
        CheckId::Drift => !report.drift.is_empty(),
        CheckId::Multivariate => last_together(report).is_some(),
        CheckId::PerformanceOverTime => !report.performance.is_empty(),
        CheckId::Quality => !report.quality.is_empty(),
        _ => false,
    };
    section_of(check).filter(|_| shown)
}

pub(crate) fn changes(report: &MonitorReport) -> Markup {
    html! {
        div.plain.changes {
            h3 { "What changed since last time" }
            p {
                @if report.changes.is_empty() { "Nothing worth naming changed between the last window and the one before it." }
                @for (i, sentence) in report.changes.iter().enumerate() { @if i > 0 { " " } (prose(sentence)) }
            }
        }
    }
}

pub(crate) fn key_numbers(report: &MonitorReport) -> Markup {
    html! {
        div.tiles {
            (realised_tile(report))
            (estimated_tile(report))
            @if let Some(together) = last_together(report) { (together_tile(together)) }
            (drift_tile(report))
        }
    }
}

fn realised_tile(report: &MonitorReport) -> Markup {
    let Some((finding, of)) = last_realised(report) else {
        return html! {};
    };
    performance_tile("from outcomes", finding, of, of.realised.as_ref())
}

/// The newest estimate, where it is about a later window than the outcomes are.
fn estimated_tile(report: &MonitorReport) -> Markup {
    let realised = last_realised(report).map(|(finding, _)| finding.window);
    let newest = last_estimated(report).filter(|(finding, _)| Some(finding.window) != realised);
    html! {
        @if let Some((finding, of)) = newest { (performance_tile("estimated", finding, of, of.estimated.as_ref())) }
    }
}

fn performance_tile(
    how: &str,
    finding: &Finding,
    of: &WindowPerformance,
    measure: Option<&Measure>,
) -> Markup {
    Tile {
        title: format!("{}, {how}", words::measure_title(&of.metric)),
        verdict: finding.verdict,
        measure,
        of_what: Some(html! {
            span.window { (words::window_text(finding.window)) } " " (verdict::maturity_chip(of.maturity.state))
        }),
        guides: performance::guides(finding, of),
        limits: performance::limits_in_words(finding, of),
        summary: &finding.summary,
    }
    .markup()
}

fn together_tile(finding: &Finding) -> Markup {
    let measure = finding.measures.first();
    let title = measure.map(|measure| words::sentence_case(&words::measure_title(&measure.name)));
    Tile {
        title: title.unwrap_or_else(|| "All columns together".into()),
        verdict: finding.verdict,
        measure,
        of_what: Some(html! { span.window { (words::window_text(finding.window)) } }),
        guides: measure.map(|measure| guides(finding, measure)).unwrap_or_default(),
        limits: measure.map(|measure| limits_in_words(finding, &measure.name)).unwrap_or_default(),
        summary: &finding.summary,
    }
    .markup()
}

fn drift_tile(report: &MonitorReport) -> Markup {
    let findings = worst_first(last_drift(report));
    let Some(worst) = findings.first() else {
        return html! {};
    };
    let count = |of: Verdict| findings.iter().filter(|finding| finding.verdict == of).count();
    let parts = WORST_FIRST.map(|of| Part { label: of.word(), class: of.word(), count: count(of) as u64 });
    let small = findings.iter().filter(|of| of.verdict == Verdict::Pass && alarm_stands(of)).count();
    html! {
        article.tile {
            div.tile-head { h3 { "Columns that drifted" } (verdict::chip(worst.verdict)) }
            p.big { (count(Verdict::Fail) + count(Verdict::Warn)) span.of { " of " (findings.len()) } }
            p.of-what { "worst: " (breakable(&worst.subject.label())) }
            p.sub {
                @match sure_change::in_words(findings.iter().copied()) {
                    None => "no column has surely changed",
                    Some(said) => { (said) @if small > 0 { "; in " (small) " of them by too little in this window to matter" } }
                }
            }
            (share_bar("Columns by verdict", &parts))
            p.sentence { (prose(&worst.summary)) }
        }
    }
}
