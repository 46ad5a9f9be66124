//! One bar cut into the parts of a whole.

use maud::{Markup, html};
use types::format;

use super::scale::pct;

/// A part of the whole; `class` decides its fill.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) label: &'static str,
    pub(crate) class: &'static str,
    pub(crate) count: u64,
}

/// The bar, widths in proportion to the counts; parts of zero are left out.
pub(crate) fn share_bar(label: &str, parts: &[Part]) -> Markup {
    let whole = parts.iter().map(|part| part.count as f64).sum::<f64>().max(1.0);
    let mut before = 0.0;
    let drawn: Vec<_> = parts
        .iter()
        .filter(|part| part.count > 0)
        .map(|part| {
            let left = before / whole * 100.0;
            before += part.count as f64;
            (part, left, part.count as f64 / whole * 100.0)
        })
        .collect();
    html! {
        svg.share-bar role="img" aria-label=(label) {
            @for (part, left, width) in drawn {
                g.hit {
                    title { (part.label) ": " (format::count(part.count)) }
                    rect class=(part.class) x=(pct(left)) y="0" width=(pct(width)) height="100%" {}
                }
            }
        }
    }
}
