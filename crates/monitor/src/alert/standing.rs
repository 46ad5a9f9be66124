//! How alerts stand: pending, firing, resolved, as windows go by.
//!
//! Windows that were not held against a rule before are gone through in order, so that history has its times;
//! the newest is asked again each time, since its evidence may have been replaced. Nobody is told here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use types::Window;
use types::alert::{AlertRecord, AlertState, AlertStatus, Episode, Telling};
use types::definition::Definition;

use super::Operational;
use super::rule::{Asked, Held, Rule};
use super::timeline::Timeline;

/// How many windows in a row a rule has held for a subject.
#[derive(Clone, Debug)]
struct Streak {
    count: u32,
    since: Timestamp,
    windows: Vec<Window>,
}

/// Takes one rule up to the newest window.
pub(super) fn advance(
    definition: &Definition,
    timeline: &Timeline<'_>,
    rule: &Rule,
    state: &mut AlertState,
    now: Timestamp,
    history: &mut Vec<Episode>,
) {
    let steps = timeline.steps(&rule.checks());
    let Some(&newest) = steps.last() else { return };
    let reached = state.evaluated_to.get(&rule.name).copied();
    // The newest is always asked again, also where evidence of an older window was all that came.
    let first_new = steps.partition_point(|step| reached.is_some_and(|reached| *step < reached));
    let first_new = first_new.min(steps.len() - 1);
    // Windows before those only say how long a condition has been holding.
    let first = first_new.saturating_sub(rule.for_windows as usize - 1);
    let mut streaks: BTreeMap<String, Streak> = BTreeMap::new();
    for (at, &step) in steps.iter().enumerate().skip(first) {
        let is_newest = step == newest;
        let asked = rule.ask(definition, timeline, step, is_newest.then_some(now));
        follow(&mut streaks, rule, &asked, step);
        if at >= first_new {
            let moment = Moment { step, at: if is_newest { now.max(step) } else { step } };
            settle(rule, &asked, &streaks, moment, state, history);
        }
    }
    state.evaluated_to.insert(rule.name.clone(), newest);
}

/// What cannot be told neither counts as one window more nor ends the row.
fn follow(streaks: &mut BTreeMap<String, Streak>, rule: &Rule, asked: &Asked, step: Timestamp) {
    let checks = rule.checks();
    streaks.retain(|subject, _| {
        asked.held.iter().any(|held| held.subject == *subject) || asked.cannot_tell(subject, &checks)
    });
    for held in &asked.held {
        match streaks.get_mut(&held.subject) {
            None => {
                let streak = Streak { count: 1, since: step, windows: held.windows.clone() };
                streaks.insert(held.subject.clone(), streak);
            }
            Some(streak) if streak.windows != held.windows => {
                streak.count += 1;
                streak.windows.clone_from(&held.windows);
            }
            Some(_) => {}
        }
    }
}

/// When something is: the end of the window, and when it became known.
#[derive(Clone, Copy)]
struct Moment {
    step: Timestamp,
    at: Timestamp,
}

fn settle(
    rule: &Rule,
    asked: &Asked,
    streaks: &BTreeMap<String, Streak>,
    moment: Moment,
    state: &mut AlertState,
    history: &mut Vec<Episode>,
) {
    for held in &asked.held {
        let streak = streaks.get(&held.subject);
        let known = state
            .alerts
            .iter_mut()
            .find(|alert| !alert.operational && alert.rule == rule.name && alert.subject == held.subject);
        if let Some(alert) = known {
            hold(rule, alert, held, streak, moment);
        } else {
            let mut alert = new_record(rule, held, streak, moment);
            hold(rule, &mut alert, held, streak, moment);
            state.alerts.push(alert);
        }
    }
    let is_over = |alert: &AlertRecord| {
        !alert.operational
            && alert.rule == rule.name
            && !asked.held.iter().any(|held| held.subject == alert.subject)
            && !asked.cannot_tell(&alert.subject, &alert.checks)
    };
    end(state, is_over, moment.at, history);
}

