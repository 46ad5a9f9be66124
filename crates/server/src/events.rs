//! What happened, told to pages that are open: server-sent events that name what changed.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt as _};

use crate::Shared;
use crate::auth::Signed;

/// Changes that a slow reader may miss before it is told that something changed.
const KEPT: usize = 64;

/// Where changes are told.
#[derive(Clone, Debug)]
pub struct Events {
    sender: broadcast::Sender<String>,
}

impl Default for Events {
    fn default() -> Self {
        Self { sender: broadcast::channel(KEPT).0 }
    }
}

impl Events {
    /// Tells that these topics changed: `jobs`, `alerts`, `evidence`, `system:ID`.
    pub fn changed(&self, topics: &[&str]) {
        // Nobody may be listening.
        let _ = self.sender.send(topics.join(" "));
    }
}

pub(crate) async fn stream(
    State(shared): State<Shared>,
    _: Signed,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = BroadcastStream::new(shared.events.sender.subscribe());
    // Whoever missed some is told that anything may have changed.
    let events = changes.map(|change| {
        let topics = change.unwrap_or_else(|_| "jobs alerts evidence".into());
        Ok(Event::default().event("changed").data(topics))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(20)))
}
