//! Ctrl-C for what runs for minutes: it ends at once, cleans up, and says what was measured until then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// Whether somebody wants it to end.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// One that is set by Ctrl-C, and by what a service manager sends. Whoever presses it twice is not kept waiting.
    pub fn on_interrupt() -> Self {
        let stop = Self::default();
        let of_thread = stop.clone();
        thread::spawn(move || {
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
            runtime.block_on(async {
                told_to_stop().await;
                of_thread.set();
                told_to_stop().await;
                std::process::exit(INTERRUPTED);
            });
        });
        stop
    }

    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What shells take for "ended by Ctrl-C".
const INTERRUPTED: i32 = 130;

/// Waits for Ctrl-C, or for what a service manager sends.
pub(crate) async fn told_to_stop() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
