//! Dots with intervals along a line, the lanes of a forest plot; and the bullet of a distance.

use maud::{Markup, html};

use super::scale::{Scale, pct};

/// A vertical line behind the dots.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Guide {
    pub(crate) at: f64,
    pub(crate) kind: GuideKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GuideKind {
    /// The value of all rows together.
    Overall,
    /// A round value of the axis.
    Tick,
    /// What the value is held against.
    Limit,
    /// The value in the reference window.
    Reference,
}

impl GuideKind {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Overall => "guide overall",
            Self::Tick => "grid",
            Self::Limit => "guide limit",
            Self::Reference => "guide reference",
        }
    }
}

/// One lane: a dot, its interval, and the guides, which join up over the lanes of a table.
pub(crate) fn lane(
    scale: &Scale,
    value: f64,
    interval: Option<(f64, f64)>,
    guides: &[Guide],
    label: &str,
) -> Markup {
    lane_with(scale, value, None, interval, guides, label)
}

/// The same with a second, lighter mark, such as an estimate drawn towards the others.
pub(crate) fn lane_with(
    scale: &Scale,
    value: f64,
    second: Option<f64>,
    interval: Option<(f64, f64)>,
    guides: &[Guide],
    label: &str,
) -> Markup {
    html! {
        svg.lane role="img" aria-label=(label) {
            (guide_lines(scale, guides))
            g.hit {
                title { (label) }
                rect.slot x="0" y="0" width="100%" height="100%" {}
                @if let Some((lower, upper)) = interval {
                    line.whisker x1=(pct(scale.at(lower))) x2=(pct(scale.at(upper))) y1="50%" y2="50%" {}
                }
                @if let Some(second) = second {
                    circle.second cx=(pct(scale.at(second))) cy="50%" r="4" {}
                }
                circle.dot cx=(pct(scale.at(value))) cy="50%" r="4.5" {}
            }
        }
    }
}

pub(super) fn guide_lines(scale: &Scale, guides: &[Guide]) -> Markup {
    html! {
        @for guide in guides.iter().filter(|guide| scale.contains(guide.at)) {
            @let x = pct(scale.at(guide.at));
            line class=(guide.kind.class()) x1=(x) x2=(x) y1="0" y2="100%" {}
        }
    }
}

/// The tick labels above the lanes.
pub(crate) fn axis(scale: &Scale, text: impl Fn(f64) -> String) -> Markup {
    html! {
        svg.axis aria-hidden="true" {
            @for (i, tick) in scale.ticks(5).into_iter().enumerate() {
                text.tick.minor[i % 2 == 1] x=(pct(scale.at(tick))) y="14" text-anchor="middle" { (text(tick)) }
            }
        }
    }
}

/// A bar from zero with marks at its limits and at what chance alone would give.
pub(crate) fn bullet(
    scale: &Scale,
    value: f64,
    limits: &[f64],
    by_chance: Option<f64>,
    label: &str,
) -> Markup {
    html! {
        svg.bullet role="img" aria-label=(label) {
            g.hit {
                title { (label) }
                rect.track x="0" y="7" width="100%" height="8" rx="2" {}
                rect.current x="0" y="7" width=(pct(scale.at(value))) height="8" rx="2" {}
                @if !scale.contains(value) && value > 0.0 {
                    rect.cut x="90%" y="5" width="3" height="12" transform="skewX(-14)" {}
                }
                @for limit in limits.iter().filter(|limit| scale.contains(**limit)) {
                    line.guide.limit x1=(pct(scale.at(*limit))) x2=(pct(scale.at(*limit))) y1="3" y2="19" {}
                }
                @if let Some(expected) = by_chance.filter(|expected| scale.contains(*expected)) {
                    line.guide.reference x1=(pct(scale.at(expected))) x2=(pct(scale.at(expected))) y1="5" y2="17" {}
                }
            }
        }
    }
}
