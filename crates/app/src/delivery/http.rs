//! One POST: bounded in time and in what is read, and never sent on to another place.

use std::io::Read;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ureq::Body;
use ureq::http::{Response, StatusCode, Uri};

use super::secret::{Revealed, without};
use super::{Delivered, DeliveryError};
use crate::outgoing::agent;

/// From the first packet to the last byte of the answer.
const SECONDS_MAX: u64 = 10;
/// How much of an answer is read: enough to say what is wrong.
const ANSWER_BYTES: u64 = 4096;

/// What is posted, and where.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Addresses of webhooks are secrets.
    pub(super) url: Revealed,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
    /// Other secrets that the answer may repeat.
    pub(super) secrets: Vec<Revealed>,
}

/// Posts JSON and waits for the answer.
pub(super) fn post(request: &Request, now: Timestamp) -> Result<Delivered, DeliveryError> {
    let host = host(&request.url)?;
    let secrets: Vec<&Revealed> = request.secrets.iter().chain([&request.url]).collect();
    let mut call = agent(Duration::from_secs(SECONDS_MAX))
        .post(request.url.text())
        .header("content-type", "application/json");
    for (name, value) in &request.headers {
        call = call.header(*name, value);
    }
    match call.send(&request.body) {
        Ok(response) => judge(response, host, &secrets, now),
        Err(ureq::Error::Timeout(_)) => Err(DeliveryError::TimedOut { host, seconds: SECONDS_MAX }),
        Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_))) => {
            Err(DeliveryError::BadAddress { reason: without(&error.to_string(), &secrets) })
        }
        Err(error) => Err(DeliveryError::Unreachable { host, reason: without(&error.to_string(), &secrets) }),
    }
}

/// `hooks.example.org`, with the port where it is not the usual one. Path and query are secrets.
fn host(url: &Revealed) -> Result<String, DeliveryError> {
    let bad = |reason: &str| DeliveryError::BadAddress { reason: reason.to_owned() };
    let uri: Uri = url.text().parse().map_err(|_| bad("it is not a URL"))?;
    if !matches!(uri.scheme_str(), Some("https" | "http")) {
        return Err(bad("it starts with neither `https://` nor `http://`"));
    }
    let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(|| bad("it names no host"))?;
    Ok(uri.port_u16().map_or(host.to_owned(), |port| format!("{host}:{port}")))
}

fn judge(
    mut response: Response<Body>,
    host: String,
    secrets: &[&Revealed],
    now: Timestamp,
) -> Result<Delivered, DeliveryError> {
    let status = response.status();
    if status.is_redirection() {
        let to = header(&response, "location").and_then(|to| self::host(&Revealed::new(to)).ok());
        let to = to.unwrap_or_else(|| "another page of the same host".into());
        return Err(DeliveryError::Redirected { host, status: status.as_u16(), to });
    }
    let retry_after = header(&response, "retry-after").and_then(|text| retry_after(&text, now));
    let mut answer = Vec::new();
    // An answer that breaks off has still said whether it took the message.
    let _ = response.body_mut().as_reader().take(ANSWER_BYTES).read_to_end(&mut answer);
    let said = format!("{status} {}", String::from_utf8_lossy(&answer));
    let said = without(&said, secrets);
    if status.is_success() {
        Ok(Delivered { by: host, said })
    } else if is_passing(status) {
        Err(DeliveryError::Busy { host, said, retry_after })
    } else {
        Err(DeliveryError::Refused { host, said })
    }
}

/// Whether the same request may be taken later.
fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        )
}

fn header(response: &Response<Body>, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// `Retry-After`: seconds, or an instant (RFC 9110, section 10.2.3).
fn retry_after(text: &str, now: Timestamp) -> Option<SignedDuration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let until = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(until.duration_since(now).max(SignedDuration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_an_instant() {
        let now: Timestamp = "2015-10-21T07:27:00Z".parse().unwrap();
        let check = |text: &str, seconds: Option<i64>| {
            assert_eq!(retry_after(text, now), seconds.map(SignedDuration::from_secs), "{text}");
        };
        check("120", Some(120));
        check("Wed, 21 Oct 2015 07:28:00 GMT", Some(60));
        check("Wed, 21 Oct 2015 07:00:00 GMT", Some(0));
        check("soon", None);
        check("-5", None);
    }

    #[test]
    fn a_host_is_shown_and_a_path_is_not() {
        let shown = |url: &str| host(&Revealed::new(url)).map_err(|error| error.to_string());
        assert_eq!(shown("https://hooks.example.org/services/secret"), Ok("hooks.example.org".into()));
        assert_eq!(shown("http://user:pass@localhost:8080/x"), Ok("localhost:8080".into()));
        for url in [
            "hooks.example.org/services/secret",
            "ftp://host/secret",
            "https:///secret",
            "https://a b/secret",
        ] {
            let error = shown(url).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
