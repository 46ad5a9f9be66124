//! How far a case lies from the average: the average as a ring, the case as a dot, a bar between them.

use maud::{Markup, html};

use super::interval_plot::{Guide, guide_lines};
use super::scale::{Scale, pct};

/// One lane of it; `class` colours the dot and the bar.
pub(crate) struct Dumbbell<'a> {
    pub(crate) average: Option<f64>,
    pub(crate) value: f64,
    pub(crate) ends: Option<(f64, f64)>,
    pub(crate) guides: &'a [Guide],
    pub(crate) class: &'a str,
    pub(crate) label: &'a str,
}

impl Dumbbell<'_> {
    pub(crate) fn markup(&self, scale: &Scale) -> Markup {
        let at = scale.at(self.value);
        html! {
            svg class=(format!("lane dumbbell {}", self.class)) role="img" aria-label=(self.label) {
                (guide_lines(scale, self.guides))
                g.hit {
                    title { (self.label) }
                    rect.slot x="0" y="0" width="100%" height="100%" {}
                    @if let Some(average) = self.average {
                        @let from = scale.at(average);
                        line.gap x1=(pct(from)) x2=(pct(at)) y1="50%" y2="50%" {}
                        circle.ring cx=(pct(from)) cy="50%" r="4" {}
                    }
                    @if let Some((lower, upper)) = self.ends {
                        line.whisker x1=(pct(scale.at(lower))) x2=(pct(scale.at(upper))) y1="50%" y2="50%" {}
                    }
                    circle.dot cx=(pct(at)) cy="50%" r="5" {}
                }
            }
        }
    }
}
