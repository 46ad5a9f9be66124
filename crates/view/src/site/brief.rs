//! The stakeholder view: one page about a system for those who are not its makers, without jargon.

use jiff::Timestamp;
use maud::{Markup, html};
use types::CheckId;
use types::Verdict;
use types::definition::Tier;

use super::alerts::AlertRow;
use super::frame::{Content, part};
use super::table::{Cell, Column, Table};
use super::{Frame, SystemRef, link, moment};
use crate::page::measures::prose;
use crate::page::verdict;
use crate::words;

/// What everybody should know of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BriefPage {
    pub system: SystemRef,
    pub purpose: Option<String>,
    pub tier: Option<Tier>,
    /// Since when it has been watched, and until when its newest window reaches.
    pub watched: Option<(Timestamp, Timestamp)>,
    /// The worst fresh verdict of each check that was made; expired ones are left out.
    pub checks: Vec<(CheckId, Verdict)>,
    /// Checks whose evidence has expired.
    pub expired: Vec<CheckId>,
    /// Alerts that are not resolved.
    pub alerts: Vec<AlertRow>,
    /// What was decided, in plain sentences: `Deployment is held up until …`.
    pub actions: Vec<String>,
    pub people: Vec<Person>,
}

/// Somebody who answers for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// `Owner`, `Told first`, `Legal`.
    pub role: String,
    pub name: String,
    /// For what, or how to reach them; may be empty.
    pub remark: String,
}

impl BriefPage {
    /// `findings` and `people`.
    pub fn tables(&self) -> Vec<Table> {
        vec![
            Table {
                name: "findings",
                caption: "Is it behaving?".into(),
                columns: vec![Column::text("verdict", "Verdict"), Column::text("sentence", "What it means")],
                rows: self
                    .said()
                    .map(|(of, said)| vec![Cell::Verdict(of), Cell::Text(said.into())])
                    .collect(),
                empty: "Nothing is known yet.".into(),
            },
            Table {
                name: "people",
                caption: "Who is responsible".into(),
                columns: vec![
                    Column::text("role", "Role"),
                    Column::text("name", "Name"),
                    Column::text("remark", "For what"),
                ],
                rows: self
                    .people
                    .iter()
                    .map(|of| {
                        vec![
                            Cell::Text(of.role.clone()),
                            Cell::Text(of.name.clone()),
                            Cell::Text(of.remark.clone()),
                        ]
                    })
                    .collect(),
                empty: "Nobody is named.".into(),
            },
        ]
    }

    /// What the checks mean, worst first; those that could not be made are uncertain, not bad.
    fn said(&self) -> impl Iterator<Item = (Verdict, &'static str)> {
        let mut checks: Vec<_> = self.checks.iter().filter(|(_, of)| *of != Verdict::Unknown).collect();
        checks.sort_by_key(|(_, of)| std::cmp::Reverse(*of));
        checks.into_iter().map(|(check, of)| (*of, meaning(*check, *of)))
    }

    fn worst(&self) -> Option<Verdict> {
        Verdict::worst(self.checks.iter().map(|(_, of)| *of).filter(|of| *of != Verdict::Unknown))
    }
}

pub fn page(frame: &Frame, of: &BriefPage) -> String {
    let id = &of.system.id;
    frame.document(&Content {
        title: format!("{} in plain words", of.system.name),
        crumbs: vec![("Systems", link::OVERVIEW.into()), (&of.system.name, link::system(id))],
        place: link::OVERVIEW,
        topics: format!("system:{id} alerts"),
        heading: html! { (of.system.name) },
        lead: Some(html! { "In plain words, as of " (moment::instant(frame.now)) }),
        body: html! {
            div.brief {
                (part("purpose", "What it does", &html! {}, &purpose(of)))
                (part("behaving", "Is it behaving?", &html! {}, &behaving(of)))
                (part("uncertain", "What is uncertain?", &html! {}, &uncertain(of)))
                (part("doing", "What do we do about it?", &html! {}, &doing(frame, of)))
                (part("responsible", "Who is responsible?", &html! {}, &people(frame, of)))
            }
        },
        ..Content::default()
    })
}

fn purpose(of: &BriefPage) -> Markup {
    html! {
        @match &of.purpose {
            Some(purpose) => p.large { (purpose) },
            None => p.empty { "Nobody has stated it. That is a gap in itself: a system whose purpose is not written down cannot be held to it." },
        }
        p {
            @match of.tier {
                Some(tier) => { "Under the EU AI Act it counts as " strong { (words::tier(tier)) } ". " },
                None => "Its risk under the EU AI Act has not been stated. ",
            }
            @if let Some((from, to)) = of.watched { "It has been watched from " (day(from)) " to " (day(to)) "." }
        }
    }
}

fn day(at: Timestamp) -> String {
    at.strftime("%-d %B %Y").to_string()
}

