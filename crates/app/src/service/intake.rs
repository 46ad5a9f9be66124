//! Rows that clients send to a served system.

use std::sync::Arc;

use engine::ingest::{Ingest, IngestError, Table, TableKind};
use jiff::Timestamp;

use super::{Served, Service};

const KINDS: [TableKind; 2] = [TableKind::Predictions, TableKind::Outcomes];

impl Service {
    /// The table that rows of a system go to.
    ///
    /// # Errors
    /// Its log does not take in rows, or its files cannot be used.
    pub fn table(&self, served: &Served, kind: TableKind) -> Result<Arc<Table>, IngestError> {
        self.ingest.table(&served.current().definition, served.folder(), kind)
    }

    /// What takes in rows, for its figures.
    pub fn ingest(&self) -> &Ingest {
        &self.ingest
    }

    /// Opens the tables in which rows of an earlier run may wait.
    pub(super) fn reopen_tables(&self) {
        for served in self.systems() {
            for kind in KINDS.into_iter().filter(|kind| self.ingest.was_used(served.id(), *kind)) {
                if let Err(error) = self.table(served, kind) {
                    log::error!("{} of `{}` are not taken in: {error}", kind.name(), served.id());
                }
            }
        }
    }

    /// Makes files of the log of what was accepted, where so much waits, or of everything.
    pub(super) fn compact(&self, everything: bool, now: Timestamp) {
        for (system, kind, table) in self.ingest.open_tables() {
            if everything || table.should_compact() {
                compact(&system, kind, &table, now);
            }
        }
    }

    /// Brings a system's log into the form in which it is read best, with every row that was accepted so far;
    /// to be called while no check reads it.
    pub(super) fn settle_log(&self, served: &Served, now: Timestamp) {
        let tables = self.ingest.open_tables();
        for (system, kind, table) in tables.iter().filter(|(system, ..)| system == served.id()) {
            compact(system, *kind, table, now);
            if let Err(error) = table.merge(now) {
                log::error!("files of {} of `{system}` were not merged: {error}", kind.name());
            }
        }
    }
}

/// Makes files of what a table has accepted. What cannot be now is tried again at the next turn.
fn compact(system: &str, kind: TableKind, table: &Table, now: Timestamp) {
    if table.status().waiting_rows == 0 {
        return;
    }
    match table.compact(now) {
        Ok(compacted) => {
            for path in compacted.damaged {
                log::error!("`{}` of `{system}` cannot be read to its end and was set aside", path.display());
            }
        }
        Err(error) => log::error!("{} of `{system}` wait to become files: {error}", kind.name()),
    }
}
