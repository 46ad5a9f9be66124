//! A proxy in front of a server that breaks its answers on purpose: late, bit by bit, cut off, reset, none at all.
//!
//! Requests go on to the server as they are, whatever their path. A fault lasts as long as its [`Injection`]: when that
//! is dropped, however it comes to that, requests that are held back are let go, and the proxy only passes on. When the
//! [`FaultProxy`] is dropped it stops listening. Connections are served as bytes, so that a reset is a reset.

mod breaking;
mod message;

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};
use types::endpoint::EndpointFault;
use ureq::http;

use self::message::{Answer, Request};
use crate::http::Endpoint;

/// A proxy that is listening.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    state: Arc<State>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A fault while it lasts.
#[derive(Debug)]
pub struct Injection<'a> {
    proxy: &'a FaultProxy,
}

/// What all connections share.
#[derive(Debug)]
struct State {
    upstream: Endpoint,
    fault: Mutex<Option<Lasting>>,
    /// Which fault it is, counted; changes when one begins or is over.
    turn: watch::Sender<u64>,
    seen: AtomicU64,
    struck: AtomicU64,
}

/// Numbers of [0, 1), one after the other: which requests a fault happens to, and by how much.
pub type Draws = Box<dyn FnMut() -> f64 + Send>;

/// A fault that lasts.
struct Lasting {
    fault: EndpointFault,
    rate: f64,
    draws: Draws,
}

impl fmt::Debug for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lasting").field("fault", &self.fault).finish_non_exhaustive()
    }
}

/// A fault that happens to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Struck {
    fault: EndpointFault,
    /// Somewhere between 0 and 1.
    part: f64,
}

impl FaultProxy {
    /// Listens at an address, port 0 for any free one, and passes on what comes to the server of `upstream`.
    pub fn start(listen: SocketAddr, upstream: Endpoint) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            upstream,
            fault: Mutex::default(),
            turn: watch::Sender::new(0),
            seen: AtomicU64::new(0),
            struck: AtomicU64::new(0),
        });
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (end, ending) = oneshot::channel();
        let of_thread = Arc::clone(&state);
        let thread = thread::Builder::new().name("fault proxy".into()).spawn(move || {
            runtime.block_on(listen_on(listener, of_thread, ending));
            // Calls to the server that are under way have their own limit; nobody waits for them.
            runtime.shutdown_background();
        })?;
        Ok(Self { address, state, end: Some(end), thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Requests that have come so far.
    pub fn seen(&self) -> u64 {
        self.state.seen.load(Ordering::Relaxed)
    }

    /// Does a fault to a share of the requests, drawn one by one, until what is returned is dropped.
    #[must_use]
    pub fn inject(&self, fault: EndpointFault, rate: f64, draws: Draws) -> Injection<'_> {
        self.state.struck.store(0, Ordering::Relaxed);
        self.state.turn_to(Some(Lasting { fault, rate, draws }));
        Injection { proxy: self }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.state.turn_to(None);
        if let Some(end) = self.end.take() {
            let _ = end.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Injection<'_> {
    /// Requests that it happened to so far.
    pub fn struck(&self) -> u64 {
        self.proxy.state.struck.load(Ordering::Relaxed)
    }
}

impl Drop for Injection<'_> {
    fn drop(&mut self) {
        self.proxy.state.turn_to(None);
    }
}

impl State {
    fn turn_to(&self, fault: Option<Lasting>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        self.turn.send_modify(|turn| *turn += 1);
    }

    /// What happens to the next request.
    fn strikes(&self) -> Option<Struck> {
        self.seen.fetch_add(1, Ordering::Relaxed);
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        let lasting = fault.as_mut()?;
        let (drawn, part) = ((lasting.draws)(), (lasting.draws)());
        (drawn < lasting.rate).then(|| {
            self.struck.fetch_add(1, Ordering::Relaxed);
            Struck { fault: lasting.fault, part }
        })
    }
}

async fn listen_on(listener: TcpListener, state: Arc<State>, mut ending: oneshot::Receiver<()>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        tokio::select! {
            _ = &mut ending => return,
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => {
                    tokio::spawn(serve(client, Arc::clone(&state)));
                }
                // No file is left to open; connections that end give some back.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
}

/// Serves a connection until either side ends it.
async fn serve(client: TcpStream, state: Arc<State>) {
    let _ = client.set_nodelay(true);
    let mut client = BufStream::new(client);
    while let Ok(Some(request)) = message::read(&mut client).await {
        let turn = state.turn.subscribe();
        let is_open = if let Some(struck) = state.strikes() {
            breaking::answer(&mut client, &state, request, struck, turn).await
        } else {
            let answer = passed_on(&state, request).await;
            write(&mut client, &answer.whole()).await
        };
        if is_open.is_err() {
            return;
        }
    }
}

async fn write(client: &mut BufStream<TcpStream>, bytes: &[u8]) -> io::Result<()> {
    client.write_all(bytes).await?;
    client.flush().await
}

/// What the server answers.
async fn passed_on(state: &State, request: Request) -> Answer {
    let upstream = state.upstream.clone();
    let asked = tokio::task::spawn_blocking(move || ask(&upstream, request)).await;
    let failed = |why: String| {
        let body =
            serde_json::json!({ "error": format!("the server behind the proxy does not answer: {why}") });
        Answer::own(502, "Bad Gateway", "application/json", &body.to_string())
    };
    match asked {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => failed(why),
        Err(error) => failed(error.to_string()),
    }
}

fn ask(upstream: &Endpoint, request: Request) -> Result<Answer, String> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut url = upstream.at(path);
    url.set_query((!query.is_empty()).then_some(query));
    let mut sent = http::Request::builder().method(request.method.as_str()).uri(url.as_str());
    for (name, value) in request.headers.iter().filter(|(name, _)| message::is_passed_on(name)) {
        sent = sent.header(name, value);
    }
    let sent = sent.body(request.body).map_err(|error| error.to_string())?;
    let answer = upstream.forward(sent).map_err(|error| error.to_string())?;
    let headers = answer.headers().iter().filter(|(name, _)| message::is_passed_on(name.as_str()));
    let headers = headers.map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Ok(Answer {
        status: answer.status().as_u16(),
        reason: answer.status().canonical_reason().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: answer.body().clone(),
    })
}
