//! Reference against current shares over the same bins.
//!
//! Bins of numbers stand in columns along an axis, categories lie in rows with their names beside
//! them. Which of the two it is can only be read off the labels.

use maud::{Markup, html};
use types::finding::{Distribution, DistributionBin};
use types::format;

use super::scale::{Scale, pct};

/// Rows shown before the others are folded away.
const ROWS_SHOWN: usize = 12;
/// Height of the column chart's drawing area, in pixels.
const HEIGHT: f64 = 144.0;
/// Labels that fit under a chart of full width.
const LABELS: usize = 8;

/// The chart of one distribution; `name` is what it is of.
pub(crate) fn histogram(name: &str, of: &Distribution) -> Markup {
    if of.bins.is_empty() {
        return html! { p.empty { "No values in either window, so there is nothing to draw." } };
    }
    match AxisLabels::of(&of.bins) {
        Some(labels) => columns(name, &of.bins, &labels),
        None => rows(name, &of.bins),
    }
}

/// The shape alone, small enough for a table cell.
pub(crate) fn sparkline(of: &Distribution) -> Markup {
    let bins = &of.bins[..of.bins.len().min(60)];
    let (slot, top) = (100.0 / bins.len().max(1) as f64, largest_share(bins));
    html! {
        svg.sparkline aria-hidden="true" {
            @for (i, bin) in bins.iter().enumerate() {
                (bar("reference", i as f64 * slot, slot * 0.9, share_of(bin.reference, top) * 22.0, 24.0))
                (bar("current", i as f64 * slot + slot * 0.25, slot * 0.4, share_of(bin.current, top) * 22.0, 24.0))
            }
        }
    }
}

/// What stands under a column chart.
enum AxisLabels {
    /// Between neighbouring bins: one label fewer than there are bins.
    Edges(Vec<String>),
    /// Under each bin.
    Centres(Vec<String>),
}

impl AxisLabels {
    /// The labels where the bins are of numbers, `None` where they are categories.
    fn of(bins: &[DistributionBin]) -> Option<Self> {
        let parsed: Vec<_> = bins.iter().map(|bin| NumericBin::parse(&bin.label)).collect::<Option<_>>()?;
        let upper = parsed.iter().zip(parsed.iter().skip(1));
        let edges: Option<Vec<String>> =
            upper.map(|(bin, next)| bin.upper.or(next.lower).map(str::to_owned)).collect();
        let all_ranges = parsed.iter().all(|bin| bin.upper.is_some() || bin.lower.is_some());
        Some(match edges {
            Some(edges) if all_ranges && !edges.is_empty() => Self::Edges(edges),
            _ => Self::Centres(bins.iter().map(|bin| bin.label.clone()).collect()),
        })
    }
}

/// The ends of a bin as its label names them; neither for a single value.
#[derive(Debug, PartialEq)]
struct NumericBin<'a> {
    lower: Option<&'a str>,
    upper: Option<&'a str>,
}

impl<'a> NumericBin<'a> {
    fn parse(label: &'a str) -> Option<Self> {
        let number = |text: &'a str| {
            let text = text.trim();
            text.replace('−', "-").replace(',', "").parse::<f64>().is_ok().then_some(text)
        };
        if let Some((lower, upper)) = label.split_once(" – ") {
            return Some(Self { lower: Some(number(lower)?), upper: Some(number(upper)?) });
        }
        if let Some(upper) = label.strip_prefix(['≤', '<']) {
            return Some(Self { lower: None, upper: Some(number(upper)?) });
        }
        if let Some(lower) = label.strip_prefix(['≥', '>']) {
            return Some(Self { lower: Some(number(lower)?), upper: None });
        }
        number(label.trim_start_matches(['=', ' '])).map(|_| Self { lower: None, upper: None })
    }
}

fn columns(name: &str, bins: &[DistributionBin], labels: &AxisLabels) -> Markup {
    let top = largest_share(bins);
    let scale = Scale::new(0.0, top);
    html! {
        svg.columns role="img" aria-label=(format!("Histogram of {name}: reference against current window, {} bins", bins.len())) {
            @for tick in scale.ticks(4).into_iter().filter(|tick| *tick > 0.0) {
                @let y = HEIGHT - tick / top * (HEIGHT - 8.0);
                line.grid x1="0" x2="100%" y1=(px(y)) y2=(px(y)) {}
                text.tick x="-8" y=(px(y + 4.0)) text-anchor="end" { (format::percent(tick)) }
            }
            @for (i, bin) in bins.iter().enumerate() {
                (column(bin, i, bins.len(), top))
            }
            line.base x1="0" x2="100%" y1=(px(HEIGHT)) y2=(px(HEIGHT)) {}
            (axis_labels(labels, bins.len()))
        }
    }
}

/// A pair of bars; beyond two dozen bins they overlap, so that each stays wide enough to see.
fn column(bin: &DistributionBin, index: usize, of: usize, top: f64) -> Markup {
    let slot = 100.0 / of as f64;
    let left = index as f64 * slot;
    let [reference, current] =
        [bin.reference, bin.current].map(|share| share_of(share, top) * (HEIGHT - 8.0));
    html! {
        g.hit {
            title { (bin_text(bin)) }
            rect.slot x=(pct(left)) width=(pct(slot)) y="0" height=(px(HEIGHT)) {}
            @if of <= 24 {
                (bar("reference", left + slot * 0.12, slot * 0.36, reference, HEIGHT))
                (bar("current", left + slot * 0.52, slot * 0.36, current, HEIGHT))
            } @else {
                (bar("reference", left + slot * 0.06, slot * 0.88, reference, HEIGHT))
                (bar("current", left + slot * 0.28, slot * 0.44, current, HEIGHT))
            }
        }
    }
}

