//! Calls to servers of models over HTTP: whom to ask, for how long, and what a status tells.
//!
//! Nobody is asked but this machine and the hosts that the definition allows. A redirect is not followed: where it
//! leads, nobody has allowed.

use std::io;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body, Timeout};
use url::{Host, Url};

use crate::answer::{Failure, FailureKind};
use crate::json;

/// The header by which whoever stands in front of a model says which rows the model did not answer: `true` for all,
/// or their numbers from 0, with commas.
pub const DEGRADED_HEADER: &str = "x-forewarn-degraded";

/// A server, and how it may be asked.
#[derive(Clone, Debug)]
pub struct Endpoint {
    agent: Agent,
    base: Url,
    headers: Vec<(String, String)>,
    limits: Limits,
    is_loopback: bool,
}

/// What a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub connect: Duration,
    /// From the first packet to the last byte of the answer.
    pub call: Duration,
    pub answer_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let (connect, call) = (Duration::from_secs(5), Duration::from_secs(30));
        Self { connect, call, answer_bytes: 64 << 20 }
    }
}

/// An address that is not asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AddressError {
    #[error("`{address}` is no address of a server: {why}")]
    Invalid { address: String, why: String },
    #[error(
        "`{address}` is another machine, and only this one is asked unless the definition says otherwise: \
         add `{host}` to `allowed_hosts`"
    )]
    NotAllowed { address: String, host: String },
}

/// An answer, whatever its status.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    location: String,
    degraded: String,
}

