//! Beside the metrics: single classes, and what other decision thresholds would give.

use maud::{Markup, html};
use stats::interval::Interval;
use types::detail::{Averages, ClassRow, CurvePoint, ThresholdRow};
use types::finding::Measure;
use types::format;

use crate::chart::{Across, Chart, Curve, Drawn};
use crate::page::measures::breakable;
use crate::words;

/// Classes shown before the others are folded away.
const CLASSES_SHOWN: usize = 20;
/// Thresholds in the table; the chart has all.
const THRESHOLDS_SHOWN: usize = 21;

pub(super) fn averages(of: &Averages) -> Markup {
    html! {
        @if !of.classes.is_empty() { h3.group { "Classes" } (classes(&of.classes)) }
        @if !of.thresholds.is_empty() { h3.group { "Other decision thresholds" } (thresholds(of)) }
    }
}

fn classes(rows: &[ClassRow]) -> Markup {
    let (shown, folded) = rows.split_at(rows.len().min(CLASSES_SHOWN));
    html! {
        (class_table(shown))
        @if !folded.is_empty() {
            details.fold { summary { (format!("{} more classes", folded.len())) } (class_table(folded)) }
        }
    }
}

type MeasureOf = fn(&ClassRow) -> Option<&Measure>;

const OF_CLASS: [(&str, MeasureOf); 5] = [
    ("Precision", |row| row.precision.as_ref()),
    ("Recall", |row| row.recall.as_ref()),
    ("F1", |row| row.f1.as_ref()),
    ("ROC AUC", |row| row.roc_auc.as_ref()),
    ("Calibration error", |row| row.ece.as_ref()),
];

fn class_table(rows: &[ClassRow]) -> Markup {
    let has = OF_CLASS.map(|(_, of)| rows.iter().any(|row| of(row).is_some()));
    html! {
        div.scroll tabindex="0" role="region" aria-label="Performance by class" {
            table.compact {
                thead { tr {
                    th scope="col" { "Class" } th.num scope="col" { "Happened" } th.num scope="col" { "Predicted" }
                    @for ((title, _), _) in OF_CLASS.iter().zip(has).filter(|(_, has)| *has) { th.num scope="col" { (title) } }
                } }
                tbody {
                    @for row in rows {
                        tr {
                            th scope="row" { (breakable(&row.name)) }
                            td.num { (format::count(row.outcomes)) }
                            td.num { (format::count(row.predictions)) }
                            @for ((_, of), _) in OF_CLASS.iter().zip(has).filter(|(_, has)| *has) { td.num { (of_class(of(row))) } }
                        }
                    }
                }
            }
        }
    }
}

fn of_class(measure: Option<&Measure>) -> Markup {
    html! {
        @match measure {
            Some(measure) => {
                strong { (words::measure_value(&measure.name, measure.value)) }
                @if let Some(interval) = words::interval(measure) { span.sub.below { (interval) } }
            }
            None => "–",
        }
    }
}

type ValueOf = fn(&ThresholdRow) -> Option<(f64, Option<Interval>)>;

const SHARES: [(&str, &str, ValueOf); 4] = [
    ("recall", "recall", |row| Some((row.recall, row.recall_interval))),
    ("precision", "precision", |row| Some((row.precision?, row.precision_interval))),
    ("false-alarms", "false positive rate", |row| {
        Some((row.false_positive_rate, row.false_positive_rate_interval))
    }),
    ("predicted", "share predicted positive", |row| {
        Some((row.predicted_positive_share, row.predicted_positive_share_interval))
    }),
];

fn cost(row: &ThresholdRow) -> Option<(f64, Option<Interval>)> {
    Some((row.cost?, row.cost_interval))
}

fn thresholds(of: &Averages) -> Markup {
    let has_costs = of.thresholds.iter().any(|row| row.cost.is_some());
    html! {
        div.side-by-side {
            figure {
                p.legend {
                    @for (class, title, _) in SHARES { span { span class=(format!("key level of-{class}")) {} (title) } }
                }
                (places_legend(of))
                (shares_chart(of).markup(format::percent))
            }
            @if has_costs {
                figure {
                    p.legend { span { span.key.level {} "expected cost of a prediction" } }
                    (places_legend(of))
                    (cost_chart(of).markup(format::value))
                }
            }
        }
        details.more { summary { "Thresholds as a table" } (table(of, has_costs)) }
    }
}

