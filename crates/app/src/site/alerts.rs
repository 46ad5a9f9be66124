//! Alerts as they stand, and one of them with everything that is known of it.

use jiff::{SignedDuration, Timestamp};
use store::{Delivery, DeliveryState};
use types::Digest;
use types::alert::{AlertRecord, AlertStatus, Episode, Quiet};
use types::format::counted;
use types::message::{Message, MessageAlert, Occasion};
use view::site::SystemRef;
use view::site::alert::{AlertEvent, AlertPage, Silence};
use view::site::alerts::{AlertRow, AlertState, AlertsPage};

use super::known::seen;
use super::{SiteError, known, served, system_ref};
use crate::service::Service;

/// Ended alerts that are shown of one system, and of all together.
const ENDED_SHOWN: usize = 100;
const ENDED_SHOWN_OF_ALL: usize = 500;
/// Messages that are looked through for those of one alert.
const DELIVERIES_SHOWN: usize = 200;

/// Which alert it is: a rule of a system about a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertKey {
    pub system: String,
    pub rule: String,
    pub subject: String,
}

impl AlertKey {
    /// Its name in paths: rules and subjects can be whole sentences, so they stand there as a digest.
    pub fn id(&self) -> String {
        let digest = Digest::of(format!("{}\n{}", self.rule, self.subject).as_bytes());
        format!("{}.{}", self.system, digest.short())
    }

    /// The alert of a name in a path.
    ///
    /// # Errors
    /// There is no such alert, or the database does not answer.
    pub fn of_id(service: &Service, id: &str) -> Result<Self, SiteError> {
        let missing = || SiteError::NotFound(format!("There is no alert `{id}`."));
        let (system, _) = id.rsplit_once('.').ok_or_else(missing)?;
        served(service, system)?;
        let kept = service.store().alerts(system)?.state;
        let episodes = service.store().episodes(system, ENDED_SHOWN)?;
        let standing = kept.alerts.into_iter().map(|alert| (alert.rule, alert.subject));
        let ended = episodes.into_iter().map(|episode| (episode.rule, episode.subject));
        let key = |(rule, subject)| Self { system: system.to_owned(), rule, subject };
        standing.chain(ended).map(key).find(|key| key.id() == id).ok_or_else(missing)
    }
}

/// Alerts of one state, newest first.
///
/// # Errors
/// There is no such system, or the database does not answer.
pub fn page(
    service: &Service,
    may_see: &dyn Fn(&str) -> bool,
    state: AlertState,
    system: Option<&str>,
) -> Result<AlertsPage, SiteError> {
    let mut all = list(service, may_see, system)?;
    let is_wanted = |id: &str| may_see(id) && system.is_none_or(|system| system == id);
    let counts = AlertState::ALL.map(|state| all.iter().filter(|row| row.state == state).count() as u64);
    all.retain(|row| row.state == state);
    Ok(AlertsPage {
        state,
        alerts: all,
        counts,
        system: system.map(|system| system_ref(service, system)).transpose()?,
        has_rules: service
            .systems()
            .any(|served| is_wanted(served.id()) && !served.current().definition.alert.is_empty()),
    })
}

/// The alerts of all systems, or of one: the gravest first, of these the newest. Of those that are over, the
/// newest hundred of one system, or five hundred of all.
///
/// # Errors
/// The database does not answer.
pub fn list(
    service: &Service,
    may_see: &dyn Fn(&str) -> bool,
    system: Option<&str>,
) -> Result<Vec<AlertRow>, SiteError> {
    let episodes = match system {
        Some(system) => with_system(system, service.store().episodes(system, ENDED_SHOWN)?),
        None => service.store().all_episodes(ENDED_SHOWN_OF_ALL)?,
    };
    let mut all = Vec::new();
    let standing = service.alerts()?;
    let is_wanted = |id: &str| may_see(id) && system.is_none_or(|system| system == id);
    for served in service.systems().filter(|served| is_wanted(served.id())) {
        let system = system_ref(service, served.id())?;
        let ended = episodes.iter().filter(|(id, _)| id == served.id()).map(|(_, episode)| episode);
        all.extend(rows(&system, standing.get(served.id()).map(|kept| &kept.state), ended));
    }
    all.sort_by_key(|row| std::cmp::Reverse((row.severity, row.since)));
    Ok(all)
}

/// How many alerts fire that a reader may see and nobody has silenced.
///
/// # Errors
/// The database does not answer.
pub fn firing(service: &Service, may_see: &dyn Fn(&str) -> bool) -> Result<u64, SiteError> {
    let alerts = service.alerts()?;
    let seen = alerts.iter().filter(|(id, _)| service.system(id).is_some() && may_see(id));
    Ok(seen.map(|(_, kept)| firing_of(&kept.state).count() as u64).sum())
}

