//! Colours and marks. A verdict is always a mark and a word too, never a colour alone.

use anstyle::{AnsiColor, Style};
use types::Verdict;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
const WATCH: Style = AnsiColor::Yellow.on_default();
const UNKNOWN: Style = AnsiColor::BrightBlack.on_default();

pub(crate) fn of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => GOOD,
        Verdict::Warn => WATCH,
        Verdict::Unknown => UNKNOWN,
        Verdict::Fail => BAD,
    }
}

pub(crate) fn mark(verdict: Verdict) -> char {
    match verdict {
        Verdict::Pass => '✓',
        Verdict::Warn => '!',
        Verdict::Unknown => '?',
        Verdict::Fail => '✗',
    }
}

pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}
