//! Whether a score of 30 % means 30 %.

use maud::{Markup, html};
use types::finding::{CheckId, Detail, Finding, ReliabilityRow};
use types::format;
use types::report::CheckReport;

use super::findings_of;
use crate::chart::reliability;
use crate::page::measures::{prose, table, unmeasured};
use crate::page::{Section, verdict, verdicts};

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::Calibration);
    if findings.is_empty() {
        return None;
    }
    Some(Section {
        id: "calibration",
        title: "Calibration",
        short: "Calibration",
        question: "When the model says 30 %, does it happen 30 % of the time?",
        verdicts: verdicts(&findings),
        body: html! { @for finding in &findings { (one(finding)) } },
    })
}

fn one(finding: &Finding) -> Markup {
    html! {
        div.verdict-line { (verdict::chip(finding.verdict)) p.sentence { (prose(&finding.summary)) } }
        @match &finding.detail {
            Some(Detail::Reliability { bins, .. }) if !bins.is_empty() => (diagram_and_table(bins)),
            _ => p.empty { "There is no reliability diagram: it needs outcomes for enough predictions of the window." },
        }
        (table(finding))
        (unmeasured(finding))
    }
}

fn diagram_and_table(bins: &[ReliabilityRow]) -> Markup {
    html! {
        div.calibration {
            figure {
                (reliability(bins))
                figcaption.sub { "A dot above the diagonal: it happened more often than the model said. Larger dots stand for more rows, lines are intervals." }
            }
            div.scroll tabindex="0" role="region" aria-label="Reliability by score" {
                table.bins {
                    thead { tr {
                        th scope="col" { "Score" } th.num scope="col" { "Said" } th.num scope="col" { "Happened" } th.num scope="col" { "Interval" } th.num scope="col" { "Rows" }
                    } }
                    tbody { @for bin in bins { (bin_row(bin)) } }
                }
            }
        }
    }
}

fn bin_row(bin: &ReliabilityRow) -> Markup {
    html! {
        tr {
            th scope="row" { (format::percent(bin.score_min)) " – " (format::percent(bin.score_max)) }
            td.num { (format::percent(bin.score_mean)) }
            td.num { strong { (format::percent(bin.outcome_share)) } }
            td.num.sub { (format::percent(bin.interval.lower)) " – " (format::percent(bin.interval.upper)) }
            td.num { (format::count(bin.n)) }
        }
    }
}
