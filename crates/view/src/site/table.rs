//! One table, four forms: HTML for the page, CSV and JSON for other programs, Markdown for people's notes.
//!
//! On the page a value is written as people read it; in CSV and JSON as it is, in full.

use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::{Map, Value};
use types::{Verdict, Window, format};

use super::{link, moment, status};
use crate::markdown::{code, escaped};
use crate::page::measures::{breakable, prose};
use crate::page::verdict;
use crate::words;

/// A table of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What it is asked for by, where a page has several: `?table=NAME`.
    pub name: &'static str,
    /// What it shows, for those who listen.
    pub caption: String,
    pub columns: Vec<Column>,
    /// Each row has as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// What stands there instead of no rows: why there are none, and what to do next.
    pub empty: String,
}

/// A column's key in CSV and JSON, and its title on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub key: &'static str,
    pub title: &'static str,
    pub numeric: bool,
}

impl Column {
    pub(super) const fn text(key: &'static str, title: &'static str) -> Self {
        Self { key, title, numeric: false }
    }

    pub(super) const fn number(key: &'static str, title: &'static str) -> Self {
        Self { key, title, numeric: true }
    }
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Empty,
    Text(String),
    /// A name that leads somewhere.
    Link {
        text: String,
        href: String,
    },
    /// A sentence of a finding, names between backticks.
    Prose(String),
    /// A value with how it is written, and a remark such as its interval.
    Number {
        value: f64,
        text: String,
        remark: String,
    },
    Count(u64),
    Milliseconds(u64),
    Instant(Timestamp),
    Window(Window),
    Verdict(Verdict),
    /// A state that is not a verdict, in the colours of the verdict that it amounts to.
    State {
        word: &'static str,
        like: Option<Verdict>,
    },
}

impl Cell {
    pub(super) fn link(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self::Link { text: text.into(), href: href.into() }
    }

    /// The text, or nothing.
    pub(super) fn optional(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.into()))
    }

    fn html(&self) -> Markup {
        html! {
            @match self {
                Self::Empty => span.sub { "–" },
                Self::Text(text) => (text),
                Self::Link { text, href } => a href=(href) { (breakable(text)) },
                Self::Prose(text) => (prose(text)),
                Self::Number { text, remark, .. } => {
                    span.value { (text) }
                    @if !remark.is_empty() { span.sub { (remark) } }
                },
                Self::Count(count) => (format::count(*count)),
                Self::Milliseconds(milliseconds) => (moment::duration(*milliseconds)),
                Self::Instant(at) => (moment::instant(*at)),
                Self::Window(window) => span.date { (words::window_text(*window)) },
                Self::Verdict(of) => (verdict::chip(*of)),
                Self::State { word, like } => (status::chip(word, *like)),
            }
        }
    }

    /// As another program reads it.
    fn json(&self) -> Value {
        match self {
            Self::Empty => Value::Null,
            Self::Text(text) | Self::Link { text, .. } | Self::Prose(text) => Value::from(text.as_str()),
            Self::Number { value, .. } => Value::from(*value),
            Self::Count(count) | Self::Milliseconds(count) => Value::from(*count),
            Self::Instant(at) => Value::from(at.to_string()),
            Self::Window(window) => Value::from(window.to_string()),
            Self::Verdict(of) => Value::from(of.word()),
            Self::State { word, .. } => Value::from(*word),
        }
    }

    fn csv(&self) -> String {
        match self.json() {
            Value::Null => String::new(),
            Value::String(text) => csv_field(&text),
            other => other.to_string(),
        }
    }

    fn markdown(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) | Self::Link { text, .. } => code_or_text(text),
            Self::Prose(text) => crate::markdown::prose(text),
            Self::Number { text, remark, .. } if !remark.is_empty() => format!("{text} ({remark})"),
            Self::Number { text, .. } => text.clone(),
            Self::Count(count) => format::count(*count),
            Self::Milliseconds(milliseconds) => moment::duration(*milliseconds),
            Self::Instant(at) => moment::text(*at),
            Self::Window(window) => words::window_text(*window),
            Self::Verdict(of) => format!("{} {}", crate::markdown::sign(*of), of.word()),
            Self::State { word, .. } => (*word).to_owned(),
        }
    }
}

/// Names such as `plane_seats` read better as code.
fn code_or_text(text: &str) -> String {
    if text.contains('_') && !text.contains(' ') { code(text) } else { escaped(text) }
}

