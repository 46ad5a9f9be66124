//! Makes files of the log of what a guard has logged, beside its answers.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine::ingest::Table;
use jiff::Timestamp;

/// How often what is logged becomes files, and how often it is seen whether so much waits that it should at once.
const EVERY: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How often small files become large ones.
const MERGE_EVERY: Duration = Duration::from_hours(1);
/// How long the last files may take once the guard stops; what is left is in the write-ahead log for the next start.
const GRACE: Duration = Duration::from_secs(20);

/// The thread that does it.
#[derive(Debug)]
pub(super) struct Keeping {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Keeping {
    pub(super) fn start(table: Arc<Table>) -> std::io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::Builder::new().name("compaction".into()).spawn(move || {
            let (mut last, mut merged) = (Instant::now(), Instant::now());
            while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if last.elapsed() >= EVERY || table.should_compact() {
                    last = Instant::now();
                    compact(&table);
                }
                if merged.elapsed() >= MERGE_EVERY {
                    merged = Instant::now();
                    if let Err(error) = table.merge(Timestamp::now()) {
                        log::error!("files of the log were not merged: {error}");
                    }
                }
            }
            compact(&table);
        })?;
        Ok(Self { stop, thread })
    }

    /// Makes files of all that is left, and waits for that for a while.
    pub(super) fn stop(self) {
        drop(self.stop);
        let until = Instant::now() + GRACE;
        while !self.thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        if !self.thread.is_finished() {
            log::warn!("what was logged last is not in files of the log yet; the next start makes them");
        }
    }
}

fn compact(table: &Table) {
    if table.status().waiting_rows == 0 {
        return;
    }
    match table.compact(Timestamp::now()) {
        Ok(compacted) => {
            for path in compacted.damaged {
                log::error!("`{}` cannot be read to its end and was set aside", path.display());
            }
        }
        Err(error) => log::error!("predictions wait to become files of the log: {error}"),
    }
}
