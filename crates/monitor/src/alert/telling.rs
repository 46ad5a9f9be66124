//! Who is told what, and when: grouping, reminders, escalation, silences, inhibition, acknowledgement.
//!
//! Alerts that begin together, matter alike and go to the same people share one message; what follows
//! from the same cause later joins it. A group ends when all of its alerts have, and its end is told once
//! to everybody who heard of it.

use jiff::{Span, Timestamp};
use types::Digest;
use types::alert::{
    Acknowledged, Acknowledgement, AlertGroup, AlertRecord, AlertState, AlertStatus, Quiet, Silence,
};
use types::definition::{Age, Contact};
use types::message::{Message, MessageAlert, Occasion};

use super::{Input, LOG, Notification, SYSTEM, words};

/// Everything that is to be told now.
pub(super) fn tell(input: &Input<'_>, before: &AlertState, state: &mut AlertState) -> Vec<Notification> {
    quieten(input, state);
    acknowledge(&mut state.alerts, input.acknowledgements, input.now);
    // Worst first, then by name.
    state.alerts.sort_by(|a, b| {
        let grade = |alert: &AlertRecord| (alert.grade.severity, alert.grade.verdict, alert.grade.findings);
        grade(b).cmp(&grade(a)).then_with(|| (&a.rule, &a.subject).cmp(&(&b.rule, &b.subject)))
    });
    let mut notifications = new_alerts(input, state);
    notifications.extend(follow_up(input, &unattended(before), state));
    notifications.extend(endings(input, state));
    forget(state, input.now);
    notifications
}

/// Finds what keeps alerts quiet at this moment.
fn quieten(input: &Input<'_>, state: &mut AlertState) {
    let firing: Vec<(String, String, String)> = state
        .alerts
        .iter()
        .filter(|alert| alert.status == AlertStatus::Firing)
        .map(|alert| (alert.rule.clone(), alert.subject.clone(), alert.cause.clone()))
        .collect();
    for alert in &mut state.alerts {
        let silence = silence(input, alert);
        let explained = firing.iter().find(|(rule, subject, cause)| {
            alert.inhibited_by.contains(rule)
                && (subject == SYSTEM || cause == LOG || *subject == alert.subject || *cause == alert.cause)
        });
        alert.quiet = match (silence, explained) {
            (Some(silence), _) => Some(Quiet::Silence { id: silence.id.clone(), until: silence.until }),
            (None, Some((rule, subject, _))) => {
                Some(Quiet::Inhibition { rule: rule.clone(), subject: subject.clone() })
            }
            (None, None) => None,
        };
    }
}

fn silence<'a>(input: &Input<'a>, alert: &AlertRecord) -> Option<&'a Silence> {
    let system = &input.definition.system.id;
    input
        .silences
        .iter()
        .filter(|silence| silence.holds(input.now))
        .filter(|silence| silence.matcher.matches(system, &alert.rule, &alert.subject))
        .max_by_key(|silence| silence.until)
}

fn acknowledge(alerts: &mut [AlertRecord], acknowledgements: &[Acknowledgement], now: Timestamp) {
    for alert in alerts.iter_mut().filter(|alert| alert.status == AlertStatus::Firing) {
        let newest = acknowledgements
            .iter()
            .filter(|ack| ack.rule == alert.rule && ack.subject == alert.subject && ack.at <= now)
            .filter(|ack| alert.firing_since.is_some_and(|since| since <= ack.at))
            .filter(|ack| alert.told.acknowledgements_to.is_none_or(|to| to < ack.at))
            .max_by_key(|ack| ack.at);
        if let Some(ack) = newest {
            alert.told.acknowledgements_to = Some(ack.at);
            alert.told.acknowledged =
                Some(Acknowledged { by: ack.by.clone(), at: ack.at, note: ack.note.clone() });
        }
        // What has become worse than what was told is news, whoever took on what it was before.
        if alert.told.grade.is_some_and(|told| alert.grade.is_worse_than(told)) {
            alert.told.acknowledged = None;
        }
    }
}

/// Whether people hear of it at all.
fn is_audible(alert: &AlertRecord) -> bool {
    alert.status == AlertStatus::Firing && alert.quiet.is_none()
}

/// Whether people hear of it again.
fn is_open(alert: &AlertRecord) -> bool {
    is_audible(alert) && alert.told.acknowledged.is_none()
}

