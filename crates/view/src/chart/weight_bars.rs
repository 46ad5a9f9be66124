//! Parts of a whole as a list of bars, the largest as wide as the chart.

use maud::{Markup, html};

use super::scale::pct;

/// The bars; `text` writes a weight.
pub(crate) fn weight_bars<'a>(
    label: &str,
    of: impl Iterator<Item = (&'a str, f64)> + Clone,
    text: impl Fn(f64) -> String,
) -> Markup {
    let most = of.clone().map(|(_, weight)| weight).filter(|weight| weight.is_finite()).fold(0.0, f64::max);
    let width = |weight: f64| if most > 0.0 { (weight / most).clamp(0.0, 1.0) * 100.0 } else { 0.0 };
    html! {
        div.bars.weights role="group" aria-label=(label) {
            ul {
                @for (name, weight) in of {
                    li {
                        span.name title=(name) { (name) }
                        svg role="img" aria-label=(format!("{name}: {}", text(weight))) {
                            @if weight.is_finite() { rect.current x="0" y="4" height="12" rx="2" width=(pct(width(weight))) {} }
                        }
                        span.values { (text(weight)) }
                    }
                }
            }
        }
    }
}
