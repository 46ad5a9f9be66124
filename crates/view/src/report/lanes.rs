//! A table whose rows each draw one value with its interval, on a scale that all of them share.

use maud::{Markup, html};
use types::finding::Measure;
use types::{Verdict, format};

use crate::chart::{Dumbbell, Guide, GuideKind, Scale, axis};
use crate::page::measures::{measure_label, without_interval};
use crate::page::verdict;
use crate::words;

/// Rows shown before the others are folded away.
pub(super) const ROWS_SHOWN: usize = 25;

pub(super) struct Lanes<'a> {
    /// What the rows are.
    pub(super) of: &'a str,
    /// The measure that values are written as.
    pub(super) unit: &'a str,
    /// The title of the values.
    pub(super) value: String,
    /// What the values are read against: lines through all lanes.
    pub(super) guides: Vec<Guide>,
    /// Titles of further columns.
    pub(super) extra: &'a [&'static str],
    pub(super) rows: Vec<Lane<'a>>,
}

pub(super) struct Lane<'a> {
    pub(super) name: Markup,
    /// The name as text.
    pub(super) label: String,
    pub(super) verdict: Option<Verdict>,
    pub(super) rows: u64,
    /// What this row alone is read against: a ring, with a bar to the value.
    pub(super) against: Option<f64>,
    pub(super) measure: Option<&'a Measure>,
    /// Why there is no measure.
    pub(super) reason: Option<&'a str>,
    pub(super) extra: Vec<Markup>,
}

impl Lanes<'_> {
    pub(super) fn markup(mut self) -> Markup {
        let scale = self.scale();
        let ticks = scale.ticks(5).into_iter().map(|at| Guide { at, kind: GuideKind::Tick });
        self.guides.splice(0..0, ticks);
        let (shown, folded) = self.rows.split_at(self.rows.len().min(ROWS_SHOWN));
        html! {
            div.lanes-of {
                (self.table(&scale, shown))
                @if !folded.is_empty() {
                    details.fold {
                        summary { (format!("{} more", folded.len())) }
                        (self.table(&scale, folded))
                    }
                }
            }
        }
    }

    fn scale(&self) -> Scale {
        let ends = self.rows.iter().flat_map(|row| {
            let measure = row.measure.into_iter().flat_map(|of| {
                let ends = ends(of).unwrap_or((of.value, of.value));
                [of.value, ends.0, ends.1]
            });
            measure.chain(row.against)
        });
        Scale::around(ends.chain(self.guides.iter().map(|guide| guide.at)))
    }

    fn table(&self, scale: &Scale, rows: &[Lane<'_>]) -> Markup {
        html! {
            table.lanes {
                thead { tr {
                    th scope="col" { (words::sentence_case(self.of)) }
                    th.num.wide scope="col" { "Rows" }
                    th.plot scope="col" { @if rows.iter().any(|row| row.measure.is_some()) { (axis(scale, |tick| words::measure_value(self.unit, tick))) } }
                    th.num scope="col" { (words::sentence_case(&self.value)) }
                    @for title in self.extra { th.num.wide scope="col" { (title) } }
                } }
                tbody { @for row in rows { (self.row(scale, row)) } }
            }
        }
    }

    fn row(&self, scale: &Scale, row: &Lane<'_>) -> Markup {
        let class = row.verdict.map_or("", Verdict::word);
        html! {
            tr {
                th scope="row" {
                    (row.name)
                    @if let Some(verdict) = row.verdict.filter(|verdict| *verdict != Verdict::Pass) { (verdict::icon(verdict)) }
                }
                td.num.wide { (format::count(row.rows)) }
                @match row.measure {
                    Some(measure) => {
                        td.plot { (Dumbbell { average: row.against, value: measure.value, ends: ends(measure), guides: &self.guides, class, label: &label(row, measure, self.unit) }.markup(scale)) }
                        td.num.value {
                            (words::measure_value(self.unit, measure.value))
                            @if let Some(interval) = &measure.interval { span.sub { (range(self.unit, interval.lower, interval.upper)) } }
                            @if let Some(why) = measure.why_no_interval() { (without_interval(why)) }
                        }
                        @for cell in &row.extra { td.num.wide { (cell) } }
                    }
                    None => td.too-few colspan=(2 + self.extra.len()) { (row.reason.unwrap_or("too few rows")) },
                }
            }
        }
    }
}

fn label(row: &Lane<'_>, measure: &Measure, unit: &str) -> String {
    let named = Measure { name: unit.to_owned(), ..measure.clone() };
    format!("{}: {}", row.label, measure_label(&named))
}

/// `0.690 – 0.714` in the unit of a measure.
pub(super) fn range(unit: &str, lower: f64, upper: f64) -> String {
    format!("{} – {}", words::measure_value(unit, lower), words::measure_value(unit, upper))
}

pub(super) fn ends(measure: &Measure) -> Option<(f64, f64)> {
    measure.interval.as_ref().map(|interval| (interval.lower, interval.upper))
}

/// An adjusted p-value, else the plain one.
pub(super) fn significance(measure: &Measure) -> Markup {
    let p = measure.p_adjusted.or(measure.p_value);
    html! { (p.map_or_else(|| "–".to_owned(), format::p_value)) }
}
