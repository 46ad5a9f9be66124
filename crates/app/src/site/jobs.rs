//! The schedule: what runs, what is next, what ran.

use store::{Cause, Job, JobFilter, JobState as Kept};
use types::format::counted;
use view::site::jobs::{JobRow, JobState, JobsPage};

use super::{SiteError, system_ref};
use crate::schedule::{JobKind, Scheduler};
use crate::service::Service;

/// Jobs of one page of the history.
const JOBS_SHOWN: u32 = 50;

/// All jobs of the systems that a reader may see.
///
/// # Errors
/// The database does not answer.
pub fn page(
    service: &Service,
    scheduler: &Scheduler,
    may_see: &dyn Fn(&str) -> bool,
    before: Option<i64>,
) -> Result<JobsPage, SiteError> {
    let store = service.store();
    let is_seen = |job: &Job| may_see(&job.system);
    let open: Vec<Job> = store.open_jobs()?.into_iter().filter(is_seen).collect();
    let filter = JobFilter { before, ..JobFilter::default() };
    let ended: Vec<Job> = store.jobs(&filter, JOBS_SHOWN)?;
    let older =
        if ended.len() < JOBS_SHOWN as usize { None } else { ended.last().map(|job| job.id.to_string()) };
    let rows = |jobs: &[Job], wanted: &[Kept]| {
        let wanted = jobs.iter().filter(|job| wanted.contains(&job.state) && is_seen(job));
        wanted.map(|job| row(service, job)).collect::<Vec<JobRow>>()
    };
    let mut next = rows(&open, &[Kept::Waiting]);
    for (due, system, kind) in scheduler.upcoming().into_iter().filter(|(_, system, _)| may_see(system)) {
        next.push(JobRow {
            id: format!("{system}/{}/{due}", kind.name()),
            name: name(kind.name()),
            system: system_ref(service, &system).ok(),
            state: JobState::Waiting,
            at: due,
            milliseconds: None,
            outcome: String::new(),
            attempt: 1,
            server: None,
        });
    }
    next.sort_by_key(|row| row.at);
    let choices = service.systems().filter(|served| may_see(served.id())).flat_map(|served| {
        let current = served.current();
        let of = current.definition.system.display_name().to_owned();
        let can_run = |kind: &JobKind| *kind != JobKind::Stress || current.definition.is_stressed();
        let kinds: Vec<JobKind> = JobKind::ALL.into_iter().filter(can_run).collect();
        kinds.into_iter().map(move |kind| {
            (format!("{}/{}", kind.name(), served.id()), format!("{}: {of}", name(kind.name())))
        })
    });
    Ok(JobsPage {
        running: rows(&open, &[Kept::Running]),
        next,
        history: rows(&ended, &[Kept::Done, Kept::GivenUp, Kept::Skipped, Kept::Superseded]),
        older,
        choices: choices.collect(),
    })
}

/// At most `limit` jobs that a filter lets through and a reader may see, newest first, and where the rest begins:
/// what to give as `before`.
///
/// # Errors
/// The database does not answer.
pub fn list(
    service: &Service,
    may_see: &dyn Fn(&str) -> bool,
    filter: &JobFilter<'_>,
    limit: u32,
) -> Result<(Vec<Job>, Option<i64>), SiteError> {
    let mut seen: Vec<Job> = Vec::new();
    let mut before = filter.before;
    loop {
        let some = service.store().jobs(&JobFilter { before, ..filter.clone() }, limit + 1)?;
        let is_end = some.len() <= limit as usize;
        before = some.last().map(|job| job.id);
        seen.extend(some.into_iter().filter(|job| may_see(&job.system)));
        let has_more = seen.len() > limit as usize;
        if is_end || has_more {
            seen.truncate(limit as usize);
            let next = seen.last().filter(|_| has_more).map(|job| job.id);
            return Ok((seen, next));
        }
    }
}

fn row(service: &Service, job: &Job) -> JobRow {
    let state = match job.state {
        Kept::Waiting if job.failures > 0 => JobState::Retrying,
        Kept::Waiting => JobState::Waiting,
        Kept::Running => JobState::Running,
        Kept::Done => JobState::Succeeded,
        Kept::GivenUp => JobState::Failed,
        Kept::Skipped => JobState::Missed,
        Kept::Superseded => JobState::TakenOver,
    };
    let took = job.started.zip(job.finished).map(|(from, to)| to.duration_since(from).as_millis());
    let at = match job.state {
        Kept::Waiting => job.run_after,
        Kept::Running => job.started.unwrap_or(job.due),
        _ => job.finished.unwrap_or(job.due),
    };
    let mut outcome = job.message.clone().unwrap_or_default();
    if job.missed > 0 {
        let missed = counted(u64::from(job.missed), "run", "runs");
        outcome = format!("Makes up for {missed} that nobody was there for. {outcome}");
    }
    if job.cause == Cause::Asked && outcome.is_empty() {
        outcome = "Somebody asked for it.".into();
    }
    JobRow {
        id: job.id.to_string(),
        name: name(&job.kind),
        system: system_ref(service, &job.system).ok(),
        state,
        at,
        milliseconds: took.and_then(|took| u64::try_from(took).ok()),
        outcome: outcome.trim().to_owned(),
        attempt: job.failures + 1,
        server: job.leased_by.clone(),
    }
}

/// What a kind of job is called.
fn name(kind: &str) -> String {
    match JobKind::of_name(kind) {
        Some(JobKind::Monitor) => "Monitoring".into(),
        Some(JobKind::Evaluate) => "Evaluation".into(),
        Some(JobKind::Stress) => "Stress".into(),
        None => kind.to_owned(),
    }
}

/// The system and the kind of job that a choice of the page's form names.
pub fn chosen(choice: &str) -> Option<(&str, JobKind)> {
    let (kind, system) = choice.split_once('/')?;
    Some((system, JobKind::of_name(kind)?))
}
