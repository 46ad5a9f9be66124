//! All systems: what needs the reader today, then each system in a line, worst first.

use jiff::Timestamp;
use maud::{Markup, html};
use types::definition::Tier;
use types::message::Severity;
use types::{Measure, Verdict, Window, format, window};

use super::frame::{Content, part};
use super::practice::PracticeState;
use super::table::{Cell, Column, Table};
use super::{Frame, form, link, moment, status};
use crate::chart::{Step, steps, trend};
use crate::page::measures::{breakable, prose};
use crate::words;

/// Needs that are shown before the others are folded away.
const NEEDS_SHOWN: usize = 6;
/// Windows that fit into a line.
const WINDOWS_SHOWN: usize = 20;

/// All systems that the reader may see, in any order; the page puts the worst first.
#[derive(Clone, Debug, PartialEq)]
pub struct OverviewPage {
    /// Gravest first.
    pub needs: Vec<Need>,
    /// Those that the filter lets through.
    pub systems: Vec<SystemSummary>,
    /// How many there are without the filter.
    pub systems_count: u64,
    pub filter: OverviewFilter,
    /// Owners to choose from.
    pub owners: Vec<String>,
}

/// What is shown of all systems; empty texts show everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverviewFilter {
    /// A part of the name: `?q=`.
    pub text: String,
    /// `?verdict=`.
    pub verdict: Option<Verdict>,
    /// `?owner=`.
    pub owner: String,
}

/// Something that somebody should do today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub severity: Severity,
    /// What it is: `Drift of dewp`.
    pub title: String,
    /// What happened and what to do, in one sentence.
    pub sentence: String,
    /// The system's id.
    pub system: String,
    pub since: Timestamp,
    /// What the reader can do, as the text of the link: `Acknowledge`, `Look`, `Run now`.
    pub action: String,
    /// Where that is done.
    pub href: String,
}

/// A system in one line.
#[derive(Clone, Debug, PartialEq)]
pub struct SystemSummary {
    pub id: String,
    pub name: String,
    pub purpose: Option<String>,
    pub owner: Option<String>,
    pub tier: Option<Tier>,
    /// The model version whose log is watched.
    pub model: String,
    /// In the order of [`super::Practice::ALL`].
    pub practices: [PracticeState; 5],
    /// What the last windows of monitoring came to, ascending.
    pub windows: Vec<WindowVerdict>,
    /// The newest value of the metric that the system is held to, and the values before it.
    pub headline: Option<Headline>,
    /// When it was last checked.
    pub checked_at: Option<Timestamp>,
    /// When the first of its evidence goes stale.
    pub fresh_until: Option<Timestamp>,
    pub alerts_firing: u64,
    pub gates: u64,
    pub gates_shut: u64,
}

/// One window of a system, all of its columns together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowVerdict {
    pub window: Window,
    /// The worst; `None` where there is no evidence.
    pub verdict: Option<Verdict>,
    /// Findings that fail, of how many.
    pub failing: u64,
    pub findings: u64,
}

/// The metric that a system is held to.
#[derive(Clone, Debug, PartialEq)]
pub struct Headline {
    pub measure: Measure,
    /// From outcomes, or estimated without them.
    pub estimated: bool,
    /// Ascending in time; `None` where it could not be measured.
    pub history: Vec<Option<f64>>,
}

impl SystemSummary {
    /// The worst of what is fresh; `None` where nothing is known.
    pub fn verdict(&self) -> Option<Verdict> {
        let of = self
            .practices
            .iter()
            .filter_map(|practice| if practice.stale { Some(Verdict::Unknown) } else { practice.verdict });
        Verdict::worst(of)
    }

    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        self.fresh_until.is_some_and(|until| until <= now)
    }
}

impl OverviewPage {
    /// The systems, worst first.
    pub fn tables(&self) -> Vec<Table> {
        let worst_first = self.worst_first();
        vec![Table {
            name: "systems",
            caption: "Systems".into(),
            columns: vec![
                Column::text("system", "System"),
                Column::text("verdict", "Verdict"),
                Column::text("owner", "Owner"),
                Column::text("tier", "Risk tier"),
                Column::text("model", "Model version"),
                Column::text("monitor", "Monitor"),
                Column::text("evaluate", "Evaluate"),
                Column::text("stress", "Stress"),
                Column::text("trace", "Trace"),
                Column::text("govern", "Govern"),
                Column::number("alerts_firing", "Alerts firing"),
                Column::number("gates_shut", "Gates shut"),
                Column::text("checked_at", "Checked"),
                Column::text("fresh_until", "Fresh until"),
            ],
            rows: worst_first.into_iter().map(cells).collect(),
            empty: "No system is served yet.".into(),
        }]
    }

    fn worst_first(&self) -> Vec<&SystemSummary> {
        let mut systems: Vec<&SystemSummary> = self.systems.iter().collect();
        systems.sort_by(|a, b| {
            let rank = |of: &SystemSummary| (of.alerts_firing, of.verdict(), of.gates_shut);
            rank(b).cmp(&rank(a)).then_with(|| a.name.cmp(&b.name))
        });
        systems
    }
}

