//! How it was measured: limits and where they come from, methods, data, and the proof.

use maud::{Markup, html};
use types::evidence::{DatasetVersion, Hashed};
use types::finding::{Detail, Finding, Measure, Threshold};
use types::nearest::listed;
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

/// Each method once, with what it was used for.
pub(crate) fn methods(findings: &[&Finding]) -> Markup {
    let mut rows: Vec<Method> = Vec::new();
    for finding in findings {
        let of = finding.subject.label();
        for measure in own_measures(finding) {
            let method = Method::of(measure);
            match rows.iter_mut().find(|known| known.is_same(&method)) {
                Some(known) => known.add(&method, &of),
                None => rows.push(Method { of: vec![of.clone()], ..method }),
            }
        }
    }
    // The rows of one statistic stand together, in the order in which it appears first.
    let names: Vec<&str> = rows.iter().map(|row| row.name).collect();
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&at| names.iter().position(|name| *name == names[at]));
    if rows.is_empty() {
        return html! { p.empty { "Nothing was computed." } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label="Methods" {
            table.methods {
                thead { tr { th scope="col" { "Measure" } th scope="col" { "Computed as" } th scope="col" { "Interval" } th scope="col" { "Of" } } }
                tbody { @for at in order { (rows[at].row()) } }
            }
        }
    }
}

/// Columns and other subjects that a row names before it counts.
const SUBJECTS_NAMED: usize = 4;

/// How a statistic was computed; the numbers in its words may differ from one column to the next.
struct Method<'a> {
    name: &'a str,
    /// What stands between the numbers; there is one more of these.
    words: Vec<&'a str>,
    /// The least and the largest number at each place, as they are written.
    numbers: Vec<[&'a str; 2]>,
    error_bound: f64,
    interval: Option<&'static str>,
    of: Vec<String>,
}

impl<'a> Method<'a> {
    fn of(measure: &'a Measure) -> Self {
        let (words, numbers) = taken_apart(&measure.method);
        Self {
            name: &measure.name,
            words,
            numbers: numbers.into_iter().map(|number| [number; 2]).collect(),
            error_bound: measure.error_bound,
            interval: interval_method(measure),
            of: Vec::new(),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.name, self.interval, &self.words) == (other.name, other.interval, &other.words)
    }

    fn add(&mut self, other: &Self, of: &str) {
        if !self.of.iter().any(|known| known == of) {
            self.of.push(of.to_owned());
        }
        self.error_bound = self.error_bound.max(other.error_bound);
        let size = |number: &str| number.replace(',', "").parse::<f64>().unwrap_or(0.0);
        for ([least, largest], [number, _]) in self.numbers.iter_mut().zip(&other.numbers) {
            if size(number) < size(least) {
                *least = number;
            }
            if size(number) > size(largest) {
                *largest = number;
            }
        }
    }

    /// `3 to 15 bins at quantiles of the reference`.
    fn in_words(&self) -> String {
        let numbers = self.numbers.iter().map(|[least, largest]| {
            if least == largest { (*least).to_owned() } else { format!("{least} to {largest}") }
        });
        let mut text = String::new();
        for (words, number) in self.words.iter().zip(numbers.chain([String::new()])) {
            text.push_str(words);
            text.push_str(&number);
        }
        if self.error_bound > 0.0 {
            text.push_str(&format!(", within ±{}", format::number(self.error_bound)));
        }
        text
    }

    fn row(&self) -> Markup {
        let of = || self.of.iter().map(String::as_str);
        html! {
            tr {
                td { (words::measure_title(self.name)) }
                td { (self.in_words()) }
                td.sub { (self.interval.unwrap_or("–")) }
                td.sub title=[(self.of.len() > SUBJECTS_NAMED).then(|| of().collect::<Vec<_>>().join(", "))] {
                    (listed(of(), SUBJECTS_NAMED))
                }
            }
        }
    }
}

/// The numbers of a text, and what stands before, between and after them.
fn taken_apart(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut words, mut numbers) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(start) = rest.find(|of: char| of.is_ascii_digit()) {
        let tail = &rest[start..];
        let end = tail.find(|of: char| !of.is_ascii_digit() && of != '.' && of != ',').unwrap_or(tail.len());
        // A full stop or a comma at the end is the sentence's.
        let number = tail[..end].trim_end_matches(['.', ',']);
        words.push(&rest[..start]);
        numbers.push(number);
        rest = &tail[number.len()..];
    }
    words.push(rest);
    (words, numbers)
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

#[cfg(test)]
mod tests {
    use types::{CheckId, Subject, Verdict};

    use super::*;

    #[test]
    fn a_method_is_one_row_with_its_columns_though_its_numbers_differ() {
        let finding = |column: &str, method: &str| Finding {
            measures: vec![Measure::new("psi", 0.1, 100, method)],
            ..Finding::blank(
                CheckId::Drift,
                Subject::Column { name: column.into() },
                Verdict::Pass,
                "2024-01-01/2024-01-08".parse().unwrap(),
            )
        };
        let findings = [
            finding("a", "index over 10 bins of 1,250 rows."),
            finding("b", "index over 4 bins of 990 rows."),
            finding("c", "index over 7 values"),
            finding("d", "index over 10 bins of 1,250 rows."),
        ];
        let page = methods(&findings.iter().collect::<Vec<_>>()).into_string();
        assert_eq!(page.matches("<tr>").count(), 3, "{page}");
        assert!(page.contains("index over 4 to 10 bins of 990 to 1,250 rows."), "{page}");
        assert!(page.contains("a, b, d") && page.contains("index over 7 values"), "{page}");
    }

    #[test]
    fn a_text_is_taken_apart_at_its_numbers() {
        assert_eq!(
            taken_apart("2 of 1,000, or 0.5."),
            (vec!["", " of ", ", or ", "."], vec!["2", "1,000", "0.5"])
        );
        assert_eq!(taken_apart("none"), (vec!["none"], vec![]));
    }
}
