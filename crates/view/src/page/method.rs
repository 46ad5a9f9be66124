//! How it was measured: limits and where they come from, methods, data, and the proof.

use maud::{Markup, html};
use types::evidence::{DatasetVersion, Hashed};
use types::finding::{Detail, Finding, Measure, Threshold};
use types::{Digest, format};

use super::measures;
use crate::words;

/// The different limits of a report, in order of appearance.
pub(crate) fn limits(findings: &[&Finding]) -> Markup {
    let mut rows: Vec<(&'static str, &Threshold, &str)> = Vec::new();
    for finding in findings {
        for threshold in &finding.thresholds {
            let unit = words::unit_of(finding.detail.as_ref(), &threshold.measure);
            let row = (finding.check.name(), threshold, unit);
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    if rows.is_empty() {
        return html! { p.empty { "No limit was applied. Limits are set in the definition, under " code { "[monitor]" } " and " code { "[evaluate]" } "." } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Limits" {
            table {
                thead { tr { th scope="col" { "Check" } th scope="col" { "Measure" } th scope="col" { "Acceptable" } th scope="col" { "Comes from" } } }
                tbody {
                    @for (check, threshold, unit) in rows {
                        tr {
                            td { code { (check) } }
                            td { (words::measure_title(&threshold.measure)) }
                            td.figure { (words::bound_in(unit, threshold)) }
                            td.sub { (threshold.from) }
                        }
                    }
                }
            }
        }
    }
}

/// Each statistic once, with its methods.
pub(crate) fn methods(findings: &[&Finding]) -> Markup {
    let mut rows: Vec<(&str, String, Option<&'static str>)> = Vec::new();
    for measure in findings.iter().copied().flat_map(own_measures) {
        let row = (measure.name.as_str(), measures::method(measure), interval_method(measure));
        let known =
            rows.iter().any(|known| known.0 == row.0 && known.2 == row.2 && same_method(&known.1, &row.1));
        if !known {
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return html! { p.empty { "Nothing was computed." } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Methods" {
            table {
                thead { tr { th scope="col" { "Measure" } th scope="col" { "Computed as" } th scope="col" { "Interval" } } }
                tbody {
                    @for (name, method, interval) in rows {
                        tr { td { (words::measure_title(name)) } td { (method) } td.sub { (interval.unwrap_or("–")) } }
                    }
                }
            }
        }
    }
}

/// The measures of a finding that do not just accompany another one as its reference value.
fn own_measures(finding: &Finding) -> impl Iterator<Item = &Measure> {
    let own = finding.measures.iter().filter(|measure| !measures::is_reference(finding, measure));
    own.chain(finding.detail.iter().flat_map(measures_of))
}

/// One of each kind of measure that the pictures of an evaluation rest on.
fn measures_of(detail: &Detail) -> Vec<&Measure> {
    let measures: Vec<Option<&Measure>> = match detail {
        Detail::Segments { rows, .. } => vec![rows.iter().find_map(|row| row.shrunken.as_ref())],
        Detail::Reliability { more, .. } => vec![
            more.gaps.first().map(|row| &row.gap),
            more.quantiles.first().map(|row| &row.covered),
            more.quantiles.iter().find_map(|row| row.pinball.as_ref()),
        ],
        Detail::Slices(of) => {
            of.slices.first().map_or_else(Vec::new, |of| vec![Some(&of.mean_loss), Some(&of.lift)])
        }
        Detail::Errors(of) => {
            let rates = of.rates.iter().map(|row| Some(&row.rate));
            rates.chain([of.residuals.first().map(|row| &row.residual)]).collect()
        }
        Detail::Tail(of) => vec![
            of.deciles.iter().find_map(|row| row.mean_loss.as_ref()),
            of.pools.iter().find_map(|row| row.lift.as_ref()),
        ],
        Detail::Fairness(of) => {
            of.criteria.iter().flat_map(|row| [row.difference.as_ref(), row.ratio.as_ref()]).collect()
        }
        Detail::Comparison(of) => {
            let metrics = of.metrics.iter().map(|row| Some(&row.difference));
            metrics.chain([of.slices.first().map(|row| &row.difference)]).collect()
        }
        _ => Vec::new(),
    };
    measures.into_iter().flatten().collect()
}

/// Whether two methods are the same but for the error bound.
fn same_method(one: &str, other: &str) -> bool {
    let name = |text: &str| text.split(", within ±").next().unwrap_or_default().to_owned();
    name(one) == name(other)
}

fn interval_method(measure: &Measure) -> Option<&'static str> {
    measure.interval.as_ref().map(|interval| interval.method.name())
}

pub(crate) fn datasets(datasets: &[DatasetVersion]) -> Markup {
    if datasets.is_empty() {
        return html! { p.empty { "No dataset version was recorded." } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Datasets" {
            table {
                thead { tr { th scope="col" { "Dataset" } th.num scope="col" { "Files" } th.num scope="col" { "Bytes" } th scope="col" { "SHA-256" } } }
                tbody {
                    @for dataset in datasets {
                        tr {
                            td { (dataset.name) }
                            td.num { (format::count(dataset.files)) }
                            td.num { (format::count(dataset.bytes)) }
                            td {
                                code.digest { (dataset.digest) }
                                @if dataset.hashed == Hashed::Etag { " over the objects' ETags" }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What proves that the findings of a report are those that were recorded.
pub(crate) struct Proof<'a> {
    /// The end of the evidence chain, `COUNT:HASH`.
    pub(crate) checkpoint: &'a str,
    /// How many of its records the run added, where the report says so.
    pub(crate) added: Option<usize>,
    pub(crate) definition: Digest,
    /// RFC 3339.
    pub(crate) as_of: String,
    pub(crate) program: &'a str,
    pub(crate) format: u32,
}

pub(crate) fn proof(of: &Proof<'_>) -> Markup {
    let records = of.checkpoint.split_once(':').and_then(|(records, _)| records.parse().ok());
    html! {
        p.prose {
            "Every finding of this report is a record of an evidence chain; each record carries the hash of the one before it. "
            "Keep the checkpoint somewhere else: with it, " code { "forewarn verify" } " proves that nothing was changed or removed."
        }
        dl.proof {
            div { dt { "Evidence records" } dd {
                @match records {
                    Some(records) => { (format::count(records)) @if let Some(added) = of.added { ", of which this run added " (added) } },
                    None => "not recorded",
                }
            } }
            div { dt { "Checkpoint" } dd { code.digest { (of.checkpoint) } } }
            div { dt { "Definition (SHA-256)" } dd { code.digest { (of.definition) } } }
            div { dt { "Outcomes known by" } dd { (words::minute(&of.as_of)) } }
            div { dt { "Windows" } dd { "begin with the first instant and end before the last one, in UTC" } }
            div { dt { "Program" } dd { (of.program) ", report format " (of.format) } }
        }
    }
}
