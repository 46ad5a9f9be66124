//! The smaller panels: reliability, rarity, the worst slices, the map of errors.

use maud::{Markup, html};
use types::CheckId;
use types::detail::{FoundSlices, PoolRow, ResidualRow};
use types::finding::{Detail, Finding, segment_label};
use types::format;
use types::report::CheckReport;

use super::Panel;
use crate::chart::{Dumbbell, Reliability, Scale, lane, overall, small_reliability};
use crate::page::measures::breakable;
use crate::page::verdict;
use crate::report::lanes::ends;
use crate::report::loss::Loss;
use crate::report::{error_map as map, findings_of, slices as slices_section, tail};
use crate::words;

/// Rows of a list.
const SLICES: usize = 5;
const SEGMENTS: usize = 9;
const KINDS: usize = 6;

/// The worst finding of a check that has a detail.
fn shown(report: &CheckReport, check: CheckId) -> Option<(&Finding, &Detail)> {
    findings_of(report, check).into_iter().find_map(|finding| Some((finding, finding.detail.as_ref()?)))
}

pub(super) fn reliability(report: &CheckReport) -> Option<Panel> {
    let (finding, Detail::Reliability { bins, more }) = shown(report, CheckId::Calibration)? else {
        return None;
    };
    if bins.is_empty() && more.curve.is_empty() {
        return None;
    }
    Some(Panel {
        title: "Do scores mean what they say?",
        anchor: "calibration",
        verdict: Some(finding.verdict),
        wide: false,
        body: html! {
            figure.square { (small_reliability(&Reliability { bins, curve: &more.curve })) }
            p.legend {
                span { span.key.dot {} "bins of the score" }
                @if !more.curve.is_empty() {
                    span { span.key.level.recalibrated-level {} "without bins" }
                    span { span.key.calibrated-band {} "if scores were right" }
                }
            }
        },
    })
}

pub(super) fn rarity(report: &CheckReport) -> Option<Panel> {
    let (finding, Detail::Tail(of)) = shown(report, CheckId::Tail)? else { return None };
    of.deciles.iter().find(|row| row.mean_loss.is_some())?;
    let loss = Loss::of_tail(of);
    Some(Panel {
        title: "Loss by rarity of the inputs",
        anchor: "tail",
        verdict: Some(finding.verdict),
        wide: false,
        body: html! {
            figure { (tail::rarity_legend(&loss)) (tail::rarity(&of.deciles, &loss, "usual → unusual inputs", 176.0)) }
            @if !of.pools.is_empty() { (kinds(&of.pools)) }
        },
    })
}

/// What predicted quantiles promise and hold.
pub(super) fn quantiles(report: &CheckReport) -> Option<Panel> {
    let (finding, Detail::Reliability { more, .. }) = shown(report, CheckId::Calibration)? else {
        return None;
    };
    let rows = &more.quantiles;
    if rows.is_empty() {
        return None;
    }
    let scale = Scale::new(0.0, 1.0);
    Some(Panel {
        title: "Do quantiles hold what they promise?",
        anchor: "calibration",
        verdict: Some(finding.verdict),
        wide: false,
        body: html! {
            p.legend { span { span.key.ring {} "promised share of outcomes" } span { span.key.dot {} "share at or below" } }
            ul.quantiles {
                @for row in rows.iter().take(SEGMENTS) {
                    @let (promised, held) = (format::percent(row.level), format::percent(row.covered.value));
                    li {
                        span { (promised) }
                        (Dumbbell { average: Some(row.level), value: row.covered.value, ends: ends(&row.covered), guides: &[], class: row.verdict.word(), label: &format!("promised {promised}, held {held}, {}", format::counted(row.covered.n, "row", "rows")) }.markup(&scale))
                        span.num { strong { (held) } @if let Some(range) = words::interval(&row.covered) { span.sub.below { (range) } } }
                    }
                }
            }
            @if let Some(row) = rows.first() { p.sub { "of " (format::counted(row.covered.n, "row", "rows")) } }
        },
    })
}

