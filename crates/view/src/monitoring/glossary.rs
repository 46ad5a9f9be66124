//! The words of monitoring over time.

use crate::page::Section;
use crate::page::glossary::{
    self, CALIBRATION, CLASSIFIER, DRIFT, ESTIMATED, EXPECTED_BY_CHANCE, INTERVAL, PSI, RECONSTRUCTION,
    ROC_AUC, SEGMENT, SETTLED, Term, UNKNOWN,
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
    "Surely changed",
    "The evidence gathered from window to window is so strong that the probability of ever saying so falsely, over all columns and for ever, stays within the budget.",
);
const ADJUSTED: Term = (
    "Adjusted significance",
    "How surprising a change is if nothing really happened, corrected for looking at many columns again and again. Small means: hardly chance.",
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
