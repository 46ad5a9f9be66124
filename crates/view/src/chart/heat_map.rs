//! One row of a heat map: a cell for each window, its colour by size, its mark by verdict.
//!
//! Rows are drawn one by one, so that their names can be the cells of a table: readable text that
//! stays in sight while the map scrolls. A mark says what the colour says, for those who cannot
//! tell the colours apart and for paper.

use maud::{Markup, html};
use types::Verdict;

use super::scale::pct;
use super::time::Slots;

/// What a cell's fill stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Unremarkable; 0 to 3, the larger the darker.
    Calm(u8),
    Warn,
    /// 0 to 2.
    Fail(u8),
    Unknown,
    /// Nothing to show for this window.
    Empty,
    /// Lower or higher than what it is compared with, and by more than chance.
    Worse,
    Better,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Calm(0) => "calm-0",
            Self::Calm(1) => "calm-1",
            Self::Calm(2) => "calm-2",
            Self::Calm(_) => "calm-3",
            Self::Warn => "warned",
            Self::Fail(0) => "failed-0",
            Self::Fail(1) => "failed-1",
            Self::Fail(_) => "failed-2",
            Self::Unknown => "unsaid",
            Self::Empty => "nothing",
            Self::Worse => "worse",
            Self::Better => "better",
        }
    }
}

/// One window of a row.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) tone: Tone,
    /// `None` where nothing was measured for this window.
    pub(crate) verdict: Option<Verdict>,
    /// Framed: the alarm stands.
    pub(crate) framed: bool,
    /// Written into the cell where there is room.
    pub(crate) text: Option<String>,
    /// Said on hover.
    pub(crate) title: String,
}

/// The class that keeps a map of so many windows wide enough to be read; the style sheet knows each.
///
/// A class, because pages are served under a policy that forbids styles in markup.
pub(crate) fn room(windows: usize) -> &'static str {
    match windows {
        0..=13 => "slots-13",
        14..=26 => "slots-26",
        27..=39 => "slots-39",
        40..=53 => "slots-53",
        54..=79 => "slots-79",
        80..=106 => "slots-106",
        107..=160 => "slots-160",
        161..=265 => "slots-265",
        _ => "slots-530",
    }
}

/// The shapes of the marks, defined once a page; their middle is the origin.
pub(crate) fn marks() -> Markup {
    html! {
        svg.sprite aria-hidden="true" width="0" height="0" {
            defs {
                path id="mark-fail" class="mark fail" d="M-3-3 3 3M3-3-3 3" {}
                path id="mark-warn" class="mark warn" d="M0-3.4 3.6 2.8H-3.6Z" {}
                path id="mark-unknown" class="mark unknown" d="M-1.9-2c0-2.6 3.8-2.5 3.8 0C1.9-.4 0-.5 0 1.1M0 3.3v.1" {}
                path id="mark-nothing" class="mark nothing" d="M-2.5 0h5" {}
            }
        }
    }
}

fn mark(verdict: Option<Verdict>) -> Option<&'static str> {
    match verdict {
        Some(Verdict::Pass) => None,
        Some(Verdict::Warn) => Some("#mark-warn"),
        Some(Verdict::Fail) => Some("#mark-fail"),
        Some(Verdict::Unknown) => Some("#mark-unknown"),
        None => Some("#mark-nothing"),
    }
}

/// A key of the legend: a cell as it looks in the map.
pub(crate) fn key(tone: Tone, verdict: Option<Verdict>, framed: bool) -> Markup {
    html! {
        svg.heat.key-cell width="16" height="18" aria-hidden="true" {
            (square(tone, 0.0, 100.0))
            @if let Some(mark) = mark(verdict) { use href=(mark) x="50%" y="9" {} }
            @if framed { (frame(0.0, 100.0)) }
        }
    }
}

/// The row; `label` says in words what its cells show.
pub(crate) fn heat_row(label: &str, cells: &[Cell]) -> Markup {
    let slots = Slots::of(cells.len());
    html! {
        svg.heat role="img" aria-label=(label) {
            @for (slot, cell) in cells.iter().enumerate() {
                g.hit {
                    title { (cell.title) }
                    (square(cell.tone, slots.left(slot), slots.width()))
                    @if let Some(text) = &cell.text {
                        text.in-cell x=(pct(slots.centre(slot))) y="13" text-anchor="middle" { (text) }
                    }
                    @if let Some(mark) = mark(cell.verdict) {
                        @let aside = cell.text.as_ref().map(|_| "translate(28)");
                        use href=(mark) x=(pct(slots.centre(slot))) y="9" transform=[aside] {}
                    }
                    @if cell.framed { (frame(slots.left(slot), slots.width())) }
                }
            }
        }
    }
}

fn square(tone: Tone, left: f64, width: f64) -> Markup {
    html! { rect class=(tone.class()) x=(pct(left)) width=(pct(width)) height="18" {} }
}

/// A bar at the foot of the cell; those of neighbours join up to a line.
fn frame(left: f64, width: f64) -> Markup {
    html! { rect.stands x=(pct(left)) width=(pct(width)) y="16" height="2" {} }
}
