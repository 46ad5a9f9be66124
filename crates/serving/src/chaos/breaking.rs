//! What each fault does to the answer of a request.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::sync::watch;
use types::endpoint::EndpointFault;

use super::message::{Answer, Request};
use super::{State, Struck, passed_on, write};

/// Nothing is held back longer than this, whatever happens to the program.
const HELD_MOST: Duration = Duration::from_mins(10);
/// In how many parts a slow body comes.
const PARTS: usize = 50;

/// Answers a request that a fault happens to; an error where the connection is over.
pub(super) async fn answer(
    client: &mut BufStream<TcpStream>,
    state: &State,
    request: Request,
    struck: Struck,
    mut turn: watch::Receiver<u64>,
) -> io::Result<()> {
    match struck.fault {
        EndpointFault::Latency { delay_ms } => {
            let answer = passed_on(state, request).await;
            hold(client, &mut turn, Duration::from_millis(delay_ms)).await?;
            write(client, &answer.whole()).await
        }
        EndpointFault::Jitter { delay_ms_most } => {
            let answer = passed_on(state, request).await;
            let delay = Duration::from_millis(delay_ms_most).mul_f64(struck.part);
            hold(client, &mut turn, delay).await?;
            write(client, &answer.whole()).await
        }
        EndpointFault::NoAnswer => {
            hold(client, &mut turn, HELD_MOST).await?;
            Err(over())
        }
        EndpointFault::Reset => {
            client.get_ref().set_zero_linger()?;
            Err(over())
        }
        EndpointFault::SlowBody { over_ms } => {
            let answer = passed_on(state, request).await;
            slowly(client, &answer, Duration::from_millis(over_ms), &mut turn).await
        }
        EndpointFault::TruncatedBody => {
            let answer = passed_on(state, request).await;
            // There has to be a rest that does not come.
            write(client, &answer.head(answer.body.len().max(2))).await?;
            write(client, &answer.body[..answer.body.len() / 2]).await?;
            client.shutdown().await?;
            Err(over())
        }
        EndpointFault::Status { code } => write(client, &error(code).whole()).await,
        EndpointFault::MalformedJson => {
            let mut answer = passed_on(state, request).await;
            // The half of an object or a list is never one; of anything else it might be.
            answer.body.truncate(answer.body.len() / 2);
            if !matches!(answer.body.first(), Some(b'{' | b'[')) {
                answer.body = b"{\"predictions\": [".to_vec();
            }
            write(client, &answer.whole()).await
        }
        EndpointFault::ErrorPage => {
            let page =
                "<html><head><title>Service unavailable</title></head><body>Try again later.</body></html>";
            write(client, &Answer::own(200, "OK", "text/html", page).whole()).await
        }
    }
}

/// Waits, but not longer than the fault lasts or the client does; whether the fault is over.
async fn hold(
    client: &mut BufStream<TcpStream>,
    turn: &mut watch::Receiver<u64>,
    time: Duration,
) -> io::Result<bool> {
    tokio::select! {
        () = tokio::time::sleep(time) => Ok(false),
        _ = turn.changed() => Ok(true),
        gone = gone(client) => Err(gone),
    }
}

/// Ends when the client is gone; one that sends on is not.
async fn gone(client: &mut BufStream<TcpStream>) -> io::Error {
    match client.fill_buf().await {
        Ok([]) => over(),
        Ok(_) => std::future::pending().await,
        Err(error) => error,
    }
}

async fn slowly(
    client: &mut BufStream<TcpStream>,
    answer: &Answer,
    time: Duration,
    turn: &mut watch::Receiver<u64>,
) -> io::Result<()> {
    write(client, &answer.head(answer.body.len())).await?;
    let length = answer.body.len().div_ceil(PARTS).max(1);
    let parts = answer.body.len().div_ceil(length).max(1);
    let mut is_over = false;
    for part in answer.body.chunks(length) {
        is_over = is_over || hold(client, turn, time / parts as u32).await?;
        write(client, part).await?;
    }
    Ok(())
}

fn error(code: u16) -> Answer {
    let reason = match code {
        400 => "Bad Request",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Error",
    };
    let body = format!("{{\"error\": \"{reason}\"}}");
    let mut answer = Answer::own(code, reason, "application/json", &body);
    if matches!(code, 429 | 503) {
        answer.headers.push(("retry-after".into(), "1".into()));
    }
    answer
}

/// The connection is not used any more.
fn over() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}
