//! Alerts from evidence to messages: a made-up system, its weeks, and a clock that is an argument.

mod properties;
mod states;
mod told;

use jiff::{Span, Timestamp, ToSpan};
use types::alert::{Acknowledgement, AlertRecord, AlertState, Episode, Matcher, Silence};
use types::definition::{self, Definition};
use types::message::Occasion;
use types::{CheckId, Digest, Finding, Measure, Record, Subject, Verdict, Window};

use super::{Input, Notification, Operational, Outcome, evaluate};

const REST: &str = r#"
[system]
id = "flights"
name = "Flight delays"
owner = "ops-analytics"
[log]
path = "log.csv"
time = "t"
score = "p"
[reference]
window = "2013-01-01/2013-05-01"
[[source]]
name = "weather"
features = ["dewp", "temp"]
[[source]]
name = "planes"
features = ["seats"]
"#;

const DRIFT: &str =
    "[[alert]]\nname = \"drift\"\nwhen = 'drift.verdict == \"fail\"'\nto = [\"email:a@b.c\"]\n";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn after(at: Timestamp, span: Span) -> Timestamp {
    at.checked_add(span).unwrap()
}

/// The week of so many weeks after that of May 6, 2013.
fn week(number: usize) -> Window {
    let from = after(at("2013-05-06T00:00:00Z"), (168 * number as i64).hours());
    Window::new(from, after(from, 168.hours())).unwrap()
}

/// Six hours after the end of that week, when it is checked.
fn checked(number: usize) -> Timestamp {
    after(week(number).to(), 6.hours())
}

fn feature(name: &str) -> Subject {
    let source = match name {
        "dewp" | "temp" => Some("weather"),
        "seats" => Some("planes"),
        _ => None,
    };
    Subject::Feature { name: name.into(), source: source.map(str::to_owned) }
}

fn finding(check: CheckId, subject: Subject, verdict: Verdict, window: Window) -> Finding {
    let summary = format!("{} of `{}`: {verdict}.", super::words::check_words(check), subject.label());
    Finding { summary, ..Finding::blank(check, subject, verdict, window) }
}

fn drift(name: &str, verdict: Verdict, number: usize) -> Finding {
    finding(CheckId::Drift, feature(name), verdict, week(number))
}

/// A system over time: its evidence, how its alerts stand, and what was told.
struct World {
    definition: Definition,
    records: Vec<Record>,
    silences: Vec<Silence>,
    acknowledgements: Vec<Acknowledgement>,
    operational: Vec<Operational>,
    state: AlertState,
    told: Vec<(Timestamp, Notification)>,
    ended: Vec<Episode>,
}

impl World {
    fn new(alerts: &str) -> Self {
        Self {
            definition: definition::parse(&format!("{REST}{alerts}")).unwrap(),
            records: Vec::new(),
            silences: Vec::new(),
            acknowledgements: Vec::new(),
            operational: Vec::new(),
            state: AlertState::default(),
            told: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// Records a run that was made at an instant; it stays fresh for ten and a half days.
    fn record(&mut self, at: Timestamp, findings: Vec<Finding>) {
        let run = self.records.len() as u64;
        for finding in findings {
            self.records.push(Record {
                format: 1,
                seq: self.records.len() as u64,
                previous: Digest::ZERO,
                run,
                at,
                fresh_until: after(at, 252.hours()),
                system: "flights".into(),
                model: "unversioned".into(),
                definition: Digest::ZERO,
                program: "test".into(),
                datasets: Vec::new(),
                inputs: None,
                finding,
            });
        }
    }

    fn outcome(&self, now: Timestamp) -> Outcome {
        let input = Input {
            definition: &self.definition,
            records: &self.records,
            silences: &self.silences,
            acknowledgements: &self.acknowledgements,
            operational: &self.operational,
            now,
            address: Some("https://forewarn.example.org/"),
        };
        evaluate(&input, &self.state).unwrap()
    }

    /// Evaluates at an instant; what was told is returned and kept.
    fn tick(&mut self, now: Timestamp) -> Vec<Notification> {
        let outcome = self.outcome(now);
        self.state = outcome.state;
        self.told.extend(outcome.notifications.iter().map(|told| (now, told.clone())));
        self.ended.extend(outcome.ended);
        outcome.notifications
    }

    /// Records a week's findings when they are checked, and evaluates.
    fn week(&mut self, number: usize, findings: Vec<Finding>) -> Vec<Notification> {
        self.record(checked(number), findings);
        self.tick(checked(number))
    }

    fn alert(&self, subject: &str) -> &AlertRecord {
        self.state.alerts.iter().find(|alert| alert.subject == subject).unwrap()
    }

    fn silence(&mut self, subject: &str, from: Timestamp, until: Timestamp) {
        self.silences.push(Silence {
            id: self.silences.len().to_string(),
            matcher: Matcher { subject: subject.into(), ..Matcher::default() },
            from,
            until,
            reason: "moving house".into(),
            by: "ada".into(),
        });
    }

    fn acknowledge(&mut self, rule: &str, subject: &str, at: Timestamp) {
        self.acknowledgements.push(Acknowledgement {
            rule: rule.into(),
            subject: subject.into(),
            by: "ada".into(),
            at,
            note: String::new(),
        });
    }
}

/// `firing dewp temp` for each message.
fn said(notifications: &[Notification]) -> Vec<String> {
    let of = |told: &Notification| {
        let subjects: Vec<&str> = told.message.alerts.iter().map(|alert| alert.subject.as_str()).collect();
        format!("{} {}", occasion(told.message.occasion), subjects.join(" "))
    };
    notifications.iter().map(of).collect()
}

fn occasion(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Firing => "firing",
        Occasion::Reminder => "reminder",
        Occasion::Escalation => "escalation",
        Occasion::Resolved => "resolved",
        Occasion::Test => "test",
    }
}

fn rows(name: &str, value: f64, n: u64) -> Measure {
    Measure::new(name, value, n, "counted")
}
