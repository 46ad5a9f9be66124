//! `[guard]`: how a proxy in front of the model server answers while inputs or the model are down, and what it logs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Age, Definition, DefinitionError, Protocol};

/// A proxy in front of the model server, `forewarn guard`: it enforces a policy of degradation and writes the
/// prediction log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// Where it listens, unless the command line says otherwise.
    pub listen: String,
    /// The file that says what to do in which outage, relative to the definition; `forewarn stress --policy` writes one.
    pub policy: Option<String>,
    /// How long the model may take for an answer; by default as long as `model.timeout`.
    pub timeout: Option<Age>,
    /// Failures of the model in a row after which it is left alone.
    pub failures: u32,
    /// For how long it is left alone before one request tries it again.
    pub cool_off: Age,
    /// The bytes of a request, and of an answer, at most.
    pub body_bytes: u32,
    /// What is done about a category that the reference does not have.
    pub unseen: Oddity,
    /// What is done about a number far outside of the reference's range.
    pub out_of_range: Oddity,
    /// How far outside is far, in widths of the reference's range.
    pub range_margin: f64,
    /// The share of missing values in the reference from which on a missing value of a feature is no outage.
    pub usual_missing: f64,
    /// What is done about a request to the model that cannot be read, and so neither checked nor logged.
    pub unread: Unread,
    /// What is done where predictions cannot be logged.
    pub unlogged: Unlogged,
    /// What an answer waits for.
    pub answer_after: AnswerAfter,
    /// Answers that are kept, for the strategy `cached-answer`.
    pub cache: Option<Cache>,
    /// Names of the columns that the guard adds to the log; an empty one is left out.
    pub columns: GuardColumns,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8081".into(),
            policy: None,
            timeout: None,
            failures: 5,
            cool_off: Age::of_seconds(10),
            body_bytes: 16 << 20,
            unseen: Oddity::Flag,
            out_of_range: Oddity::Flag,
            range_margin: 1.0,
            usual_missing: 0.01,
            unread: Unread::Pass,
            unlogged: Unlogged::Refuse,
            answer_after: AnswerAfter::Write,
            cache: None,
            columns: GuardColumns::default(),
        }
    }
}

/// What is done about a value that is of the right type and unlike the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Oddity {
    /// Nothing.
    Ignore,
    /// The prediction is flagged in the log.
    Flag,
    /// It counts as missing: the policy says what to do.
    Outage,
}

/// What is done about a request to the model that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unread {
    /// It goes to the model as it is, and is counted.
    Pass,
    /// It is refused.
    Refuse,
}

/// What is done where predictions cannot be logged, as on a full disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unlogged {
    /// The request is refused: what was answered is in the log.
    Refuse,
    /// It is answered, and what the log lost is counted.
    Answer,
}

/// What an answer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AnswerAfter {
    /// Until its predictions are written: whatever happens to the program, they are kept. The disk has them a moment
    /// later.
    Write,
    /// Until the disk has them: they also survive a loss of power.
    Sync,
}

/// Answers that are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// The columns of a request that say what an answer is about.
    pub key: Vec<String>,
    /// How many are kept, at most.
    #[serde(default = "default_cache_rows")]
    pub rows: u32,
    /// For how long one is good.
    #[serde(default = "default_cache_age")]
    pub age: Age,
}

fn default_cache_rows() -> u32 {
    100_000
}

fn default_cache_age() -> Age {
    Age::HOUR
}

/// Names of the columns that the guard adds to the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuardColumns {
    /// What was done instead of asking the model with what there was; nothing where the model answered so.
    pub degraded: String,
    /// What was odd about the inputs.
    pub flags: String,
    /// The version of the model.
    pub version: String,
    /// The request that the prediction belongs to.
    pub request: String,
}

impl Default for GuardColumns {
    fn default() -> Self {
        Self {
            degraded: "degraded".into(),
            flags: "flags".into(),
            version: "model_version".into(),
            request: "request_id".into(),
        }
    }
}

impl GuardColumns {
    /// The columns that there are, with their keys.
    pub fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("degraded", self.degraded.as_str()),
            ("flags", self.flags.as_str()),
            ("version", self.version.as_str()),
            ("request", self.request.as_str()),
        ];
        all.into_iter().filter(|(_, name)| !name.is_empty())
    }
}

impl Definition {
    /// Whether a column is one that the guard adds to the log, and so no feature.
    pub fn is_of_guard(&self, column: &str) -> bool {
        self.guard.iter().any(|guard| guard.columns.names().any(|(_, name)| name == column))
    }
}

