//! Evidence: every record, whether the chain holds, and how to check that oneself.

use jiff::Timestamp;
use maud::{Markup, html};
use types::CheckId;
use types::evidence::Checkpoint;
use types::{Record, Verdict, format};

use super::frame::{Content, part};
use super::table::{Cell, Column, Table};
use super::{Frame, SystemRef, form, link, moment};
use crate::page::verdict;
use crate::words;

/// Records, newest first, and the state of the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidencePage {
    pub chain: ChainState,
    pub filter: EvidenceFilter,
    /// Those that the filter lets through, one page of them.
    pub records: Vec<Record>,
    /// How many the filter lets through altogether.
    pub matching: u64,
    /// Systems to choose from.
    pub systems: Vec<SystemRef>,
    /// Where older ones begin: `?before=SEQ`.
    pub next: Option<u64>,
}

/// What is shown of all records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EvidenceFilter {
    /// `?system=`; empty for all.
    pub system: String,
    /// `?check=`.
    pub check: Option<CheckId>,
    /// `?verdict=`.
    pub verdict: Option<Verdict>,
    /// A part of the subject: `?q=`.
    pub text: String,
}

/// Whether the chain holds, as far as it was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainState {
    /// The end of the chain now.
    pub end: Checkpoint,
    /// When all of it was verified last.
    pub verified_at: Option<Timestamp>,
    /// Where it is broken, as the verification said it.
    pub broken: Option<String>,
    /// The newest signed checkpoint.
    pub signed: Option<SignedCheckpoint>,
}

/// A checkpoint with its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    pub at: Timestamp,
    pub checkpoint: Checkpoint,
    /// The public key that verifies it, short.
    pub key: String,
}

impl EvidencePage {
    pub fn tables(&self) -> Vec<Table> {
        let names = |id: &str| {
            self.systems
                .iter()
                .find(|system| system.id == id)
                .map_or_else(|| id.to_owned(), |system| system.name.clone())
        };
        vec![Table {
            name: "evidence",
            caption: "Evidence, newest first".into(),
            columns: vec![
                Column::text("seq", "Record"),
                Column::text("at", "Recorded"),
                Column::text("system", "System"),
                Column::text("check", "Check"),
                Column::text("subject", "About"),
                Column::text("window", "Window"),
                Column::text("verdict", "Verdict"),
                Column::number("value", "Value"),
                Column::text("fresh_until", "Fresh until"),
            ],
            rows: self.records.iter().map(|record| cells(record, names(&record.system))).collect(),
            empty: "No record matches the filter.".into(),
        }]
    }

    fn older(&self) -> Option<String> {
        let before = self.next?.to_string();
        let filter = &self.filter;
        Some(link::with_query(
            link::EVIDENCE,
            &[
                ("system", filter.system.clone()),
                ("check", filter.check.map_or("", CheckId::name).to_owned()),
                ("verdict", filter.verdict.map_or("", Verdict::word).to_owned()),
                ("q", filter.text.clone()),
                ("before", before),
            ],
        ))
    }
}

fn cells(of: &Record, system: String) -> Vec<Cell> {
    let finding = &of.finding;
    vec![
        Cell::link(format!("#{}", of.seq), link::record(&of.system, of.seq)),
        Cell::Instant(of.at),
        Cell::link(system, link::system(&of.system)),
        Cell::Text(words::check_title(finding.check).into()),
        Cell::link(finding.subject.label(), link::series(&of.system, finding.check, Some(&finding.subject))),
        Cell::Window(finding.window),
        Cell::Verdict(finding.verdict),
        super::series::value_cell(finding),
        Cell::Instant(of.fresh_until),
    ]
}

