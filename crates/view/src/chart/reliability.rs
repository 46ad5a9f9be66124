//! The reliability diagram: what the model said against what happened.

use maud::{Markup, html};
use types::detail::CurvePoint;
use types::finding::ReliabilityRow;
use types::format;

const LEFT: f64 = 58.0;
const BOTTOM: f64 = 48.0;
const MARGIN: f64 = 12.0;
const STRIP: f64 = 64.0;

/// What the diagram shows.
pub(crate) struct Reliability<'a> {
    pub(crate) bins: &'a [ReliabilityRow],
    /// What happened by score, without bins; its range is that of a calibrated model.
    pub(crate) curve: &'a [CurvePoint],
}

/// The diagram with the scores' histogram below it.
pub(crate) fn reliability(of: &Reliability<'_>) -> Markup {
    let plane = Plane { to: axis_end(of), size: 420.0 };
    html! {
        (diagram(of, &plane))
        (strip(of.bins, &plane))
    }
}

/// The diagram alone, for a narrow panel.
pub(crate) fn small_reliability(of: &Reliability<'_>) -> Markup {
    diagram(of, &Plane { to: axis_end(of), size: 340.0 })
}

/// The square from (0, 0) to (`to`, `to`), in the units of the view box.
struct Plane {
    to: f64,
    size: f64,
}

impl Plane {
    fn share(&self, value: f64) -> f64 {
        let share = value / self.to;
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
    }

    fn x(&self, value: f64) -> f64 {
        LEFT + self.share(value) * (self.size - LEFT - MARGIN)
    }

    fn y(&self, value: f64) -> f64 {
        self.size - BOTTOM - self.share(value) * (self.size - BOTTOM - MARGIN)
    }

    fn point(&self, x: f64, y: f64) -> String {
        format!("{:.1} {:.1}", self.x(x), self.y(y))
    }

    /// Fewer where there is little room.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (to, steps) = (self.to, if self.is_small() { 4 } else { 5 });
        (0..=steps).map(move |i| to * f64::from(i) / f64::from(steps))
    }

    fn is_small(&self) -> bool {
        self.size < 400.0
    }
}

/// The end of both axes: 1, or less for a model whose scores are all small.
fn axis_end(of: &Reliability<'_>) -> f64 {
    let bins = of.bins.iter().flat_map(|bin| [bin.score_mean, bin.outcome_share, bin.interval.upper]);
    let largest = bins.chain(of.curve.iter().flat_map(|point| [point.at, point.value]));
    let largest = largest.filter(|value| value.is_finite()).fold(0.0, f64::max);
    [0.01, 0.02, 0.05, 0.1, 0.25, 0.5].into_iter().find(|end| largest <= *end).unwrap_or(1.0)
}

fn diagram(of: &Reliability<'_>, plane: &Plane) -> Markup {
    let (bins, size) = (of.bins, plane.size);
    let (left, right, bottom, top) = (plane.x(0.0), plane.x(plane.to), plane.y(0.0), plane.y(plane.to));
    html! {
        svg.reliability viewBox=(format!("0 0 {size} {size}")) role="img"
            aria-label=(format!("Reliability diagram over {} bins of the score; the table beside it has the values", bins.len())) {
            @for tick in plane.ticks() {
                line.grid x1=(px(left)) x2=(px(right)) y1=(px(plane.y(tick))) y2=(px(plane.y(tick))) {}
                line.grid x1=(px(plane.x(tick))) x2=(px(plane.x(tick))) y1=(px(top)) y2=(px(bottom)) {}
                text.tick x=(px(left - 8.0)) y=(px(plane.y(tick) + 4.0)) text-anchor="end" { (format::percent(tick)) }
                text.tick x=(px(plane.x(tick))) y=(px(bottom + 18.0)) text-anchor=(anchor(tick, plane.to)) { (format::percent(tick)) }
            }
            (calibrated(of.curve, plane))
            line.diagonal x1=(px(left)) y1=(px(bottom)) x2=(px(right)) y2=(px(top)) {}
            @if !plane.is_small() { text.note transform=(format!("translate({:.1} {:.1}) rotate(-45)", right - 10.0, top + 31.0)) text-anchor="end" { "said = happened" } }
            text.note x=(px(f64::midpoint(left, right))) y=(px(bottom + 38.0)) text-anchor="middle" { "what the model said (mean score)" }
            text.note transform=(format!("translate(12 {:.1}) rotate(-90)", f64::midpoint(top, bottom))) text-anchor="middle" { "what happened (share of outcomes)" }
            (recalibrated(of.curve, plane))
            @for bin in bins { (dot(bin, most_rows(bins), plane)) }
        }
    }
}

