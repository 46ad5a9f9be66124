//! A card with one key number: the value large, its uncertainty, its limits, and the sentence.

use maud::{Markup, html};
use types::finding::{Finding, Measure};
use types::{Verdict, format};

use super::measures::{measure_label, prose};
use super::verdict;
use crate::chart::{Guide, Scale, lane};
use crate::words;

/// What stands in a card.
pub(crate) struct Tile<'a> {
    pub(crate) title: String,
    pub(crate) verdict: Verdict,
    pub(crate) measure: Option<&'a Measure>,
    /// What the number is of.
    pub(crate) of_what: Option<Markup>,
    pub(crate) guides: Vec<Guide>,
    /// What the limits are, in words.
    pub(crate) limits: Vec<String>,
    pub(crate) summary: &'a str,
}

impl Tile<'_> {
    pub(crate) fn markup(&self) -> Markup {
        html! {
            article.tile {
                div.tile-head { h3 { (self.title) } (verdict::chip(self.verdict)) }
                @match self.measure {
                    Some(measure) => {
                        p.big { (words::measure_value(&measure.name, measure.value)) }
                        @if let Some(of_what) = &self.of_what { p.of-what { (of_what) } }
                        p.sub { (uncertainty(measure)) }
                        (self.lane(measure))
                    }
                    None => p.big.unmeasured { "—" },
                }
                p.sentence { (prose(self.summary)) }
            }
        }
    }

    fn lane(&self, measure: &Measure) -> Markup {
        let ends = measure.interval.as_ref().map(|interval| (interval.lower, interval.upper));
        if self.guides.is_empty() && ends.is_none() {
            return html! {};
        }
        let shown = ends.map(|(lower, upper)| [lower, upper]).into_iter().flatten();
        let guides = self.guides.iter().map(|guide| guide.at);
        let scale = Scale::around(shown.chain([measure.value]).chain(guides));
        html! {
            (lane(&scale, measure.value, ends, &self.guides, &measure_label(measure)))
            @if !self.limits.is_empty() { p.legend { span.key.limit {} (self.limits.join(", ")) } }
        }
    }
}

/// `limit: at least 0.620` for each limit of a measure.
pub(crate) fn limits_in_words(finding: &Finding, measure: &str) -> Vec<String> {
    let of = finding.thresholds.iter().filter(|threshold| threshold.measure == measure);
    of.map(|threshold| format!("limit: {}", words::bound(threshold))).collect()
}

fn uncertainty(measure: &Measure) -> String {
    let rows = format::counted(measure.n, "row", "rows");
    match (words::interval(measure), words::level(measure)) {
        (Some(interval), Some(level)) => format!("{interval} ({level} interval, {rows})"),
        _ => rows,
    }
}