/// The alerts that fire and that nobody has silenced.
pub(super) fn firing_of(state: &types::alert::AlertState) -> impl Iterator<Item = &AlertRecord> {
    let is_loud = |alert: &&AlertRecord| alert.status == AlertStatus::Firing && alert.quiet.is_none();
    state.alerts.iter().filter(is_loud)
}

/// The alerts of a system that are not resolved, gravest first.
pub(super) fn open(service: &Service, system: &SystemRef) -> Result<Vec<AlertRow>, SiteError> {
    let kept = service.alerts()?.remove(&system.id);
    let mut open = rows(system, kept.as_deref().map(|kept| &kept.state), []);
    open.retain(|row| row.state != AlertState::Resolved);
    open.sort_by_key(|row| std::cmp::Reverse((row.severity, row.since)));
    Ok(open)
}

fn with_system(system: &str, episodes: Vec<Episode>) -> Vec<(String, Episode)> {
    episodes.into_iter().map(|episode| (system.to_owned(), episode)).collect()
}

/// The alerts of a system: those that stand, and those that ended.
fn rows<'e>(
    system: &SystemRef,
    standing: Option<&types::alert::AlertState>,
    ended_before: impl IntoIterator<Item = &'e Episode>,
) -> Vec<AlertRow> {
    let standing = standing.map(|state| state.alerts.as_slice()).unwrap_or_default();
    let mut rows: Vec<AlertRow> = standing.iter().map(|alert| row(system, alert)).collect();
    for episode in ended_before {
        let is_shown = |row: &AlertRow| {
            row.state == AlertState::Resolved && row.rule == episode.rule && row.since == episode.until
        };
        if !rows.iter().any(is_shown) {
            rows.push(ended(system, episode));
        }
    }
    rows
}

fn row(system: &SystemRef, alert: &AlertRecord) -> AlertRow {
    let silenced_until = match &alert.quiet {
        Some(Quiet::Silence { until, .. }) => Some(*until),
        _ => None,
    };
    let state = match alert.status {
        AlertStatus::Pending => AlertState::Pending,
        AlertStatus::Resolved => AlertState::Resolved,
        AlertStatus::Firing if alert.quiet.is_some() => AlertState::Silenced,
        AlertStatus::Firing => AlertState::Firing,
    };
    let key =
        AlertKey { system: system.id.clone(), rule: alert.rule.clone(), subject: alert.subject.clone() };
    AlertRow {
        id: key.id(),
        state,
        severity: alert.grade.severity,
        title: standing_title(alert),
        sentence: alert.words.summary.clone(),
        system: system.clone(),
        rule: alert.rule.clone(),
        subject: alert.subject.clone(),
        since: alert.firing_since.unwrap_or(alert.since),
        acknowledged_by: alert.told.acknowledged.as_ref().map(|acknowledged| acknowledged.by.clone()),
        silenced_until,
    }
}

fn ended(system: &SystemRef, episode: &Episode) -> AlertRow {
    let key =
        AlertKey { system: system.id.clone(), rule: episode.rule.clone(), subject: episode.subject.clone() };
    AlertRow {
        id: key.id(),
        state: AlertState::Resolved,
        severity: episode.severity,
        title: title(&episode.rule, &episode.subject),
        sentence: episode.summary.clone(),
        system: system.clone(),
        rule: episode.rule.clone(),
        subject: episode.subject.clone(),
        since: episode.until,
        acknowledged_by: None,
        silenced_until: None,
    }
}

/// What a standing alert is about: its check, where it rests on one, says more than the rule's name.
pub(super) fn standing_title(alert: &AlertRecord) -> String {
    let what = match alert.checks.as_slice() {
        [check] => check.name(),
        _ => &alert.rule,
    };
    let window = alert.window.map(|window| format!(", {}", window.in_words())).unwrap_or_default();
    format!("{}{window}", title(what, &alert.subject))
}

fn title(rule: &str, subject: &str) -> String {
    if subject == monitor::alert::SYSTEM { rule.to_owned() } else { format!("{rule}: {subject}") }
}

