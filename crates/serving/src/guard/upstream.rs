//! The server that the guard stands before: what is passed on as it is, and what is asked within a time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::uri::{Authority, PathAndQuery, Scheme};
use axum::http::{HeaderMap, HeaderName, Request, StatusCode, Uri};
use axum::response::Response;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use url::Url;

use super::GuardLimits;
use super::server::ServeError;
use crate::answer::{Failure, FailureKind};

/// Servers in Python close connections that were idle for two to five seconds; a request must not meet that moment.
const IDLE: Duration = Duration::from_secs(1);

/// A server and the connections to it.
#[derive(Debug)]
pub(super) struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    scheme: Scheme,
    authority: Authority,
    limits: GuardLimits,
}

/// A whole answer, whatever its status.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    /// The answer as it came.
    pub(super) fn response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

impl Upstream {
    pub(super) fn new(base: &Url, limits: GuardLimits) -> Result<Self, ServeError> {
        let refused = |why: String| ServeError::Upstream { address: base.to_string(), why };
        let authority = base.authority().rsplit('@').next().unwrap_or_default();
        let authority = authority.parse().map_err(|_| refused("it names no host".into()))?;
        let scheme: Scheme = base.scheme().parse().map_err(|_| refused("it is not HTTP".into()))?;
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(limits.call));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = HttpsConnectorBuilder::new();
        let tls = if scheme == Scheme::HTTPS {
            tls.with_provider_and_native_roots(provider).map_err(|error| refused(error.to_string()))?
        } else {
            let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let config = config.map_err(|error| refused(error.to_string()))?;
            tls.with_tls_config(config.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
        };
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_idle_timeout(IDLE).pool_timer(hyper_util::rt::TokioTimer::new());
        Ok(Self { client: client.build(connector), scheme, authority, limits })
    }

    /// Asks and waits for the whole answer.
    ///
    /// # Errors
    /// There is none, or none in time.
    pub(super) async fn ask(&self, head: &Parts, body: Bytes) -> Result<Reply, Failure> {
        let mut headers = head.headers.clone();
        // What comes is to be read.
        headers.remove(ACCEPT_ENCODING);
        headers.remove(CONTENT_LENGTH);
        let asked = async {
            let answer = self.send(head, headers, Body::from(body)).await?;
            let (parts, body) = answer.into_parts();
            let body = to_bytes(body, self.limits.body_bytes).await.map_err(|error| {
                let message = format!("the answer ends in the middle or is too long: {error}");
                Failure::new(FailureKind::Malformed, message)
            })?;
            Ok(Reply { status: parts.status, headers: parts.headers, body })
        };
        timeout(self.limits.call, asked).await.unwrap_or_else(|_| Err(self.timed_out()))
    }

    /// Passes a request on as it is, and the answer back as it comes; waits no longer for its beginning than for an
    /// answer of the model.
    ///
    /// # Errors
    /// There is no answer, or none in time.
    pub(super) async fn pass(&self, head: &Parts, body: Body) -> Result<Response, Failure> {
        let sent = self.send(head, head.headers.clone(), body);
        timeout(self.limits.call, sent).await.unwrap_or_else(|_| Err(self.timed_out()))
    }

    async fn send(&self, head: &Parts, mut headers: HeaderMap, body: Body) -> Result<Response, Failure> {
        let path = head.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let uri = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(|error| Failure::new(FailureKind::Unreachable, error.to_string()))?;
        remove_hops(&mut headers);
        // The name under which the server knows itself is put in its place.
        headers.remove(HOST);
        headers.remove(EXPECT);
        let mut request = Request::new(body);
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        match self.client.request(request).await {
            Ok(answer) => {
                let mut answer = answer.map(Body::new);
                remove_hops(answer.headers_mut());
                Ok(answer)
            }
            Err(error) => Err(self.no_answer(&error)),
        }
    }

    fn timed_out(&self) -> Failure {
        let message = format!("the model did not answer within {:?}", self.limits.call);
        Failure::new(FailureKind::TimedOut, message)
    }

    fn no_answer(&self, error: &hyper_util::client::legacy::Error) -> Failure {
        let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
        let why = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
        let host = &self.authority;
        if error.is_connect() {
            return Failure::new(FailureKind::Unreachable, format!("no connection to {host}: {why}"));
        }
        Failure::new(FailureKind::HungUp, format!("{host} hung up or does not answer in HTTP: {why}"))
    }
}

/// Takes away what is between two sides of one connection alone.
fn remove_hops(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let known = [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    let known = known.into_iter().chain(["keep-alive", "proxy-connection"].map(HeaderName::from_static));
    for name in named.into_iter().chain(known) {
        headers.remove(name);
    }
}
