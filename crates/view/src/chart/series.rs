//! A value over time with its interval, several kinds of it beside each other, and what it is read against.

use maud::{Markup, html};
use types::Window;

use super::fan::values_axis;
use super::interval_plot::{Guide, GuideKind};
use super::scale::{Scale, pct};
use super::time::{Plane, Slots, month_axis};

/// How high a mark on the axis is.
const MARK: f64 = 11.0;

/// One value of a series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) value: f64,
    pub(crate) interval: Option<(f64, f64)>,
    /// Drawn hollow: it will still change.
    pub(crate) hollow: bool,
}

/// How a series is drawn; the style sheet knows it by its class.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) class: &'static str,
    pub(crate) points: Vec<Option<Point>>,
    /// Joined by a line, with the intervals as a band; else dots with whiskers.
    pub(crate) joined: bool,
}

/// A boundary in time.
#[derive(Clone, Debug)]
pub(crate) struct Divider {
    /// The slot that it ends.
    pub(crate) after: usize,
    pub(crate) text: String,
}

/// A moment at which something about a window became known.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// In slots from the left.
    pub(crate) at: f64,
    /// Drawn hollow: it is yet to come.
    pub(crate) expected: bool,
    pub(crate) title: String,
}

/// The whole picture.
pub(crate) struct Plot<'a> {
    /// What it shows, in words.
    pub(crate) label: String,
    pub(crate) windows: &'a [Window],
    pub(crate) series: Vec<Series>,
    pub(crate) guides: Vec<Guide>,
    /// For each window: a class for its ground, and what is said on hover.
    pub(crate) slots: Vec<(Option<&'static str>, String)>,
    pub(crate) height: f64,
    /// How far months must stand apart, in percent of the width.
    pub(crate) month_gap: f64,
    pub(crate) divider: Option<Divider>,
    pub(crate) arrivals: Vec<Arrival>,
}

/// The chart; `text` writes a value of the axis.
pub(crate) fn plot(of: &Plot<'_>, text: impl Fn(f64) -> String) -> Markup {
    let points = of.series.iter().flat_map(|series| series.points.iter().flatten());
    let ends = points.flat_map(|point| {
        let (lower, upper) = point.interval.unwrap_or((point.value, point.value));
        [lower, point.value, upper]
    });
    let scale = Scale::around(ends.chain(of.guides.iter().map(|guide| guide.at)));
    let plane = Plane { slots: Slots::of(of.windows.len()), scale, height: of.height };
    html! {
        svg.series role="img" aria-label=(of.label) height=(of.height) {
            (grounds(&plane, &of.slots))
            (values_axis(&plane, 5, text))
            (plane.draw(&html! { @for series in of.series.iter().filter(|series| series.joined) { (joined(&plane, series)) } }))
            @for guide in &of.guides { (across(&plane, *guide)) }
            @if let Some(divider) = &of.divider { (boundary(&plane, divider)) }
            @for series in of.series.iter().filter(|series| !series.joined) { (dots(&plane, series)) }
            @for (slot, (_, title)) in of.slots.iter().enumerate() {
                g.hit {
                    title { (title) }
                    rect.slot x=(pct(plane.slots.left(slot))) width=(pct(plane.slots.width())) y="0" height=(of.height) {}
                }
            }
            @for arrival in &of.arrivals { (mark(&plane, arrival)) }
        }
        (month_axis(of.windows, of.month_gap))
    }
}

fn grounds(plane: &Plane, slots: &[(Option<&'static str>, String)]) -> Markup {
    html! {
        @for (slot, (class, _)) in slots.iter().enumerate() {
            @if let Some(class) = class {
                rect class=(class) x=(pct(plane.slots.left(slot))) width=(pct(plane.slots.width())) y="0" height=(plane.height) {}
            }
        }
    }
}

fn across(plane: &Plane, guide: Guide) -> Markup {
    let y = format!("{:.1}", plane.y(guide.at));
    html! {
        @if guide.kind != GuideKind::Tick {
            line class=(guide.kind.class()) x1="0" x2="100%" y1=(y) y2=(y) {}
        }
    }
}

/// A vertical line, its text on the side that has more room.
fn boundary(plane: &Plane, divider: &Divider) -> Markup {
    let at = plane.slots.left(divider.after + 1);
    let (anchor, dx) = if at < 40.0 { ("start", "8") } else { ("end", "-8") };
    html! {
        line.guide.divider x1=(pct(at)) x2=(pct(at)) y1="0" y2=(plane.height) {}
        text.divider-text x=(pct(at)) dx=(dx) y="14" text-anchor=(anchor) { (divider.text) }
    }
}

/// A thin mark that stands on the axis.
fn mark(plane: &Plane, arrival: &Arrival) -> Markup {
    let x = pct(arrival.at * plane.slots.width());
    html! {
        g.arrival.hollow[arrival.expected] {
            title { (arrival.title) }
            line x1=(x) x2=(x) y1=(format!("{:.0}", plane.height - MARK)) y2=(format!("{:.0}", plane.height)) {}
        }
    }
}

fn joined(plane: &Plane, series: &Series) -> Markup {
    let part = |of: fn(&Point) -> Option<f64>| -> Vec<Option<f64>> {
        series.points.iter().map(|point| point.as_ref().and_then(of)).collect()
    };
    let lower = part(|point| point.interval.map(|(lower, _)| lower));
    let upper = part(|point| point.interval.map(|(_, upper)| upper));
    html! {
        g class=(series.class) {
            path.band d=(plane.band(&lower, &upper)) {}
            path.line d=(plane.line(&part(|point| Some(point.value)))) {}
        }
    }
}

fn dots(plane: &Plane, series: &Series) -> Markup {
    html! {
        g class=(series.class) {
            @for (slot, point) in series.points.iter().enumerate() {
                @if let Some(point) = point {
                    @let x = pct(plane.slots.centre(slot));
                    @if let Some((lower, upper)) = point.interval {
                        line.whisker.hollow[point.hollow] x1=(x) x2=(x) y1=(format!("{:.1}", plane.y(lower))) y2=(format!("{:.1}", plane.y(upper))) {}
                    }
                    circle.dot.hollow[point.hollow] cx=(x) cy=(format!("{:.1}", plane.y(point.value))) r="4.5" {}
                }
            }
        }
    }
}
