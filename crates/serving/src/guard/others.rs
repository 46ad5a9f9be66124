//! Models that answer while the first one cannot: a fallback, or one that does with fewer inputs.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use types::batch::Batch;

use crate::answer::{Failure, FailureKind};
use crate::{Outcome, Target};

/// Several connections to one model, each of which is asked about one request at a time.
#[derive(Debug)]
pub(super) struct Other {
    idle: Mutex<Vec<Box<dyn Target>>>,
    turns: Semaphore,
}

impl Other {
    pub(super) fn new(targets: Vec<Box<dyn Target>>) -> Self {
        Self { turns: Semaphore::new(targets.len()), idle: Mutex::new(targets) }
    }

    /// Asks on a thread that may wait.
    pub(super) async fn ask(self: Arc<Self>, rows: Batch) -> Outcome {
        let gone = || Failure::new(FailureKind::Unreachable, "the other model is not there any more");
        let Ok(turn) = self.turns.acquire().await else { return gone().into() };
        let target = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(mut target) = target else { return gone().into() };
        let asked = tokio::task::spawn_blocking(move || (target.outcome(&rows), target)).await;
        let outcome = match asked {
            Ok((outcome, target)) => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(target);
                outcome
            }
            Err(_) => gone().into(),
        };
        drop(turn);
        outcome
    }
}
