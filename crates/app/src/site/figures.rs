//! Figures of a running server for whoever watches it: how every check stands and how fresh it is, what alerts,
//! the schedule and ingestion are doing.

use std::sync::Arc;

use jiff::Timestamp;
use store::{Job, JobState};
use types::alert::AlertStatus;
use types::gate::GateDecision;
use types::message::Severity;
use types::{CheckId, Measure, Verdict};
use view::site::series;

use super::SiteError;
use super::known::Known;
use crate::ingest::{TableKind, TableStatus};
use crate::schedule::{JobKind, Missed, Scheduler};
use crate::service::{Served, Service};

/// All figures at one time.
#[derive(Clone, Debug)]
pub struct Figures {
    pub systems: Vec<SystemFigures>,
    pub jobs: JobFigures,
    /// Messages to people, by the word of their state.
    pub messages: Vec<(String, u64)>,
    /// The tables that take in rows, with their systems.
    pub ingestion: Vec<(String, TableKind, TableStatus)>,
}

/// One system.
#[derive(Clone, Debug)]
pub struct SystemFigures {
    pub id: String,
    /// Records of its evidence.
    pub records: u64,
    /// Whether they held when they were last verified; `None` where they were not yet.
    pub intact: Option<bool>,
    /// Whether the definition in its folder is the one in force.
    pub definition_in_force: bool,
    pub told: Arc<Told>,
    /// How many alerts there are of each state and severity.
    pub alerts: Vec<(&'static str, Severity, u64)>,
}

/// What evidence says of a system.
#[derive(Clone, Debug)]
pub struct Told {
    pub checks: Vec<CheckFigures>,
    pub gates: Vec<GateDecision>,
}

/// The newest findings of a check.
#[derive(Clone, Debug)]
pub struct CheckFigures {
    pub check: CheckId,
    /// How many findings have each verdict; what has expired counts as unknown.
    pub verdicts: [(Verdict, u64); 4],
    pub checked_at: Timestamp,
    pub fresh_until: Timestamp,
    pub window_end: Timestamp,
    /// What each finding is about, with the number that it is headed by.
    pub values: Vec<(String, Measure)>,
}

/// The schedule.
#[derive(Clone, Debug)]
pub struct JobFigures {
    pub open: Vec<Job>,
    /// Of every system and kind, the newest job that was done.
    pub done: Vec<Job>,
    /// Of every system and kind, the newest job that ended, well or not.
    pub ended: Vec<Job>,
    pub next: Vec<(Timestamp, String, JobKind)>,
    pub missed: Vec<Missed>,
}

/// The figures of the systems that `may_see` lets through.
///
/// # Errors
/// The database does not answer.
pub fn figures(
    service: &Service,
    scheduler: &Scheduler,
    may_see: &dyn Fn(&str) -> bool,
    now: Timestamp,
) -> Result<Figures, SiteError> {
    let store = service.store();
    let seen = |jobs: Vec<Job>| jobs.into_iter().filter(|job| may_see(&job.system)).collect();
    let tables = service.ingest().open_tables().into_iter().filter(|(system, ..)| may_see(system));
    let mut ingestion: Vec<_> = tables.map(|(system, kind, table)| (system, kind, table.status())).collect();
    ingestion.sort_by(|a, b| (&a.0, a.1.name()).cmp(&(&b.0, b.1.name())));
    Ok(Figures {
        systems: systems(service, may_see, now)?,
        jobs: JobFigures {
            open: seen(store.open_jobs()?),
            done: seen(store.newest_jobs(&[JobState::Done])?),
            ended: seen(store.newest_jobs(&[JobState::Done, JobState::GivenUp, JobState::Skipped])?),
            next: scheduler.upcoming().into_iter().filter(|(_, system, _)| may_see(system)).collect(),
            missed: scheduler.missed()?.into_iter().filter(|missed| may_see(&missed.system)).collect(),
        },
        messages: store.delivery_counts()?,
        ingestion,
    })
}

fn systems(
    service: &Service,
    may_see: &dyn Fn(&str) -> bool,
    now: Timestamp,
) -> Result<Vec<SystemFigures>, SiteError> {
    let (lengths, alerts) = (service.store().chain_lengths()?, service.alerts()?);
    let mut systems = Vec::new();
    for served in service.systems().filter(|served| may_see(served.id())) {
        let records = lengths.get(served.id()).copied().unwrap_or_default();
        systems.push(SystemFigures {
            id: served.id().to_owned(),
            records,
            intact: service.last_verified(served.id()).map(|verified| verified.broken.is_none()),
            definition_in_force: served.current().mistake.is_none(),
            told: told(service, served, records, now)?,
            alerts: alerts.get(served.id()).map(|kept| alert_counts(&kept.state)).unwrap_or_default(),
        });
    }
    Ok(systems)
}

fn told(service: &Service, served: &Served, records: u64, now: Timestamp) -> Result<Arc<Told>, SiteError> {
    let told = service.derived(served, records, now, |current, chain| {
        let known = Known::new(current, chain);
        let checks = CheckId::ALL.into_iter().filter_map(|check| check_figures(&known, check, now)).collect();
        (Told { checks, gates: known.gates(now) }, known.next_expiry(now))
    })?;
    Ok(told)
}

fn check_figures(known: &Known, check: CheckId, now: Timestamp) -> Option<CheckFigures> {
    let newest = known.newest(check);
    let first = newest.first()?;
    let verdict = |record: &&&types::Record| {
        if known.counts(record, now) { record.finding.verdict } else { Verdict::Unknown }
    };
    let count = |of: Verdict| (of, newest.iter().filter(|record| verdict(record) == of).count() as u64);
    let value = |record: &&types::Record| {
        let of = &record.finding;
        let measure = series::headline(of).or_else(|| of.measures.first())?;
        Some((of.subject.label(), measure.clone()))
    };
    Some(CheckFigures {
        check,
        verdicts: [Verdict::Pass, Verdict::Warn, Verdict::Unknown, Verdict::Fail].map(count),
        checked_at: newest.iter().map(|record| record.at).max().unwrap_or(first.at),
        fresh_until: newest.iter().map(|record| record.fresh_until).min().unwrap_or(first.fresh_until),
        window_end: first.finding.window.to(),
        values: newest.iter().filter_map(value).collect(),
    })
}

fn alert_counts(state: &types::alert::AlertState) -> Vec<(&'static str, Severity, u64)> {
    let word = |alert: &types::alert::AlertRecord| match alert.status {
        AlertStatus::Pending => "pending",
        AlertStatus::Firing if alert.quiet.is_some() => "silenced",
        AlertStatus::Firing if alert.told.acknowledged.is_some() => "acknowledged",
        AlertStatus::Firing => "firing",
        AlertStatus::Resolved => "resolved",
    };
    let of = |state_word: &'static str, severity| {
        let alike = |alert: &&types::alert::AlertRecord| {
            word(alert) == state_word && alert.grade.severity == severity
        };
        (state_word, severity, state.alerts.iter().filter(alike).count() as u64)
    };
    let words = ["pending", "firing", "acknowledged", "silenced"];
    words.into_iter().flat_map(|word| Severity::ALL.map(|severity| of(word, severity))).collect()
}