fn behaving(of: &BriefPage) -> Markup {
    let worst = of.worst();
    let answer = match worst {
        None => "We cannot say yet: nothing has been checked.",
        Some(Verdict::Pass) => "Yes. Everything that was checked is as it should be.",
        Some(Verdict::Warn) => "Mostly. Something deserves a look, nothing has failed.",
        Some(_) => "Not in everything. At least one thing is not as it should be.",
    };
    html! {
        p.large.answer { (verdict::icon(worst.unwrap_or(Verdict::Unknown))) span { (answer) } }
        ul.said { @for (verdict, said) in of.said() { li { (verdict::icon(verdict)) span { (said) } } } }
    }
}

fn uncertain(of: &BriefPage) -> Markup {
    let unknown = of.checks.iter().filter(|(_, of)| *of == Verdict::Unknown).map(|(check, _)| *check);
    let unknown: Vec<CheckId> = unknown.collect();
    html! {
        @if unknown.is_empty() && of.expired.is_empty() && !of.checks.is_empty() { p { "Everything that was looked at could be measured, and recently enough to count." } }
        ul.said {
            @for check in &unknown { li { (verdict::icon(Verdict::Unknown)) span { "It could not be measured " (question(*check)) "." } } }
            @for check in &of.expired { li { (verdict::icon(Verdict::Unknown)) span { "It is too long ago that we looked " (question(*check)) ". It counts as not known." } } }
        }
        p.sub { "Every number behind this page comes from samples and has a range in which the truth probably lies. A thing that is not known never counts as good." }
    }
}

fn doing(frame: &Frame, of: &BriefPage) -> Markup {
    html! {
        @if of.alerts.is_empty() && of.actions.is_empty() { p { "Nothing needs doing now. The system is looked at again on schedule, and people are told if something matters." } }
        ul.said {
            @for action in &of.actions { li { (arrow()) span { (prose(action)) } } }
            @for alert in &of.alerts {
                li { (arrow()) span {
                    a href=(link::alert(&alert.id)) { (prose(&alert.title)) } ", since " (moment::ago(alert.since, frame.now)) ": "
                    @match (&alert.acknowledged_by, alert.silenced_until) {
                        (Some(who), _) => { (who) " is looking after it." },
                        (None, Some(until)) => { "known, and put off until " (moment::instant(until)) "." },
                        (None, None) => "nobody has taken it up yet.",
                    }
                } }
            }
        }
    }
}

