//! MLflow's scoring server: `mlflow models serve`, and whatever else answers at `/invocations`.
//!
//! Its errors do not tell whose they are. A request that cannot be read, columns that are not those of the signature
//! and an exception inside of the model are all status 400; only the words of the message differ. What a signature
//! refuses is a rejection; for an exception of the model nobody knows whether it refused the rows or broke on them.

use serde_json::Value;
use types::batch::Batch;

use crate::answer::{Failure, FailureKind, Outcome, of_rows};
use crate::http::{Endpoint, Reply, exception};
use crate::json::{NonFinite, write_names, write_rows};
use crate::reading::DEGRADED;
use crate::{Reading, Target, json};

/// A model behind `/invocations`.
#[derive(Clone, Debug)]
pub struct Mlflow {
    endpoint: Endpoint,
    url: url::Url,
    reading: Reading,
}

impl Mlflow {
    /// The endpoint's address has the path of the server's invocations, or none for the usual one.
    pub fn new(endpoint: Endpoint, reading: Reading) -> Self {
        let url =
            if endpoint.has_path() { endpoint.base().clone() } else { endpoint.below(&["invocations"]) };
        Self { endpoint, url, reading }
    }

    fn call(&mut self, batch: &Batch) -> Result<Outcome, Failure> {
        let mut body = b"{\"dataframe_split\":{\"columns\":".to_vec();
        write_names(batch, &mut body);
        body.extend_from_slice(b",\"data\":");
        let written = write_rows(batch, NonFinite::Bare, &mut body);
        written.map_err(|why| Failure::new(FailureKind::Rejected, why))?;
        body.extend_from_slice(b"}}");
        let reply = self.endpoint.post(&self.url, body)?;
        if matches!(reply.status, 400 | 500) {
            return Err(of_error(&reply));
        }
        let document = reply.document(&self.url)?;
        let malformed = |why: String| Failure::new(FailureKind::Malformed, why);
        let predictions = predictions(&document).map_err(malformed)?;
        let scores = self.reading.of_json(predictions).map_err(malformed)?;
        let mut degraded = reply.degraded(scores.len());
        for (row, degraded) in predictions.iter().zip(&mut degraded) {
            *degraded |= row.get(DEGRADED).and_then(Value::as_bool).unwrap_or(false);
        }
        Ok(of_rows(batch.rows(), scores, degraded))
    }
}

impl Target for Mlflow {
    fn outcome(&mut self, batch: &Batch) -> Outcome {
        self.call(batch).unwrap_or_else(Outcome::Failed)
    }

    fn ready(&mut self) -> Result<(), Failure> {
        let ping = self.endpoint.at("/ping");
        self.endpoint.is_well(&ping)
    }
}

/// The rows of an answer.
pub(crate) fn predictions(document: &Value) -> Result<&Vec<Value>, String> {
    // Servers before MLflow 2 answered with the list alone.
    let predictions = document.get("predictions").unwrap_or(document);
    predictions.as_array().ok_or_else(|| "the answer has no list of `predictions`".into())
}

/// What a scoring server says went wrong.
fn of_error(reply: &Reply) -> Failure {
    let said = reply.said();
    // Some messages have the rows before the reason; the rows are not for a report.
    let reason = said.rsplit_once("Error: ").filter(|_| said.starts_with("Failed to predict data"));
    let reason = reason.map_or(said.as_str(), |(_, reason)| reason);
    let kind = if SIGNATURE.iter().any(|words| reason.contains(words)) {
        FailureKind::Rejected
    } else {
        FailureKind::RejectedOrCrashed
    };
    // The message says that there was an exception; which one, only the trace does.
    let document = json::parse(&reply.body).unwrap_or(Value::Null);
    let trace = document.get("stack_trace").and_then(Value::as_str).unwrap_or_default();
    Failure::new(kind, exception(trace).as_deref().unwrap_or(reason))
}

/// Words of messages about what never reached the model.
const SIGNATURE: [&str; 5] =
    ["model signature", "enforce schema", "missing inputs", "Incompatible input types", "Failed to parse"];