/// Checks what can be checked without a log.
///
/// # Errors
/// The first [`DefinitionError`], at its key.
pub(super) fn check_values(definition: &Definition) -> Result<(), DefinitionError> {
    let Some(guard) = &definition.guard else { return Ok(()) };
    let refused = |key: &str, message: String, help: &str| {
        Err(DefinitionError::at_key(format!("guard.{key}"), message).with_help(Some(help.to_owned())))
    };
    if guard.listen.parse::<std::net::SocketAddr>().is_err() {
        let message = format!("`{}` is no address with a port", guard.listen);
        return refused("listen", message, "write listen = \"127.0.0.1:8081\"");
    }
    if guard.failures == 0 {
        return refused(
            "failures",
            "0 failures are none".into(),
            "1 leaves the model alone after one failure",
        );
    }
    if !(guard.range_margin.is_finite() && guard.range_margin >= 0.0) {
        let message = format!("{} is not a number of 0 or more", guard.range_margin);
        return refused("range_margin", message, "1.0 is the width of the reference's range");
    }
    if !(0.0..=1.0).contains(&guard.usual_missing) {
        let message = format!("{} is not a share between 0 and 1", guard.usual_missing);
        return refused("usual_missing", message, "0.01 is one row in a hundred");
    }
    if guard.body_bytes < LEAST_BYTES {
        let message = format!("{} bytes hold no request", guard.body_bytes);
        return refused("body_bytes", message, "16777216 are 16 MiB");
    }
    if let Some(cache) = &guard.cache {
        if cache.key.is_empty() {
            return refused(
                "cache.key",
                "no column says what an answer is about".into(),
                "name the columns of a request that tell one case from another, such as key = [\"customer\"]",
            );
        }
        if cache.rows == 0 {
            return refused("cache.rows", "0 answers are none".into(), "leave out [guard.cache]");
        }
    }
    if definition.model.protocol == Protocol::Json {
        return refused(
            "",
            "the guard reads requests of MLflow and of the Open Inference Protocol, and no other JSON".into(),
            "write model.protocol = \"mlflow\" or \"oip\", or remove [guard]",
        )
        .map_err(|error| DefinitionError { place: super::Place::Key("guard".into()), ..error });
    }
    check_columns(definition, guard)
}

/// Less than any request has.
const LEAST_BYTES: u32 = 1_024;

/// The columns of the guard are nobody else's.
fn check_columns(definition: &Definition, guard: &Guard) -> Result<(), DefinitionError> {
    let log = &definition.log;
    let outcome = log.outcome.as_ref().filter(|outcome| outcome.path.is_none());
    for (key, name) in guard.columns.names() {
        let same = guard.columns.names().filter(|(_, other)| *other == name).count();
        let is_taken = log.id.as_deref() == Some(name)
            || log.time == name
            || log.output_columns().iter().any(|(_, column)| *column == name)
            || outcome.is_some_and(|outcome| outcome.column == name)
            || log.features.iter().flatten().any(|feature| feature == name);
        if same > 1 || is_taken {
            let message = format!("column `{name}` has another role already");
            let help = format!("name another one, or leave it out with {key} = \"\"");
            let error = DefinitionError::at_key(format!("guard.columns.{key}"), message);
            return Err(error.with_help(Some(help)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::definition::{Definition, DefinitionError, parse};

    fn defined(more: &str) -> Result<Definition, DefinitionError> {
        parse(&format!(
            "[log]\npath = \"l\"\nid = \"id\"\ntime = \"t\"\nscore = \"p\"\n[reference]\nwindow = \"2013-01-01/2013-02-01\"\n{more}"
        ))
    }

    #[track_caller]
    fn refused(more: &str, part: &str) {
        let error = defined(more).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    }

    #[test]
    fn a_guard_needs_no_more_than_its_heading_and_its_columns_are_no_features() {
        let definition = defined("[guard]\n[guard.columns]\nflags = \"\"\n").unwrap();
        assert!(definition.is_of_guard("degraded") && definition.is_of_guard("model_version"));
        assert!(!definition.is_of_guard("flags") && !definition.is_of_guard(""));
        assert!(!defined("").unwrap().is_of_guard("degraded"));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        refused("[guard]\nlisten = \"8081\"\n", "`8081` is no address with a port");
        refused("[guard]\nfailures = 0\n", "0 failures are none");
        refused("[guard]\nusual_missing = 2.0\n", "2 is not a share");
        refused("[guard.cache]\nkey = []\n", "no column says what an answer is about");
        refused("[guard.columns]\nflags = \"p\"\n", "column `p` has another role already");
        refused("[guard.columns]\nflags = \"x\"\nversion = \"x\"\n", "column `x` has another role already");
        refused("[guard]\nlistn = \"x\"\n", "unknown field `listn`");
        refused(
            "[model]\nprotocol = \"json\"\nrequest = '{\"x\": \"{records}\"}'\n[guard]\n",
            "no other JSON",
        );
    }
}
