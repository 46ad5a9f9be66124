//! The pictures of the first screen: each headline in a cell, then a panel for each question that has an answer.
//!
//! A panel says in one glance what its section says in full, and leads there.

mod cells;
mod extremes;
mod panels;

use maud::{Markup, html};
use types::Verdict;
use types::report::CheckReport;

use super::loss::Loss;
use crate::page::verdict;

pub(super) use cells::cells;

/// One panel; `anchor` is the section that it stands for.
struct Panel {
    title: &'static str,
    anchor: &'static str,
    verdict: Option<Verdict>,
    /// Twice as wide where there is room.
    wide: bool,
    body: Markup,
}

/// All panels that have something to show.
pub(super) fn panels(report: &CheckReport) -> Markup {
    let loss = Loss::of(report);
    let panels: Vec<Panel> = [
        extremes::panel(report, loss.as_ref()),
        panels::reliability(report),
        panels::quantiles(report),
        panels::rarity(report),
        panels::slices(report),
        panels::error_map(report),
    ]
    .into_iter()
    .flatten()
    .collect();
    html! {
        @if !panels.is_empty() { div.dashboard { @for panel in &panels { (panel.markup()) } } }
    }
}

impl Panel {
    fn markup(&self) -> Markup {
        html! {
            article.dash.wide-panel[self.wide] {
                div.dash-head {
                    h3 { a href=(format!("#{}", self.anchor)) { (self.title) } }
                    @if let Some(of) = self.verdict { (verdict::chip(of)) }
                }
                (self.body)
            }
        }
    }
}
