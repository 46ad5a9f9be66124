//! The numbers of a finding: as a table, as guides of a chart, as a tooltip.

use maud::{Markup, html};
use types::finding::{Finding, Measure};
use types::format;

use super::verdict;
use crate::chart::{Guide, GuideKind};
use crate::words;

/// Verdict and sentence side by side, and who answers for it.
pub(crate) fn said(finding: &Finding) -> Markup {
    html! {
        div.verdict-line {
            (verdict::chip(finding.verdict))
            div {
                p.sentence { (prose(&finding.summary)) }
                @if let Some(owner) = &finding.owner { p.owner.sub { "Owner: " (owner) } }
            }
        }
    }
}

/// All measures with their methods, folded away.
pub(crate) fn more(finding: &Finding) -> Markup {
    html! {
        @if !finding.measures.is_empty() { details.more { summary { "All measures" } (table(finding)) } }
        (unmeasured(finding))
    }
}

/// A finding in full: verdict, subject, sentence, numbers.
pub(crate) fn panel(finding: &Finding) -> Markup {
    html! {
        article.panel.finding {
            div.finding-head {
                h3 { (breakable(&finding.subject.label())) }
                (verdict::chip(finding.verdict))
            }
            p.sentence { (prose(&finding.summary)) }
            (figures(finding))
            (unmeasured(finding))
        }
    }
}

/// The measures, large and side by side.
pub(crate) fn figures(finding: &Finding) -> Markup {
    html! { dl.numbers { @for measure in &finding.measures { (figure(finding, measure)) } } }
}

fn figure(finding: &Finding, measure: &Measure) -> Markup {
    let unit = words::unit_of(finding.detail.as_ref(), &measure.name);
    html! {
        div {
            dt { (words::measure_title(&measure.name)) }
            dd {
                strong { (words::measure_value(unit, measure.value)) }
                span.sub { @if let Some(interval) = words::interval_in(unit, measure) { (interval) ", " } (format::counted(measure.n, "row", "rows")) }
            }
        }
    }
}

/// A sentence of a finding, names between backticks set as code.
pub(crate) fn prose(text: &str) -> Markup {
    html! {
        @for (is_name, part) in words::names_marked(text) {
            @if is_name { code { (part) } } @else { (words::with_units(part)) }
        }
    }
}

/// Why there is no interval, under a value.
pub(crate) fn without_interval(why: &str) -> Markup {
    html! { span.sub.below.why { "no interval: " (why) } }
}

/// A name that may wrap after its separators, though not inside of a number.
pub(crate) fn breakable(name: &str) -> Markup {
    html! {
        @for part in parts(name) { (part) wbr; }
    }
}

/// A name cut after its separators; one with a digit after it is part of a number, as in `up to 52.52` and `-5`.
fn parts(name: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, separator) in name.match_indices(['_', '.', '-', '/']) {
        let after = at + separator.len();
        let is_of_number =
            matches!(separator, "." | "-") && name[after..].starts_with(|c: char| c.is_ascii_digit());
        if !is_of_number {
            parts.push(&name[from..after]);
            from = after;
        }
    }
    parts.push(&name[from..]);
    parts
}

/// All measures of a finding; columns that no measure fills are left out.
pub(crate) fn table(finding: &Finding) -> Markup {
    let measures = &finding.measures;
    if measures.is_empty() {
        return html! {};
    }
    let interval = measures.iter().any(|measure| measure.interval.is_some());
    let chance = measures.iter().any(|measure| measure.expected_by_chance.is_some());
    let p = measures.iter().any(|measure| measure.p_value.is_some() || measure.p_adjusted.is_some());
    html! {
        div.scroll tabindex="0" role="region" aria-label="Measures" {
            table.measures {
                thead { tr {
                    th scope="col" { "Measure" }
                    th.num scope="col" { "Value" }
                    @if interval { th.num scope="col" { "Interval" } }
                    @if chance { th.num scope="col" { "By chance" } }
                    @if p { th.num scope="col" { "p" } th.num scope="col" { "p adjusted" } }
                    th.num scope="col" { "Rows" }
                    th scope="col" { "Method" }
                } }
                tbody {
                    @for measure in measures {
                        @let unit = words::unit_of(finding.detail.as_ref(), &measure.name);
                        tr {
                            th scope="row" { (words::measure_title(&measure.name)) }
                            td.num { (words::measure_value(unit, measure.value)) }
                            @if interval { td.num { (words::interval_in(unit, measure).unwrap_or_default()) } }
                            @if chance { td.num { (optional(measure.expected_by_chance, format::number)) } }
                            @if p {
                                td.num { (optional(measure.p_value, format::p_value)) }
                                td.num { (optional(measure.p_adjusted, format::p_value)) }
                            }
                            td.num { (format::count(measure.n)) }
                            td.sub { (method(measure)) }
                        }
                    }
                }
            }
        }
    }
}