/// Kinds of rare cases with their lift.
fn kinds(pools: &[PoolRow]) -> Markup {
    html! {
        ul.kinds-of {
            @for pool in pools.iter().take(KINDS) {
                li {
                    span { (words::sentence_case(&pool.what)) " " span.sub.rows { "n " (format::count(pool.rows)) } }
                    @match &pool.lift {
                        Some(lift) => span.num { strong { (words::measure_value("lift", lift.value)) } @if let Some(range) = words::interval(lift) { span.sub.below { (range) } } },
                        None if pool.rows == 0 => span.num.sub { (tail::NONE) },
                        None if pool.mean_loss.is_some() => span.num.sub { "nothing is lost" },
                        None => span.num.sub { "too few rows" },
                    }
                    (verdict::icon(pool.verdict))
                }
            }
        }
    }
}

pub(super) fn slices(report: &CheckReport) -> Option<Panel> {
    let (finding, Detail::Slices(found)) = shown(report, CheckId::Slices)? else { return None };
    (!found.slices.is_empty()).then(|| Panel {
        title: "Worst slices found",
        anchor: "slices",
        verdict: Some(finding.verdict),
        wide: false,
        body: slice_list(found),
    })
}

fn slice_list(found: &FoundSlices) -> Markup {
    let shown = &found.slices[..found.slices.len().min(SLICES)];
    let values = shown.iter().flat_map(|slice| {
        let (lower, upper) = ends(&slice.lift).unwrap_or((slice.lift.value, slice.lift.value));
        [slice.lift.value, lower, upper]
    });
    let scale = Scale::around(values.chain([1.0]));
    html! {
        p.legend { span { span.key.dot {} "times the average loss, with interval" } span { span.key.overall {} "average" } }
        ol.slice-list {
            @for slice in shown {
                @let text = words::measure_value("lift", slice.lift.value);
                li {
                    div { (slices_section::conditions(slice)) }
                    div.line {
                        (lane(&scale, slice.lift.value, ends(&slice.lift), &[overall(1.0)], &format!("{}: {text} the average loss", slice.conditions.join(" and "))))
                        strong { (text) }
                    }
                    span.sub {
                        @if let Some(range) = words::interval_in("lift", &slice.lift) { (range) ", " }
                        (format::counted(slice.rows, "row", "rows")) ", " (format::percent(slice.share)) " of those that judged"
                    }
                }
            }
        }
        @if found.slices.len() > SLICES { p.sub { "and " (found.slices.len() - SLICES) " more" } }
    }
}

pub(super) fn error_map(report: &CheckReport) -> Option<Panel> {
    let (finding, Detail::Errors(of)) = shown(report, CheckId::Errors)? else { return None };
    let (title, body) = if !of.rates.is_empty() {
        ("Who gets which errors", html! { (map::legend()) (map::map(&of.rates, SEGMENTS)) })
    } else if !of.residuals.is_empty() {
        ("Who is predicted too low or too high", residual_list(&of.residuals))
    } else {
        return None;
    };
    Some(Panel { title, anchor: "errors", verdict: Some(finding.verdict), wide: false, body })
}

/// Mean residuals, those that stand out first.
fn residual_list(rows: &[ResidualRow]) -> Markup {
    let shown = &rows[..rows.len().min(SLICES)];
    let values = shown.iter().flat_map(|row| {
        let (lower, upper) = ends(&row.residual).unwrap_or((row.residual.value, row.residual.value));
        [row.residual.value, lower, upper]
    });
    let scale = Scale::around(values.chain([0.0]));
    html! {
        p.legend { span { span.key.dot {} "outcome less prediction on average, with interval" } span { span.key.overall {} "0: neither" } }
        ol.slice-list {
            @for row in shown {
                @let name = segment_label(&row.column, row.value.as_deref());
                @let text = format::number(row.residual.value);
                li {
                    div { (breakable(&name)) @if row.flagged { span.tag { "systematic" } } }
                    div.line {
                        (lane(&scale, row.residual.value, ends(&row.residual), &[overall(0.0)], &format!("{name}: {text}")))
                        strong { (text) }
                    }
                    span.sub {
                        @if let Some(range) = words::interval(&row.residual) { (range) ", " }
                        (format::counted(row.residual.n, "row", "rows"))
                    }
                }
            }
        }
        @if rows.len() > SLICES { p.sub { "and " (rows.len() - SLICES) " more" } }
    }
}