fn cells(of: &SystemSummary) -> Vec<Cell> {
    let verdict = |verdict: Option<Verdict>| verdict.map_or(Cell::Empty, Cell::Verdict);
    let instant = |at: Option<Timestamp>| at.map_or(Cell::Empty, Cell::Instant);
    let mut cells = vec![
        Cell::link(&of.name, link::system(&of.id)),
        verdict(of.verdict()),
        Cell::optional(of.owner.as_deref()),
        Cell::optional(of.tier.map(words::tier)),
        Cell::Text(of.model.clone()),
    ];
    cells.extend(of.practices.iter().map(|practice| verdict(practice.verdict)));
    cells.extend([
        Cell::Count(of.alerts_firing),
        Cell::Count(of.gates_shut),
        instant(of.checked_at),
        instant(of.fresh_until),
    ]);
    cells
}

pub fn page(frame: &Frame, of: &OverviewPage) -> String {
    frame.document(&Content {
        title: "Systems".into(),
        place: link::OVERVIEW,
        topics: "systems alerts jobs".into(),
        heading: html! { (heading(of)) },
        lead: Some(html! { (lead(frame, of)) }),
        body: html! {
            @if of.systems_count > 0 { (needs(frame, of)) }
            (systems(frame, of))
        },
        ..Content::default()
    })
}

/// How many systems need somebody, as a sentence.
fn heading(of: &OverviewPage) -> String {
    let all = of.systems_count;
    let needing =
        of.needs.iter().map(|need| need.system.as_str()).collect::<std::collections::BTreeSet<_>>().len()
            as u64;
    match (all, needing) {
        (0, _) => "No system yet".into(),
        (_, 0) => "Nothing needs you today".into(),
        (1, _) => "Your system needs you".into(),
        (_, 1) => format!("1 of {all} systems needs you"),
        _ => format!("{needing} of {all} systems need you"),
    }
}

fn lead(frame: &Frame, of: &OverviewPage) -> String {
    let firing = format::counted(frame.alerts_firing, "alert is firing", "alerts are firing");
    let stale = of.systems.iter().filter(|system| system.is_stale(frame.now)).count() as u64;
    match stale {
        _ if of.systems_count == 0 => "Point Forewarn at the log of a model to begin.".into(),
        0 => format!("{firing}; all evidence is fresh."),
        _ => {
            format!("{firing}; the evidence of {} has expired.", format::counted(stale, "system", "systems"))
        }
    }
}

fn needs(frame: &Frame, of: &OverviewPage) -> Markup {
    let (shown, folded) = of.needs.split_at(of.needs.len().min(NEEDS_SHOWN));
    let aside = html! { @if !of.needs.is_empty() { p.sub { (format::counted(of.needs.len() as u64, "thing", "things")) ", gravest first" } } };
    part(
        "today",
        "What needs me today",
        &aside,
        &html! {
            @if of.needs.is_empty() {
                p.empty.panel { "No alert is firing, no gate is shut and no evidence has expired. The next look is taken by the schedule; see " a href=(link::JOBS) { "jobs" } "." }
            } @else {
                ul.issues { @for need in shown { (issue(frame, of, need)) } }
                @if !folded.is_empty() {
                    details.fold {
                        summary { (format!("{} more", folded.len())) }
                        ul.issues { @for need in folded { (issue(frame, of, need)) } }
                    }
                }
            }
        },
    )
}

fn issue(frame: &Frame, of: &OverviewPage, need: &Need) -> Markup {
    let name = of
        .systems
        .iter()
        .find(|system| system.id == need.system)
        .map_or(need.system.as_str(), |system| system.name.as_str());
    html! {
        li.issue {
            (status::severity(need.severity))
            div {
                h3 { a href=(need.href) { (prose(&need.title)) } }
                p.sentence { (prose(&need.sentence)) }
                p.sub { a href=(link::system(&need.system)) { (name) } " · since " (moment::ago(need.since, frame.now)) }
            }
            a.button href=(need.href) aria-label=(format!("{}: {}", need.action, need.title)) { (need.action) }
        }
    }
}

fn systems(frame: &Frame, of: &OverviewPage) -> Markup {
    if of.systems_count == 0 {
        return first_steps();
    }
    let systems = of.worst_first();
    part(
        "systems",
        "Systems",
        &filter(of),
        &html! {
            @if systems.is_empty() {
                p.empty.panel { "No system matches. " a href=(link::OVERVIEW) { "Show all " (of.systems_count) } "." }
            } @else {
                table.fleet {
                    caption.visually-hidden { "Systems, worst first" }
                    thead { tr {
                        th scope="col" { "System" }
                        @for practice in super::Practice::ALL { th.of-practice scope="col" { (practice.title()) } }
                        th scope="col" { "Last windows" } th scope="col" { "Performance" } th scope="col" { "Checked" }
                    } }
                    tbody { @for system in &systems { (row(frame, system)) } }
                }
                @for table in of.tables() { (table.downloads(&frame.path)) }
            }
        },
    )
}

