//! How good the model is on average: every metric with its interval, now and in the reference.

mod averages;

use maud::{Markup, html};
use types::CheckId;
use types::finding::{Detail, Finding, Measure};
use types::format;
use types::report::CheckReport;

use super::findings_of;
use super::over_time::over_time;
use crate::chart::{Scale, lane};
use crate::page::measures::{guides, is_reference, limits, measure_label, reference_of, said, unmeasured};
use crate::page::{Section, verdicts};
use crate::words;

pub(super) fn section(report: &CheckReport) -> Option<Section> {
    let findings = findings_of(report, CheckId::Performance);
    let monitored = findings_of(report, CheckId::PerformanceOverTime);
    let all: Vec<&Finding> = findings.iter().chain(&monitored).copied().collect();
    if all.is_empty() {
        return None;
    }
    Some(Section {
        id: "performance",
        title: "Performance",
        short: "Performance",
        question: "How good are the predictions on average, and is that still as good as before?",
        verdicts: verdicts(&all),
        body: html! {
            @for finding in &findings { (one(finding)) }
            @for finding in &monitored { (over_time(finding)) }
        },
    })
}

fn one(finding: &Finding) -> Markup {
    html! {
        (said(finding))
        @if finding.measures.is_empty() {
            p.empty { "No metric could be computed. Metrics need outcomes: name them under " code { "[log] outcome" } ", or wait until more are known." }
        } @else {
            p.legend {
                span { span.key.dot {} "current window, with interval" }
                @if finding.measures.iter().any(|measure| is_reference(finding, measure)) {
                    span { span.key.reference-line {} "reference window" }
                }
                span { span.key.limit {} "limit" }
                span { "each row has a scale of its own" }
            }
            (metrics(finding))
        }
        @if let Some(Detail::Averages(of)) = &finding.detail { (averages::averages(of)) }
        (unmeasured(finding))
    }
}

fn metrics(finding: &Finding) -> Markup {
    let shown = finding.measures.iter().filter(|measure| !is_reference(finding, measure));
    let headline = finding.measures.first().map(|measure| measure.name.as_str());
    let references = finding.measures.iter().any(|measure| is_reference(finding, measure));
    html! {
        table.metrics {
            thead { tr {
                th scope="col" { "Metric" }
                th.num scope="col" { "Value" }
                th.plot scope="col" { span.visually-hidden { "Interval, drawn" } }
                th.num.wide scope="col" { "Interval" }
                @if references { th.num scope="col" { "Reference" } }
                th.num.wide scope="col" { "Rows" }
            } }
            tbody {
                @for measure in shown {
                    (metric_row(finding, measure, headline == Some(measure.name.as_str()), references))
                }
            }
        }
    }
}

fn metric_row(finding: &Finding, measure: &Measure, headline: bool, references: bool) -> Markup {
    let name = measure.name.as_str();
    html! {
        tr.headline[headline] {
            th scope="row" {
                (words::measure_title(name))
                @if !limits(finding, name).is_empty() { span.tag { "decides the verdict" } }
                @if let Some(meaning) = words::measure_meaning(name) {
                    span.sub { (meaning) @if let Some(better) = words::better(name) { "; " (better) } "." }
                }
            }
            td.num.value {
                (words::measure_value(name, measure.value))
                @if let Some(interval) = words::interval(measure) { span.sub.narrow { (interval) } }
            }
            td.plot { (metric_lane(finding, measure)) }
            td.num.wide { (words::interval(measure).unwrap_or_else(|| "–".into())) }
            @if references { td.num { @match reference_of(finding, name) {
                Some(of) => { (words::measure_value(name, of.value)) @if let Some(range) = words::interval_in(name, of) { span.sub.below { (range) } } },
                None => "–",
            } } }
            td.num.wide { (format::count(measure.n)) }
        }
    }
}

fn metric_lane(finding: &Finding, measure: &Measure) -> Markup {
    let guides = guides(finding, measure);
    let ends = measure.interval.as_ref().map(|interval| (interval.lower, interval.upper));
    if guides.is_empty() && ends.is_none() {
        return html! {};
    }
    let shown = ends.map(|(lower, upper)| [lower, upper]).into_iter().flatten();
    let scale = Scale::around(shown.chain([measure.value]).chain(guides.iter().map(|guide| guide.at)));
    lane(&scale, measure.value, ends, &guides, &measure_label(measure))
}
