//! A system: its five practices in five tabs, its gates, and what was found last.

use maud::{Markup, html};
use types::CheckId;
use types::gate::GateDecision;
use types::monitor_report::MonitorReport;
use types::report::CheckReport;
use types::{Subject, Verdict, format};

use super::alerts::AlertRow;
use super::frame::{Content, part};
use super::overview::{SystemSummary, badges, strip};
use super::table::{Cell, Column, Table};
use super::{Frame, Practice, Seen, link, moment, status};
use crate::monitoring;
use crate::page::measures::prose;
use crate::page::{gates, header, verdict};
use crate::report;
use crate::words;

/// Findings that are named before the table is pointed to.
const NEWEST_SHOWN: usize = 6;

/// One tab of a system.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemPage {
    pub system: SystemSummary,
    pub tab: Practice,
    pub gates: Vec<GateDecision>,
    /// Alerts of the system that are not resolved.
    pub alerts: Vec<AlertRow>,
    /// The newest finding of every check and subject of the tab's practice.
    pub newest: Vec<Seen>,
    /// The windows of the longest watched cadence; needed in the tab `monitor` only. Distributions of its findings
    /// are not shown, but their limits, distances and missing shares are.
    pub monitor: Option<MonitorReport>,
    /// The newest findings of the tab's practice as one report; needed in the tabs `evaluate` and `stress` only.
    pub found: Option<CheckReport>,
}

impl SystemPage {
    pub fn tables(&self) -> Vec<Table> {
        vec![findings_table(&self.system.id, &self.newest)]
    }

    fn worst_first(&self) -> Vec<&Seen> {
        let mut seen: Vec<&Seen> = self.newest.iter().collect();
        seen.sort_by_key(|seen| std::cmp::Reverse(seen.finding.verdict));
        seen
    }
}

/// The newest findings, worst first.
fn findings_table(system: &str, newest: &[Seen]) -> Table {
    let mut seen: Vec<&Seen> = newest.iter().collect();
    seen.sort_by_key(|seen| std::cmp::Reverse(seen.finding.verdict));
    Table {
        name: "findings",
        caption: "Newest findings".into(),
        columns: vec![
            Column::text("subject", "About"),
            Column::text("check", "Check"),
            Column::text("verdict", "Verdict"),
            Column::number("value", "Value"),
            Column::text("window", "Window"),
            Column::text("summary", "What it means"),
            Column::text("record", "Evidence"),
        ],
        rows: seen.into_iter().map(|seen| finding_cells(system, seen)).collect(),
        empty: "No finding is recorded yet.".into(),
    }
}

fn finding_cells(system: &str, seen: &Seen) -> Vec<Cell> {
    let of = &seen.finding;
    vec![
        Cell::link(of.subject.label(), link::subject(system, of.check, &of.subject)),
        Cell::link(words::check_title(of.check), link::series(system, of.check, Some(&of.subject))),
        Cell::Verdict(of.verdict),
        super::series::value_cell(of),
        Cell::Window(of.window),
        Cell::Prose(of.summary.clone()),
        Cell::link(format!("#{}", seen.seq), link::record(system, seen.seq)),
    ]
}

pub fn page(frame: &Frame, of: &SystemPage) -> String {
    let system = &of.system;
    frame.document(&Content {
        title: format!("{} · {}", system.name, of.tab.title()),
        crumbs: vec![("Systems", link::OVERVIEW.into())],
        place: link::OVERVIEW,
        topics: format!("system:{} alerts", system.id),
        heading: html! { (system.name) @if let Some(worst) = system.verdict() { " " (verdict::chip(worst)) } (badges(system)) },
        lead: Some(lead(system)),
        actions: Some(html! {
            a.button href=(link::brief(&system.id)) { "In plain words" }
            a.button href=(link::compare(&system.id, None, None)) { "Compare windows" }
        }),
        body: html! {
            (facts(frame, system))
            (tabs(of))
            (firing(frame, of))
            @match of.tab {
                Practice::Monitor => (monitor(frame, of)),
                Practice::Evaluate => (evaluate(frame, of)),
                Practice::Stress => (stress(frame, of)),
                Practice::Trace | Practice::Govern => (not_begun(of)),
            }
        },
    })
}

