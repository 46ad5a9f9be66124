//! A column over time: how its values lie, how far that is from the reference, window by window.

use maud::{Markup, html};
use types::finding::{Distribution, Finding};
use types::monitor_report::ColumnHistory;
use types::{CheckId, Window, format};

use super::frame::{Content, part};
use super::series::{headline, over_windows};
use super::table::{Cell, Column, Table};
use super::{Frame, SystemRef, link};
use crate::chart::histogram;
use crate::monitoring::distributions;
use crate::page::effect::{alarm_stands, chosen_because, distribution, origin};
use crate::page::measures::{breakable, prose};
use crate::page::verdict;
use crate::words;

/// Windows whose histograms are shown before the others are folded away.
const WINDOWS_SHOWN: usize = 6;

/// One column in every window.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnPage {
    pub system: SystemRef,
    /// Ascending; one for each finding of the history.
    pub windows: Vec<Window>,
    pub history: ColumnHistory,
}

impl ColumnPage {
    pub fn tables(&self) -> Vec<Table> {
        let rows = self.windows.iter().zip(&self.history.findings).rev();
        vec![Table {
            name: "windows",
            caption: format!("{}, every window", self.history.subject.label()),
            columns: vec![
                Column::text("window", "Window"),
                Column::text("verdict", "Verdict"),
                Column::number("distance", "Distance"),
                Column::number("missing_share", "Missing"),
                Column::number("rows", "Rows"),
                Column::text("summary", "What it means"),
            ],
            rows: rows.map(|(window, finding)| cells(*window, finding.as_ref())).collect(),
            empty: "This column was not looked at in any window yet.".into(),
        }]
    }

    fn findings(&self) -> Vec<&Finding> {
        self.history.findings.iter().flatten().collect()
    }
}

fn cells(window: Window, finding: Option<&Finding>) -> Vec<Cell> {
    let Some(of) = finding else {
        let empty = std::iter::repeat_n(Cell::Empty, 5);
        return std::iter::once(Cell::Window(window)).chain(empty).collect();
    };
    let shares = distribution(of);
    vec![
        Cell::Window(window),
        Cell::Verdict(of.verdict),
        super::series::value_cell(of),
        shares.map_or(Cell::Empty, |shares| Cell::Number {
            value: shares.current_missing,
            text: format::percent(shares.current_missing),
            remark: String::new(),
        }),
        shares.map_or(Cell::Empty, |shares| Cell::Count(shares.current_n)),
        Cell::Prose(of.summary.clone()),
    ]
}

pub fn page(frame: &Frame, of: &ColumnPage) -> String {
    let id = &of.system.id;
    let label = of.history.subject.label();
    let findings = of.findings();
    let last = findings.last().copied();
    frame.document(&Content {
        title: format!("{label} · {}", of.system.name),
        crumbs: vec![("Systems", link::OVERVIEW.into()), (&of.system.name, link::system(id))],
        place: link::OVERVIEW,
        topics: format!("system:{id}"),
        heading: html! { (breakable(&label)) @if let Some(last) = last { " " (verdict::chip(last.verdict)) } },
        lead: origin(&of.history.subject).map(|origin| html! { "from " (origin) }),
        actions: Some(html! {
            a.button href=(link::series(id, CheckId::Drift, Some(&of.history.subject))) { "The check over time" }
            a.button href=(link::evidence_of(id, Some(CheckId::Drift), None)) { "Evidence" }
        }),
        body: html! {
            @if let Some(last) = last { (newest(last)) }
            (values(of))
            (distance(&findings))
            (histograms(&label, &findings))
            (part("windows", "Every window", &html! {}, &of.tables().remove(0).html(&frame.path)))
        },
    })
}

fn newest(of: &Finding) -> Markup {
    html! {
        section aria-label="The newest window" {
            p.sentence.large { (prose(&of.summary)) }
            p.sub {
                "In " (words::window_text(of.window)) ". "
                @if let Some(why) = chosen_because(of) { (why) " " }
                @if alarm_stands(of) { "It has surely changed since the reference." }
            }
        }
    }
}

fn values(of: &ColumnPage) -> Markup {
    part(
        "values",
        "How the values lie",
        &html! {},
        &html! {
            (distributions::legend())
            div.one-multiple { (distributions::chart(&of.history, &of.windows)) }
        },
    )
}

fn distance(findings: &[&Finding]) -> Markup {
    let Some(name) = findings.iter().rev().find_map(|of| headline(of)).map(|measure| measure.name.as_str())
    else {
        return html! {};
    };
    let title = words::measure_title(name);
    part(
        "distance",
        "How far from the reference",
        &verdict::counts(&findings.iter().map(|of| of.verdict).collect::<Vec<_>>()),
        &html! {
            figure.series-of.wide-chart {
                figcaption { span.name { (words::sentence_case(&title)) } }
                div.plotted { (over_windows(&title, name, findings)) }
            }
        },
    )
}

fn histograms(label: &str, findings: &[&Finding]) -> Markup {
    let drawn: Vec<(&Finding, &Distribution)> =
        findings.iter().rev().filter_map(|of| Some((*of, distribution(of)?))).collect();
    if drawn.is_empty() {
        return html! {};
    }
    let (shown, folded) = drawn.split_at(drawn.len().min(WINDOWS_SHOWN));
    let figures = |of: &[(&Finding, &Distribution)]| {
        html! { div.multiples { @for (finding, shares) in of {
            figure.multiple {
                figcaption { span.name { (words::window_text(finding.window)) } (verdict::chip(finding.verdict)) }
                (histogram(&format!("{label} in {}", words::window_text(finding.window)), shares))
            }
        } } }
    };
    part(
        "histograms",
        "Window by window",
        &html! {},
        &html! {
            p.legend { span { span.key.reference {} "reference" } span { span.key.current {} "window" } }
            (figures(shown))
            @if !folded.is_empty() { details.fold { summary { (format!("{} earlier windows", folded.len())) } (figures(folded)) } }
        },
    )
}
