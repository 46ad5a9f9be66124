//! Tasks shared among threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does `work` for every task from 0 to `tasks`, each thread with what it has of its own.
pub(super) fn for_each<W: Default>(tasks: usize, threads: usize, work: impl Fn(usize, &mut W) + Sync) {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut own = W::default();
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                break;
            }
            work(task, &mut own);
        }
    };
    thread::scope(|scope| {
        // Where the system has no thread left, the others do the work.
        let start = |_| thread::Builder::new().spawn_scoped(scope, run).ok();
        let others: Vec<_> = (1..threads.min(tasks)).map_while(start).collect();
        run();
        for other in others {
            if let Err(panic) = other.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}
