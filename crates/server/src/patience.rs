//! How long a client may take to send a request, so that many slow ones cannot hold all connections.
//!
//! The head has [`HEAD_WITHIN`]. A body has [`BODY_WITHIN`], and a second more for every
//! [`BYTES_A_SECOND_LEAST`] that have come: what Apache's `mod_reqtimeout` allows by default.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::{Sleep, sleep};
use tokio_stream::Stream;

pub(crate) const HEAD_WITHIN: Duration = Duration::from_secs(20);
const BODY_WITHIN: Duration = Duration::from_secs(20);
const BYTES_A_SECOND_LEAST: f64 = 500.0;

/// Why a body was not waited for.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly: send it within 20 seconds, or at 500 bytes a second at least")]
pub(crate) struct TooSlow;

impl TooSlow {
    /// Whether this is what stopped the reading of a body.
    pub(crate) fn is_behind(error: &(dyn Error + 'static)) -> bool {
        std::iter::successors(Some(error), |&error| error.source()).any(<dyn Error>::is::<Self>)
    }
}

/// A body that ends with an error when it comes too slowly.
struct Timed {
    body: BodyDataStream,
    deadline: Pin<Box<Sleep>>,
}

impl Stream for Timed {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { body, deadline } = &mut *self;
        match Pin::new(body).poll_next(context) {
            Poll::Ready(Some(Ok(piece))) => {
                let longer = Duration::from_secs_f64(piece.len() as f64 / BYTES_A_SECOND_LEAST);
                let until = deadline.deadline() + longer;
                deadline.as_mut().reset(until);
                Poll::Ready(Some(Ok(piece)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => deadline.as_mut().poll(context).map(|()| Some(Err(TooSlow.into()))),
        }
    }
}

/// Hands the request on with a body that is not waited for without end.
pub(crate) async fn limit(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let timed = |body: Body| Timed { body: body.into_data_stream(), deadline: Box::pin(sleep(BODY_WITHIN)) };
    next.run(request.map(|body| Body::from_stream(timed(body)))).await
}
