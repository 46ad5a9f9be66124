//! How it was measured, in the words and tables of [`crate::page::method`].

use maud::{Markup, html};
use types::CheckId;
use types::finding::Finding;
use types::report::CheckReport;

use crate::page::Section;
use crate::page::method::{Proof, datasets, limits, methods, proof};
use crate::words;

pub(super) fn section(report: &CheckReport) -> Section {
    let findings: Vec<&Finding> = report.findings.iter().collect();
    let proved = Proof {
        checkpoint: &report.checkpoint,
        added: Some(report.findings.len()),
        definition: report.definition,
        as_of: report.as_of.to_string(),
        program: &report.program,
        format: report.format,
    };
    Section {
        id: "method",
        title: "How this was measured",
        short: "Method",
        question: "What was each number held against, how was it computed, and can it be checked?",
        verdicts: Vec::new(),
        body: html! {
            h3.group { "Limits" }
            (limits(&findings))
            h3.group { "Methods" }
            (methods(&findings))
            (approaches(report))
            h3.group { "Data" }
            (datasets(&report.datasets))
            h3.group { "Proof" }
            (proof(&proved))
        },
    }
}

/// How the checks of an evaluation go about it, each where it was made.
fn approaches(report: &CheckReport) -> Markup {
    let made = |check: CheckId| report.findings.iter().any(|finding| finding.check == check);
    let shown: Vec<_> = APPROACHES.iter().filter(|(check, ..)| made(*check)).collect();
    html! {
        @if !shown.is_empty() {
            h3.group { "How the checks go about it" }
            dl.approach {
                @for (check, how, sources) in shown {
                    div { dt { (words::check_title(*check)) } dd { (how) span.sub { (sources) } } }
                }
            }
        }
    }
}

const APPROACHES: &[(CheckId, &str, &str)] = &[
    (
        CheckId::Slices,
        "Rows are divided at random. One half is searched for slices with a large mean loss; the other half, which the search has not seen, judges them. p-values are adjusted for all slices that are judged.",
        "Chung et al. 2019 (Slice Finder); Sagadeeva & Boehm 2021 (SliceLine)",
    ),
    (
        CheckId::WorstSubpopulation,
        "The expected loss given the inputs is estimated on other rows than those that it is evaluated on; the mean of its largest values is that of the worst group of that size, as far as the estimate finds it.",
        "Li, Namkoong & Xia 2021; Rockafellar & Uryasev 2000",
    ),
    (
        CheckId::Errors,
        "A model of the errors is fitted on some rows and tested on others: what it foretells is systematic. Rates of segments are held against those of all other rows; p-values are adjusted for all of them.",
        "Benjamini & Hochberg 1995",
    ),
    (
        CheckId::Tail,
        "Each row is ranked by how unlike the reference its inputs are, and the mean loss is taken by rank. Kinds of rare cases are pooled, so that there are enough rows to say something.",
        "Liu, Ting & Zhou 2008; Rockafellar & Uryasev 2000",
    ),
    (
        CheckId::Fairness,
        "Rates are compared between the group with the lowest and the one with the highest value. Where base rates differ, not all criteria can hold at once.",
        "Hardt, Price & Srebro 2016; Kleinberg, Mullainathan & Raghavan 2016; Chouldechova 2017",
    ),
    (
        CheckId::Comparison,
        "Losses of both versions are subtracted row by row, so that only what differs counts. p-values of slices are adjusted for all of them.",
        "DeLong et al. 1988; Holm 1979",
    ),
    (
        CheckId::Parity,
        "The model is asked about rows of the log as they are; its answers are held against those in the log, row by row.",
        "",
    ),
    (
        CheckId::Missing,
        "The model is asked about the same rows with and without the fault, so that only what the fault changes counts. A seed makes the same fault again.",
        "Bonett & Price 2012",
    ),
    (
        CheckId::Detection,
        "The checks of monitoring are run on the rows with and without each fault; a fault is noticed where one of them raises its voice that was silent before.",
        "",
    ),
    (
        CheckId::Load,
        "Requests are sent at their times, whether or not earlier ones were answered, and latencies count from there. The knee is the highest rate of the ramp within all limits; intervals of percentiles allow for requests that wait for each other.",
        "Schroeder, Wierman & Harchol-Balter 2006; Jain 1991; Woodruff 1952",
    ),
    (
        CheckId::Endpoint,
        "A proxy in front of the server breaks its answers, one fault after the other; what callers get is held against the answers without a fault. After each one, answers have to be as before.",
        "",
    ),
    (
        CheckId::Manipulation,
        "The model is asked again and again about each case with changes that are allowed, until the cheapest one that flips the decision is found, as far as a search finds it; every flip was asked twice. What was not found may exist: shares are lower bounds.",
        "Brendel, Rauber & Bethge 2018; Croce & Hein 2019; Ustun, Spangher & Liu 2019",
    ),
];
