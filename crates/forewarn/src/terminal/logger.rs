//! The log of a server: one line an event, on standard error.

use jiff::Timestamp;
use log::{LevelFilter, Log, Metadata, Record};

struct Lines;

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // What libraries have to say is for whoever debugs them.
        let ours = ["app", "engine", "forewarn", "server", "store"];
        let root = metadata.target().split("::").next().unwrap_or_default();
        ours.contains(&root)
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            anstream::eprintln!("{:.3} {:<5} {}", Timestamp::now(), record.level(), record.args());
        }
    }

    fn flush(&self) {}
}

/// Sends what the program has to say to standard error from here on.
pub(crate) fn install() {
    // Fails only where it was installed before.
    if log::set_logger(&Lines).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
