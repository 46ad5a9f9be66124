//! Ctrl-C for what runs for minutes: it ends at once, cleans up, and says what was measured until then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

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
                let Ok(mut signals) = Signals::heard() else { return };
                signals.next().await;
                of_thread.set();
                signals.next().await;
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

/// Ctrl-C, and what a service manager sends: from here on they end the process no more.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// To be called within a runtime.
    pub(crate) fn heard() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
