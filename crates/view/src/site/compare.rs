//! Two windows side by side: what got worse, what got better, what stayed.

use maud::{Markup, html};
use types::CheckId;
use types::finding::Finding;
use types::{Subject, Window, format};

use super::frame::{Content, part};
use super::series::headline;
use super::table::{Cell, Column, Table};
use super::{Frame, SystemRef, form, link};
use crate::page::measures::breakable;
use crate::page::verdict;
use crate::words;

/// The findings of two windows of one system.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparePage {
    pub system: SystemRef,
    /// Windows to choose from, ascending.
    pub windows: Vec<Window>,
    /// The two that were chosen; the last two where none were. `None` where there are less than two.
    pub chosen: Option<(Window, Window)>,
    pub rows: Vec<CompareRow>,
}

/// What one check says of one subject in both windows.
#[derive(Clone, Debug, PartialEq)]
pub struct CompareRow {
    pub check: CheckId,
    pub subject: Subject,
    pub a: Option<Finding>,
    pub b: Option<Finding>,
}

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Worse,
    Better,
    Same,
    /// In one of the windows it was not looked at.
    OneSided,
}

impl CompareRow {
    fn change(&self) -> Change {
        match (&self.a, &self.b) {
            (Some(a), Some(b)) if a.verdict < b.verdict => Change::Worse,
            (Some(a), Some(b)) if a.verdict > b.verdict => Change::Better,
            (Some(_), Some(_)) => Change::Same,
            _ => Change::OneSided,
        }
    }

    fn cells(&self, system: &str) -> Vec<Cell> {
        let verdict = |of: &Option<Finding>| of.as_ref().map_or(Cell::Empty, |of| Cell::Verdict(of.verdict));
        let value = |of: &Option<Finding>| of.as_ref().map_or(Cell::Empty, super::series::value_cell);
        vec![
            Cell::link(self.subject.label(), link::subject(system, self.check, &self.subject)),
            Cell::Text(words::check_title(self.check).into()),
            verdict(&self.a),
            verdict(&self.b),
            value(&self.a),
            value(&self.b),
            difference(self),
        ]
    }
}

/// By how much the value moved; only where both are of the same measure.
fn difference(row: &CompareRow) -> Cell {
    let both = row.a.as_ref().and_then(headline).zip(row.b.as_ref().and_then(headline));
    let Some((a, b)) = both.filter(|(a, b)| a.name == b.name) else {
        return Cell::Empty;
    };
    let value = b.value - a.value;
    let text = words::measure_value(&b.name, value);
    Cell::Number { value, text: if value > 0.0 { format!("+{text}") } else { text }, remark: String::new() }
}

impl ComparePage {
    pub fn tables(&self) -> Vec<Table> {
        vec![self.table("comparison", "Both windows".into(), self.rows.iter().collect())]
    }

    fn table(&self, name: &'static str, caption: String, mut rows: Vec<&CompareRow>) -> Table {
        rows.sort_by_key(|row| std::cmp::Reverse(row.b.as_ref().map(|of| of.verdict)));
        Table {
            name,
            caption,
            columns: vec![
                Column::text("subject", "About"),
                Column::text("check", "Check"),
                Column::text("verdict_a", "A"),
                Column::text("verdict_b", "B"),
                Column::number("value_a", "Value A"),
                Column::number("value_b", "Value B"),
                Column::number("difference", "Difference"),
            ],
            rows: rows.into_iter().map(|row| row.cells(&self.system.id)).collect(),
            empty: "Nothing was looked at in these windows.".into(),
        }
    }

    fn of(&self, change: Change) -> Vec<&CompareRow> {
        self.rows.iter().filter(|row| row.change() == change).collect()
    }
}

