//! One request to a provider.

use std::time::Duration;

use openidconnect::http::Response;
use openidconnect::{HttpRequest, HttpResponse};

use crate::outgoing::agent;

/// Somebody waits for the page.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// No document of a provider comes near, also with hundreds of groups in it.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Sends it and reads the whole answer.
pub(super) fn send(request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let agent = agent(ANSWER_WITHIN);
    let answer = if request.body().is_empty() { agent.run(request.map(|_| ())) } else { agent.run(request) };
    let (parts, mut body) = answer?.into_parts();
    let body = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
    Ok(Response::from_parts(parts, body))
}
