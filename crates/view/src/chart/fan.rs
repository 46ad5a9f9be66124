//! How the values of a number move: bands between quantiles, window after window.

use maud::{Markup, html};
use types::{Verdict, Window, format};

use super::scale::{Scale, pct};
use super::time::{Plane, Slots, month_axis};

const HEIGHT: f64 = 104.0;

/// Values at the shares 5, 25, 50, 75 and 95 %.
pub(crate) type Quantiles = [f64; 5];

/// One window of a fan.
#[derive(Clone, Debug)]
pub(crate) struct FanWindow {
    pub(crate) current: Option<Quantiles>,
    pub(crate) reference: Option<Quantiles>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) title: String,
}

/// The chart; `name` is what it is of.
pub(crate) fn fan(name: &str, windows: &[Window], of: &[FanWindow]) -> Markup {
    let ends = of.iter().flat_map(|window| [window.current, window.reference]).flatten();
    let scale = Scale::around(ends.flat_map(|quantiles| [quantiles[0], quantiles[4]]));
    let plane = Plane { slots: Slots::of(of.len()), scale, height: HEIGHT };
    html! {
        svg.fan role="img" aria-label=(format!("{name} over {} windows: middle half, middle nine tenths and median, against the reference", of.len())) {
            (values_axis(&plane, 5, format::value))
            (plane.draw(&bands(&plane, of)))
            (verdict_slots(plane.slots, HEIGHT, of.iter().map(|window| (window.verdict, window.title.as_str()))))
        }
        (month_axis(windows, 15.0))
    }
}

fn bands(plane: &Plane, of: &[FanWindow]) -> Markup {
    let at = |quantile: usize, reference: bool| -> Vec<Option<f64>> {
        let of = of.iter().map(|window| if reference { window.reference } else { window.current });
        of.map(|quantiles| quantiles.map(|quantiles| quantiles[quantile])).collect()
    };
    html! {
        path.reference-band d=(plane.band(&at(0, true), &at(4, true))) {}
        path.band.outer d=(plane.band(&at(0, false), &at(4, false))) {}
        path.band.inner d=(plane.band(&at(1, false), &at(3, false))) {}
        path.reference-edge d=(plane.line(&at(0, true))) {}
        path.reference-edge d=(plane.line(&at(4, true))) {}
        path.reference-median d=(plane.line(&at(2, true))) {}
        path.median d=(plane.line(&at(2, false))) {}
    }
}

/// Round values at the left with lines across.
pub(crate) fn values_axis(plane: &Plane, most: u32, text: impl Fn(f64) -> String) -> Markup {
    html! {
        @for tick in plane.scale.ticks(most) {
            @let y = format!("{:.1}", plane.y(tick));
            line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
            text.tick x="-8" y=(y) dy="4" text-anchor="end" { (text(tick)) }
        }
    }
}

/// A slot for the pointer over each window, and at the foot the colour of what is not a pass.
pub(crate) fn verdict_slots<'a>(
    slots: Slots,
    height: f64,
    of: impl Iterator<Item = (Option<Verdict>, &'a str)>,
) -> Markup {
    let foot = format!("{:.0}", height + 2.0);
    html! {
        @for (slot, (verdict, title)) in of.enumerate() {
            g.hit {
                title { (title) }
                rect.slot x=(pct(slots.left(slot))) width=(pct(slots.width())) y="0" height=(height) {}
                @if let Some(verdict) = verdict.filter(|verdict| *verdict != Verdict::Pass) {
                    rect class=(verdict.word()) x=(pct(slots.left(slot))) width=(pct(slots.width())) y=(foot) height="4" {}
                }
            }
        }
    }
}
