//! OpenTelemetry traces, for whoever collects them: a span for every request and for every job.
//!
//! They are sent where the variables of the OpenTelemetry specification say, `OTEL_EXPORTER_OTLP_ENDPOINT` first;
//! without it nothing is recorded. Spans go over OTLP/HTTP as protobuf, in batches, from a thread of their own, so
//! that a collector that is slow or gone costs no request anything.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, UNIX_EPOCH};

use app::Job;
use app::outgoing::agent;
use app::schedule::{End, Worked};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use ureq::Agent;

/// Where a collector is, for traces alone or for everything.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
/// A collector that takes longer loses the batch.
const SECONDS_MAX: u64 = 10;

/// Why traces cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("failed to send traces as OTEL_EXPORTER_OTLP_… say: {0}")]
pub struct TracesError(String);

/// Where spans go. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// As the environment says; none where it names no collector.
    ///
    /// # Errors
    /// What it says cannot be used.
    pub fn from_environment(program: &str) -> Result<Option<Self>, TracesError> {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !ENDPOINTS.into_iter().any(is_set) {
            return Ok(None);
        }
        let exporter = SpanExporter::builder().with_http().with_http_client(Client::new()).build();
        let exporter = exporter.map_err(|error| TracesError(error.to_string()))?;
        let resource = Resource::builder().with_attributes([KeyValue::new(
            "service.version",
            program.rsplit(' ').next().unwrap_or_default().to_owned(),
        )]);
        let named = std::env::var_os("OTEL_SERVICE_NAME").is_some();
        let resource = if named { resource } else { resource.with_service_name("forewarn") };
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            .build();
        let tracer = provider.tracer("forewarn");
        Ok(Some(Self { provider, tracer }))
    }

    /// Records a job that a server worked on.
    pub fn worked(&self, worked: &Worked) {
        let Job { system, kind, started, failures, .. } = &worked.job;
        let started = started.unwrap_or_else(Timestamp::now);
        let since_1970 = Duration::from_micros(u64::try_from(started.as_microsecond()).unwrap_or_default());
        let mut span = self
            .tracer
            .span_builder(format!("job {kind}"))
            .with_kind(SpanKind::Internal)
            .with_start_time(UNIX_EPOCH + since_1970)
            .with_attributes([
                KeyValue::new("forewarn.system", system.clone()),
                KeyValue::new("forewarn.job.kind", kind.clone()),
                KeyValue::new("forewarn.job.id", worked.job.id),
                KeyValue::new("forewarn.job.failures", i64::from(*failures)),
            ])
            .start_with_context(&self.tracer, &Context::new());
        match &worked.end {
            End::Done(said) => {
                span.set_attribute(KeyValue::new("forewarn.job.outcome", said.clone()));
                span.set_status(Status::Ok);
            }
            End::Failed(why) | End::GivenUp(why) => span.set_status(Status::error(why.clone())),
            _ => span.set_status(Status::error("it was handed on")),
        }
        span.end();
    }

    /// Sends what is left.
    pub fn stop(&self) {
        if let Err(error) = self.provider.shutdown() {
            log::warn!("the last traces were not sent: {error}");
        }
    }
}

/// Records a request as a span, the child of the one that `traceparent` names.
pub(crate) async fn follow(State(traces): State<Traces>, request: Request, next: Next) -> Response {
    let parent = TraceContextPropagator::new()
        .extract_with_context(&Context::new(), &HeaderExtractor(request.headers()));
    let method = request.method().as_str().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let name = route.as_ref().map_or_else(|| method.clone(), |route| format!("{method} {route}"));
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.path", request.uri().path().to_owned()),
    ];
    attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
    let mut span = traces
        .tracer
        .span_builder(name)
        .with_kind(SpanKind::Server)
        .with_attributes(attributes)
        .start_with_context(&traces.tracer, &parent);
    let response = next.run(request).await;
    let status = response.status();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    if status.is_server_error() {
        span.set_status(Status::error(status.to_string()));
    }
    span.end();
    response
}

/// The client that carries them.
#[derive(Debug)]
struct Client(Agent);

impl Client {
    fn new() -> Self {
        Self(agent(Duration::from_secs(SECONDS_MAX)))
    }

    fn send(&self, request: ureq::http::Request<Bytes>) -> Result<ureq::http::Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let sent = self.0.run(ureq::http::Request::from_parts(parts, body.to_vec()))?;
        let (parts, mut body) = sent.into_parts();
        let body = body.read_to_vec()?;
        Ok(ureq::http::Response::from_parts(parts, Bytes::from(body)))
    }
}

impl HttpClient for Client {
    /// Blocks: it is called from the thread that sends batches and does nothing else.
    fn send_bytes<'c, 'f>(
        &'c self,
        request: ureq::http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<ureq::http::Response<Bytes>, HttpError>> + Send + 'f>>
    where
        'c: 'f,
        Self: 'f,
    {
        Box::pin(async move { self.send(request) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_that_breaks_off_before_it_is_trusted_is_an_error_and_no_more() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = std::thread::spawn(move || drop(listener.accept().unwrap()));
        let request = ureq::http::Request::post(format!("https://{address}/v1/traces"));
        let sent = Client::new().send(request.body(Bytes::from_static(b"spans")).unwrap());
        accepting.join().unwrap();
        assert!(sent.is_err(), "{sent:?}");
    }
}
