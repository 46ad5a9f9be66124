//! One system: its tabs, a check over time, two windows side by side, and the page without jargon.

use engine::FilesRead;
use jiff::Timestamp;
use types::gate::GateDecision;
use types::monitor_report::MonitorReport;
use types::report::{self, CheckReport};
use types::{CheckId, Record, Subject, Verdict, Window};
use view::site::alerts::AlertState;
use view::site::brief::{BriefPage, Person};
use view::site::compare::{ComparePage, CompareRow};
use view::site::link::subject_key;
use view::site::overview::SystemSummary;
use view::site::series::CheckSeries;
use view::site::system::SystemPage;
use view::site::{Practice, Seen};

use super::known::{Known, is_same, seen, worst};
use super::{SiteError, alerts, known, practices, served, standing, system_ref};
use crate::PROGRAM;
use crate::monitor_report;
use crate::service::Service;

/// A tab of a system.
///
/// # Errors
/// There is no such system, or the database does not answer.
pub fn page(service: &Service, id: &str, tab: Practice, now: Timestamp) -> Result<SystemPage, SiteError> {
    let known = known(service, id)?;
    let alerts = alerts::open(service, &system_ref(service, id)?)?;
    let standing = standing::of(service, served(service, id)?, known.chain.end.records, now)?;
    let firing = alerts.iter().filter(|alert| alert.state == AlertState::Firing).count() as u64;
    Ok(SystemPage {
        system: SystemSummary { alerts_firing: firing, ..standing.summary.clone() },
        tab,
        gates: known.gates(now),
        alerts,
        newest: practices::newest(&known, tab).into_iter().map(seen).collect(),
        monitor: (tab == Practice::Monitor).then(|| monitored(&known, now)).flatten(),
        found: matches!(tab, Practice::Evaluate | Practice::Stress)
            .then(|| found(&known, tab, now))
            .flatten(),
    })
}

/// The newest findings of every check of a practice.
///
/// # Errors
/// There is no such system, or the database does not answer.
pub fn newest(service: &Service, id: &str, practice: Practice) -> Result<Vec<Seen>, SiteError> {
    let known = known(service, id)?;
    Ok(practices::newest(&known, practice).into_iter().map(seen).collect())
}

/// The gates of a system as they are now.
///
/// # Errors
/// There is no such system, or the database does not answer.
pub fn gates(service: &Service, id: &str, now: Timestamp) -> Result<Vec<GateDecision>, SiteError> {
    Ok(known(service, id)?.gates(now))
}

/// The windows of monitoring as the report of `forewarn monitor` shows them.
pub(super) fn monitored(known: &Known, now: Timestamp) -> Option<MonitorReport> {
    let windows = known.windows();
    windows.last()?;
    let newest = known.ours().next_back()?;
    let definition = &known.current.definition;
    // What was made under an earlier definition is held against other limits.
    let records: Vec<&Record> =
        known.ours().filter(|record| record.definition == newest.definition).collect();
    Some(monitor_report::of(&monitor_report::Source {
        definition,
        hash: newest.definition,
        records,
        windows,
        cadence: definition.monitor.drift.every,
        since: None,
        at: newest.at,
        as_of: newest.at,
        datasets: newest.datasets.clone(),
        gates: known.gates(now),
        files: FilesRead { read: 0, files: 0 },
        checkpoint: known.chain.end,
    }))
}

/// The newest findings of a practice as one report.
fn found(known: &Known, practice: Practice, now: Timestamp) -> Option<CheckReport> {
    let records = practices::newest(known, practice);
    let newest = records.iter().max_by_key(|record| (record.finding.window.to(), record.seq))?;
    let definition = &known.current.definition;
    Some(CheckReport {
        format: report::FORMAT,
        program: PROGRAM.into(),
        at: newest.at,
        as_of: newest.at,
        system: definition.system.clone(),
        model: definition.model.version.clone(),
        task: definition.model.task,
        window: newest.finding.window,
        reference: definition.reference.window,
        definition: newest.definition,
        datasets: newest.datasets.clone(),
        gates: known.gates(now),
        findings: records.iter().map(|record| record.finding.clone()).collect(),
        checkpoint: known.chain.end.to_string(),
    })
}