impl Endpoint {
    /// `allowed_hosts` are names, or names with a port, as in `models.example.org:8080`.
    pub fn new(agent: Agent, address: &str, allowed_hosts: &[String]) -> Result<Self, AddressError> {
        let invalid = |why: String| AddressError::Invalid { address: address.into(), why };
        let base = Url::parse(address).map_err(|error| invalid(error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(invalid("it starts with neither http:// nor https://".into()));
        }
        let Some(host) = base.host() else { return Err(invalid("it names no host".into())) };
        let is_loopback = match host {
            Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        };
        let host = host.to_string();
        let with_port = format!("{host}:{}", base.port_or_known_default().unwrap_or_default());
        let is_allowed = allowed_hosts
            .iter()
            .any(|of| of.eq_ignore_ascii_case(&host) || of.eq_ignore_ascii_case(&with_port));
        if !is_loopback && !is_allowed {
            return Err(AddressError::NotAllowed { address: address.into(), host });
        }
        Ok(Self { agent, base, headers: Vec::new(), limits: Limits::default(), is_loopback })
    }

    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Sent with every request, as for an authorisation.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn has_path(&self) -> bool {
        !matches!(self.base.path(), "" | "/")
    }

    /// The address with these parts of a path after its own.
    pub(crate) fn below(&self, parts: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }

    /// The same server, at this path.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url.set_query(None);
        url
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Sends JSON; an answer of any status.
    pub(crate) fn post(&mut self, url: &Url, body: Vec<u8>) -> Result<Reply, Failure> {
        self.call(Method::POST, url, body)
    }

    /// Whether an address answers that all is well.
    pub(crate) fn is_well(&mut self, url: &Url) -> Result<(), Failure> {
        let reply = self.call(Method::GET, url, Vec::new())?;
        match reply.status {
            200..=299 => Ok(()),
            _ => Err(reply.failure(url)),
        }
    }

    fn call(&mut self, method: Method, url: &Url, body: Vec<u8>) -> Result<Reply, Failure> {
        let mut request = Request::builder().method(method).uri(url.as_str());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.header("accept", "application/json").body(body);
        let request = request.map_err(|error| Failure::new(FailureKind::Unreachable, error.to_string()))?;
        let reply = self.run(request).map_err(|error| self.no_answer(url, &error));
        let reply = reply.and_then(|reply| self.read(reply));
        // Servers hang up after an error without saying so. The next call on that connection would find nobody, which
        // is not to be taken for a crash.
        if !matches!(&reply, Ok(reply) if reply.status < 500) {
            self.agent = self.agent.config().clone().new_agent();
        }
        reply
    }

    /// Sends a request within the limits; an answer of any status.
    fn run(&self, request: Request<Vec<u8>>) -> Result<Response<Body>, ureq::Error> {
        let configured = self.agent.configure_request(request);
        let configured = if self.is_loopback { configured.proxy(None) } else { configured };
        let request = configured
            .timeout_resolve(Some(self.limits.connect))
            .timeout_connect(Some(self.limits.connect))
            .timeout_global(Some(self.limits.call))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build();
        self.agent.run(request)
    }

    /// Sends on what somebody else asks, and hands back what comes.
    pub(crate) fn forward(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ureq::Error> {
        let (head, mut body) = self.run(request)?.into_parts();
        let body = body.with_config().limit(self.limits.answer_bytes).read_to_vec()?;
        Ok(Response::from_parts(head, body))
    }

    fn read(&self, mut reply: Response<Body>) -> Result<Reply, Failure> {
        let text = |name: &str| {
            let value = reply.headers().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (location, degraded) = (text("location"), text(DEGRADED_HEADER));
        let body = reply.body_mut().with_config().limit(self.limits.answer_bytes).read_to_vec();
        let body = body.map_err(|error| match error {
            ureq::Error::Timeout(_) => self.timed_out("the rest of the answer"),
            ureq::Error::BodyExceedsLimit(most) => {
                Failure::new(FailureKind::Malformed, format!("the answer is longer than {most} bytes"))
            }
            error => Failure::new(FailureKind::Malformed, format!("the answer ends in the middle: {error}")),
        })?;
        Ok(Reply { status: reply.status().as_u16(), body, location, degraded })
    }

    fn timed_out(&self, what: &str) -> Failure {
        Failure::new(FailureKind::TimedOut, format!("{what} did not come within {:?}", self.limits.call))
    }

    fn no_answer(&self, url: &Url, error: &ureq::Error) -> Failure {
        let host = url.authority();
        match error {
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
                let within = self.limits.connect;
                Failure::new(FailureKind::Unreachable, format!("no connection to {host} within {within:?}"))
            }
            ureq::Error::Timeout(_) => self.timed_out("an answer"),
            ureq::Error::Io(error) if is_hung_up(error.kind()) => {
                Failure::new(FailureKind::HungUp, format!("{host} hung up without an answer: {error}"))
            }
            ureq::Error::Protocol(_) | ureq::Error::Http(_) | ureq::Error::LargeResponseHeader(..) => {
                Failure::new(FailureKind::Malformed, format!("{host} does not answer in HTTP: {error}"))
            }
            _ => Failure::new(FailureKind::Unreachable, format!("{host}: {error}")),
        }
    }
}

/// The exception at the end of a traceback of Python, which servers in it send whole.
pub(crate) fn exception(trace: &str) -> Option<String> {
    let lines: Vec<&str> = trace.lines().filter(|line| !line.trim().is_empty()).collect();
    if !lines.iter().any(|line| line.starts_with("Traceback (most recent call last)")) {
        return None;
    }
    let last_of_code = lines.iter().rposition(|line| line.starts_with(char::is_whitespace))?;
    let exception = lines[last_of_code + 1..].join(" ");
    (!exception.is_empty()).then_some(exception)
}

fn is_hung_up(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

impl Reply {
    /// The document of an answer that is one.
    pub(crate) fn document(&self, url: &Url) -> Result<Value, Failure> {
        if !(200..300).contains(&self.status) {
            return Err(self.failure(url));
        }
        json::parse(&self.body).map_err(|why| {
            let start: String = String::from_utf8_lossy(&self.body).chars().take(60).collect();
            Failure::new(FailureKind::Malformed, format!("the answer is not JSON ({why}): {start}"))
        })
    }

    /// What a status that is no success tells. A protocol may know more.
    pub(crate) fn failure(&self, url: &Url) -> Failure {
        use FailureKind::{Crashed, Malformed, Overloaded, Redirected, Rejected, TimedOut, Unreachable};
        let kind = match self.status {
            300..=399 => {
                let to = if self.location.is_empty() { "somewhere" } else { &self.location };
                let message = format!("{} to {to}; redirects are not followed", self.status);
                return Failure::new(Redirected, message);
            }
            401 | 403 | 404 | 405 | 407 => {
                let message = format!("{} answers {}: {}", url, self.status, self.said());
                return Failure::new(Unreachable, message);
            }
            408 | 504 => TimedOut,
            429 | 503 => Overloaded,
            400..=499 => Rejected,
            500..=599 => Crashed,
            _ => Malformed,
        };
        Failure::new(kind, format!("{}: {}", self.status, self.said()))
    }

    /// The message of an error, in whichever field servers put it, or what is not JSON.
    pub(crate) fn said(&self) -> String {
        let document = json::parse(&self.body).unwrap_or(Value::Null);
        let fields = ["message", "error", "detail", "error_message"];
        let said = match fields.iter().find_map(|field| document.get(*field)) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::from_utf8_lossy(&self.body).into_owned(),
        };
        exception(&said).unwrap_or(said)
    }

    /// Which of `rows` rows the header says were degraded.
    pub(crate) fn degraded(&self, rows: usize) -> Vec<bool> {
        if self.degraded.eq_ignore_ascii_case("true") {
            return vec![true; rows];
        }
        let mut degraded = vec![false; rows];
        for row in self.degraded.split(',').filter_map(|row| row.trim().parse::<usize>().ok()) {
            if let Some(degraded) = degraded.get_mut(row) {
                *degraded = true;
            }
        }
        degraded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, allowed: &[&str], expected: Result<(), &str>) {
        let allowed: Vec<String> = allowed.iter().map(|&host| host.into()).collect();
        let found = Endpoint::new(Agent::new_with_defaults(), address, &allowed);
        let found = found.map(|_| ()).map_err(|error| error.to_string());
        match expected {
            Ok(()) => assert_eq!(found, Ok(()), "{address}"),
            Err(part) => {
                assert!(found.as_ref().is_err_and(|text| text.contains(part)), "{address}: {found:?}");
            }
        }
    }

    #[test]
    fn only_this_machine_and_allowed_hosts_are_asked() {
        for address in
            ["http://localhost:5000", "http://127.0.0.53/x", "https://[::1]:8443/v2", "http://LOCALHOST"]
        {
            check(address, &[], Ok(()));
        }
        check("http://models.example.org/x", &[], Err("add `models.example.org` to `allowed_hosts`"));
        check("http://models.example.org/x", &["models.example.org"], Ok(()));
        check("https://models.example.org/x", &["Models.example.org:443"], Ok(()));
        check("http://models.example.org:81/x", &["models.example.org:80"], Err("allowed_hosts"));
        // Names that only look like this machine.
        for address in
            ["http://localhost.example.org", "http://127.0.0.1.example.org", "http://127.0.0.1@example.org"]
        {
            check(address, &[], Err("allowed_hosts"));
        }
        check("http://0x7f.1/", &[], Ok(()));
        check("http://0.0.0.0:5000", &[], Err("allowed_hosts"));
        check("localhost:5000", &[], Err("http://"));
        check("file:///etc/passwd", &[], Err("http://"));
        check("nothing", &[], Err("is no address of a server"));
    }

    #[test]
    fn a_status_tells_what_it_can() {
        let reply = |status, body: &str| Reply {
            status,
            body: body.into(),
            location: "http://example.org".into(),
            degraded: String::new(),
        };
        let url = Url::parse("http://localhost/x").unwrap();
        let check = |status, body: &str, expected: &str| {
            assert_eq!(reply(status, body).failure(&url).to_string(), expected);
        };
        check(422, r#"{"detail": [{"loc": 1}]}"#, r#"rejected: 422: [{"loc":1}]"#);
        check(500, r#"{"error": "division by zero"}"#, "crashed: 500: division by zero");
        let trace =
            "Traceback (most recent call last):\n  File \"a.py\", line 1\n    g()\nValueError: no:\nnever\n";
        check(500, trace, "crashed: 500: ValueError: no: never");
        check(503, "busy", "overloaded: 503: busy");
        check(404, "no\nmodel", "unreachable: http://localhost/x answers 404: no model");
        check(302, "", "redirected: 302 to http://example.org; redirects are not followed");
    }
}
