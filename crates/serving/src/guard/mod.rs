//! A proxy in front of a server of models: it looks at what the model is asked, answers in its place where the policy
//! says so, and writes down every prediction before its answer leaves.
//!
//! ```text
//! request ─▶ rows ─▶ checked ─▶ remedies ─▶ the model, behind a breaker ─▶ journal ─▶ answer, marked
//!            request  inputs     (argument)   upstream, breaker             (argument)  answers, marks
//! ```
//!
//! `call` is the walk through these steps, `server` is where requests come in; whatever is no question to the model
//! passes as it is. What is usual, which remedy is for which outage and where predictions are kept is not known here:
//! those are [`Expected`], [`Remedies`] and [`Journal`]. docs/guard.md says what is promised.

mod answers;
mod breaker;
mod cache;
mod call;
mod inputs;
mod marks;
mod metrics;
mod others;
mod request;
mod server;
mod tensors;
mod upstream;

use std::fmt::Debug;
use std::time::Duration;

use serde_json::Value;
use types::batch::Batch;
use url::Url;

pub use self::breaker::{BreakerSettings, Pause};
pub use self::cache::CacheSettings;
pub use self::inputs::{Expected, Odd};
pub use self::server::{Listening, ServeError};
use crate::{Reading, Scores, Target};

/// What a guard is told of the model that it stands before, and how it is to behave.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server; paths and queries are those of requests.
    pub upstream: Url,
    pub questions: Questions,
    /// The model's inputs, as the reference knows them; none where there is no reference.
    pub expected: Vec<Expected>,
    /// What a number far out of range and a category that was never seen are.
    pub odd: Odd,
    /// The names of the columns of rows that come without any.
    pub order: Vec<String>,
    /// How scores are read from answers, for the journal.
    pub reading: Reading,
    /// The column of a request that identifies a prediction.
    pub id: String,
    pub breaker: BreakerSettings,
    pub cache: Option<CacheSettings>,
    pub limits: GuardLimits,
    /// Whether a request that cannot be read is refused; else it passes.
    pub refuses_unread: bool,
    /// Whether a request is refused whose predictions the journal does not take; else it is answered all the same.
    pub refuses_unlogged: bool,
}

/// What a request may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardLimits {
    /// From the first packet to the model to the last byte of its answer.
    pub call: Duration,
    pub body_bytes: usize,
}

/// Which requests are questions to the model, and in which protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Questions {
    /// MLflow's scoring server at this path.
    Mlflow { path: String },
    /// The Open Inference Protocol: inference of this model, in whichever version. `base` is what stands before `/v2`.
    OpenInference { base: String, model: String, output: Option<String> },
}

impl Questions {
    /// The questions that MLflow's scoring server at an address answers.
    pub fn mlflow(address: &Url) -> Self {
        let path = address.path();
        Self::Mlflow { path: if path == "/" { "/invocations".into() } else { path.to_owned() } }
    }

    fn are_at(&self, path: &str) -> bool {
        match self {
            Self::Mlflow { path: of } => path == of,
            Self::OpenInference { base, model, .. } => {
                let rest = path.strip_prefix(base.as_str()).and_then(|rest| rest.strip_prefix("/v2/models/"));
                let Some(rest) = rest.and_then(|rest| rest.strip_suffix("/infer")) else { return false };
                rest == model
                    || rest
                        .strip_prefix(model.as_str())
                        .and_then(|rest| rest.strip_prefix("/versions/"))
                        .is_some_and(|version| !version.contains('/'))
            }
        }
    }
}

/// What is done about a row: values that are put in the place of missing ones, or an answer in the model's place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remedy {
    /// Positions of inputs, and values for them.
    pub fills: Vec<(usize, Value)>,
    pub instead: Option<Instead>,
    /// The name by which answers, the journal and metrics call it; empty where nothing is done.
    pub name: &'static str,
}

/// An answer that is not the model's.
#[derive(Clone, Debug, PartialEq)]
pub enum Instead {
    Constant(f64),
    /// A person decides.
    Abstain,
    /// What the model said last about the same thing.
    Cached,
    /// Another model, by its position among [`Parts::others`].
    Model(usize),
}

/// The policy: which remedy is for which outage.
pub trait Remedies: Debug + Send + Sync {
    /// What is done about rows of which some inputs are out; `out` has the positions of these for each row. May block.
    fn of_inputs(&self, inputs: &Batch, out: &[Vec<usize>]) -> Vec<Remedy>;

    /// What is done while the model is down.
    fn of_model(&self) -> Option<Remedy>;
}

/// The predictions of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// The request's own number.
    pub request: String,
    /// The columns as they came, without names that came twice.
    pub columns: Vec<(String, Vec<Value>)>,
    /// The ids that the caller gave, in a column or a header.
    pub ids: Option<Vec<Value>>,
    /// Values that are not kept as they came, because they are not of their column's type: rows of columns by name.
    pub unusable: Vec<(usize, String)>,
    /// The scores, none where nobody answered with a number.
    pub scores: Option<Scores>,
    /// The name of the remedy of each row; empty for none.
    pub remedies: Vec<&'static str>,
    /// What was odd about each row.
    pub flags: Vec<String>,
}

impl Predictions {
    pub fn rows(&self) -> usize {
        self.remedies.len()
    }
}

/// Why predictions are not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotKept(pub String);

/// Where predictions are kept.
pub trait Journal: Debug + Send + Sync {
    /// Keeps predictions, and returns once they are as safe as was promised, with the id of the first of them; those
    /// after it count on. May block.
    fn keep(&self, predictions: &Predictions) -> Result<String, NotKept>;

    /// What is kept and not in the log's own files yet.
    fn backlog(&self) -> Backlog;
}

/// How far the log's files are behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    pub rows: u64,
    pub bytes: u64,
    /// Waits for the disk that failed after their predictions were answered.
    pub failed_syncs: u64,
    /// Predictions that repeat an id of the same request, and were not kept.
    pub repeated: u64,
}

/// What a guard works with.
#[derive(Debug)]
pub struct Parts {
    pub journal: Box<dyn Journal>,
    pub remedies: Box<dyn Remedies>,
    /// Other models: each is several connections to the same one, of which one is asked at a time.
    pub others: Vec<Vec<Box<dyn Target>>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_to_the_model_are_told_from_everything_else() {
        let address = |text: &str| Url::parse(text).unwrap();
        assert!(Questions::mlflow(&address("http://localhost:5000")).are_at("/invocations"));
        assert!(Questions::mlflow(&address("http://localhost/a/invocations")).are_at("/a/invocations"));
        assert!(!Questions::mlflow(&address("http://localhost/a/invocations")).are_at("/invocations"));
        let (base, model) = ("/a".to_owned(), "late".to_owned());
        let questions = Questions::OpenInference { base, model, output: None };
        for (path, expected) in [
            ("/a/v2/models/late/infer", true),
            ("/a/v2/models/late/versions/3/infer", true),
            ("/a/v2/models/later/infer", false),
            ("/v2/models/late/infer", false),
            ("/a/v2/models/late/ready", false),
            ("/a/v2/models/late/versions/3/x/infer", false),
            ("/a/v2/health/ready", false),
        ] {
            assert_eq!(questions.are_at(path), expected, "{path}");
        }
    }
}