/// How long an alert that comes back is not told again; a day where it is never repeated.
fn repeat_seconds(alert: &AlertRecord) -> i64 {
    alert.policy.repeat.seconds().unwrap_or(Age::DAY.seconds())
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    let span = Span::new().try_seconds(seconds).ok();
    span.and_then(|span| at.checked_add(span).ok()).unwrap_or(Timestamp::MAX)
}

fn is_news(alert: &AlertRecord, now: Timestamp) -> bool {
    match alert.told.grade {
        Some(told) => alert.grade.is_worse_than(told),
        None => alert.told.at.is_none_or(|at| later(at, repeat_seconds(alert)) <= now),
    }
}

/// Alerts that nobody was told of, and those that have become worse.
fn new_alerts(input: &Input<'_>, state: &mut AlertState) -> Vec<Notification> {
    let mut by_group: Vec<(String, Vec<usize>)> = Vec::new();
    for at in 0..state.alerts.len() {
        if !is_open(&state.alerts[at]) || !is_news(&state.alerts[at], input.now) {
            continue;
        }
        let group = group_of(input, state, at);
        state.alerts[at].told.group = Some(group.clone());
        match by_group.iter_mut().find(|(id, _)| *id == group) {
            Some((_, members)) => members.push(at),
            None => by_group.push((group, vec![at])),
        }
    }
    let mut notifications = Vec::new();
    for (id, members) in by_group {
        for &at in &members {
            let alert = &mut state.alerts[at];
            alert.told.at = Some(input.now);
            alert.told.grade = Some(alert.told.grade.map_or(alert.grade, |told| told.worst(alert.grade)));
        }
        let Some(group) = state.groups.iter_mut().find(|group| group.id == id) else { continue };
        group.last_told = input.now;
        let alerts: Vec<&AlertRecord> = members.iter().map(|at| &state.alerts[*at]).collect();
        let to = group.policy.to.clone();
        notifications.push(notification(input, group, Occasion::Firing, &alerts, to));
    }
    notifications
}

/// Groups that people were told of and that nobody had taken on.
fn unattended(state: &AlertState) -> Vec<String> {
    let waiting = state.alerts.iter().filter(|alert| is_open(alert) && alert.told.grade.is_some());
    waiting.filter_map(|alert| alert.told.group.clone()).collect()
}

/// The group that an alert is told in: its own, one with the same cause, one that begins now, or a new one.
fn group_of(input: &Input<'_>, state: &mut AlertState, at: usize) -> String {
    let alert = &state.alerts[at];
    let is_there = |id: &String| state.groups.iter().any(|group| group.id == *id);
    if let Some(id) = alert.told.group.as_ref().filter(|id| is_there(id)) {
        return id.clone();
    }
    let fits = |group: &AlertGroup| group.policy == alert.policy && group.severity == alert.grade.severity;
    let has_cause = |group: &AlertGroup| {
        state.alerts.iter().any(|other| {
            other.status == AlertStatus::Firing
                && other.told.group.as_ref() == Some(&group.id)
                && other.cause == alert.cause
                && other.operational == alert.operational
        })
    };
    let begins_now = |group: &AlertGroup| {
        group.first_told == input.now && group.window == alert.window && alert.window.is_some()
    };
    if let Some(group) =
        state.groups.iter().find(|group| fits(group) && (has_cause(group) || begins_now(group)))
    {
        return group.id.clone();
    }
    let name = format!("{}\n{}\n{}\n{}", input.definition.system.id, alert.rule, alert.subject, input.now);
    let group = AlertGroup {
        id: format!("{}-{}", input.definition.system.id, Digest::of(name.as_bytes()).short()),
        severity: alert.grade.severity,
        policy: alert.policy.clone(),
        window: alert.window,
        first_told: input.now,
        unattended_since: input.now,
        last_told: input.now,
        escalated: 0,
        told_to: Vec::new(),
    };
    let id = group.id.clone();
    state.groups.push(group);
    id
}

