//! The words of monitoring over time.

use crate::page::Section;
use crate::page::glossary::{
    self, CALIBRATION, DRIFT, EXPECTED_BY_CHANCE, INTERVAL, PSI, ROC_AUC, SEGMENT, Term, UNKNOWN,
};

const WINDOW: Term = (
    "Window",
    "A stretch of time whose rows are looked at together, such as a week. It includes its first instant and ends before its last.",
);
const E_VALUE: Term = (
    "E-value",
    "What a bet against “nothing changed” would have grown to. Starting from 1, it rarely grows if nothing changed, however often one looks; 100 is as strong as odds of 100 to 1.",
);
const ALARM: Term = (
    "Alarm stands",
    "The evidence gathered from window to window is strong enough that, over all columns and for ever, no more than the budgeted share of alarms is false.",
);
const ADJUSTED: Term = (
    "Adjusted significance",
    "How surprising a change is if nothing really happened, corrected for looking at many columns again and again. Small means: hardly chance.",
);
const ESTIMATED: Term = (
    "Estimated performance",
    "How good the model probably is before anybody knows the outcomes, computed from its own scores. It holds as long as scores mean what they meant in the reference.",
);
const SETTLED: Term = (
    "Settled",
    "Nearly all outcomes that will come have come. Before that a window is maturing, or it is too early to say anything: what is known first is not like the rest.",
);
const CLASSIFIER: Term = (
    "Domain classifier",
    "A small model that tries to tell the rows of the window from those of the reference. If it cannot (AUC 0.5), nothing changed that it could see.",
);
const RECONSTRUCTION: Term = (
    "Reconstruction error",
    "How badly the relations between columns, learned on the reference, describe the rows of the window. It grows when columns stop moving together.",
);

pub(super) fn section() -> Section {
    glossary::section(&[
        DRIFT,
        WINDOW,
        PSI,
        EXPECTED_BY_CHANCE,
        E_VALUE,
        ALARM,
        ADJUSTED,
        CLASSIFIER,
        RECONSTRUCTION,
        ROC_AUC,
        CALIBRATION,
        ESTIMATED,
        SETTLED,
        INTERVAL,
        SEGMENT,
        UNKNOWN,
    ])
}
