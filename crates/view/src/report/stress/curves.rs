//! How the impact of a fault grows with the share of rows that it hits, in small multiples.

use maud::{Markup, html};
use types::detail::CurvePoint;
use types::faults::{ImpactCurve, ImpactPoint};
use types::format;

use crate::chart::{Across, Chart, Curve, Drawn, Guide, GuideKind, Scale};
use crate::words;

const HEIGHT: f64 = 110.0;

pub(super) fn curves(of: &[ImpactCurve]) -> Markup {
    html! {
        h4.group { "How much, by the share of rows that are hit" }
        p.legend {
            span { span.key.dot {} "drop of accuracy, with interval" }
            span { span.key.level.limit-level {} "tolerated" }
        }
        div.faults-by-rate { @for curve in of { (figure(curve)) } }
    }
}

fn figure(curve: &ImpactCurve) -> Markup {
    html! {
        figure {
            figcaption { strong { (curve.of) } span.sub.below { (curve.title) } }
            @if curve.points.iter().any(|point| point.drop.is_some()) { (chart(curve)) } @else { p.sub { (unanswered(curve)) } }
        }
    }
}

fn chart(curve: &ImpactCurve) -> Markup {
    let across = Across {
        scale: Scale::new(0.0, 1.0),
        ticks: [0.0, 0.5, 1.0].map(|share| (share, format::percent(share))).into(),
        title: "share of rows",
    };
    let label =
        format!("Drop of accuracy of {} under {}, by the share of rows that are hit", curve.of, curve.title);
    let mut chart = Chart::new(label, across, HEIGHT);
    let points = curve.points.iter().filter_map(|point| {
        let drop = point.drop.as_ref()?;
        let (lower, upper) =
            drop.interval.map_or((drop.value, drop.value), |interval| (interval.lower, interval.upper));
        Some(CurvePoint { at: point.rate, value: drop.value, lower, upper })
    });
    chart.curves = vec![Curve { class: "of-current", points: points.collect(), drawn: Drawn::Dots }];
    chart.levels = vec![Guide { at: curve.max_accuracy_drop, kind: GuideKind::Limit }];
    chart.said = curve.points.iter().map(|point| (point.rate, said(point))).collect();
    chart.markup(format::percent)
}

/// Where no row is answered both times, from which share on that is so.
fn unanswered(curve: &ImpactCurve) -> String {
    let none = curve.points.iter().find(|point| point.unanswered >= 1.0);
    none.map_or_else(
        || "too few rows were answered".to_owned(),
        |point| {
            format!("no row that it hits is answered, from {} of the rows on", format::percent(point.rate))
        },
    )
}

fn said(point: &ImpactPoint) -> String {
    let of_rows = format::percent(point.rate);
    let drop = point.drop.as_ref().map_or_else(
        || "no row was answered both times".to_owned(),
        |drop| words::measure_text_in(&drop.name, drop),
    );
    let unanswered = if point.unanswered > 0.0 {
        format!(", {} of the rows that it hits unanswered", format::percent(point.unanswered))
    } else {
        String::new()
    };
    format!("{of_rows} of the rows: {drop}{unanswered}")
}