fn axis_labels(labels: &AxisLabels, bins: usize) -> Markup {
    let (texts, offset) = match labels {
        AxisLabels::Edges(edges) => (edges, 1.0),
        AxisLabels::Centres(centres) => (centres, 0.5),
    };
    let every = texts.len().div_ceil(LABELS).max(1);
    let shown = texts.iter().enumerate().filter(|(i, _)| i % every == 0);
    html! {
        @for (nth, (i, text)) in shown.enumerate() {
            @let x = pct((i as f64 + offset) / bins as f64 * 100.0);
            @if matches!(labels, AxisLabels::Edges(_)) {
                line.base x1=(x) x2=(x) y1=(px(HEIGHT)) y2=(px(HEIGHT + 4.0)) {}
            }
            text.tick.minor[nth % 2 == 1] x=(x) y=(px(HEIGHT + 18.0)) text-anchor="middle" { (clipped(text, 10)) }
        }
    }
}

fn rows(name: &str, bins: &[DistributionBin]) -> Markup {
    let top = largest_share(bins);
    let (shown, folded) = bins.split_at(bins.len().min(ROWS_SHOWN));
    html! {
        div.bars role="group" aria-label=(format!("Shares of {name}: reference against current window")) {
            (row_list(shown, top))
            @if !folded.is_empty() {
                details.fold {
                    summary { (format!("{} more values", folded.len())) }
                    (row_list(folded, top))
                }
            }
        }
    }
}

fn row_list(bins: &[DistributionBin], top: f64) -> Markup {
    html! {
        ul {
            @for bin in bins {
                li {
                    span.name title=(bin.label) { (bin.label) }
                    svg role="img" aria-label=(bin_text(bin)) {
                        g.hit {
                            title { (bin_text(bin)) }
                            rect.slot x="0" y="0" width="100%" height="20" {}
                            rect.reference x="0" y="2" height="7" rx="1" width=(pct(share_of(bin.reference, top) * 100.0)) {}
                            rect.current x="0" y="11" height="7" rx="1" width=(pct(share_of(bin.current, top) * 100.0)) {}
                        }
                    }
                    span.values { (format::percent(bin.reference)) " → " (format::percent(bin.current)) }
                }
            }
        }
    }
}

fn bar(class: &str, x: f64, width: f64, height: f64, base: f64) -> Markup {
    html! {
        rect class=(class) x=(pct(x)) width=(pct(width)) y=(px(base - height)) height=(px(height)) rx="1" {}
    }
}

fn bin_text(bin: &DistributionBin) -> String {
    let [reference, current] = [bin.reference, bin.current].map(format::percent);
    format!("{}: reference {reference}, current {current}", bin.label)
}

/// The share that reaches the top of the chart; never zero.
fn largest_share(bins: &[DistributionBin]) -> f64 {
    let shares = bins.iter().flat_map(|bin| [bin.reference, bin.current]);
    shares.filter(|share| share.is_finite()).fold(1e-9, f64::max)
}

fn share_of(share: f64, top: f64) -> f64 {
    let height = share / top;
    if height.is_finite() { height.clamp(0.0, 1.0) } else { 0.0 }
}

fn clipped(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distribution(labels: &[&str]) -> Distribution {
        let bins = labels.iter().map(|label| DistributionBin {
            label: (*label).into(),
            reference: 0.25,
            current: 0.5,
        });
        Distribution {
            of: None,
            bins: bins.collect(),
            method: None,
            reference_n: 4,
            current_n: 2,
            reference_missing: 0.0,
            current_missing: 0.0,
            reference_quantiles: vec![],
            current_quantiles: vec![],
        }
    }

    #[test]
    fn numbers_stand_in_columns_and_categories_lie_in_rows() {
        for (labels, columns) in [
            (&["≤ 32.0", "32.0 – 41.0", "> 41.0"][..], true),
            (&["≤ 0", "0", "0 – 5", "> 5"], true),
            (&["0", "1"], true),
            (&["> 5"], true),
            (&["JFK", "LGA"], false),
            (&["JFK – LGA", "LGA – JFK"], false),
            (&["0", "other"], false),
        ] {
            let drawn = histogram("x", &distribution(labels)).into_string();
            assert_eq!(drawn.contains("class=\"columns\""), columns, "{labels:?}");
        }
    }

    #[test]
    fn an_edge_is_written_once_between_its_bins() {
        let drawn = histogram("x", &distribution(&["≤ 32.0", "32.0 – 41.0", "> 41.0"])).into_string();
        assert_eq!(drawn.matches(">32.0<").count(), 1);
        assert_eq!(drawn.matches(">41.0<").count(), 1);
    }

    #[test]
    fn sixty_bins_keep_at_most_eight_labels() {
        let labels: Vec<String> = (0..60).map(|i| format!("{i} – {}", i + 1)).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let drawn = histogram("x", &distribution(&labels)).into_string();
        assert_eq!(drawn.matches("text-anchor=\"middle\"").count(), 8);
    }

    #[test]
    fn many_categories_are_folded() {
        let labels: Vec<String> = (0..40).map(|i| format!("carrier {i}")).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        assert!(histogram("x", &distribution(&labels)).into_string().contains("28 more values"));
    }
}
