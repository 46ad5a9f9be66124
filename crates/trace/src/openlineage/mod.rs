//! Events of OpenLineage 2-0-2: reading them, and what of them is refused.
//!
//! Reading is lenient where a client may differ without harm: members that nobody here knows, `null` for what is
//! absent, an event without a type. It is strict where an event could not be placed afterwards: no run, no time, no
//! name. Facets stay as they were written ([`Facets`]); [`facet`] reads those that have a meaning here. What events
//! mean for the graph is told by [`crate::projection`].

mod columns;
pub mod facet;
mod forewarn;
mod job;
mod quality;
mod table;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

pub use columns::{ColumnInput, ColumnLineage};
pub use facet::{Facet, FacetError};
pub use forewarn::{
    Alias, ContentDigest, DigestOf, ModelMade, Origin, PipelineRun, RoleOfInput, ServedModel, Serving,
    Strength, Upstream,
};
pub use job::{JobType, Owner, Ownership, Parent, SourceCodeLocation, Sql};
pub use quality::{Assertion, ColumnMetrics, QualityAssertions, QualityMetrics};
pub use table::{DataSource, DatasetVersion, Field, Identifier, Symlinks, TableSchema};

/// A longer event is refused. A facet of 10 MB has room.
pub const EVENT_BYTES_MAX: usize = 32 << 20;
/// A longer name of a job, a dataset or a run is refused: it is a mistake, or a document.
pub const NAME_BYTES_MAX: usize = 4096;
/// An event from further ahead than this has a clock that cannot be believed.
pub const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(1);

/// Facets by name, each as it was written.
pub type Facets = BTreeMap<String, Box<RawValue>>;

/// What happened to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transition {
    Start,
    Running,
    Complete,
    Abort,
    Fail,
    Other,
}

/// One event, of any of the three types.
#[derive(Clone, Debug)]
pub struct Event {
    pub time: Timestamp,
    /// Who sent it; none where the event does not say.
    pub producer: Option<String>,
    pub about: About,
}

#[derive(Clone, Debug)]
pub enum About {
    Run { transition: Transition, run: Run, job: Job, inputs: Vec<Dataset>, outputs: Vec<Dataset> },
    Job { job: Job, inputs: Vec<Dataset>, outputs: Vec<Dataset> },
    Dataset(Dataset),
}

#[derive(Clone, Debug)]
pub struct Run {
    pub id: String,
    pub facets: Facets,
}

#[derive(Clone, Debug)]
pub struct Job {
    pub namespace: String,
    pub name: String,
    pub facets: Facets,
}

#[derive(Clone, Debug)]
pub struct Dataset {
    pub namespace: String,
    pub name: String,
    pub facets: Facets,
    /// `inputFacets` or `outputFacets`: what is said of it as the input or output of this run.
    pub use_facets: Facets,
}

