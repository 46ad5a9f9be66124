//! All columns at once: whether the window can be told from the reference, and by what.

use maud::{Markup, html};
use types::finding::Finding;

use crate::page::measures::{figures, prose, table, unmeasured};
use crate::page::{together, verdict};

/// One finding about all columns, above the list of single ones.
pub(super) fn together(finding: &Finding) -> Markup {
    html! {
        article.panel.together {
            h3 { "All columns together" }
            div.verdict-line { (verdict::chip(finding.verdict)) p.sentence { (prose(&finding.summary)) } }
            (figures(finding))
            (together::features(finding))
            @if !finding.measures.is_empty() { details.more { summary { "All measures" } (table(finding)) } }
            (unmeasured(finding))
        }
    }
}
