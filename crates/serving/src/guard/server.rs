//! Where requests come in: questions to the model are guarded, everything else passes to its server as it is.
//!
//! `/healthz` says that the guard lives, `/metrics` is for Prometheus. Told to stop, it takes no new connection and
//! lets requests under way finish, for a while.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_server::Handle;
use axum_server::accept::NoDelayAcceptor;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::answers::Form;
use super::breaker::Breaker;
use super::cache::Cache;
use super::call::Guard;
use super::metrics::{Metrics, OPEN_METRICS};
use super::others::Other;
use super::upstream::Upstream;
use super::{Parts, Settings, marks};
use crate::stop::Signals;

/// How long requests may take to finish once the guard is told to stop.
const GRACE: Duration = Duration::from_secs(15);
/// How long a client may take for the head of a request, and for its body.
const HEAD_WITHIN: Duration = Duration::from_secs(20);
const BODY_WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("failed to listen on {address}: {source}; --listen takes another address")]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("`{address}` cannot be asked: {why}")]
    Upstream { address: String, why: String },
    #[error("failed to start: {0}")]
    Runtime(std::io::Error),
    #[error("stopped serving: {0}")]
    Serving(std::io::Error),
}

/// Numbers of requests: none is given twice, by whichever process.
#[derive(Debug)]
pub(super) struct Numbers {
    process: u64,
    next: AtomicU64,
}

impl Numbers {
    fn new() -> Self {
        // Drawn by the system.
        Self { process: RandomState::new().build_hasher().finish(), next: AtomicU64::new(1) }
    }

    pub(super) fn next(&self) -> String {
        format!("{:016x}-{:x}", self.process, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// A guard that is about to answer.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    runtime: Runtime,
    signals: Signals,
}

impl Listening {
    /// Takes the address.
    ///
    /// # Errors
    /// It is taken.
    pub fn on(address: SocketAddr) -> Result<Self, ServeError> {
        let bind = |source| ServeError::Bind { address, source };
        let listener = TcpListener::bind(address).map_err(bind)?;
        listener.set_nonblocking(true).map_err(bind)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("forewarn-guard")
            .enable_all()
            .build()
            .map_err(ServeError::Runtime)?;
        // Before anybody knows the address: whoever does may tell it to stop.
        let signals = {
            let _within = runtime.enter();
            Signals::heard().map_err(ServeError::Runtime)?
        };
        Ok(Self { listener, runtime, signals })
    }

    /// Where it listens; the port is chosen by the system where 0 was asked for.
    pub fn url(&self) -> String {
        self.listener.local_addr().map_or_else(|_| "http".into(), |address| format!("http://{address}"))
    }

    /// Answers until the process is told to stop, or `stop` ends, and lets requests under way finish.
    ///
    /// # Errors
    /// The model's address cannot be used, or the listener fails.
    pub fn serve(
        self,
        settings: Settings,
        parts: Parts,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let Self { listener, runtime, mut signals } = self;
        let handle = Handle::new();
        runtime.block_on(async {
            let router = router(Arc::new(guard(settings, parts)?));
            let stopping = handle.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = signals.next() => {}
                    () = stop => {}
                }
                stopping.graceful_shutdown(Some(GRACE));
            });
            let mut server = axum_server::from_tcp(listener).map_err(ServeError::Runtime)?;
            server.http_builder().http1().header_read_timeout(HEAD_WITHIN);
            let server = server.acceptor(NoDelayAcceptor::new());
            server.handle(handle).serve(router.into_make_service()).await.map_err(ServeError::Serving)
        })
    }
}

fn guard(settings: Settings, parts: Parts) -> Result<Guard, ServeError> {
    Ok(Guard {
        upstream: Upstream::new(&settings.upstream, settings.limits)?,
        // A try has surely ended twice the time after it began.
        breaker: Breaker::new(settings.breaker, 2 * settings.limits.call),
        cache: settings.cache.clone().map(Cache::new),
        form: Mutex::new(Form::plain(&settings.questions, &settings.reading)),
        others: parts.others.into_iter().map(|targets| Arc::new(Other::new(targets))).collect(),
        journal: parts.journal,
        remedies: parts.remedies,
        metrics: Metrics::default(),
        numbers: Numbers::new(),
        settings,
    })
}

fn router(guard: Arc<Guard>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/metrics", get(metrics))
        .fallback(answer)
        .with_state(guard)
}

async fn metrics(State(guard): State<Arc<Guard>>) -> Response {
    let text = guard.metrics.text(guard.breaker.standing(), guard.journal.backlog());
    ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}

async fn answer(State(guard): State<Arc<Guard>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if head.method != Method::POST || !guard.settings.questions.are_at(head.uri.path()) {
        guard.metrics.request("passed");
        let passed = guard.upstream.pass(&head, body).await;
        return passed.unwrap_or_else(|failure| marks::unanswered(&guard.settings.questions, &failure, None));
    }
    let most = guard.settings.limits.body_bytes;
    let body = match timeout(BODY_WITHIN, to_bytes(body, most)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            guard.metrics.request("unreadable");
            let message = format!("the body has more than {most} bytes, or ends in the middle");
            return marks::refused(&guard.settings.questions, StatusCode::PAYLOAD_TOO_LARGE, &message);
        }
        Err(_) => {
            guard.metrics.request("unreadable");
            let message = "the body did not come within 30 seconds";
            return marks::refused(&guard.settings.questions, StatusCode::REQUEST_TIMEOUT, message);
        }
    };
    // What is asked is seen to its end, whether the caller waits for it or not: the model has answered then.
    let questions = guard.settings.questions.clone();
    match tokio::spawn(guard.answer(head, body)).await {
        Ok(response) => response,
        Err(error) => {
            log::error!("a request ended by itself: {error}");
            marks::refused(&questions, StatusCode::INTERNAL_SERVER_ERROR, "the guard has failed")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_given_twice() {
        let (one, other) = (Numbers::new(), Numbers::new());
        let drawn = [one.next(), one.next(), other.next()];
        assert!(drawn[0] != drawn[1] && drawn[0] != drawn[2], "{drawn:?}");
    }
}