pub fn page(frame: &Frame, of: &EvidencePage) -> String {
    frame.document(&Content {
        title: "Evidence".into(),
        place: link::EVIDENCE,
        topics: "evidence".into(),
        heading: html! { (format::counted(of.chain.end.records, "record", "records")) },
        lead: Some(html! { "Every finding, with what it was made from. Nothing is ever changed: each record carries the hash of the one before." }),
        body: html! {
            (chain(frame, &of.filter.system, &of.chain))
            (part("records", "Records", &filter(of), &html! {
                @if of.chain.end.records == 0 { p.empty.panel { "Nothing is recorded yet. The first check writes the first record: run " code { "forewarn check" } ", or see " a href=(link::JOBS) { "jobs" } "." } }
                @else {
                    p.sub { (format::counted(of.matching, "record matches", "records match")) }
                    (of.tables().remove(0).html(&frame.path))
                    @if let Some(older) = of.older() { p.more-link { a.button href=(older) { "Older records" } } }
                }
            }))
        },
        ..Content::default()
    })
}

fn chain(frame: &Frame, system: &str, of: &ChainState) -> Markup {
    let state = match (&of.broken, of.verified_at) {
        (Some(_), _) => Verdict::Fail,
        (None, Some(_)) => Verdict::Pass,
        (None, None) => Verdict::Unknown,
    };
    html! {
        section.chain aria-label="State of the chain" {
            div class=(format!("panel verified {}", state.word())) {
                p.state { (verdict::icon(state)) strong { (match state {
                    Verdict::Pass => "The chain holds",
                    Verdict::Fail => "The chain is broken",
                    _ => "The chain was not verified yet",
                }) } }
                p.sub {
                    @match (&of.broken, of.verified_at) {
                        (Some(broken), _) => { (broken) ". Do not rely on records from there on; compare with a copy that was kept elsewhere." },
                        (None, Some(at)) => { "All of it was verified " (moment::ago(at, frame.now)) "." },
                        (None, None) => "Verify it now, or wait for the nightly look.",
                    }
                }
                form method="post" action=(link::VERIFY) { (form::csrf(&frame.csrf)) input type="hidden" name="system" value=(system); button type="submit" { "Verify now" } }
            }
            div.panel {
                p.state { strong { "Keep this elsewhere" } }
                p.sub { "A checkpoint in other hands proves that no record was removed at the end." }
                p { code.digest { (of.end) } }
                @if let Some(signed) = &of.signed { p.sub { "Signed at " (format::count(signed.checkpoint.records)) " records " (moment::ago(signed.at, frame.now)) ", key " code { (signed.key) } } }
                @else { p.sub { "No checkpoint is signed yet." } }
                p.links {
                    a.button href=(link::with_query(link::EVIDENCE_EXPORT, &[("system", system.to_owned())])) download { "All evidence" }
                }
                p.sub { "Then: " code { "forewarn verify export.jsonl --checkpoint COUNT:HASH" } }
            }
        }
    }
}

fn filter(of: &EvidencePage) -> Markup {
    let any = |text: &str| std::iter::once((String::new(), text.to_owned()));
    let systems: Vec<_> = any("any system")
        .chain(of.systems.iter().map(|system| (system.id.clone(), system.name.clone())))
        .collect();
    let checks: Vec<_> = any("any check")
        .chain(CheckId::ALL.map(|check| (check.name().to_owned(), words::check_title(check).to_owned())))
        .collect();
    let verdicts: Vec<_> = any("any verdict")
        .chain(words::WORST_FIRST.map(|of| (of.word().to_owned(), of.word().to_owned())))
        .collect();
    html! {
        form.filter method="get" action=(link::EVIDENCE) {
            (form::select("filter-system", "system", "System", &systems, &of.filter.system))
            (form::select("filter-check", "check", "Check", &checks, of.filter.check.map_or("", CheckId::name)))
            (form::select("filter-verdict", "verdict", "Verdict", &verdicts, of.filter.verdict.map_or("", Verdict::word)))
            div.field { label for="filter-text" { "About" } input id="filter-text" type="search" name="q" value=(of.filter.text) placeholder="column, segment" autocomplete="off"; }
            button type="submit" { "Filter" }
        }
    }
}
