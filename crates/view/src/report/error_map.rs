//! False positive and false negative rates by segment as a map: darker where they surely lie above those of everybody
//! else, and those first.

use maud::{Markup, html};
use types::detail::RateRow;
use types::finding::segment_label;
use types::{Verdict, format};

use super::lanes::{ROWS_SHOWN, range, significance};
use crate::page::measures::breakable;
use crate::page::verdict;
use crate::words;

/// Differences below this are pale even where nothing is larger.
const LEAST_OF_SCALE: f64 = 0.05;

/// A segment with its rates; there is none for a kind that was not measured.
struct Row<'a> {
    column: &'a str,
    value: Option<&'a str>,
    rates: [Option<&'a RateRow>; 2],
}

const KINDS: [(&str, &str); 2] =
    [("false_positive_rate", "False positives"), ("false_negative_rate", "False negatives")];

fn rows(rates: &[RateRow]) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for rate in rates {
        let Some(kind) = KINDS.iter().position(|(name, _)| *name == rate.rate.name) else { continue };
        let (column, value) = (rate.column.as_str(), rate.value.as_deref());
        let at =
            rows.iter().position(|row| row.column == column && row.value == value).unwrap_or_else(|| {
                rows.push(Row { column, value, rates: [None; 2] });
                rows.len() - 1
            });
        rows[at].rates[kind].get_or_insert(rate);
    }
    rows.sort_by(|a, b| sure_of(b).total_cmp(&sure_of(a)));
    rows
}

/// A p-value, adjusted for all rates, beyond which nothing is coloured.
const CHANCE: f64 = 0.05;

/// How far a rate surely is from that of everybody else: nothing where its interval holds that, or where among all
/// rates of the map chance explains it.
fn sure(rate: &RateRow) -> f64 {
    if rate.rate.p_adjusted.is_some_and(|p| p > CHANCE) {
        return 0.0;
    }
    let value = rate.rate.value;
    let (lower, upper) =
        rate.rate.interval.map_or((value, value), |interval| (interval.lower, interval.upper));
    (lower - rate.others).max(0.0) + (upper - rate.others).min(0.0)
}

fn sure_of(row: &Row<'_>) -> f64 {
    row.rates.into_iter().flatten().map(|rate| sure(rate).abs()).fold(0.0, f64::max)
}

pub(super) fn legend() -> Markup {
    html! {
        p.legend {
            span { span.key.heat.up-4 {} "higher than for everybody else" }
            span { span.key.heat.down-2 {} "lower" }
            span { span.key.heat.even {} "may be chance" }
            span { (verdict::icon(Verdict::Warn)) "large and more than chance" }
        }
    }
}

/// The map, folded after its first rows; of at most `most` of them.
pub(super) fn map(rates: &[RateRow], most: usize) -> Markup {
    let rows = rows(rates);
    let differences = rates.iter().map(|rate| sure(rate).abs());
    let largest = differences.filter(|of| of.is_finite()).fold(LEAST_OF_SCALE, f64::max);
    let shown = rows.len().min(most).min(ROWS_SHOWN);
    let folded = if most > ROWS_SHOWN { &rows[shown..] } else { &[] };
    html! {
        (table(&rows[..shown], largest, most > ROWS_SHOWN))
        @if !folded.is_empty() {
            details.fold { summary { (format!("{} more segments", folded.len())) } (table(folded, largest, true)) }
        }
    }
}

fn table(rows: &[Row<'_>], largest: f64, in_full: bool) -> Markup {
    html! {
        table.error-map.in-full[in_full] {
            thead { tr { th scope="col" { "Segment" } @for (_, title) in KINDS { th scope="col" { (title) } } } }
            tbody {
                @for row in rows {
                    tr {
                        th scope="row" { span.label { (breakable(&segment_label(row.column, row.value))) } }
                        @for rate in row.rates { (cell(rate, largest, in_full)) }
                    }
                }
            }
        }
    }
}

fn cell(rate: Option<&RateRow>, largest: f64, in_full: bool) -> Markup {
    let Some(rate) = rate else { return html! { td.heat.nothing { "–" } } };
    let own = words::measure_value(&rate.rate.name, rate.rate.value);
    let others = others(rate);
    html! {
        td class=(format!("heat {}", tone(sure(rate), largest))) title=(format!("{own}; all others {others}; {}", format::counted(rate.rate.n, "row", "rows"))) {
            span.own { (own) @if rate.flagged { (verdict::icon(Verdict::Warn)) } }
            @if !in_full {
                span.sub { " n " (format::count(rate.rate.n)) }
            } @else {
                span.sub.below {
                    @if let Some(interval) = &rate.rate.interval { (range(&rate.rate.name, interval.lower, interval.upper)) ", " }
                    "n " (format::count(rate.rate.n))
                    @if rate.rate.p_adjusted.or(rate.rate.p_value).is_some() { ", p " (significance(&rate.rate)) }
                }
                span.sub.below { "others " (others) }
            }
        }
    }
}

/// The rate of everybody else, with its interval and the rows behind it.
fn others(rate: &RateRow) -> String {
    let unit = rate.rate.name.as_str();
    let ends = words::range_text(unit, rate.others_interval).map(|range| format!(" ({range})"));
    let rows = rate.others_n.map(|n| format!(", n {}", format::count(n)));
    let [ends, rows] = [ends, rows].map(Option::unwrap_or_default);
    format!("{}{ends}{rows}", words::measure_value(unit, rate.others))
}

/// Four steps above the others, three below, as shares of the largest difference.
fn tone(difference: f64, largest: f64) -> &'static str {
    let share = difference / largest;
    match share {
        share if share > 0.75 => "up-4",
        share if share > 0.5 => "up-3",
        share if share > 0.25 => "up-2",
        share if share > 0.08 => "up-1",
        share if share < -0.66 => "down-3",
        share if share < -0.33 => "down-2",
        share if share < -0.08 => "down-1",
        _ => "even",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_follow_the_difference_and_a_missing_one_is_even() {
        let tones = [0.2, 0.12, 0.06, 0.03, 0.0, -0.03, -0.1, -0.2, f64::NAN].map(|of| tone(of, 0.2));
        assert_eq!(tones, ["up-4", "up-3", "up-2", "up-1", "even", "down-1", "down-2", "down-3", "even"]);
    }
}
