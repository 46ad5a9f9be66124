//! One record of evidence: what was found, and everything that it was made from.

use maud::{Markup, html};
use types::{Digest, Record, format};

use super::frame::{Content, part};
use super::table::{Cell, Column, Table};
use super::{Frame, SystemRef, link, moment};
use crate::chart::histogram;
use crate::page::effect::distribution;
use crate::page::measures;
use crate::page::{effect, verdict};
use crate::words;

/// A record with its neighbours in the chain.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordPage {
    pub record: Record,
    /// The record's own hash.
    pub hash: Digest,
    pub system: SystemRef,
    /// Whether its bytes still have that hash.
    pub intact: bool,
    /// Whether there is a record after it.
    pub has_next: bool,
}

impl RecordPage {
    pub fn tables(&self) -> Vec<Table> {
        let of = &self.record.finding;
        let optional = |p: Option<f64>| {
            p.map_or(Cell::Empty, |value| Cell::Number {
                value,
                text: format::p_value(value),
                remark: String::new(),
            })
        };
        vec![Table {
            name: "measures",
            caption: "Measures".into(),
            columns: vec![
                Column::text("measure", "Measure"),
                Column::number("value", "Value"),
                Column::number("lower", "Lower"),
                Column::number("upper", "Upper"),
                Column::number("rows", "Rows"),
                Column::number("p_value", "p"),
                Column::number("p_adjusted", "p adjusted"),
                Column::text("method", "Method"),
            ],
            rows: of
                .measures
                .iter()
                .map(|measure| {
                    let unit = words::unit_of(of.detail.as_ref(), &measure.name);
                    let number = |value: f64| Cell::Number {
                        value,
                        text: words::measure_value(unit, value),
                        remark: String::new(),
                    };
                    let interval = measure.interval.as_ref();
                    vec![
                        Cell::Text(words::measure_title(&measure.name).into_owned()),
                        number(measure.value),
                        interval.map_or(Cell::Empty, |of| number(of.lower)),
                        interval.map_or(Cell::Empty, |of| number(of.upper)),
                        Cell::Count(measure.n),
                        optional(measure.p_value),
                        optional(measure.p_adjusted),
                        Cell::Text(measures::method(measure)),
                    ]
                })
                .collect(),
            empty: "Nothing was measured; the sentence says why.".into(),
        }]
    }
}

pub fn page(frame: &Frame, of: &RecordPage) -> String {
    let record = &of.record;
    let finding = &record.finding;
    frame.document(&Content {
        title: format!("Record #{}", record.seq),
        crumbs: vec![("Evidence", link::EVIDENCE.into()), (&of.system.name, link::evidence_of(&of.system.id, None, None))],
        place: link::EVIDENCE,
        topics: String::new(),
        heading: html! { "Record #" (record.seq) " " (verdict::chip(finding.verdict)) },
        lead: Some(html! {
            a href=(link::series(&of.system.id, finding.check, Some(&finding.subject))) { (words::check_title(finding.check)) ": " (finding.subject.label()) }
            ", " (words::window_text(finding.window))
        }),
        actions: Some(neighbours(of)),
        body: html! {
            (state(frame, of))
            (part("finding", "What was found", &html! {}, &html! {
                (measures::said(finding))
                @if let Some(why) = effect::chosen_because(finding) { p.sub { (why) } }
                (measures::unmeasured(finding))
                @if let Some(shares) = distribution(finding) { figure.record-chart { p.legend { span { span.key.reference {} "reference" } span { span.key.current {} "window" } } (histogram(&finding.subject.label(), shares)) } }
                (of.tables().remove(0).html(&frame.path))
            }))
            (part("origin", "Where it comes from", &html! {}, &origin(of)))
            (part("verify", "Check it yourself", &html! {}, &verify(of)))
        },
    })
}

fn neighbours(of: &RecordPage) -> Markup {
    let seq = of.record.seq;
    html! {
        @if let Some(before) = seq.checked_sub(1) { a.button href=(link::record(&of.system.id, before)) rel="prev" { "← #" (before) } }
        @if of.has_next { a.button href=(link::record(&of.system.id, seq + 1)) rel="next" { "#" (seq + 1) " →" } }
    }
}

fn state(frame: &Frame, of: &RecordPage) -> Markup {
    let until = of.record.fresh_until;
    html! {
        @if !of.intact { p.notice.bad role="alert" { "The content of this record no longer has the recorded hash: it was edited. Compare with a copy that was kept elsewhere." } }
        @if !of.record.is_fresh(frame.now) { p.notice { "It expired " (moment::ago(until, frame.now)) ": gates count it as missing." } }
    }
}

fn origin(of: &RecordPage) -> Markup {
    let record = &of.record;
    html! {
        dl.proof {
            div { dt { "Recorded" } dd { (moment::instant(record.at)) ", in the run that began with " a href=(link::record(&of.system.id, record.run)) { "#" (record.run) } } }
            div { dt { "Fresh until" } dd { (moment::instant(record.fresh_until)) } }
            div { dt { "System and model" } dd { a href=(link::system(&of.system.id)) { (of.system.name) } ", " (record.model) } }
            @if let Some(reference) = record.finding.reference { div { dt { "Compared with" } dd { (words::window_text(reference)) } } }
            @for threshold in &record.finding.thresholds { div { dt { "Held against" } dd { (words::measure_title(&threshold.measure)) ": " (words::bound(threshold)) span.sub { ", from " (threshold.from) } } } }
            @for version in &record.datasets {
                div { dt { "Dataset " (version.name) } dd { code.digest { (version.digest) } " " span.sub { (format::counted(version.files, "file", "files")) ", " (format::counted(version.bytes, "byte", "bytes")) } } }
            }
            @if let Some(inputs) = record.inputs { div { dt { "Files read" } dd { code.digest { (inputs) } } } }
            div { dt { "Definition" } dd { code.digest { (record.definition) } } }
            div { dt { "Program" } dd { (record.program) ", record format " (record.format) } }
        }
    }
}

fn verify(of: &RecordPage) -> Markup {
    html! {
        dl.proof {
            div { dt { "Its hash" } dd { code.digest { (of.hash) } } }
            div { dt { "Hash of the one before" } dd { code.digest { (of.record.previous) } } }
        }
        p.prose.sub { "The hash is SHA-256 over the exact bytes of the record. " a href=(link::record_line(&of.system.id, of.record.seq)) download { "Download the line" } " as it is stored: " code { "{\"hash\":…,\"record\":…}" } "." }
    }
}
