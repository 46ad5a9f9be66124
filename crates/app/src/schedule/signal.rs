//! What a job and the scheduler tell each other while it runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Stop;

/// Handed to a job that runs.
#[derive(Clone, Debug)]
pub struct Signal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    progress: Mutex<Instant>,
    lost: AtomicBool,
    stop: Arc<Stop>,
}

impl Signal {
    pub(super) fn new(stop: Arc<Stop>) -> Self {
        let progress = Mutex::new(Instant::now());
        Self { shared: Arc::new(Shared { progress, lost: AtomicBool::new(false), stop }) }
    }

    /// The job says that it gets on; one that does not for long counts as hanging.
    pub fn progress(&self) {
        *self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether the job should end early, with [`super::Failure::Stopped`]: the server stops, or the job was
    /// given to another. To be asked between steps, and before anything is recorded.
    pub fn should_stop(&self) -> bool {
        self.is_lost() || self.shared.stop.is_stopping()
    }

    /// Whether the job was given to another; what this one comes to is not recorded.
    pub fn is_lost(&self) -> bool {
        self.shared.lost.load(Ordering::SeqCst)
    }

    pub(super) fn lose(&self) {
        self.shared.lost.store(true, Ordering::SeqCst);
    }

    pub(super) fn silent_for(&self) -> Duration {
        self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}
