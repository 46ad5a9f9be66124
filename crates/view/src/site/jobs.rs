//! The schedule: what runs, what runs next, what ran and how it ended.

use jiff::Timestamp;
use maud::{Markup, html};
use types::{Verdict, format};

use super::frame::{Content, part};
use super::table::{Cell, Column, Table};
use super::{Frame, SystemRef, form, link};

/// All jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobsPage {
    pub running: Vec<JobRow>,
    /// Soonest first.
    pub next: Vec<JobRow>,
    /// Newest first, one page of them.
    pub history: Vec<JobRow>,
    /// Where older ones begin: `?before=`.
    pub older: Option<String>,
    /// What can be run now: a value for the form, and what it is called.
    pub choices: Vec<(String, String)>,
}

/// One run of a job, or one to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    pub id: String,
    /// `Weekly drift`, `Monthly performance`, `Verify evidence`.
    pub name: String,
    /// `None` where it is about all systems.
    pub system: Option<SystemRef>,
    pub state: JobState,
    /// When it is due, began, or ended.
    pub at: Timestamp,
    pub milliseconds: Option<u64>,
    /// How it ended, in a sentence; the reason where it failed.
    pub outcome: String,
    /// From 1; more where it was tried again.
    pub attempt: u32,
    /// The server that holds the lease.
    pub server: Option<String>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    Waiting,
    Running,
    Succeeded,
    Failed,
    /// It failed and is going to be tried again.
    Retrying,
    /// Its server stopped renewing the lease, and another one took it over.
    TakenOver,
    /// Its time passed without a run.
    Missed,
}

impl JobState {
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "done",
            Self::Failed => "failed",
            Self::Retrying => "trying again",
            Self::TakenOver => "taken over",
            Self::Missed => "missed",
        }
    }

    fn like(self) -> Option<Verdict> {
        match self {
            Self::Waiting | Self::Running => None,
            Self::Succeeded => Some(Verdict::Pass),
            Self::Failed | Self::Missed => Some(Verdict::Fail),
            Self::Retrying | Self::TakenOver => Some(Verdict::Warn),
        }
    }
}

impl JobsPage {
    /// `running`, `next`, `history`.
    pub fn tables(&self) -> Vec<Table> {
        vec![
            table("running", "Running", "Began", &self.running, "Nothing is running."),
            table(
                "next",
                "Next",
                "Due",
                &self.next,
                "Nothing is scheduled. A cadence under `[monitor]` or `[evaluate]` makes a schedule: `drift = { every = \"week\" }`.",
            ),
            table("history", "History", "Ended", &self.history, "Nothing has run yet."),
        ]
    }
}

fn table(name: &'static str, caption: &str, at: &'static str, rows: &[JobRow], empty: &str) -> Table {
    Table {
        name,
        caption: caption.into(),
        columns: vec![
            Column::text("job", "Job"),
            Column::text("system", "System"),
            Column::text("state", "State"),
            Column::text("at", at),
            Column::number("milliseconds", "Took"),
            Column::text("outcome", "Outcome"),
            Column::text("server", "Server"),
        ],
        rows: rows.iter().map(cells).collect(),
        empty: empty.into(),
    }
}

fn cells(of: &JobRow) -> Vec<Cell> {
    let tried = if of.attempt > 1 { format!("attempt {}. ", of.attempt) } else { String::new() };
    let outcome = format!("{tried}{}", of.outcome);
    vec![
        Cell::Text(of.name.clone()),
        of.system
            .as_ref()
            .map_or(Cell::Text("all".into()), |system| Cell::link(&system.name, link::system(&system.id))),
        Cell::State { word: of.state.word(), like: of.state.like() },
        Cell::Instant(of.at),
        of.milliseconds.map_or(Cell::Empty, Cell::Milliseconds),
        if outcome.is_empty() { Cell::Empty } else { Cell::Prose(format::capitalised(&outcome)) },
        Cell::optional(of.server.as_deref()),
    ]
}

pub fn page(frame: &Frame, of: &JobsPage) -> String {
    frame.document(&Content {
        title: "Jobs".into(),
        place: link::JOBS,
        topics: "jobs".into(),
        heading: html! { (heading(of)) },
        lead: Some(html! { "Every look is taken by the schedule, once, even with several servers; what was missed is caught up." }),
        body: html! {
            (run_now(frame, of))
            @for table in of.tables() { (part(table.name, &table.caption, &html! {}, &table.html(&frame.path))) }
            @if let Some(before) = &of.older { p.more-link { a.button href=(link::with_query(link::JOBS, &[("before", before.clone())])) { "Older runs" } } }
        },
        ..Content::default()
    })
}

fn heading(of: &JobsPage) -> String {
    match (of.running.len() as u64, of.next.first()) {
        (0, None) => "Nothing is scheduled".into(),
        (0, Some(next)) => format!("Next: {}", next.name.to_lowercase()),
        (running, _) => format::counted(running, "job is running", "jobs are running"),
    }
}

fn run_now(frame: &Frame, of: &JobsPage) -> Markup {
    html! {
        @if frame.may_act() && !of.choices.is_empty() {
            form.filter.wide-form method="post" action=(link::RUN_JOB) {
                (form::csrf(&frame.csrf))
                (form::select("job", "job", "Run now", &of.choices, ""))
                button.primary type="submit" { "Run" }
            }
        }
    }
}
