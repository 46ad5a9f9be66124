//! Alerts in every state, one of them in full; jobs beside them.

use jiff::SignedDuration;
use types::message::{Message, MessageAlert, Occasion, Severity};
use types::{CheckId, Verdict};
use view::site::alert::{AlertEvent, AlertPage, Silence};
use view::site::alerts::{AlertRow, AlertState, AlertsPage};
use view::site::brief::{BriefPage, Person};
use view::site::jobs::{JobRow, JobState, JobsPage};
use view::site::{self, SystemRef, link};

use super::{Page, World, last};

fn row(
    world: &World,
    id: &str,
    state: AlertState,
    severity: Severity,
    title: &str,
    sentence: &str,
    hours: i64,
) -> AlertRow {
    AlertRow {
        id: id.into(),
        state,
        severity,
        title: title.into(),
        sentence: sentence.into(),
        system: world.system(),
        rule: "columns-drift".into(),
        subject: "humid".into(),
        since: world.now() - SignedDuration::from_hours(hours),
        acknowledged_by: None,
        silenced_until: None,
    }
}

pub(super) fn rows(world: &World) -> Vec<AlertRow> {
    vec![
        row(
            world,
            "a-18",
            AlertState::Firing,
            Severity::High,
            "Drift of `humid` for 11 weeks",
            "Values are missing in 11.8 % of rows; the weather feed has holes since October.",
            76,
        ),
        AlertRow {
            acknowledged_by: Some("Ada Okafor".into()),
            ..row(
                world,
                "a-16",
                AlertState::Firing,
                Severity::Medium,
                "Worst segment: origin = LGA",
                "ROC AUC is 0.58 where 0.60 was agreed, and surely below it.",
                30,
            )
        },
    ]
}

fn page_of(world: &World, state: AlertState) -> AlertsPage {
    let alerts = match state {
        AlertState::Firing => rows(world),
        AlertState::Silenced => vec![AlertRow {
            silenced_until: Some(world.now() + SignedDuration::from_hours(40)),
            ..row(
                world,
                "a-11",
                state,
                Severity::Low,
                "Drift of `engines`",
                "Another fleet flies since summer; known and accepted.",
                900,
            )
        }],
        AlertState::Pending | AlertState::Resolved => Vec::new(),
    };
    AlertsPage { state, alerts, counts: [2, 0, 1, 0], system: None, has_rules: true }
}

/// One alert in full.
pub(crate) fn alert(world: &World) -> AlertPage {
    let alert = rows(world).remove(0);
    let event = |hours: i64, what: &str, who: Option<&str>, note: Option<&str>, failed| AlertEvent {
        at: world.now() - SignedDuration::from_hours(hours),
        what: what.into(),
        who: who.map(Into::into),
        note: note.map(Into::into),
        failed,
    };
    AlertPage {
        message: Message {
            occasion: Occasion::Firing,
            severity: alert.severity,
            at: alert.since,
            system: alert.system.id.clone(),
            system_name: alert.system.name.clone(),
            group: "weather".into(),
            title: alert.title.clone(),
            what_happened: "`humid` has no value in 11.8 % of rows. In the reference it was always there; it has been so for eleven weeks in a row.".into(),
            how_sure: "Very sure: with a probability of at most 1 % would any of 27 columns ever be named falsely, however often one looks.".into(),
            who_is_affected: "Passengers of all three airports; the model falls back to the average humidity and is right somewhat less often in bad weather.".into(),
            what_to_do: "Ask the provider of the weather feed about the holes since 2013-10-21. If they stay, retrain without `humid`.".into(),
            link: None,
            alerts: ["humid", "dewp"]
                .map(|subject| MessageAlert {
                    rule: alert.rule.clone(),
                    subject: subject.into(),
                    severity: alert.severity,
                    since: alert.since,
                    resolved: false,
                    summary: "Values are missing.".into(),
                })
                .into(),
        },
        evidence: last(&world.seen(|of| of.verdict == Verdict::Fail), 2),
        history: vec![
            event(2, "reminded email:ops@example.org", None, None, false),
            event(75, "could not tell slack:#model-risk", None, Some("the webhook answered 410 Gone"), true),
            event(76, "told email:ops@example.org", None, None, false),
            event(76, "began to fire", None, None, false),
            event(244, "became pending", None, None, false),
        ],
        escalates: Some(("risk-board".into(), world.now() + SignedDuration::from_hours(20))),
        silence: None,
        error: None,
        alert,
    }
}

fn silenced(world: &World) -> AlertPage {
    let silence = Silence {
        by: "Ada Okafor".into(),
        until: world.now() + SignedDuration::from_hours(40),
        reason: "The new fleet is known.".into(),
    };
    AlertPage {
        alert: page_of(world, AlertState::Silenced).alerts.remove(0),
        silence: Some(silence),
        escalates: None,
        evidence: Vec::new(),
        ..alert(world)
    }
}