/// A check over time, of the subject that a key names.
///
/// # Errors
/// There is no such system, check or subject, or the database does not answer.
pub fn series(
    service: &Service,
    id: &str,
    check: &str,
    subject: Option<&str>,
) -> Result<CheckSeries, SiteError> {
    let known = known(service, id)?;
    let check = CheckId::ALL
        .into_iter()
        .find(|known| known.name() == check)
        .ok_or_else(|| SiteError::NotFound(format!("There is no check `{check}`.")))?;
    let subjects: Vec<Seen> = known.newest(check).into_iter().map(seen).collect();
    let over_time = known.over_time(check);
    let subject: Option<Subject> = match subject {
        // One subject needs no choosing.
        None => match subjects.as_slice() {
            [only] => Some(only.finding.subject.clone()),
            _ => None,
        },
        Some(key) => {
            let named = over_time.iter().rev().find(|record| subject_key(&record.finding.subject) == key);
            let named = named.ok_or_else(|| {
                SiteError::NotFound(format!("`{}` has no evidence about `{key}`.", check.name()))
            })?;
            Some(named.finding.subject.clone())
        }
    };
    let of_subject =
        |record: &&&Record| subject.as_ref().is_some_and(|subject| is_same(subject, &record.finding.subject));
    Ok(CheckSeries {
        system: system_ref(service, id)?,
        check,
        seen: over_time.iter().filter(of_subject).map(|record| seen(record)).collect(),
        subject,
        subjects,
    })
}

/// What was found by a check in every window, of every subject: by window, ascending.
///
/// # Errors
/// There is no such system, or the database does not answer.
pub fn over_time(service: &Service, id: &str, check: CheckId) -> Result<Vec<Seen>, SiteError> {
    Ok(known(service, id)?.over_time(check).into_iter().map(seen).collect())
}

/// Two windows side by side; the last two where none are named.
///
/// # Errors
/// There is no such system or window, or the database does not answer.
pub fn compare(
    service: &Service,
    id: &str,
    a: Option<Window>,
    b: Option<Window>,
) -> Result<ComparePage, SiteError> {
    let known = known(service, id)?;
    let windows = known.windows();
    for window in [a, b].into_iter().flatten() {
        if !windows.contains(&window) {
            return Err(SiteError::NotFound(format!("There is no evidence about the window {window}.")));
        }
    }
    let chosen = match windows.as_slice() {
        [.., before, last] => Some((a.unwrap_or(*before), b.unwrap_or(*last))),
        _ => None,
    };
    let mut rows: Vec<CompareRow> = Vec::new();
    if let Some((a, b)) = chosen {
        for check in CheckId::ALL {
            for record in known.over_time(check) {
                let finding = &record.finding;
                let (in_a, in_b) = (finding.window == a, finding.window == b);
                if !in_a && !in_b {
                    continue;
                }
                let at =
                    rows.iter().position(|row| row.check == check && is_same(&row.subject, &finding.subject));
                let at = at.unwrap_or_else(|| {
                    rows.push(CompareRow { check, subject: finding.subject.clone(), a: None, b: None });
                    rows.len() - 1
                });
                if in_a {
                    rows[at].a = Some(finding.clone());
                }
                if in_b {
                    rows[at].b = Some(finding.clone());
                }
            }
        }
    }
    Ok(ComparePage { system: system_ref(service, id)?, windows, chosen, rows })
}

/// What everybody should know of a system.
///
/// # Errors
/// There is no such system, or the database does not answer.
pub fn brief(service: &Service, id: &str, now: Timestamp) -> Result<BriefPage, SiteError> {
    let known = known(service, id)?;
    let system = &known.current.definition.system;
    let mut checks: Vec<(CheckId, Verdict)> = Vec::new();
    let mut expired = Vec::new();
    for check in CheckId::ALL {
        let newest = known.newest(check);
        let fresh: Vec<&Record> = newest.iter().copied().filter(|record| known.counts(record, now)).collect();
        if let Some(verdict) = worst(fresh) {
            checks.push((check, verdict));
        } else if !newest.is_empty() {
            expired.push(check);
        }
    }
    let windows = known.windows();
    let watched = windows.first().zip(windows.last()).map(|(first, last)| (first.from(), last.to()));
    let shut = known.gates(now).into_iter().filter(|gate| !gate.open);
    Ok(BriefPage {
        system: system_ref(service, id)?,
        purpose: system.purpose.clone(),
        tier: system.tier,
        watched,
        checks,
        expired,
        alerts: alerts::open(service, &system_ref(service, id)?)?,
        actions: shut
            .map(|gate| {
                format!("Gate `{}` is shut: what needs it is held up until its checks pass.", gate.gate)
            })
            .collect(),
        people: system
            .owner
            .iter()
            .map(|owner| Person { role: "Owner".into(), name: owner.clone(), remark: String::new() })
            .collect(),
    })
}
