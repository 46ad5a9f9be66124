//! A value over a number: lines with bands, dots with whiskers, and what they are read against.
//!
//! Over time there is `series`; here the horizontal axis is a share, a threshold, a score.

use maud::{Markup, html};
use types::detail::CurvePoint;

use super::interval_plot::{Guide, GuideKind};
use super::scale::{Scale, pct};
use super::time::{Plane, Slots};

/// One curve of a chart; the style sheet knows it by its class.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) class: &'static str,
    pub(crate) points: Vec<CurvePoint>,
    pub(crate) drawn: Drawn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drawn {
    /// Joined, with the ranges as a band.
    Line,
    /// Each with its range as a whisker, joined by a thin line.
    Dots,
}

/// The horizontal axis.
#[derive(Clone, Debug)]
pub(crate) struct Across {
    pub(crate) scale: Scale,
    pub(crate) ticks: Vec<(f64, String)>,
    pub(crate) title: &'static str,
}

impl Across {
    /// Over the finite values, with round ticks.
    pub(crate) fn over(
        values: impl Iterator<Item = f64>,
        title: &'static str,
        text: impl Fn(f64) -> String,
    ) -> Self {
        let ends = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let scale = Scale::new(ends.0, ends.1);
        let ticks = scale.ticks(5).into_iter().map(|tick| (tick, text(tick))).collect();
        Self { scale, ticks, title }
    }
}

/// The whole picture.
pub(crate) struct Chart {
    /// What it shows, in words.
    pub(crate) label: String,
    pub(crate) across: Across,
    pub(crate) curves: Vec<Curve>,
    /// Levels that the values are read against.
    pub(crate) levels: Vec<Guide>,
    /// Places on the horizontal axis, with a class and what they are.
    pub(crate) places: Vec<(f64, &'static str)>,
    /// A stretch of the horizontal axis that is shaded.
    pub(crate) stretch: Option<(f64, f64)>,
    /// Said on hover, by place.
    pub(crate) said: Vec<(f64, String)>,
    pub(crate) height: f64,
    /// Whether the vertical axis begins at 0.
    pub(crate) from_zero: bool,
}

impl Chart {
    pub(crate) fn new(label: String, across: Across, height: f64) -> Self {
        Self {
            label,
            across,
            curves: Vec::new(),
            levels: Vec::new(),
            places: Vec::new(),
            stretch: None,
            said: Vec::new(),
            height,
            from_zero: true,
        }
    }

    fn plane(&self) -> Plane {
        let points = self.curves.iter().flat_map(|curve| finite(&curve.points));
        let ends = points.flat_map(|point| [point.value, ends(point).0, ends(point).1]);
        let zero = self.from_zero.then_some(0.0);
        let values: Vec<f64> = ends.chain(self.levels.iter().map(|level| level.at)).chain(zero).collect();
        let around = Scale::around(values.iter().copied());
        let negative = values.iter().any(|value| value.is_finite() && *value < 0.0);
        let scale = if self.from_zero && !negative { around.from(0.0) } else { around };
        Plane { slots: Slots::of(1), scale, height: self.height }
    }

    /// The chart; `text` writes a value of the vertical axis.
    pub(crate) fn markup(&self, text: impl Fn(f64) -> String) -> Markup {
        let plane = self.plane();
        let whole = self.height + 38.0;
        html! {
            svg.curves role="img" aria-label=(self.label) height=(whole) {
                (self.shaded())
                @for tick in plane.scale.ticks(4) {
                    @let y = px(plane.y(tick));
                    line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
                    text.tick x="-8" y=(y) dy="4" text-anchor="end" { (text(tick)) }
                }
                (self.foot())
                (plane.draw(&html! { @for curve in &self.curves { (self.joined(&plane, curve)) } }))
                @for level in &self.levels {
                    @let y = px(plane.y(level.at));
                    line class=(level.kind.class()) x1="0" x2="100%" y1=(y) y2=(y) {}
                }
                @for (at, class) in &self.places {
                    @let x = pct(self.across.scale.at(*at));
                    line class=(format!("guide {class}")) x1=(x) x2=(x) y1="0" y2=(px(self.height)) {}
                }
                @for curve in self.curves.iter().filter(|curve| curve.drawn == Drawn::Dots) { (self.dots(&plane, curve)) }
                (self.hits())
            }
        }
    }

    fn shaded(&self) -> Markup {
        html! {
            @if let Some((from, to)) = self.stretch {
                @let [left, right] = [from, to].map(|at| self.across.scale.at(at));
                rect.stretch x=(pct(left.min(right))) width=(pct((right - left).abs().max(0.4))) y="0" height=(px(self.height)) {}
            }
        }
    }

