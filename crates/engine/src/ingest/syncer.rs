//! Waits for the disk in the place of requests that were answered before it: records that come meanwhile share the
//! wait.

use std::fs::File;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::wal::WalCounts;

/// How long a record that was only written waits for its turn on the disk.
const SYNC_WITHIN: Duration = Duration::from_millis(50);

/// A thread that syncs the segment that is written to.
#[derive(Debug)]
pub(super) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    asked: Mutex<Asked>,
    changed: Condvar,
    has_failed: AtomicBool,
}

#[derive(Debug, Default)]
struct Asked {
    /// The file to be synced; one before it was synced when it was closed.
    file: Option<File>,
    is_over: bool,
}

impl Syncer {
    pub(super) fn start(counts: Arc<WalCounts>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = {
            let shared = Arc::clone(&shared);
            let thread = std::thread::Builder::new().name("ingest-sync".into());
            thread.spawn(move || shared.run(&counts))?
        };
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Has a file synced soon.
    pub(super) fn ask(&self, file: File) {
        self.shared.lock().file = Some(file);
        self.shared.changed.notify_one();
    }

    /// Whether a wait for the disk ended with an error.
    pub(super) fn has_failed(&self) -> bool {
        self.shared.has_failed.load(Ordering::Acquire)
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, counts: &WalCounts) {
        loop {
            let mut asked = self.lock();
            while asked.file.is_none() && !asked.is_over {
                asked = self.changed.wait(asked).unwrap_or_else(PoisonError::into_inner);
            }
            if asked.is_over {
                return;
            }
            drop(asked);
            std::thread::sleep(SYNC_WITHIN);
            let Some(file) = self.lock().file.take() else { continue };
            if file.sync_data().is_ok() {
                counts.syncs.fetch_add(1, Ordering::Relaxed);
            } else {
                counts.failed_syncs.fetch_add(1, Ordering::Relaxed);
                self.has_failed.store(true, Ordering::Release);
            }
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        // What is left is synced by whoever closes the segment.
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