fn lead(of: &SystemSummary) -> Markup {
    html! {
        @match &of.purpose {
            Some(purpose) => (purpose),
            None => { "No purpose is stated. Say in one sentence what the system is for, under " code { "[system] purpose" } "." },
        }
    }
}

fn facts(frame: &Frame, of: &SystemSummary) -> Markup {
    let system = types::definition::System { owner: of.owner.clone(), tier: of.tier, ..Default::default() };
    let (owner, owned) = header::owner(&system);
    let (tier, at_tier) = header::tier(&system);
    html! {
        dl.facts.in-line {
            div { dt { (owner) } dd { (owned) } }
            div { dt { (tier) } dd { (at_tier) } }
            div { dt { "Model version" } dd { (of.model) } }
            div { dt { "Last windows" } dd { (strip(of)) } }
            div {
                dt { "Checked" }
                dd { @match of.checked_at { Some(at) => (moment::ago(at, frame.now)), None => span.empty { "never" } } }
            }
            div {
                dt { "Evidence is fresh" }
                dd { @match of.fresh_until {
                    Some(until) if until <= frame.now => span.expired { "no, expired " (moment::ago(until, frame.now)) },
                    Some(until) => { "until " (moment::instant(until)) },
                    None => span.empty { "there is none" },
                } }
            }
        }
    }
}

fn tabs(of: &SystemPage) -> Markup {
    html! {
        nav.tabs aria-label="Practices" {
            ul { @for state in &of.system.practices { li {
                a href=(link::tab(&of.system.id, state.practice)) aria-current=[(state.practice == of.tab).then_some("page")] title=(state.label()) {
                    (state.mark()) (state.practice.title()) span.visually-hidden { ", " (state.label()) }
                }
            } } }
        }
    }
}

fn firing(frame: &Frame, of: &SystemPage) -> Markup {
    html! {
        @if !of.alerts.is_empty() {
            section aria-labelledby="alerts" {
                h2.visually-hidden id="alerts" { "Alerts" }
                ul.issues { @for alert in &of.alerts { (super::alerts::row(frame, alert, false)) } }
            }
        }
    }
}

/// The head of a tab that has evidence: what was found last, and what that holds up.
fn at_a_glance(of: &SystemPage) -> Markup {
    let seen = of.worst_first();
    let (shown, rest) = seen.split_at(seen.len().min(NEWEST_SHOWN));
    let verdicts: Vec<Verdict> = seen.iter().map(|seen| seen.finding.verdict).collect();
    let id = &of.system.id;
    html! {
        (part("newest", of.tab.question(), &verdict::counts(&verdicts), &html! {
            div.glance {
                div {
                    h3.quiet { "Newest findings, worst first" }
                    ul.found { @for seen in shown { (found(id, seen)) } }
                    @if !rest.is_empty() { p.sub { a href="#findings" { "All " (format::counted(seen.len() as u64, "finding", "findings")) } } }
                }
                div {
                    h3.quiet { "Gates" }
                    (gates::gates(&of.gates, |check| check_named(check).map(|check| link::series(id, check, None))))
                }
            }
        }))
    }
}

fn check_named(name: &str) -> Option<CheckId> {
    CheckId::ALL.into_iter().find(|check| check.name() == name)
}

fn found(system: &str, seen: &Seen) -> Markup {
    let of = &seen.finding;
    html! {
        li {
            (verdict::icon(of.verdict))
            div {
                p.name { a href=(link::subject(system, of.check, &of.subject)) { (words::check_title(of.check)) @if of.subject != Subject::Model { ": " (of.subject.label()) } } }
                p.sub { (prose(words::first_sentence(&of.summary))) }
            }
        }
    }
}

