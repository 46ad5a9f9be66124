//! All columns looked at together: which of them give a shift away.

use maud::{Markup, html};
use types::finding::{Detail, FeatureWeight, Finding};
use types::format;

use crate::chart::{SignedBar, signed_bars};

/// Features shown; the rest add little.
const FEATURES_SHOWN: usize = 10;

/// By how much the classifier needs each column, largest first; nothing where none was named.
pub(crate) fn features(finding: &Finding) -> Markup {
    let Some(Detail::Multivariate { features }) = &finding.detail else {
        return html! {};
    };
    let mut features: Vec<&FeatureWeight> = features.iter().collect();
    features.sort_by(|a, b| b.auc_drop.total_cmp(&a.auc_drop));
    let bars: Vec<SignedBar> = features.into_iter().take(FEATURES_SHOWN).map(bar).collect();
    html! {
        @if !bars.is_empty() {
            p.sub.above-bars { "What gives it away: how much less well the window can be told from the reference when a column is shuffled." }
            (signed_bars("Columns that give the shift away", &bars))
        }
    }
}

fn bar(of: &FeatureWeight) -> SignedBar {
    let text = format!("AUC −{}", format::number(of.auc_drop.max(0.0)));
    let text = if of.auc_drop > 0.0 { text } else { "no difference".into() };
    SignedBar {
        name: of.name.clone(),
        value: of.auc_drop,
        standard_error: 0.0,
        title: format!("{}: {text}", of.name),
        text,
    }
}