pub fn page(frame: &Frame, of: &ComparePage) -> String {
    let id = &of.system.id;
    frame.document(&Content {
        title: format!("Two windows · {}", of.system.name),
        crumbs: vec![("Systems", link::OVERVIEW.into()), (&of.system.name, link::system(id))],
        place: link::OVERVIEW,
        topics: format!("system:{id}"),
        heading: html! { (heading(of)) },
        lead: of.chosen.map(|(a, b)| html! { strong { "A" } " " (words::window_text(a)) ", " strong { "B" } " " (words::window_text(b)) }),
        body: html! {
            (choose(of))
            @if of.chosen.is_some() {
                (changed(frame, of, Change::Worse, "worse", "Got worse"))
                (changed(frame, of, Change::Better, "better", "Got better"))
                (changed(frame, of, Change::Same, "same", "Same verdict"))
                (changed(frame, of, Change::OneSided, "one-sided", "Looked at in one of them only"))
            }
        },
        ..Content::default()
    })
}

fn heading(of: &ComparePage) -> String {
    let [worse, better] = [Change::Worse, Change::Better].map(|change| of.of(change).len());
    match (of.chosen, worse, better) {
        (None, ..) => "Two windows side by side".into(),
        (Some(_), 0, 0) => "No verdict changed".into(),
        (Some(_), worse, 0) => format!("{worse} got worse, none better"),
        (Some(_), 0, better) => format!("{better} got better, none worse"),
        (Some(_), worse, better) => format!("{worse} got worse, {better} better"),
    }
}

fn choose(of: &ComparePage) -> Markup {
    if of.windows.len() < 2 {
        return html! { p.empty.panel { "It takes two windows to compare, and there are " (of.windows.len()) ". More come with the schedule: see " a href=(link::JOBS) { "jobs" } "." } };
    }
    let options: Vec<_> =
        of.windows.iter().rev().map(|window| (window.to_string(), words::window_text(*window))).collect();
    let chosen = |window: Option<Window>| window.map(|window| window.to_string()).unwrap_or_default();
    html! {
        form.filter.wide-form method="get" action=(link::compare(&of.system.id, None, None)) {
            (form::select("window-a", "a", "Window A", &options, &chosen(of.chosen.map(|(a, _)| a))))
            (form::select("window-b", "b", "Window B", &options, &chosen(of.chosen.map(|(_, b)| b))))
            button type="submit" { "Compare" }
            @if let Some((a, b)) = of.chosen { a.button href=(link::compare(&of.system.id, Some(b), Some(a))) { "Swap" } }
        }
    }
}

fn changed(frame: &Frame, of: &ComparePage, change: Change, id: &'static str, title: &str) -> Markup {
    let rows = of.of(change);
    if rows.is_empty() {
        return html! {};
    }
    let aside = html! { p.sub { (format::counted(rows.len() as u64, "finding", "findings")) } };
    let is_table = matches!(change, Change::Same | Change::OneSided);
    part(
        id,
        title,
        &aside,
        &html! {
            @if is_table {
                details.fold { summary { "Show them" } (of.table("comparison", title.into(), rows).html(&frame.path)) }
            } @else {
                ul.changed { @for row in &rows { (side_by_side(&of.system.id, row)) } }
            }
        },
    )
}

fn side_by_side(system: &str, row: &CompareRow) -> Markup {
    let side = |name: &str, of: &Option<Finding>| {
        html! {
            div.side {
                span.letter { (name) }
                @if let Some(of) = of { (verdict::chip(of.verdict)) (value(of)) } @else { span.sub { "not looked at" } }
            }
        }
    };
    html! {
        li {
            h3 { a href=(link::subject(system, row.check, &row.subject)) { (breakable(&row.subject.label())) } span.sub { (words::check_title(row.check)) } }
            div.sides { (side("A", &row.a)) span.arrow aria-hidden="true" { "→" } (side("B", &row.b)) }
            @if let Some(b) = &row.b { p.sentence { (crate::page::measures::prose(&b.summary)) } }
        }
    }
}

fn value(of: &Finding) -> Markup {
    html! {
        @if let Some(measure) = headline(of) {
            span.value { (words::measure_value(&measure.name, measure.value)) span.sub { (words::measure_title(&measure.name)) } }
        }
    }
}
