//! What the numbers stand on: the quality of the log, and how predictions met their outcomes.

use maud::{Markup, html};
use types::CheckId;
use types::answer::Coverage;
use types::finding::{Detail, Finding};
use types::format;
use types::report::CheckReport;

use super::findings_of;
use crate::chart::{Part, share_bar};
use crate::page::measures::{panel, prose, table, unmeasured};
use crate::page::{Section, verdict, verdicts};

/// Panels shown before the others are folded away.
const PANELS_SHOWN: usize = 12;

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let quality = findings_of(report, CheckId::Quality);
    let outcomes = findings_of(report, CheckId::Outcomes);
    let all: Vec<&Finding> = outcomes.iter().chain(&quality).copied().collect();
    if all.is_empty() {
        return None;
    }
    Some(Section {
        id: "outcomes",
        title: "Data quality and outcomes",
        short: "Data",
        question: "Are the rows sound, and for how many predictions is it known what really happened?",
        verdicts: verdicts(&all),
        body: html! {
            @for finding in &outcomes { (outcome(finding)) }
            @if !quality.is_empty() { (quality_panels(&quality)) }
        },
    })
}

fn quality_panels(findings: &[&Finding]) -> Markup {
    let (shown, folded) = findings.split_at(findings.len().min(PANELS_SHOWN));
    html! {
        h3.group { "Data quality" }
        div.panels { @for finding in shown { (panel(finding)) } }
        @if !folded.is_empty() {
            details.fold {
                summary { (format!("{} more findings", folded.len())) }
                div.panels { @for finding in folded { (panel(finding)) } }
            }
        }
    }
}

fn outcome(finding: &Finding) -> Markup {
    html! {
        div.verdict-line { (verdict::chip(finding.verdict)) p.sentence { (prose(&finding.summary)) } }
        @if let Some(Detail::Coverage(coverage)) = &finding.detail { (coverage_chart(coverage)) }
        @if !finding.measures.is_empty() { details.more { summary { "All measures" } (table(finding)) } }
        (unmeasured(finding))
    }
}

fn coverage_chart(of: &Coverage) -> Markup {
    let parts = [
        Part { label: "with outcome", class: "with", count: of.with_outcome },
        Part { label: "without outcome (yet)", class: "without", count: of.without_outcome },
        Part { label: "outcome unusable", class: "unusable", count: of.unusable_outcomes },
    ];
    html! {
        figure.coverage {
            (share_bar("Predictions by whether their outcome is known", &parts))
            ul.parts {
                @for part in &parts {
                    li { span class=(format!("key {}", part.class)) {} strong { (format::count(part.count)) } " " (part.label) }
                }
                li.sub { "of " (format::counted(of.predictions, "prediction", "predictions")) }
            }
            (oddities(of))
        }
    }
}

/// What was odd about the outcomes; a count of zero is said as well.
fn oddities(of: &Coverage) -> Markup {
    let counts = [
        (of.repeated_outcomes, "repeated", "more than one outcome row; the latest known one counts"),
        (of.contradictory_outcomes, "contradictory", "of those, the rows that disagree"),
        (
            of.undecided_outcomes,
            "undecided",
            "of those, the latest rows disagree and are of the same instant, so that none corrects the other",
        ),
        (
            of.early_outcomes,
            "early",
            "dated before the prediction itself: a sign of leakage or of wrong clocks",
        ),
        (of.orphan_outcomes, "orphan", "outcome ids that no prediction has"),
    ];
    html! {
        dl.oddities {
            @for (count, name, meaning) in counts {
                div.zero[count == 0] { dt { strong { (format::count(count)) } " " (name) } dd { (meaning) } }
            }
        }
    }
}