/// A field by RFC 4180; what a spreadsheet would run as a formula is made text.
fn csv_field(text: &str) -> String {
    let guarded =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

impl Table {
    /// The table on the page at `path`, with its downloads below; a narrow screen shows its rows as cards.
    pub(super) fn html(&self, path: &str) -> Markup {
        if self.rows.is_empty() {
            return html! { p.empty.panel { (prose(&self.empty)) } };
        }
        let filled: Vec<bool> = (0..self.columns.len()).map(|at| self.is_filled(at)).collect();
        let columns = || self.columns.iter().enumerate().filter(|(at, _)| filled[*at]);
        html! {
            div.scroll tabindex="0" role="region" aria-label=(format!("{}, table", self.caption)) {
                table.data {
                    caption.visually-hidden { (self.caption) }
                    thead { tr { @for (_, column) in columns() { th.num[column.numeric] scope="col" { (column.title) } } } }
                    tbody { @for row in &self.rows { tr {
                        @for (at, column) in columns() { @if let Some(cell) = row.get(at) { (cell_html(at, cell, column)) } }
                    } } }
                }
            }
            (self.downloads(path))
        }
    }

    /// On the page, a column that no row fills is left out.
    fn is_filled(&self, at: usize) -> bool {
        self.rows.iter().any(|row| row.get(at).is_some_and(|cell| *cell != Cell::Empty))
    }

    /// Links to the same table in other formats.
    pub(super) fn downloads(&self, path: &str) -> Markup {
        html! {
            p.downloads {
                span { (format::counted(self.rows.len() as u64, "row", "rows")) }
                @for (ending, name) in [("csv", "CSV"), ("json", "JSON")] {
                    a href=(link::as_format(path, ending, Some(self.name))) download aria-label=(format!("{}: download as {name}", self.caption)) { (name) }
                }
                a href=(link::as_format(path, "md", Some(self.name))) data-copy aria-label=(format!("{}: as Markdown", self.caption)) { "Markdown" }
            }
        }
    }

    /// RFC 4180, with a line of keys.
    pub fn csv(&self) -> String {
        let line = |fields: Vec<String>| fields.join(",") + "\r\n";
        let mut out = line(self.columns.iter().map(|column| csv_field(column.key)).collect());
        for row in &self.rows {
            out.push_str(&line(row.iter().map(Cell::csv).collect()));
        }
        out
    }

    /// An array of objects, keys as in the CSV.
    pub fn json(&self) -> String {
        let object = |row: &Vec<Cell>| -> Value {
            let fields =
                self.columns.iter().zip(row).map(|(column, cell)| (column.key.to_owned(), cell.json()));
            Value::Object(fields.collect::<Map<_, _>>())
        };
        Value::Array(self.rows.iter().map(object).collect()).to_string()
    }

    /// A GitHub-flavoured table under its caption.
    pub fn markdown(&self) -> String {
        let mut out = format!("**{}**\n\n", escaped(&self.caption));
        if self.rows.is_empty() {
            out.push_str(&crate::markdown::prose(&self.empty));
            out.push('\n');
            return out;
        }
        let titles: Vec<String> = self.columns.iter().map(|column| escaped(column.title)).collect();
        let rules: Vec<&str> =
            self.columns.iter().map(|column| if column.numeric { "--:" } else { "---" }).collect();
        out.push_str(&format!("| {} |\n|{}|\n", titles.join(" | "), rules.join("|")));
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(Cell::markdown).collect();
            out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
        out
    }
}

fn cell_html(at: usize, cell: &Cell, column: &Column) -> Markup {
    html! {
        @if at == 0 { th scope="row" data-label=(column.title) { (cell.html()) } }
        @else { td.num[column.numeric] data-label=(column.title) { div { (cell.html()) } } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table {
            name: "columns",
            caption: "Columns".into(),
            columns: vec![
                Column::text("column", "Column"),
                Column::number("psi", "PSI"),
                Column::text("said", "Said"),
            ],
            rows: vec![
                vec![
                    Cell::link("plane_seats", "/x"),
                    Cell::Number { value: 0.123_456_789, text: "0.123".into(), remark: String::new() },
                    Cell::Prose("`a`, \"b\"\nc".into()),
                ],
                vec![
                    Cell::Text("=1+1".into()),
                    Cell::Number { value: -2.0, text: "−2".into(), remark: "−3 – 1".into() },
                    Cell::Empty,
                ],
            ],
            empty: "Nothing.".into(),
        }
    }

    #[test]
    fn csv_quotes_what_would_break_it_and_disarms_formulas() {
        assert_eq!(
            table().csv(),
            "column,psi,said\r\nplane_seats,0.123456789,\"`a`, \"\"b\"\"\nc\"\r\n'=1+1,-2.0,\r\n"
        );
    }

    #[test]
    fn json_keeps_numbers_in_full_and_nothing_as_null() {
        let value: Value = serde_json::from_str(&table().json()).unwrap();
        assert_eq!(value[0]["psi"], 0.123_456_789);
        assert_eq!(value[1]["said"], Value::Null);
        assert_eq!(value[1]["column"], "=1+1");
    }

    #[test]
    fn a_number_that_json_cannot_hold_is_null() {
        let mut of = table();
        of.rows[0][1] = Cell::Number { value: f64::NAN, text: "–".into(), remark: String::new() };
        let value: Value = serde_json::from_str(&of.json()).unwrap();
        assert_eq!(value[0]["psi"], Value::Null);
        assert!(of.csv().contains("plane_seats,,"));
    }

    #[test]
    fn markdown_holds_one_line_a_row() {
        insta::assert_snapshot!(table().markdown(), @r#"
        **Columns**

        | Column | PSI | Said |
        |---|--:|---|
        | `plane_seats` | 0.123 | `a`, "b" c |
        | =1+1 | −2 (−3 – 1) |  |
        "#);
    }

    #[test]
    fn no_rows_say_what_to_do_next() {
        let of = Table { rows: Vec::new(), ..table() };
        assert!(of.html("/x").into_string().contains("Nothing."));
    }
}
