//! All systems on one page, and what needs somebody today.

use jiff::Timestamp;
use types::alert::AlertRecord;
use types::message::Severity;
use view::site::link;
use view::site::overview::{Need, OverviewFilter, OverviewPage, SystemSummary};

use super::alerts::{AlertKey, firing_of, standing_title};
use super::{SiteError, standing};
use crate::service::{Service, Verified};

/// Things that need somebody, on one page.
const NEEDS_SHOWN: usize = 12;

/// The overview as a reader sees it who may see the systems that `may_see` lets through.
///
/// # Errors
/// The database does not answer.
pub fn page(
    service: &Service,
    may_see: &dyn Fn(&str) -> bool,
    filter: OverviewFilter,
    now: Timestamp,
) -> Result<OverviewPage, SiteError> {
    let (lengths, alerts) = (service.store().chain_lengths()?, service.alerts()?);
    let mut systems = Vec::new();
    let mut needs = Vec::new();
    for served in service.systems().filter(|served| may_see(served.id())) {
        let records = lengths.get(served.id()).copied().unwrap_or_default();
        let standing = standing::of(service, served, records, now)?;
        let firing: Vec<&AlertRecord> =
            alerts.get(served.id()).map(|kept| firing_of(&kept.state).collect()).unwrap_or_default();
        let summary = SystemSummary { alerts_firing: firing.len() as u64, ..standing.summary.clone() };
        // What an alert says is not said a second time.
        let is_told = |practice: &str| {
            firing.iter().any(|alert| alert.checks.iter().any(|check| check.practice() == practice))
        };
        let failing = standing.failing.iter().filter(|(practice, _)| !is_told(practice.word()));
        needs.extend(failing.map(|(_, need)| need.clone()));
        needs.extend(standing.needs.iter().cloned());
        let unattended = firing.iter().filter(|alert| alert.told.acknowledged.is_none());
        needs.extend(unattended.map(|alert| unattended_alert(&summary, alert)));
        let broken = service.last_verified(served.id()).filter(|verified| verified.broken.is_some());
        needs.extend(broken.map(|verified| broken_evidence(&summary, &verified)));
        systems.push(summary);
    }
    needs.sort_by_key(|need: &Need| (std::cmp::Reverse(need.severity), std::cmp::Reverse(need.since)));
    needs.truncate(NEEDS_SHOWN);
    let mut owners: Vec<String> = systems.iter().filter_map(|system| system.owner.clone()).collect();
    owners.sort();
    owners.dedup();
    let systems_count = systems.len() as u64;
    let text = filter.text.to_lowercase();
    systems.retain(|system| {
        let is_named = system.name.to_lowercase().contains(&text) || system.id.to_lowercase().contains(&text);
        let is_owned = filter.owner.is_empty() || system.owner.as_deref() == Some(&filter.owner);
        is_named && is_owned && filter.verdict.is_none_or(|verdict| system.verdict() == Some(verdict))
    });
    Ok(OverviewPage { needs, systems, systems_count, filter, owners })
}

/// Evidence that was changed or cut is graver than anything that it says.
fn broken_evidence(summary: &SystemSummary, verified: &Verified) -> Need {
    Need {
        severity: Severity::Critical,
        title: "The evidence does not hold".into(),
        sentence: verified.broken.clone().unwrap_or_default(),
        system: summary.id.clone(),
        since: verified.at,
        action: "Look".into(),
        href: link::evidence_of(&summary.id, None, None),
    }
}

/// An alert that nobody has taken on.
fn unattended_alert(summary: &SystemSummary, alert: &AlertRecord) -> Need {
    let key =
        AlertKey { system: summary.id.clone(), rule: alert.rule.clone(), subject: alert.subject.clone() };
    Need {
        severity: alert.grade.severity,
        title: standing_title(alert),
        sentence: alert.words.summary.clone(),
        system: summary.id.clone(),
        since: alert.firing_since.unwrap_or(alert.since),
        action: "Take it on".into(),
        href: link::alert(&key.id()),
    }
}
