//! What the performance of a window is read against.

use types::definition::Metric;
use types::finding::{Finding, WindowPerformance};
use types::format;
use types::performance::{LOSS, RELATIVE_LOSS};

use super::measures::limits;
use super::tile;
use crate::chart::{Guide, GuideKind};
use crate::words;

/// The lines that a value is read against: the limits of the metric, and its value in the reference.
pub(crate) fn guides(finding: &Finding, of: &WindowPerformance) -> Vec<Guide> {
    let reference = of.reference.as_ref().map(|reference| reference.value);
    let of_value = limits(finding, &of.metric);
    let of_loss = limits(finding, LOSS);
    let of_share = limits(finding, RELATIVE_LOSS);
    let higher_is_better = types::measure::metric(&of.metric).is_none_or(Metric::higher_is_better);
    let sign = if higher_is_better { -1.0 } else { 1.0 };
    let of_loss = reference.into_iter().flat_map(|reference| {
        let of_share = of_share.iter().map(move |share| reference * (1.0 + sign * share));
        of_loss.iter().map(move |loss| reference + sign * loss).chain(of_share)
    });
    let limits = of_value.into_iter().chain(of_loss).map(|at| Guide { at, kind: GuideKind::Limit });
    limits.chain(reference.map(|at| Guide { at, kind: GuideKind::Reference })).collect()
}

/// The same limits, in words.
pub(crate) fn limits_in_words(finding: &Finding, of: &WindowPerformance) -> Vec<String> {
    let mut said = tile::limits_in_words(finding, &of.metric);
    let losses = limits(finding, LOSS).into_iter();
    said.extend(
        losses.map(|loss| {
            format!("at most {} worse than the reference", words::measure_value(&of.metric, loss))
        }),
    );
    let shares = limits(finding, RELATIVE_LOSS).into_iter();
    said.extend(shares.map(|share| format!("at most {} worse than the reference", format::percent(share))));
    said
}