fn new_record(rule: &Rule, held: &Held, streak: Option<&Streak>, moment: Moment) -> AlertRecord {
    AlertRecord {
        rule: rule.name.clone(),
        subject: held.subject.clone(),
        operational: false,
        status: AlertStatus::Pending,
        grade: held.grade,
        windows: 0,
        since: streak.map_or(moment.step, |streak| streak.since),
        firing_since: None,
        window: held.window,
        checks: Vec::new(),
        cause: held.cause.clone(),
        told: Telling::default(),
        policy: rule.policy.clone(),
        inhibited_by: Vec::new(),
        quiet: None,
        words: held.words.clone(),
    }
}

fn hold(rule: &Rule, alert: &mut AlertRecord, held: &Held, streak: Option<&Streak>, moment: Moment) {
    let count = streak.map_or(1, |streak| streak.count);
    if alert.status == AlertStatus::Resolved {
        alert.since = streak.map_or(moment.step, |streak| streak.since);
        alert.windows = 0;
        alert.status = AlertStatus::Pending;
    }
    let is_next = alert.window != held.window || alert.windows == 0;
    alert.windows = count.max(alert.windows + u32::from(is_next && alert.windows > 0));
    alert.grade = held.grade;
    alert.window = held.window;
    alert.checks.clone_from(&held.checks);
    alert.cause.clone_from(&held.cause);
    alert.policy.clone_from(&rule.policy);
    alert.inhibited_by.clone_from(&rule.inhibited_by);
    alert.words.clone_from(&held.words);
    if alert.status == AlertStatus::Pending && count >= rule.for_windows {
        alert.status = AlertStatus::Firing;
        alert.firing_since = Some(moment.at);
    }
}

/// Ends the alerts that are over: those that fired become resolved, or history at once where nobody was told.
pub(super) fn end(
    state: &mut AlertState,
    is_over: impl Fn(&AlertRecord) -> bool,
    at: Timestamp,
    history: &mut Vec<Episode>,
) {
    state.alerts.retain_mut(|alert| {
        if alert.status == AlertStatus::Resolved || !is_over(alert) {
            return true;
        }
        if alert.status == AlertStatus::Firing
            && let Some(firing_since) = alert.firing_since
        {
            history.push(Episode {
                rule: alert.rule.clone(),
                subject: alert.subject.clone(),
                severity: alert.grade.severity,
                since: alert.since,
                firing_since,
                until: at.max(firing_since),
                windows: alert.windows,
                told: alert.told.grade.is_some(),
                summary: alert.words.summary.clone(),
            });
        }
        alert.status = AlertStatus::Resolved;
        alert.firing_since = None;
        alert.quiet = None;
        alert.told.acknowledged = None;
        // What was told must be told to be over, and what came back must not be told too soon again.
        alert.told.grade.is_some() || alert.told.at.is_some()
    });
}

/// Takes up what the caller sees of the running of the program itself: what holds now, and nothing else does.
pub(super) fn operate(
    state: &mut AlertState,
    operational: &[Operational],
    now: Timestamp,
    history: &mut Vec<Episode>,
) {
    for seen in operational {
        let is_it = |alert: &AlertRecord| {
            alert.operational && alert.rule == seen.rule && alert.subject == seen.subject
        };
        let mut alert = match state.alerts.iter().position(is_it) {
            Some(at) => state.alerts.remove(at),
            None => seen.record(now),
        };
        if alert.status != AlertStatus::Firing {
            alert.status = AlertStatus::Firing;
            alert.since = now;
            alert.firing_since = Some(now);
        }
        alert.grade = seen.grade();
        alert.policy.clone_from(&seen.policy);
        alert.words.clone_from(&seen.words);
        state.alerts.push(alert);
    }
    let holds = |alert: &AlertRecord| {
        operational.iter().any(|seen| seen.rule == alert.rule && seen.subject == alert.subject)
    };
    end(state, |alert| alert.operational && !holds(alert), now, history);
}