fn filter(of: &OverviewPage) -> Markup {
    let any = |text: &str| (String::new(), text.to_owned());
    let verdicts: Vec<_> = std::iter::once(any("any verdict"))
        .chain(words::WORST_FIRST.map(|verdict| (verdict.word().to_owned(), verdict.word().to_owned())))
        .collect();
    let owners: Vec<_> = std::iter::once(any("any owner"))
        .chain(of.owners.iter().map(|owner| (owner.clone(), owner.clone())))
        .collect();
    html! {
        form.filter method="get" action=(link::OVERVIEW) {
            div.field { label for="filter-text" { "Name" } input id="filter-text" type="search" name="q" value=(of.filter.text) placeholder="name" autocomplete="off"; }
            (form::select("filter-verdict", "verdict", "Verdict", &verdicts, of.filter.verdict.map_or("", Verdict::word)))
            (form::select("filter-owner", "owner", "Owner", &owners, &of.filter.owner))
            button type="submit" { "Filter" }
        }
    }
}

fn row(frame: &Frame, of: &SystemSummary) -> Markup {
    html! {
        tr {
            th.who scope="row" {
                p.name { a href=(link::system(&of.id)) { (breakable(&of.name)) } (badges(of)) }
                p.sub { @match &of.owner { Some(owner) => (owner), None => "no owner stated" } @if let Some(tier) = of.tier { " · " (words::tier(tier)) } }
            }
            @for state in &of.practices {
                td.of-practice { a href=(link::tab(&of.id, state.practice)) aria-label=(state.label()) title=(state.label()) { (state.mark()) span.narrow aria-hidden="true" { (state.practice.title()) } } }
            }
            td.strip { (strip(of)) }
            td.trend { div.pair-of { (performance(of)) } }
            td.fresh.sub { (freshness(frame, of)) }
        }
    }
}

pub(super) fn badges(of: &SystemSummary) -> Markup {
    html! {
        @if of.alerts_firing > 0 { span.badge { (format::counted(of.alerts_firing, "alert", "alerts")) } }
        @if of.gates_shut > 0 { span.tag { (format::counted(of.gates_shut, "gate", "gates")) " shut" } }
    }
}

pub(super) fn strip(of: &SystemSummary) -> Markup {
    let shown = &of.windows[of.windows.len().saturating_sub(WINDOWS_SHOWN)..];
    if shown.is_empty() {
        return html! { span.sub { "no windows yet" } };
    }
    let drawn: Vec<Step> = shown
        .iter()
        .map(|of| Step {
            verdict: of.verdict,
            failing: of.failing as f64 / of.findings.max(1) as f64,
            title: said(of),
        })
        .collect();
    let label = format!(
        "Verdicts of the last {} windows, from {} on",
        shown.len(),
        window::instant_text(shown[0].window.from())
    );
    steps(&label, &drawn)
}

/// `from 2013-12-23: fail, 3 of 27`.
fn said(of: &WindowVerdict) -> String {
    let from = window::instant_text(of.window.from());
    match of.verdict {
        None => format!("from {from}: no evidence"),
        Some(Verdict::Fail) => format!("from {from}: fail, {} of {}", of.failing, of.findings),
        Some(verdict) => format!("from {from}: {verdict}"),
    }
}

fn performance(of: &SystemSummary) -> Markup {
    let Some(headline) = &of.headline else {
        return html! { span.sub { "not measured" } };
    };
    let measure = &headline.measure;
    let title = words::measure_title(&measure.name);
    html! {
        div { p.value { (words::measure_value(&measure.name, measure.value)) } p.sub { (title) @if headline.estimated { ", estimated" } } }
        (trend(&format!("{title} over {} windows", headline.history.len()), &headline.history))
    }
}

fn freshness(frame: &Frame, of: &SystemSummary) -> Markup {
    html! {
        @match of.checked_at {
            None => "never",
            Some(at) => {
                (moment::ago(at, frame.now))
                @if of.is_stale(frame.now) { span.expired { "expired" } }
            }
        }
    }
}

fn first_steps() -> Markup {
    html! {
        section.first-steps aria-label="First steps" {
            ol {
                li { strong { "Describe the system." } " One file beside the model, " code { "forewarn.toml" } ": where the log is, and which columns hold time, score and outcome. " code { "forewarn init" } " writes a first version from a log." }
                li { strong { "Serve it." } " Start " code { "forewarn serve FOLDER" } " with the folder of that file, or send evidence from elsewhere: " code { "forewarn check --server URL" } "." }
                li { strong { "Come back here." } " The windows that are in the log are caught up by themselves; " a href=(link::JOBS) { "jobs" } " shows how far they are." }
            }
        }
    }
}