fn optional(value: Option<f64>, text: impl Fn(f64) -> String) -> String {
    value.map(text).unwrap_or_default()
}

/// How it was computed, and how far off it can be.
pub(crate) fn method(measure: &Measure) -> String {
    if measure.error_bound > 0.0 {
        format!("{}, within ±{}", measure.method, format::number(measure.error_bound))
    } else {
        measure.method.clone()
    }
}

/// What could not be computed, and why.
pub(crate) fn unmeasured(finding: &Finding) -> Markup {
    html! {
        @if !finding.unmeasured.is_empty() {
            ul.unmeasured {
                @for missing in &finding.unmeasured {
                    li { (verdict::icon(types::Verdict::Unknown)) span { (words::measure_title(&missing.name)) " not measured: " (prose(&missing.reason)) } }
                }
            }
        }
    }
}

/// The lines that a value is read against: its limits, and its value in the reference window.
pub(crate) fn guides(finding: &Finding, measure: &Measure) -> Vec<Guide> {
    let limits = limits(finding, &measure.name).into_iter().map(|at| Guide { at, kind: GuideKind::Limit });
    let reference = reference_of(finding, &measure.name);
    limits.chain(reference.map(|of| Guide { at: of.value, kind: GuideKind::Reference })).collect()
}

/// The limits that the definition sets for a measure.
pub(crate) fn limits(finding: &Finding, measure: &str) -> Vec<f64> {
    let of = finding.thresholds.iter().filter(|threshold| threshold.measure == measure);
    of.flat_map(|threshold| [threshold.at_least, threshold.at_most]).flatten().collect()
}

/// The same statistic in the reference window, recorded as `reference_NAME`.
pub(crate) fn reference_of<'a>(finding: &'a Finding, name: &str) -> Option<&'a Measure> {
    finding.measures.iter().find(|measure| is_reference_of(&measure.name, name))
}

fn is_reference_of(candidate: &str, name: &str) -> bool {
    candidate.strip_prefix("reference_") == Some(name)
}

/// Whether a measure only accompanies another one of the finding as its reference value.
pub(crate) fn is_reference(finding: &Finding, measure: &Measure) -> bool {
    finding.measures.iter().any(|other| is_reference_of(&measure.name, &other.name))
}

/// `ROC AUC 0.702 (0.690 – 0.714), 5,412 rows`.
pub(crate) fn measure_label(measure: &Measure) -> String {
    let (title, value) =
        (words::measure_title(&measure.name), words::measure_value(&measure.name, measure.value));
    let interval = words::interval(measure).map(|interval| format!(" ({interval})")).unwrap_or_default();
    format!("{title} {value}{interval}, {}", format::counted(measure.n, "row", "rows"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_after_separators_and_a_number_is_not() {
        for (name, expected) in [
            ("dewp over 42.89 up to 52.52", &["dewp over 42.89 up to 52.52"][..]),
            ("day_part = Exec-managerial", &["day_", "part = Exec-", "managerial"]),
            ("at -5 or 1.5", &["at -5 or 1.5"]),
            ("a/b.c", &["a/", "b.", "c"]),
            ("", &[""]),
        ] {
            assert_eq!(parts(name), expected);
        }
    }
}
