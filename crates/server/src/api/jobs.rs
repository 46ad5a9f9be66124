//! Jobs: what runs and waits, what ran, and what is due next.

use app::access::By;
use app::schedule::JobKind;
use app::site;
use app::{Job, JobFilter, JobState};
use axum::extract::State;
use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use types::access::Action;

use super::systems::{Instant, PartAsked, known};
use crate::Shared;
use crate::asked::{Asked, Body, Nothing, Segments};
use crate::auth::ApiCaller;
use crate::items::{Cursor, Limit, Part};
use crate::problem::Problem;
use crate::reply::Reply;
use crate::visitor::{blocking, sees};

/// One thing to do for a system.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub(super) struct JobOut {
    id: i64,
    system: String,
    /// `monitor`, `evaluate` or `stress`.
    kind: String,
    #[schemars(schema_with = "causes")]
    cause: &'static str,
    #[schemars(schema_with = "states")]
    state: &'static str,
    due: Instant,
    /// It is not begun before.
    run_after: Instant,
    started: Option<Instant>,
    finished: Option<Instant>,
    /// Earlier due instants that this one makes up for.
    missed: u32,
    /// How often it failed.
    failures: u32,
    /// The server that holds it.
    server: Option<String>,
    /// What came out, or why it failed last.
    message: Option<String>,
}

/// A job that is due by the schedule.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DueJob")]
pub(super) struct DueOut {
    system: String,
    #[schemars(with = "Kind")]
    kind: &'static str,
    due: Instant,
}

/// What can be run.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "JobKind")]
pub(super) enum Kind {
    Monitor,
    Evaluate,
    Stress,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JobsQuery {
    /// The id of a system.
    system: Option<String>,
    kind: Option<Kind>,
    #[schemars(with = "Option<StateShape>")]
    state: Option<String>,
    /// How many items to give at most.
    #[serde(default)]
    limit: Limit,
    /// Where to go on: the `next` of the part before.
    #[serde(default)]
    cursor: Cursor,
}

/// A job to be run now.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewJob")]
pub(super) struct JobBody {
    /// The id of the system.
    system: String,
    kind: Kind,
}

/// The states as a query names them.
struct StateShape;

pub(super) type Jobs = Part<JobOut>;
pub(super) type DueJobs = Part<DueOut>;
pub(super) type OneJob = Reply<JobOut>;
pub(super) type JobsAsked = Asked<JobsQuery>;
pub(super) type NewJob = Body<JobBody>;

impl JsonSchema for StateShape {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "JobState".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        states(generator)
    }
}

fn states(_: &mut SchemaGenerator) -> Schema {
    super::words(JobState::ALL.map(JobState::word))
}

fn causes(_: &mut SchemaGenerator) -> Schema {
    super::words(["schedule", "asked"])
}

impl Kind {
    fn of(self) -> JobKind {
        match self {
            Self::Monitor => JobKind::Monitor,
            Self::Evaluate => JobKind::Evaluate,
            Self::Stress => JobKind::Stress,
        }
    }
}

impl From<Job> for JobOut {
    fn from(of: Job) -> Self {
        Self {
            id: of.id,
            system: of.system,
            kind: of.kind,
            cause: of.cause.word(),
            state: of.state.word(),
            due: Instant(of.due),
            run_after: Instant(of.run_after),
            started: of.started.map(Instant),
            finished: of.finished.map(Instant),
            missed: of.missed,
            failures: of.failures,
            server: of.leased_by,
            message: of.message,
        }
    }
}

/// Jobs of all systems that the caller may see.
///
/// Newest first.
#[utoipa::path(get, path = "/jobs", operation_id = "list_jobs", tag = "jobs", params(JobsAsked),
    responses((status = 200, description = "Jobs.", body = Jobs),
        (status = 404, description = "There is no such system, or it is beyond those that the caller may see.")))]
