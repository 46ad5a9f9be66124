//! What is known of a log as a whole, apart from its rows.

/// The files and rows of a log that no window shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// Rows without a time: they are in no window.
    pub undated_rows: u64,
    pub changes: FileChanges,
}

/// What happened to the files of the log and of the outcomes since they were last looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileChanges {
    /// Nothing was remembered: this is the first look.
    pub first_look: bool,
    pub added: u64,
    /// Files whose content is not what it was.
    pub changed: Vec<String>,
    pub vanished: Vec<String>,
    /// An outcome file changed or vanished, so that what was known of past windows may not hold.
    pub outcomes_rewritten: bool,
}

impl FileChanges {
    /// Whether there is something to tell: added files are what a log is there for.
    pub fn any(&self) -> bool {
        !self.changed.is_empty() || !self.vanished.is_empty()
    }
}