/// One alert with everything that is known of it.
///
/// # Errors
/// There is no such alert, or the database does not answer.
pub fn alert(service: &Service, key: &AlertKey, now: Timestamp) -> Result<AlertPage, SiteError> {
    let known = known(service, &key.system)?;
    let system = system_ref(service, &key.system)?;
    let store = service.store();
    let kept = store.alerts(&key.system)?.state;
    let is_it = |rule: &str, subject: &str| rule == key.rule && subject == key.subject;
    let standing = kept.alerts.iter().find(|alert| is_it(&alert.rule, &alert.subject));
    let episodes: Vec<Episode> = store
        .episodes(&key.system, ENDED_SHOWN)?
        .into_iter()
        .filter(|episode| is_it(&episode.rule, &episode.subject))
        .collect();
    let row = standing.map(|alert| row(&system, alert));
    let row = row.or_else(|| episodes.first().map(|episode| ended(&system, episode))).ok_or_else(|| {
        SiteError::NotFound(format!("There is no alert `{}` about `{}`.", key.rule, key.subject))
    })?;
    let deliveries: Vec<Delivery> = store
        .deliveries(&key.system, DELIVERIES_SHOWN)?
        .into_iter()
        .filter(|delivery| delivery.message.alerts.iter().any(|alert| is_it(&alert.rule, &alert.subject)))
        .collect();
    let mut history = history(&episodes, &deliveries, standing);
    for acknowledgement in store.acknowledgements(&key.system)? {
        if is_it(&acknowledgement.rule, &acknowledgement.subject) {
            history.push(AlertEvent {
                at: acknowledgement.at,
                what: "acknowledged".into(),
                who: Some(acknowledgement.by),
                note: Some(acknowledgement.note).filter(|note| !note.is_empty()),
                failed: false,
            });
        }
    }
    history.sort_by_key(|event| std::cmp::Reverse(event.at));
    let checks = standing.map(|alert| alert.checks.clone()).unwrap_or_default();
    let about = |subject: &str| subject == key.subject || key.subject == monitor::alert::SYSTEM;
    let evidence = checks.into_iter().flat_map(|check| known.newest(check));
    let evidence = evidence.filter(|record| about(&record.finding.subject.label())).map(seen).collect();
    let silence = match standing.and_then(|alert| alert.quiet.as_ref()) {
        Some(Quiet::Silence { id, .. }) => store.silences(now)?.into_iter().find(|silence| silence.id == *id),
        _ => None,
    };
    let message = deliveries.first().map(|delivery| delivery.message.clone());
    Ok(AlertPage {
        message: message.unwrap_or_else(|| would_be(&row, standing, now)),
        escalates: standing.and_then(|alert| escalates(&kept, alert)),
        silence: silence.map(|of| Silence { by: of.by, until: of.until, reason: of.reason }),
        alert: row,
        evidence,
        history,
        error: None,
    })
}

/// Who is told next if nobody takes an alert on, and when.
fn escalates(state: &types::alert::AlertState, alert: &AlertRecord) -> Option<(String, Timestamp)> {
    if alert.status != AlertStatus::Firing || alert.quiet.is_some() || alert.told.acknowledged.is_some() {
        return None;
    }
    let group = state.groups.iter().find(|group| Some(&group.id) == alert.told.group.as_ref())?;
    let step = group.policy.escalate.get(group.escalated)?;
    let at = group.unattended_since.checked_add(SignedDuration::from_secs(step.after.seconds())).ok()?;
    let who: Vec<String> = step.to.iter().map(ToString::to_string).collect();
    Some((who.join(", "), at))
}

fn history(episodes: &[Episode], deliveries: &[Delivery], standing: Option<&AlertRecord>) -> Vec<AlertEvent> {
    let event = |at, what: String| AlertEvent { at, what, who: None, note: None, failed: false };
    let mut events = Vec::new();
    for episode in episodes {
        events.push(event(episode.firing_since, "began to fire".into()));
        let windows = counted(u64::from(episode.windows), "window", "windows");
        events.push(event(episode.until, format!("was over, after {windows}")));
    }
    if let Some(alert) = standing {
        events.extend(alert.firing_since.map(|at| event(at, "began to fire".into())));
    }
    for delivery in deliveries {
        let (what, failed) = match delivery.state {
            DeliveryState::Waiting => (format!("is on its way to {}", delivery.contact), false),
            DeliveryState::Delivered => (format!("told {}", delivery.contact), false),
            DeliveryState::Dead => (format!("could not be told to {}", delivery.contact), true),
        };
        let note = Some(delivery.said.clone()).filter(|said| !said.is_empty());
        events.push(AlertEvent { at: delivery.made, what, who: None, note, failed });
    }
    events
}

/// What people would be told of an alert that nobody is told of.
fn would_be(row: &AlertRow, standing: Option<&AlertRecord>, now: Timestamp) -> Message {
    let words = standing.map(|alert| alert.words.clone()).unwrap_or_default();
    let resolved = row.state == AlertState::Resolved;
    Message {
        occasion: if resolved { Occasion::Resolved } else { Occasion::Firing },
        severity: row.severity,
        at: now,
        system: row.system.id.clone(),
        system_name: row.system.name.clone(),
        group: String::new(),
        title: row.title.clone(),
        what_happened: row.sentence.clone(),
        how_sure: words.how_sure,
        who_is_affected: words.who_is_affected,
        what_to_do: words.what_to_do,
        link: None,
        alerts: vec![MessageAlert {
            rule: row.rule.clone(),
            subject: row.title.clone(),
            severity: row.severity,
            since: row.since,
            resolved,
            summary: row.sentence.clone(),
        }],
    }
}