    fn foot(&self) -> Markup {
        let (base, last) = (px(self.height), self.across.ticks.len().saturating_sub(1));
        html! {
            line.base x1="0" x2="100%" y1=(base) y2=(base) {}
            @for (i, (tick, text)) in self.across.ticks.iter().enumerate() {
                @let at = self.across.scale.at(*tick);
                @let anchor = if i == last && at > 96.0 { "end" } else if i == 0 && at < 4.0 { "start" } else { "middle" };
                text.tick x=(pct(at)) y=(px(self.height + 17.0)) text-anchor=(anchor) { (text) }
            }
            text.note x="50%" y=(px(self.height + if last == 0 { 20.0 } else { 34.0 })) text-anchor="middle" { (self.across.title) }
        }
    }

    fn joined(&self, plane: &Plane, curve: &Curve) -> Markup {
        let along = |of: fn(&CurvePoint) -> f64| -> Vec<String> {
            let at = |point: &CurvePoint| {
                format!("{:.2} {:.1}", self.across.scale.at(point.at), plane.y(of(point)))
            };
            finite(&curve.points).map(at).collect()
        };
        let value = along(|point| point.value);
        let mut band = along(|point| ends(point).1);
        band.extend(along(|point| ends(point).0).into_iter().rev());
        let is_dots = curve.drawn == Drawn::Dots;
        html! {
            g class=(curve.class) {
                @if !value.is_empty() {
                    @if !is_dots { path.band d=(format!("M{}Z", band.join("L"))) {} }
                    path.line.thin[is_dots] d=(format!("M{}", value.join("L"))) {}
                }
            }
        }
    }

    fn dots(&self, plane: &Plane, curve: &Curve) -> Markup {
        html! {
            g class=(curve.class) {
                @for point in finite(&curve.points) {
                    @let x = pct(self.across.scale.at(point.at));
                    @let (lower, upper) = ends(point);
                    line.whisker x1=(x) x2=(x) y1=(px(plane.y(lower))) y2=(px(plane.y(upper))) {}
                    circle.dot cx=(x) cy=(px(plane.y(point.value))) r="4" {}
                }
            }
        }
    }

    /// A slot for the pointer around each place, as far as halfway to its neighbours.
    fn hits(&self) -> Markup {
        let at: Vec<f64> = self.said.iter().map(|(at, _)| self.across.scale.at(*at)).collect();
        let middle = |i: usize| f64::midpoint(at[i], at[i + 1]);
        html! {
            @for (i, (_, text)) in self.said.iter().enumerate() {
                @let left = if i == 0 { 0.0 } else { middle(i - 1) };
                @let right = if i + 1 == at.len() { 100.0 } else { middle(i) };
                g.hit {
                    title { (text) }
                    rect.slot x=(pct(left)) width=(pct((right - left).max(0.0))) y="0" height=(px(self.height)) {}
                }
            }
        }
    }
}

/// Points that can be drawn.
fn finite(points: &[CurvePoint]) -> impl Iterator<Item = &CurvePoint> {
    points.iter().filter(|point| point.at.is_finite() && point.value.is_finite())
}

/// The range of a point; the point itself where it has none.
fn ends(point: &CurvePoint) -> (f64, f64) {
    let or_value = |end: f64| if end.is_finite() { end } else { point.value };
    (or_value(point.lower), or_value(point.upper))
}

/// The level of all rows together.
pub(crate) fn overall(at: f64) -> Guide {
    Guide { at, kind: GuideKind::Overall }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_without_a_number_are_left_out_and_ranges_without_one_have_no_width() {
        let point = |at, value| CurvePoint { at, value, lower: f64::NAN, upper: f64::INFINITY };
        let across = Across::over([0.0, 1.0].into_iter(), "share", |tick| tick.to_string());
        let mut chart = Chart::new("c".into(), across, 100.0);
        let points = vec![point(0.0, 0.5), point(f64::NAN, 0.5), point(0.5, f64::INFINITY), point(1.0, 1.0)];
        chart.curves = vec![Curve { class: "c", points, drawn: Drawn::Dots }];
        chart.said = vec![(0.0, "a".into()), (1.0, "b".into())];
        let drawn = chart.markup(|value| value.to_string()).into_string();
        assert_eq!(drawn.matches("<circle").count(), 2);
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"));
        assert!(drawn.contains("x=\"0.00%\" width=\"50.00%\""));
    }
}