fn all_findings(frame: &Frame, of: &SystemPage) -> Markup {
    let table = findings_table(&of.system.id, &of.newest);
    part(
        "findings",
        "All findings",
        &html! { p.sub { a href=(link::evidence_of(&of.system.id, None, None)) { "All evidence of this system" } } },
        &table.html(&frame.path),
    )
}

fn monitor(frame: &Frame, of: &SystemPage) -> Markup {
    let Some(report) = &of.monitor else {
        return not_begun(of);
    };
    let id = &of.system.id;
    let to = |subject: &Subject| link::column_of(subject).map(|name| link::column(id, name));
    html! {
        (at_a_glance(of))
        section aria-label="Key numbers" {
            (monitoring::glance::changes(report))
            (monitoring::glance::key_numbers(report))
        }
        @for section in monitoring::over_time(report, &to) { (section.markup()) }
        (all_findings(frame, of))
    }
}

fn evaluate(frame: &Frame, of: &SystemPage) -> Markup {
    let Some(report) = of.found.as_ref().filter(|report| !report.findings.is_empty()) else {
        return not_begun(of);
    };
    html! {
        (at_a_glance(of))
        section aria-label="Dashboard" { (report::dashboard(report)) }
        @for section in report::evaluations(report) { (section.markup()) }
        (all_findings(frame, of))
    }
}

fn stress(frame: &Frame, of: &SystemPage) -> Markup {
    let Some(report) = of.found.as_ref().filter(|report| !report.findings.is_empty()) else {
        return not_begun(of);
    };
    html! {
        (at_a_glance(of))
        @for section in report::evaluations(report) { (section.markup()) }
        (all_findings(frame, of))
    }
}

/// A practice without evidence: what it would tell, and how to begin.
fn not_begun(of: &SystemPage) -> Markup {
    let state = of.system.practices.iter().find(|state| state.practice == of.tab);
    let next = state.and_then(|state| state.next.as_deref());
    html! {
        (part("begin", of.tab.question(), &status::chip("no evidence yet", None), &html! {
            div.begin {
                p { (why(of.tab)) }
                p { strong { "What to do next: " } (prose(next.unwrap_or_else(|| first_step(of.tab)))) }
                p.sub { "Until there is evidence, a gate that needs " code { (of.tab.word()) ".*" } " stays shut: what is not known is never a pass." }
            }
        }))
    }
}

fn why(practice: Practice) -> &'static str {
    match practice {
        Practice::Monitor => {
            "A model meets other inputs than those it was made for, slowly or overnight. Weekly comparison of every column with the reference, and performance as outcomes arrive, show when."
        }
        Practice::Evaluate => {
            "A good average hides those whom the model serves badly. Worst segments, errors, calibration and rare cases say whom, and by how much."
        }
        Practice::Stress => {
            "Features go missing, sources stop, load rises, somebody tries to cheat. Failing in a rehearsal is cheaper than failing before customers."
        }
        Practice::Trace => {
            "When somebody asks why, the answer begins with which data, which steps and which version made the prediction."
        }
        Practice::Govern => {
            "Risks need owners, decisions need names, and exceptions need an end. What is agreed here follows from evidence, not from a meeting a year ago."
        }
    }
}

fn first_step(practice: Practice) -> &'static str {
    match practice {
        Practice::Monitor => {
            "run `forewarn monitor` on the folder of the definition, or wait for the schedule to catch up."
        }
        Practice::Evaluate => {
            "name outcomes under `[log] outcome`, set limits under `[evaluate]` and run `forewarn check`."
        }
        Practice::Stress => {
            "say in `[model]` where the model can be asked, list under `[[source]]` which features come from where, and run `forewarn stress`."
        }
        Practice::Trace => {
            "dataset versions and the hash of the definition are in every record already; see the newest under evidence. The path of a single prediction is not recorded with this version yet."
        }
        Practice::Govern => {
            "state `owner`, `purpose` and `tier` under `[system]`, and define gates: they are decided from evidence already."
        }
    }
}