fn resolved(world: &World) -> AlertPage {
    let mut of = alert(world);
    of.alert.state = AlertState::Resolved;
    of.escalates = None;
    of
}

fn jobs(world: &World) -> JobsPage {
    let job = |id: &str, name: &str, state, hours: i64, milliseconds, outcome: &str| JobRow {
        id: id.into(),
        name: name.into(),
        system: Some(world.system()),
        state,
        at: world.now() - SignedDuration::from_hours(hours),
        milliseconds,
        outcome: outcome.into(),
        attempt: 1,
        server: Some("forewarn-1".into()),
    };
    JobsPage {
        running: vec![job("j9", "Monthly performance", JobState::Running, 0, None, "12 of 35 windows")],
        next: vec![
            JobRow { server: None, ..job("j10", "Weekly drift", JobState::Waiting, -62, None, "") },
            JobRow {
                system: None,
                server: None,
                ..job("j11", "Verify evidence", JobState::Waiting, -9, None, "")
            },
        ],
        history: vec![
            job("j8", "Weekly drift", JobState::Succeeded, 3, Some(1_840), "27 findings, 3 fail"),
            JobRow {
                attempt: 2,
                ..job(
                    "j7",
                    "Weekly drift",
                    JobState::Failed,
                    170,
                    Some(61_200),
                    "the folder `data/predictions` cannot be read: permission denied",
                )
            },
            job(
                "j6",
                "Quarterly reassessment",
                JobState::TakenOver,
                400,
                Some(3_900_000),
                "the lease of forewarn-2 ran out",
            ),
        ],
        older: None,
        choices: vec![
            ("drift:flight-delay".into(), "Weekly drift of Flight delay predictor".into()),
            ("verify".into(), "Verify evidence".into()),
        ],
    }
}

fn brief(world: &World) -> BriefPage {
    let worst =
        |check: CheckId| Verdict::worst(world.findings().filter(|of| of.check == check).map(|of| of.verdict));
    let system = &world.monitor.system;
    BriefPage {
        system: world.system(),
        purpose: system.purpose.clone(),
        tier: system.tier,
        watched: world
            .monitor
            .windows
            .first()
            .zip(world.monitor.windows.last())
            .map(|(first, last)| (first.from(), last.to())),
        checks: CheckId::ALL
            .into_iter()
            .filter(|check| *check != CheckId::Multivariate)
            .filter_map(|check| Some((check, worst(check)?)))
            .collect(),
        expired: vec![CheckId::Fairness],
        alerts: rows(world),
        actions: vec!["The next version is held back until every airport is served well enough.".into()],
        people: vec![
            Person {
                role: "Owner".into(),
                name: "ops-analytics".into(),
                remark: "answers for the system as a whole".into(),
            },
            Person { role: "Rare situations".into(), name: "passenger-care".into(), remark: String::new() },
        ],
    }
}

pub(super) fn pages(world: &World) -> Vec<Page> {
    let frame = |path: &str| world.frame(path);
    let mut pages: Vec<Page> = AlertState::ALL
        .map(|state| {
            let path = if state == AlertState::Firing {
                link::ALERTS.to_owned()
            } else {
                format!("/alerts-{}", state.word())
            };
            let document = site::alerts::page(&frame(&path), &page_of(world, state));
            (path, document)
        })
        .into();
    for (path, of) in [
        (link::alert("a-18"), alert(world)),
        (link::alert("a-11"), silenced(world)),
        (link::alert("a-9"), resolved(world)),
    ] {
        let document = site::alert::page(&frame(&path), &of);
        pages.push((path, document));
    }
    let nothing = JobsPage {
        running: Vec::new(),
        next: Vec::new(),
        history: Vec::new(),
        older: None,
        choices: Vec::new(),
    };
    let id = &world.monitor.system.id;
    let empty = BriefPage {
        system: SystemRef { id: "new".into(), name: "New system".into() },
        purpose: None,
        tier: None,
        watched: None,
        checks: Vec::new(),
        expired: Vec::new(),
        alerts: Vec::new(),
        actions: Vec::new(),
        people: Vec::new(),
    };
    pages.push((link::JOBS.into(), site::jobs::page(&frame(link::JOBS), &jobs(world))));
    pages.push(("/jobs-empty".into(), site::jobs::page(&frame("/jobs-empty"), &nothing)));
    pages.push((link::brief(id), site::brief::page(&frame(&link::brief(id)), &brief(world))));
    pages.push((link::brief("new"), site::brief::page(&frame(&link::brief("new")), &empty)));
    pages
}
