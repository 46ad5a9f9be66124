//! A window of monitoring inside a check: what outcomes say, beside what was estimated without them.

use maud::{Markup, html};
use types::finding::{Detail, Finding, Measure, WindowPerformance};
use types::format;

use crate::chart::{Guide, Scale, lane};
use crate::maturity;
use crate::page::measures::{measure_label, prose, table, unmeasured};
use crate::page::{performance, verdict};
use crate::words;

/// One finding, under the metrics of the check.
pub(super) fn over_time(finding: &Finding) -> Markup {
    html! {
        article.over-time {
            h3.group { "Monitored: " (words::window_text(finding.window)) }
            div.verdict-line { (verdict::chip(finding.verdict)) p.sentence { (prose(&finding.summary)) } }
            @match &finding.detail {
                Some(Detail::Performance(of)) => (beside_each_other(finding, of)),
                _ => (table(finding)),
            }
            (unmeasured(finding))
        }
    }
}

fn beside_each_other(finding: &Finding, of: &WindowPerformance) -> Markup {
    let rows: Vec<(&str, &Measure)> = [
        ("from outcomes", &of.realised),
        ("estimated without outcomes", &of.estimated),
        ("estimated, for the inputs of the window", &of.estimated_for_shift),
        ("reference window", &of.reference),
    ]
    .into_iter()
    .filter_map(|(how, measure)| Some((how, measure.as_ref()?)))
    .collect();
    let guides = performance::guides(finding, of);
    let limits = performance::limits_in_words(finding, of);
    let ends = rows.iter().flat_map(|(_, measure)| {
        let ends = measure.interval.as_ref().map(|interval| [interval.lower, interval.upper]);
        ends.into_iter().flatten().chain([measure.value])
    });
    let scale = Scale::around(ends.chain(guides.iter().map(|guide| guide.at)));
    html! {
        p.outcomes { (verdict::maturity_chip(of.maturity.state)) span.sub { (maturity::coverage(&of.maturity)) } }
        @if let Some(delay) = maturity::delay(&of.maturity) { p.sub { (delay) } }
        @if !rows.is_empty() {
            p.legend {
                span { span.key.dot {} "with interval" }
                @if of.reference.is_some() { span { span.key.reference-line {} "reference window" } }
                @if !limits.is_empty() { span { span.key.limit {} (limits.join(", ")) } }
            }
            table.metrics {
                thead { tr {
                    th scope="col" { (words::measure_title(&of.metric)) }
                    th.num scope="col" { "Value" }
                    th.plot scope="col" { span.visually-hidden { "Interval, drawn" } }
                    th.num.wide scope="col" { "Interval" }
                    th.num.wide scope="col" { "Rows" }
                } }
                tbody { @for (how, measure) in rows { (row(how, measure, &scale, &guides)) } }
            }
        }
    }
}

fn row(how: &str, measure: &Measure, scale: &Scale, guides: &[Guide]) -> Markup {
    let ends = measure.interval.as_ref().map(|interval| (interval.lower, interval.upper));
    html! {
        tr {
            th scope="row" { (how) }
            td.num.value {
                (words::measure_value(&measure.name, measure.value))
                @if let Some(interval) = words::interval(measure) { span.sub.narrow { (interval) } }
            }
            td.plot { (lane(scale, measure.value, ends, guides, &format!("{how}: {}", measure_label(measure)))) }
            td.num.wide { (words::interval(measure).unwrap_or_else(|| "–".into())) }
            td.num.wide { (format::count(measure.n)) }
        }
    }
}