fn arrow() -> Markup {
    html! { svg.icon viewBox="0 0 16 16" aria-hidden="true" { path d="M3 8h9M8.5 4.5 12 8l-3.5 3.5" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" {} } }
}

fn people(frame: &Frame, of: &BriefPage) -> Markup {
    html! {
        @if of.people.is_empty() { p.empty { "Nobody is named. Name an owner under " code { "[system] owner" } "; until then, nobody answers for what stands above." } }
        @else {
            dl.people { @for person in &of.people { div { dt { (person.role) } dd { (person.name) @if !person.remark.is_empty() { span.sub { (person.remark) } } } } } }
        }
        @for table in of.tables() { (table.downloads(&frame.path)) }
    }
}

/// What a check asks, to be read after `whether we looked`.
fn question(check: CheckId) -> &'static str {
    match check {
        CheckId::Drift => "whether what the system is fed still looks like what it was built on",
        CheckId::Quality => "whether the records that it is fed are complete and plausible",
        CheckId::Multivariate => "whether the situations that it meets are still the usual ones",
        CheckId::PerformanceOverTime => "whether it is still as often right as it used to be",
        CheckId::Outcomes => "whether enough is known of what really happened",
        CheckId::Performance => "whether it is right often enough on the whole",
        CheckId::WorstSegment => "whether it serves every group well enough",
        CheckId::Calibration => "whether it is as sure as it should be",
        CheckId::Slices => "whether there are situations in which it fails more than elsewhere",
        CheckId::WorstSubpopulation => "how badly it can go for those whom it serves worst",
        CheckId::Errors => "whether its mistakes follow a pattern",
        CheckId::Tail => "how it does in rare situations",
        CheckId::Fairness => "whether groups of people are treated alike",
        CheckId::Comparison => "whether this version is better than the one before",
        CheckId::Parity => "whether what we test is what is in use",
        CheckId::Missing => "what happens when something that it needs to know is missing",
        CheckId::Faults => "what happens when something that it is told is wrong",
        CheckId::Detection => "whether we would notice if what it is told were wrong",
        CheckId::Load => "whether it answers in time when many ask at once",
        CheckId::Endpoint => "what those who ask get when it does not answer as it should",
        CheckId::Manipulation => "whether people can get another answer by telling it something else",
    }
}

/// What a verdict of a check means, without a number and without a term.
fn meaning(check: CheckId, verdict: Verdict) -> &'static str {
    let [good, look, bad] = match check {
        CheckId::Drift => [
            "What it is fed looks like what it was built on.",
            "Some of what it is fed looks a little different from what it was built on.",
            "Some of what it is fed looks clearly different from what it was built on.",
        ],
        CheckId::Quality => [
            "The records that it is fed are complete and plausible.",
            "Some of the records that it is fed have small gaps or oddities.",
            "Records that it is fed are missing, doubled or implausible.",
        ],
        CheckId::Multivariate => [
            "The situations that it meets are the usual ones.",
            "The situations that it meets differ a little from the usual ones.",
            "The situations that it meets are not the usual ones any more.",
        ],
        CheckId::PerformanceOverTime => [
            "It is as often right as it used to be.",
            "It may be less often right than it used to be; we cannot tell yet.",
            "It is less often right than it used to be.",
        ],
        CheckId::Outcomes => [
            "We learn what really happened for nearly all of its predictions.",
            "For some of its predictions we do not learn what really happened.",
            "For too many of its predictions we do not learn what really happened.",
        ],
        CheckId::Performance => [
            "On the whole it is right often enough.",
            "On the whole it is close to the limit of what was agreed.",
            "On the whole it is not right often enough.",
        ],
        CheckId::WorstSegment => [
            "It serves every group that we look at well enough.",
            "One group may be served worse than was agreed.",
            "At least one group is served worse than was agreed.",
        ],
        CheckId::Calibration => [
            "When it is sure, it is right to be sure.",
            "It may be somewhat surer, or less sure, than it should be.",
            "It is surer, or less sure, than it should be.",
        ],
        CheckId::Slices => [
            "We searched for situations in which it fails more than elsewhere, and found none.",
            "There are situations in which it fails somewhat more than elsewhere.",
            "There are situations in which it fails far more than elsewhere.",
        ],
        CheckId::WorstSubpopulation => [
            "Even for those whom it serves worst, it stays within what was agreed.",
            "For those whom it serves worst, it is close to the limit of what was agreed.",
            "For those whom it serves worst, it is worse than was agreed.",
        ],
        CheckId::Errors => [
            "Its mistakes follow no pattern that we can find.",
            "Some of its mistakes follow a pattern.",
            "Many of its mistakes follow a pattern: they could be avoided.",
        ],
        CheckId::Tail => [
            "In rare situations it does about as well as in ordinary ones.",
            "In rare situations it may do worse than was agreed.",
            "In rare situations it does worse than was agreed.",
        ],
        CheckId::Fairness => [
            "Groups of people are treated alike, as far as that was agreed.",
            "Groups of people may be treated less alike than was agreed.",
            "Groups of people are treated less alike than was agreed.",
        ],
        CheckId::Comparison => [
            "This version is not worse than the one that it is compared with.",
            "This version may be worse than the one that it is compared with.",
            "This version is worse than the one that it is compared with.",
        ],
        CheckId::Parity
        | CheckId::Missing
        | CheckId::Faults
        | CheckId::Detection
        | CheckId::Load
        | CheckId::Endpoint
        | CheckId::Manipulation => meaning_of_stress(check),
    };
    match verdict {
        Verdict::Pass => good,
        Verdict::Warn => look,
        Verdict::Fail => bad,
        Verdict::Unknown => "It could not be measured.",
    }
}

/// The same for what is done on purpose: good, to be looked at, bad.
fn meaning_of_stress(check: CheckId) -> [&'static str; 3] {
    match check {
        CheckId::Parity => [
            "What we test answers as what is in use does.",
            "What we test may not answer quite as what is in use does.",
            "What we test does not answer as what is in use does, so that the tests show nothing.",
        ],
        CheckId::Missing => [
            "It goes on well enough when something that it needs to know is missing.",
            "When something that it needs to know is missing, it may go wrong more often than was agreed.",
            "When something that it needs to know is missing, it stops or goes wrong more often than was agreed.",
        ],
        CheckId::Faults => [
            "It goes on well enough when something that it is told is wrong.",
            "When something that it is told is wrong, it may go wrong more often than was agreed.",
            "When something that it is told is wrong, it stops or goes wrong more often than was agreed.",
        ],
        CheckId::Detection => [
            "If what it is told went wrong and it mattered, we would notice.",
            "There may be ways in which what it is told goes wrong that we would not notice.",
            "What it is told could go wrong, and matter, and we would not notice.",
        ],
        CheckId::Load => [
            "It answers in time when as many ask at once as was agreed.",
            "When as many ask at once as was agreed, it may not answer in time.",
            "When as many ask at once as was agreed, it does not answer all of them in time, or not as before.",
        ],
        CheckId::Endpoint => [
            "When it does not answer as it should, those who ask get an answer by another way, or an error in time.",
            "When it does not answer as it should, those who ask may be left waiting.",
            "When it does not answer as it should, those who ask are left waiting, or get what is no answer.",
        ],
        _ => [
            "Few answers can be changed by telling it something else, as far as we could find.",
            "More answers than was agreed may be changed by telling it something else.",
            "More answers than was agreed can be changed by telling it something else.",
        ],
    }
}