/// Why an event cannot be taken in. Paths are those of the event's JSON.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EventError {
    #[error("it has {bytes} bytes; at most {EVENT_BYTES_MAX} are read")]
    TooLong { bytes: usize },
    #[error("byte {at} (from 0) is not UTF-8, in which JSON is written")]
    NotUtf8 { at: usize },
    #[error("it is not JSON: {reason}")]
    NotJson { reason: String },
    #[error("`{path}`: {reason}")]
    Unreadable { path: String, reason: String },
    #[error("`{path}` is missing; {why}")]
    Missing { path: String, why: &'static str },
    #[error("`{path}` is empty; {why}")]
    Empty { path: String, why: &'static str },
    #[error("`{path}` has {bytes} bytes; at most {NAME_BYTES_MAX} are read of a name")]
    LongName { path: String, bytes: usize },
    #[error(
        "`eventTime` is `{text}`: {reason}; write it like 2013-05-01T02:10:00Z, with the offset from UTC"
    )]
    Time { text: String, reason: String },
    #[error(
        "`eventTime` is {time}, but it is {received} here: events from more than an hour ahead are refused, \
         since nothing can be placed by such a clock"
    )]
    Ahead { time: Timestamp, received: Timestamp },
    #[error("`eventType` is `{text}`; it is START, RUNNING, COMPLETE, ABORT, FAIL or OTHER")]
    Transition { text: String },
    #[error("it is of none of the three types: an event has a `run` with a `job`, a `job`, or a `dataset`")]
    NoType,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct RawEvent {
    event_time: Option<String>,
    event_type: Option<String>,
    producer: Option<String>,
    run: Option<RawRun>,
    job: Option<RawNamed>,
    dataset: Option<RawNamed>,
    #[serde(default, deserialize_with = "or_default")]
    inputs: Vec<RawNamed>,
    #[serde(default, deserialize_with = "or_default")]
    outputs: Vec<RawNamed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct RawRun {
    run_id: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    facets: Facets,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct RawNamed {
    namespace: Option<String>,
    name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    facets: Facets,
    #[serde(default, deserialize_with = "or_default")]
    input_facets: Facets,
    #[serde(default, deserialize_with = "or_default")]
    output_facets: Facets,
}

/// `null` as what is absent.
pub(crate) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads one event that was received at `received`.
///
/// # Errors
/// An [`EventError`], about the first thing that stands in the way.
pub fn read(bytes: &[u8], received: Timestamp) -> Result<Event, EventError> {
    if bytes.len() > EVENT_BYTES_MAX {
        return Err(EventError::TooLong { bytes: bytes.len() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| EventError::NotUtf8 { at: error.valid_up_to() })?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let raw: RawEvent = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let reason = error.inner().to_string();
        if error.inner().is_data() {
            EventError::Unreadable { path: error.path().to_string(), reason }
        } else {
            EventError::NotJson { reason }
        }
    })?;
    deserializer.end().map_err(|error| EventError::NotJson { reason: error.to_string() })?;
    let time = event_time(raw.event_time.as_deref(), received)?;
    let producer = raw.producer.clone().filter(|producer| !producer.is_empty());
    Ok(Event { time, producer, about: about(raw)? })
}

fn event_time(text: Option<&str>, received: Timestamp) -> Result<Timestamp, EventError> {
    let why = "what cannot be placed in time cannot be traced";
    let text = text.ok_or_else(|| EventError::Missing { path: "eventTime".into(), why })?;
    let time: Timestamp = text
        .parse()
        .map_err(|error: jiff::Error| EventError::Time { text: text.into(), reason: error.to_string() })?;
    if time.duration_since(received) > AHEAD_MAX {
        return Err(EventError::Ahead { time, received });
    }
    Ok(time)
}

fn about(raw: RawEvent) -> Result<About, EventError> {
    let transition = raw.event_type.as_deref().map(transition).transpose()?;
    let datasets = |list: Vec<RawNamed>, path: &str| {
        let list = list.into_iter().enumerate();
        list.map(|(at, raw)| dataset(raw, &format!("{path}[{at}]"))).collect::<Result<Vec<_>, _>>()
    };
    match (raw.run, raw.job, raw.dataset) {
        (Some(run), job, _) => {
            let why = "a run is a run of a job";
            let job = job.ok_or_else(|| EventError::Missing { path: "job".into(), why })?;
            Ok(About::Run {
                transition: transition.unwrap_or(Transition::Other),
                run: self::run(run)?,
                job: self::job(job)?,
                inputs: datasets(raw.inputs, "inputs")?,
                outputs: datasets(raw.outputs, "outputs")?,
            })
        }
        (None, Some(_), _) if transition.is_some() => Err(EventError::Missing {
            path: "run".into(),
            why: "an event with an `eventType` is about a run; without `run.runId` nobody knows which",
        }),
        (None, Some(job), _) => Ok(About::Job {
            job: self::job(job)?,
            inputs: datasets(raw.inputs, "inputs")?,
            outputs: datasets(raw.outputs, "outputs")?,
        }),
        (None, None, Some(raw)) => Ok(About::Dataset(dataset(raw, "dataset")?)),
        (None, None, None) => Err(EventError::NoType),
    }
}

fn transition(text: &str) -> Result<Transition, EventError> {
    Ok(match text.to_ascii_uppercase().as_str() {
        "START" => Transition::Start,
        "RUNNING" => Transition::Running,
        "COMPLETE" => Transition::Complete,
        "ABORT" => Transition::Abort,
        "FAIL" => Transition::Fail,
        "OTHER" => Transition::Other,
        _ => return Err(EventError::Transition { text: text.into() }),
    })
}

fn run(raw: RawRun) -> Result<Run, EventError> {
    let why = "events of one run are put together by it";
    Ok(Run { id: name(raw.run_id, "run.runId", why)?.to_lowercase(), facets: raw.facets })
}

fn job(raw: RawNamed) -> Result<Job, EventError> {
    let why = "a job is known by its namespace and name";
    Ok(Job {
        namespace: name(raw.namespace, "job.namespace", why)?,
        name: name(raw.name, "job.name", why)?,
        facets: raw.facets,
    })
}

fn dataset(raw: RawNamed, path: &str) -> Result<Dataset, EventError> {
    let why = "a dataset is known by its namespace and name";
    let mut use_facets = raw.input_facets;
    use_facets.extend(raw.output_facets);
    Ok(Dataset {
        namespace: name(raw.namespace, &format!("{path}.namespace"), why)?,
        name: name(raw.name, &format!("{path}.name"), why)?,
        facets: raw.facets,
        use_facets,
    })
}

fn name(text: Option<String>, path: &str, why: &'static str) -> Result<String, EventError> {
    let text = text.ok_or_else(|| EventError::Missing { path: path.into(), why })?;
    if text.is_empty() {
        return Err(EventError::Empty { path: path.into(), why });
    }
    if text.len() > NAME_BYTES_MAX {
        return Err(EventError::LongName { path: path.into(), bytes: text.len() });
    }
    Ok(text)
}

impl Transition {
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Running => "RUNNING",
            Self::Complete => "COMPLETE",
            Self::Abort => "ABORT",
            Self::Fail => "FAIL",
            Self::Other => "OTHER",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received() -> Timestamp {
        "2013-05-01T03:00:00Z".parse().unwrap()
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let error = read(text.as_bytes(), received()).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{text}\n{error}");
    }

    fn event(rest: &str) -> String {
        format!(r#"{{"eventTime":"2013-05-01T02:10:00Z",{rest}}}"#)
    }

    #[test]
    fn events_that_cannot_be_placed_are_refused_by_path() {
        let job = r#""job":{"namespace":"a:b","name":"j"}"#;
        check("{", "it is not JSON: EOF");
        check("[]", "`.`: invalid length 0, expected an object");
        check(r#"{"run":{}}"#, "`eventTime` is missing");
        check(r#"{"eventTime":"2013-05-01T02:10:00","run":{}}"#, "`eventTime` is `2013-05-01T02:10:00`: ");
        check(r#"{"eventTime":"2013-05-01T04:00:01Z","run":{}}"#, "`eventTime` is 2013-05-01T04:00:01Z, but");
        check(&event(r#""producer":"p""#), "it is of none of the three types");
        check(&event(r#""run":{"runId":"r"}"#), "`job` is missing");
        check(&event(&format!(r#""run":{{}},{job}"#)), "`run.runId` is missing");
        check(&event(&format!(r#""run":{{"runId":7}},{job}"#)), "`run.runId`: invalid type: integer `7`");
        check(&event(&format!(r#""eventType":"COMPLETE",{job}"#)), "`run` is missing");
        check(&event(&format!(r#""eventType":"DONE","run":{{"runId":"r"}},{job}"#)), "`eventType` is `DONE`");
        check(&event(r#""dataset":{"namespace":"n","name":""}"#), "`dataset.name` is empty");
        let inputs = r#""inputs":[{"namespace":"n","name":"a"},{"namespace":"n"}]"#;
        check(&event(&format!("{job},{inputs}")), "`inputs[1].name` is missing");
        check(&event(&format!(r#"{job},"inputs":[{{"facets":3}}]"#)), "`inputs[0].facets`: invalid type");
        let long = "n".repeat(NAME_BYTES_MAX + 1);
        check(
            &event(&format!(r#""dataset":{{"namespace":"n","name":"{long}"}}"#)),
            "`dataset.name` has 4097",
        );
        check(&format!("{} x", event(job)), "it is not JSON: trailing characters");
    }

    #[test]
    fn bytes_that_are_no_text_and_endless_ones_are_refused() {
        assert_eq!(read(b"{\"a\xff", received()).unwrap_err(), EventError::NotUtf8 { at: 3 });
        let long = vec![b' '; EVENT_BYTES_MAX + 1];
        let expected = EventError::TooLong { bytes: EVENT_BYTES_MAX + 1 };
        assert_eq!(read(&long, received()).unwrap_err(), expected);
    }

    #[test]
    fn what_clients_leave_out_or_write_as_null_is_absent() {
        let text = event(
            r#""run":{"runId":"0190F5B2-7C1A-7000-8000-000000000001","facets":null},"inputs":null,"surplus":[1],
               "job":{"namespace":"s3://b:9000","name":"j","facets":{"x_y":{ "big": 12345678901234567890123 }}}"#,
        );
        let event = read(text.as_bytes(), received()).unwrap();
        let About::Run { transition, run, job, inputs, .. } = event.about else { panic!("a run") };
        assert_eq!(
            (transition, run.id.as_str()),
            (Transition::Other, "0190f5b2-7c1a-7000-8000-000000000001")
        );
        assert_eq!((job.namespace.as_str(), inputs.len()), ("s3://b:9000", 0));
        // Digits that no float holds, and the spaces: as it was written.
        assert_eq!(job.facets["x_y"].get(), r#"{ "big": 12345678901234567890123 }"#);
        assert_eq!(event.producer, None);
    }

    #[test]
    fn a_facet_of_ten_megabytes_is_read() {
        let facet = format!(r#"{{"text":"{}"}}"#, "x".repeat(10 << 20));
        let text = event(&format!(r#""dataset":{{"namespace":"n","name":"d","facets":{{"big":{facet}}}}}"#));
        let About::Dataset(dataset) = read(text.as_bytes(), received()).unwrap().about else {
            panic!("a dataset")
        };
        assert_eq!(dataset.facets["big"].get().len(), facet.len());
    }
}
