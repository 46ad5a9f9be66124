//! What is expected of the log, for a definition that was just proposed: of its rows, and of each column (`[[expect]]`)
//! from the reference that it names.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use engine::{Engine, EngineError};
use jiff::Timestamp;
use monitor::quality::proposed::{self, Proposed};
use types::Window;
use types::definition::{self, Cadence, Definition};
use types::log_state::LogDay;
use types::window::end_of_day;

use super::reference::{self, ChangedReference};
use super::{quoted, rows};
use crate::profile_store::MemoryStore;

/// Columns that a file is still readable with; for more, somebody has to choose.
const COLUMNS_MOST: usize = 60;

/// What a second look at the log came to.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// The tables; empty where the definition is not complete enough to be used.
    pub(super) text: String,
    pub(super) changed: Option<ChangedReference>,
}

pub(super) fn proposed(engine: &Engine, text: &str, folder: &Path, now: Timestamp) -> Looked {
    let Ok(definition) = definition::parse(text) else { return Looked::default() };
    match looked_at(engine, &definition, folder) {
        Ok(Seen { days, proposed, changed }) => {
            Looked { text: rows::table(&days, now) + &tables(&proposed), changed }
        }
        Err(error) => {
            let reason = error.to_string().replace(char::is_control, " ");
            let text = format!("\n# Nothing is proposed to be expected of rows and columns: {reason}.\n");
            Looked { text, changed: None }
        }
    }
}

/// What there is to say of the log.
struct Seen {
    days: Vec<LogDay>,
    proposed: Vec<Proposed>,
    changed: Option<ChangedReference>,
}

fn looked_at(engine: &Engine, definition: &Definition, folder: &Path) -> Result<Seen, EngineError> {
    let log = engine.open(definition, folder, Some(Arc::new(MemoryStore::default())))?;
    let schema = log.schema();
    let range = log.time_range()?;
    let later = later_windows(definition, end_of_day(range.last));
    let questions = proposed::plan(definition, &schema, &later);
    log.profile_files(&questions)?;
    let answers = log.answer(&questions, Timestamp::MAX)?;
    let changed = reference::changed(definition, &schema, &log)?;
    let proposed = proposed::of(definition, &schema, &later, &answers);
    Ok(Seen { days: log.days(), proposed, changed })
}

/// Every window after the reference that is going to be held against the expectations.
fn later_windows(definition: &Definition, end: Timestamp) -> Vec<Window> {
    let from = definition.reference.window.to();
    let mut windows: Vec<Window> = [Cadence::Week, Cadence::Month, Cadence::Quarter]
        .into_iter()
        .flat_map(|every| Window::of_cadence(every, from, end))
        .collect();
    windows.extend(Window::new(from, end));
    windows
}

fn tables(proposed: &[Proposed]) -> String {
    if proposed.is_empty() {
        return String::new();
    }
    let mut text = String::from(
        "\n# What the reference lets expect of a column, in every window: ranges are a tenth wider than there.\n\
         # Tighten them where you know better; without `on_breach` a broken one is a failure.\n",
    );
    for proposed in proposed.iter().take(COLUMNS_MOST) {
        text.push_str(&table(proposed));
    }
    if proposed.len() > COLUMNS_MOST {
        let _ = writeln!(text, "\n# {} more columns are left out.", proposed.len() - COLUMNS_MOST);
    }
    text
}

fn table(proposed: &Proposed) -> String {
    let expected = &proposed.expectation;
    let mut text = format!("\n[[expect]]\ncolumn = {}\n", quoted(&expected.column));
    let mut line = |group: &str, key: &str, value: String| {
        let _ = if proposed.broken_later.contains(&group) {
            writeln!(text, "# {key} = {value}    # rows after the reference do not keep this: is it right?")
        } else {
            writeln!(text, "{key} = {value}")
        };
    };
    if let Some(holds) = expected.holds {
        line("type", "type", quoted(holds.word()));
    }
    for (key, bound) in [("min", expected.min), ("max", expected.max)] {
        if let Some(bound) = bound {
            line("range", key, number(bound));
        }
    }
    if let Some(allowed) = &expected.allowed {
        let values: Vec<String> = allowed.iter().map(|value| quoted(value)).collect();
        line("allowed", "allowed", format!("[{}]", values.join(", ")));
    }
    if let Some(share) = expected.max_missing {
        line("max_missing", "max_missing", number(share));
    }
    line("on_breach", "on_breach", quoted("warn"));
    text
}

/// A TOML number; without a fraction where there is none.
fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 { format!("{value:.0}") } else { format!("{value:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_one_in_toml() {
        for value in [0.0, 5500.0, -6.0, 1.09, 1e300, -2.5e-9, 1e15] {
            let text = format!(
                "[log]\npath = \"l\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n[[expect]]\ncolumn = \"x\"\nmin = {}\n",
                number(value)
            );
            assert_eq!(definition::parse(&text).unwrap().expect[0].min, Some(value), "{text}");
        }
    }
}