/// Reminders, and those who come next where nobody answers.
fn follow_up(input: &Input<'_>, unattended: &[String], state: &mut AlertState) -> Vec<Notification> {
    let now = input.now;
    let mut notifications = Vec::new();
    for group in &mut state.groups {
        let id = group.id.clone();
        let told = |alert: &&mut AlertRecord| {
            alert.told.group.as_ref() == Some(&id) && alert.told.grade.is_some() && is_open(alert)
        };
        let mut open: Vec<&mut AlertRecord> = state.alerts.iter_mut().filter(told).collect();
        if open.is_empty() {
            continue;
        }
        if !unattended.contains(&id) {
            // It is new, or somebody had taken it on or silenced it until now: the escalation begins here.
            group.unattended_since = now;
            group.escalated = 0;
        }
        let is_due = |after: Age| later(group.unattended_since, after.seconds()) <= now;
        let next = group.policy.escalate.iter().skip(group.escalated);
        let due: Vec<&[Contact]> = next.take_while(|step| is_due(step.after)).map(|step| &*step.to).collect();
        let (steps, due) = (due.len(), due.concat());
        group.escalated += steps;
        let reminds =
            group.policy.repeat.seconds().is_some_and(|seconds| later(group.last_told, seconds) <= now);
        if reminds {
            group.last_told = now;
            for alert in &mut open {
                alert.told.at = Some(now);
            }
        }
        let alerts: Vec<&AlertRecord> = open.iter().map(|alert| &**alert).collect();
        if !due.is_empty() {
            notifications.push(notification(input, group, Occasion::Escalation, &alerts, due));
        }
        if reminds {
            let to = group.policy.to.clone();
            notifications.push(notification(input, group, Occasion::Reminder, &alerts, to));
        }
    }
    notifications
}

/// Groups of which nothing fires any more. While a silence holds it back, the end waits.
fn endings(input: &Input<'_>, state: &mut AlertState) -> Vec<Notification> {
    let mut notifications = Vec::new();
    let alerts = &mut state.alerts;
    state.groups.retain_mut(|group| {
        let id = group.id.clone();
        let is_member = |alert: &AlertRecord| alert.told.group.as_ref() == Some(&id);
        let members: Vec<&AlertRecord> = alerts.iter().filter(|alert| is_member(alert)).collect();
        let is_over = members.iter().all(|alert| alert.status != AlertStatus::Firing);
        let told: Vec<&AlertRecord> =
            members.into_iter().filter(|alert| alert.told.grade.is_some()).collect();
        let waits = !told.is_empty() && told.iter().all(|alert| silence(input, alert).is_some());
        if !is_over || waits {
            return true;
        }
        if !told.is_empty() {
            let to = group.told_to.clone();
            notifications.push(notification(input, group, Occasion::Resolved, &told, to));
        }
        for alert in alerts.iter_mut().filter(|alert| is_member(alert)) {
            alert.told.group = None;
            alert.told.grade = None;
        }
        false
    });
    notifications
}

/// Drops what is over and told, once it could be told anew.
fn forget(state: &mut AlertState, now: Timestamp) {
    state.alerts.retain(|alert| {
        let waits = alert.told.grade.is_some()
            || alert.told.at.is_some_and(|at| now < later(at, repeat_seconds(alert)));
        alert.status != AlertStatus::Resolved || waits
    });
    state
        .alerts
        .sort_by(|a, b| (a.operational, &a.rule, &a.subject).cmp(&(b.operational, &b.rule, &b.subject)));
}

fn notification(
    input: &Input<'_>,
    group: &mut AlertGroup,
    occasion: Occasion,
    alerts: &[&AlertRecord],
    mut to: Vec<Contact>,
) -> Notification {
    to.sort_unstable();
    to.dedup();
    group.told_to.extend(to.iter().cloned());
    group.told_to.sort_unstable();
    group.told_to.dedup();
    let system = &input.definition.system;
    let window =
        alerts.iter().filter_map(|alert| alert.window).max_by_key(|window| (window.to(), window.from()));
    let (title, words) = words::of_group(occasion, alerts, window);
    let link =
        input.address.map(|address| format!("{}/alerts?system={}", address.trim_end_matches('/'), system.id));
    let message = Message {
        occasion,
        severity: alerts.iter().map(|alert| alert.grade.severity).max().unwrap_or(group.severity),
        at: input.now,
        system: system.id.clone(),
        system_name: system.display_name().to_owned(),
        group: group.id.clone(),
        title: format!("{}: {title}", system.display_name()),
        what_happened: words.summary,
        how_sure: words.how_sure,
        who_is_affected: words.who_is_affected,
        what_to_do: words.what_to_do,
        link,
        alerts: alerts
            .iter()
            .map(|alert| MessageAlert {
                rule: alert.rule.clone(),
                subject: alert.subject.clone(),
                severity: alert.grade.severity,
                since: alert.since,
                resolved: alert.status == AlertStatus::Resolved,
                summary: alert.words.summary.clone(),
            })
            .collect(),
    };
    Notification { to, message }
}