/// The band that the curve of a calibrated model would stay in.
fn calibrated(curve: &[CurvePoint], plane: &Plane) -> Markup {
    let upper = drawable(curve).map(|point| plane.point(point.at, point.upper));
    let lower: Vec<String> = drawable(curve).map(|point| plane.point(point.at, point.lower)).collect();
    let ring: Vec<String> = upper.chain(lower.into_iter().rev()).collect();
    html! { @if !ring.is_empty() { path.calibrated d=(format!("M{}Z", ring.join("L"))) {} } }
}

fn recalibrated(curve: &[CurvePoint], plane: &Plane) -> Markup {
    let points: Vec<String> = drawable(curve).map(|point| plane.point(point.at, point.value)).collect();
    html! { @if !points.is_empty() { path.recalibrated d=(format!("M{}", points.join("L"))) {} } }
}

fn drawable(curve: &[CurvePoint]) -> impl Iterator<Item = &CurvePoint> {
    curve
        .iter()
        .filter(|point| [point.at, point.value, point.lower, point.upper].iter().all(|of| of.is_finite()))
}

fn anchor(tick: f64, end: f64) -> &'static str {
    if tick >= end { "end" } else { "middle" }
}

fn dot(bin: &ReliabilityRow, most: u64, plane: &Plane) -> Markup {
    let x = px(plane.x(bin.score_mean));
    let radius = 6.5 * (bin.n as f64 / most.max(1) as f64).sqrt();
    html! {
        g.hit {
            title { (bin_text(bin)) }
            line.whisker x1=(x) x2=(x) y1=(px(plane.y(bin.interval.lower))) y2=(px(plane.y(bin.interval.upper))) {}
            circle.dot cx=(x) cy=(px(plane.y(bin.outcome_share))) r=(px(radius.max(2.5))) {}
        }
    }
}

/// How the scores are spread: bars whose area is the number of rows.
fn strip(bins: &[ReliabilityRow], plane: &Plane) -> Markup {
    let densest = bins.iter().map(|bin| density(bin, plane)).fold(f64::MIN_POSITIVE, f64::max);
    html! {
        svg.reliability viewBox=(format!("0 0 {} {STRIP}", plane.size)) role="img" aria-label="How many predictions had which score" {
            @for bin in bins {
                @let (left, right) = (plane.x(bin.score_min), plane.x(bin.score_max));
                @let height = density(bin, plane) / densest * (STRIP - 24.0);
                g.hit {
                    title { (format!("score {} – {}: {}", format::percent(bin.score_min), format::percent(bin.score_max), format::counted(bin.n, "prediction", "predictions"))) }
                    rect.current x=(px(left)) width=(px((right - left - 1.0).max(1.5))) y=(px(STRIP - 20.0 - height)) height=(px(height)) {}
                }
            }
            line.base x1=(px(plane.x(0.0))) x2=(px(plane.x(plane.to))) y1=(px(STRIP - 20.0)) y2=(px(STRIP - 20.0)) {}
            text.note x=(px(f64::midpoint(plane.x(0.0), plane.x(plane.to)))) y=(px(STRIP - 5.0)) text-anchor="middle" { "how the scores are spread (area = predictions)" }
        }
    }
}

/// Rows per width; a bin without width gets a hundredth of the axis.
fn density(bin: &ReliabilityRow, plane: &Plane) -> f64 {
    let width = plane.share(bin.score_max) - plane.share(bin.score_min);
    bin.n as f64 / width.max(0.01)
}

fn most_rows(bins: &[ReliabilityRow]) -> u64 {
    bins.iter().map(|bin| bin.n).max().unwrap_or(0)
}

pub(crate) fn bin_text(bin: &ReliabilityRow) -> String {
    let [said, happened, lower, upper] =
        [bin.score_mean, bin.outcome_share, bin.interval.lower, bin.interval.upper].map(format::percent);
    format!("said {said}, happened {happened} ({lower} – {upper}), {}", format::counted(bin.n, "row", "rows"))
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}