fn places_legend(of: &Averages) -> Markup {
    html! {
        @if of.in_use.is_some() || of.cheapest.is_some() {
            p.legend {
                @if let Some(at) = of.in_use { span { span.key.place {} "in use " (format::value(at)) } }
                @if let Some(cheapest) = &of.cheapest { span { span.key.cheapest {} "cheapest " (format::value(cheapest.threshold)) @if let Some(cost) = cheapest.cost { " (" (format::value(cost)) ")" } } }
            }
        }
    }
}

fn base(label: &str, of: &Averages) -> Chart {
    let across = Across::over(
        of.thresholds.iter().map(|row| row.threshold).chain([0.0, 1.0]),
        "decision threshold (score)",
        format::value,
    );
    let mut chart = Chart::new(label.to_owned(), across, 190.0);
    chart.places.extend(of.in_use.map(|at| (at, "place")));
    chart.places.extend(of.cheapest.map(|row| (row.threshold, "cheapest")));
    chart.said = of.thresholds.iter().map(|row| (row.threshold, said(row))).collect();
    chart
}

fn shares_chart(of: &Averages) -> Chart {
    let mut chart =
        base("Recall, precision, false positives and predicted positives by decision threshold", of);
    let curve = |(class, _, value): &(&'static str, &str, ValueOf)| Curve {
        class,
        points: points(&of.thresholds, *value),
        drawn: Drawn::Line,
    };
    chart.curves = SHARES.iter().map(curve).collect();
    chart
}

fn cost_chart(of: &Averages) -> Chart {
    let mut chart = base("Expected cost of a prediction by decision threshold", of);
    chart.curves =
        vec![Curve { class: "of-current", points: points(&of.thresholds, cost), drawn: Drawn::Line }];
    chart
}

fn points(rows: &[ThresholdRow], of: ValueOf) -> Vec<CurvePoint> {
    let point = |row: &ThresholdRow| {
        let (value, interval) = of(row)?;
        let (lower, upper) = interval.map_or((value, value), |ends| (ends.lower, ends.upper));
        Some(CurvePoint { at: row.threshold, value, lower, upper })
    };
    rows.iter().filter_map(point).collect()
}

fn said(row: &ThresholdRow) -> String {
    let shares =
        SHARES.iter().filter_map(|(_, title, of)| Some(format!("{title} {}", format::percent(of(row)?.0))));
    let cost = row.cost.map(|cost| format!("cost {}", format::value(cost)));
    let said: Vec<String> = shares.chain(cost).collect();
    format!("from {}: {}", format::value(row.threshold), said.join(", "))
}

fn table(of: &Averages, has_costs: bool) -> Markup {
    let every = of.thresholds.len().div_ceil(THRESHOLDS_SHOWN).max(1);
    let cell = |value: Option<(f64, Option<Interval>)>, text: fn(f64) -> String| {
        html! {
            @match value {
                Some((value, interval)) => {
                    (text(value))
                    @if let Some(ends) = interval { span.sub.below { (text(ends.lower)) " – " (text(ends.upper)) } }
                }
                None => "–",
            }
        }
    };
    html! {
        div.scroll tabindex="0" role="region" aria-label="Decision thresholds" {
            table.compact {
                thead { tr {
                    th scope="col" { "From score" }
                    @for (_, title, _) in SHARES { th.num scope="col" { (words::sentence_case(title)) } }
                    @if has_costs { th.num scope="col" { "Cost" } }
                } }
                tbody {
                    @for row in of.thresholds.iter().step_by(every) {
                        tr {
                            th scope="row" { (format::value(row.threshold)) }
                            @for (_, _, value) in SHARES { td.num { (cell(value(row), format::percent)) } }
                            @if has_costs { td.num { (cell(cost(row), format::value)) } }
                        }
                    }
                }
            }
        }
    }
}