pub(super) async fn list(
    State(shared): State<Shared>,
    caller: ApiCaller,
    asked: JobsAsked,
) -> Result<Jobs, Problem> {
    caller.must(Action::Read, asked.system.as_deref())?;
    let uri = asked.uri.clone();
    let (jobs, next) = blocking(move || {
        if let Some(system) = &asked.system {
            known(&shared, system)?;
        }
        let may_see = |id: &str| sees(&caller.caller, id);
        let filter = JobFilter {
            system: asked.system.as_deref(),
            kind: asked.kind.map(|kind| kind.of().name()),
            state: asked.state.as_deref().map(state).transpose()?,
            before: asked.cursor.position().and_then(|before| before.try_into().ok()),
        };
        Ok(site::jobs::list(&shared.service, &may_see, &filter, asked.limit.get() as u32)?)
    })
    .await?;
    let next = next.and_then(|next| next.try_into().ok());
    Ok(Part::until(&uri, jobs.into_iter().map(JobOut::from).collect(), next))
}

fn state(word: &str) -> Result<JobState, Problem> {
    let named = JobState::ALL.into_iter().find(|state| state.word() == word);
    named.ok_or_else(|| Problem::bad(format!("`{word}` is no state of a job.")))
}

/// One job.
#[utoipa::path(get, path = "/jobs/{id}", operation_id = "get_job", tag = "jobs",
    params(("id" = i64, Path, description = "The job's number.")),
    responses((status = 200, description = "The job.", body = OneJob)))]
pub(super) async fn one(
    State(shared): State<Shared>,
    caller: ApiCaller,
    Segments(id): Segments<i64>,
    _: Asked<Nothing>,
) -> Result<OneJob, Problem> {
    caller.must(Action::Read, None)?;
    let job = blocking(move || {
        let found = shared.service.store().job(id)?.filter(|job| sees(&caller.caller, &job.system));
        found.ok_or_else(|| Problem::not_found(format!("There is no job {id}.")))
    })
    .await?;
    Ok(Reply(job.into()))
}

/// What is due next.
///
/// The next due instant of every system and kind, soonest first.
#[utoipa::path(get, path = "/jobs/upcoming", operation_id = "list_due_jobs", tag = "jobs", params(PartAsked),
    responses((status = 200, description = "What is due.", body = DueJobs)))]
pub(super) async fn upcoming(
    State(shared): State<Shared>,
    caller: ApiCaller,
    asked: PartAsked,
) -> Result<DueJobs, Problem> {
    caller.must(Action::Read, None)?;
    let due = shared.scheduler.upcoming().into_iter().filter(|(_, system, _)| sees(&caller.caller, system));
    let due = due.map(|(due, system, kind)| DueOut { system, kind: kind.name(), due: Instant(due) });
    Ok(Part::of(&asked.uri, due.collect(), asked.limit, asked.cursor))
}

/// Has a job run as soon as a worker is free.
///
/// One that waits already, for its time or after a failure, is brought forward.
#[utoipa::path(post, path = "/jobs", operation_id = "run_job", tag = "jobs", request_body = NewJob,
    responses((status = 202, description = "The job, as it waits.", body = OneJob),
        (status = 404, description = "There is no such system, or it is beyond those that the caller may see.")))]
pub(super) async fn run(
    State(shared): State<Shared>,
    caller: ApiCaller,
    _: Asked<Nothing>,
    Body(JobBody { system, kind }): NewJob,
) -> Result<(StatusCode, OneJob), Problem> {
    caller.must(Action::RunJob, Some(&system))?;
    let job = blocking(move || {
        let id = ask(&shared, caller.by(), &system, kind.of())?;
        // Only what ended long ago is forgotten.
        shared.service.store().job(id)?.ok_or_else(Problem::internal)
    })
    .await?;
    Ok((StatusCode::ACCEPTED, Reply(job.into())))
}

/// Has a job run for somebody, and returns its number.
pub(crate) fn ask(shared: &Shared, by: By<'_>, system: &str, kind: JobKind) -> Result<i64, Problem> {
    let id = shared.scheduler.run_now(system, kind)?;
    shared.service.store().note(by.audit("job.asked", system, kind.name()))?;
    shared.events.changed(&["jobs"]);
    Ok(id)
}
