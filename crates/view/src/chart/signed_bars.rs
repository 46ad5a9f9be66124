//! Parts of a change: bars to the left and right of zero, with their standard errors.

use maud::{Markup, html};

use super::scale::{Scale, pct};

/// One part of the change.
#[derive(Clone, Debug)]
pub(crate) struct SignedBar {
    pub(crate) name: String,
    pub(crate) value: f64,
    /// Zero or not a number: none is drawn.
    pub(crate) standard_error: f64,
    /// The value as it is written.
    pub(crate) text: String,
    /// Said on hover.
    pub(crate) title: String,
}

impl SignedBar {
    fn ends(&self) -> (f64, f64) {
        let half = if self.standard_error.is_finite() { self.standard_error.abs() } else { 0.0 };
        (self.value - half, self.value + half)
    }

    /// Whether two standard errors reach zero.
    fn is_faint(&self) -> bool {
        self.value.abs() < 2.0 * self.standard_error.abs()
    }
}

/// A list of bars on one scale around zero; `label` says what is divided.
pub(crate) fn signed_bars(label: &str, bars: &[SignedBar]) -> Markup {
    let ends = bars.iter().flat_map(|bar| {
        let (low, high) = bar.ends();
        [low, high]
    });
    let scale = Scale::around(ends.chain([0.0]));
    html! {
        div.bars.signed role="group" aria-label=(label) {
            ul {
                @for bar in bars {
                    li {
                        span.name title=(bar.name) { (bar.name) }
                        svg role="img" aria-label=(bar.title) { (drawn(&scale, bar)) }
                        span.values { (bar.text) }
                    }
                }
            }
        }
    }
}

fn drawn(scale: &Scale, bar: &SignedBar) -> Markup {
    let zero = scale.at(0.0);
    let end = scale.at(bar.value);
    let (low, high) = bar.ends();
    html! {
        line.base x1=(pct(zero)) x2=(pct(zero)) y1="-3" y2="23" {}
        g.hit {
            title { (bar.title) }
            rect.slot x="0" y="0" width="100%" height="20" {}
            rect.up[bar.value >= 0.0].down[bar.value < 0.0].faint[bar.is_faint()] x=(pct(zero.min(end))) width=(pct((end - zero).abs())) y="4" height="12" rx="1" {}
            line.error x1=(pct(scale.at(low))) x2=(pct(scale.at(high))) y1="10" y2="10" {}
        }
    }
}
