//! A reference that was just proposed, and columns that change within it.

use engine::{EngineError, Log};
use jiff::Timestamp;
use monitor::reference::{ReferenceChange, changes, plan, windows, without};
use types::definition::Definition;
use types::nearest::listed;
use types::window::instant_text;
use types::{Schema, Window};

/// Columns whose profiles are in memory at a time.
const COLUMNS_AT_ONCE: usize = 64;
/// Columns that a sentence names before it counts.
const NAMED: usize = 6;

/// The key of the reference in what is proposed.
const KEY: &str = "\n[reference]\nwindow = ";

/// Columns that are not the same in all of a reference.
#[derive(Clone, Debug)]
pub(super) struct ChangedReference {
    /// In the order of time.
    changes: Vec<ReferenceChange>,
    /// A part of it without a change, where there is one that is long enough.
    without: Option<Window>,
}

/// Looks for changes within the reference; `None` where there is none.
pub(super) fn changed(
    definition: &Definition,
    schema: &Schema,
    log: &Log<'_>,
) -> Result<Option<ChangedReference>, EngineError> {
    let windows = windows(definition.reference.window);
    let mut found: Vec<ReferenceChange> = Vec::new();
    for columns in schema.columns.chunks(COLUMNS_AT_ONCE) {
        let schema = Schema { columns: columns.to_vec() };
        let answers = log.answer(&plan(definition, &schema, &windows), Timestamp::MAX)?;
        for change in changes(definition, &schema, &windows, &answers) {
            // The score is looked at with every part of the columns.
            if !found.contains(&change) {
                found.push(change);
            }
        }
    }
    found.sort_by_key(|change| change.since);
    let without = without(&windows, &found);
    Ok((!found.is_empty()).then_some(ChangedReference { changes: found, without }))
}

impl ChangedReference {
    /// `b, c on about 2013-02-25 and a on about 2013-03-04`.
    fn in_words(&self) -> String {
        let mut by_day: Vec<(Timestamp, Vec<&str>)> = Vec::new();
        for change in &self.changes {
            match by_day.last_mut() {
                Some((day, columns)) if *day == change.since => columns.push(&change.column),
                _ => by_day.push((change.since, vec![&change.column])),
            }
        }
        let parts = by_day.into_iter().map(|(day, columns)| {
            // A name may hold anything, and this stands in a comment.
            let columns = listed(columns, NAMED).replace(char::is_control, " ");
            format!("{columns} on about {}", instant_text(day))
        });
        parts.collect::<Vec<String>>().join("; ")
    }

    /// For the definition, to follow the reference.
    pub(super) fn comment(&self) -> String {
        let mut text = format!(
            "# Within this reference columns change: {}.\n\
             # What is compared with both ways at once can be told from neither.\n",
            self.in_words()
        );
        match self.without {
            Some(without) => text.push_str(&format!("# window = \"{without}\"    # without a change; is it right?\n")),
            None => text.push_str("# No part without a change is long enough; choose the period that new data should be like.\n"),
        }
        text
    }

    /// For the person who asked.
    pub(super) fn note(&self) -> String {
        let instead = self.without.map_or_else(
            || "no part without a change is long enough to propose it".to_owned(),
            |without| format!("{without} has no change, and stands in the file as a comment"),
        );
        format!("Within the proposed reference columns change: {}; {instead}.", self.in_words())
    }
}

/// The proposed text, with a comment after the line of its reference.
pub(super) fn with_comment(text: &str, comment: &str) -> String {
    let line = text.find(KEY).and_then(|at| {
        let begin = at + KEY.len();
        text[begin..].find('\n').map(|end| begin + end + 1)
    });
    let Some(at) = line else { return text.to_owned() };
    format!("{}{comment}{}", &text[..at], &text[at..])
}
