//! The words that a reader from another field needs: shared ones, and how a list of them is set.

pub(crate) mod evaluation;

use maud::html;

use super::Section;

/// A word and what it means.
pub(crate) type Term = (&'static str, &'static str);

pub(crate) const DRIFT: Term = (
    "Drift",
    "The data that the model sees now differ from those of the reference window. It is a reason to look, not yet a harm.",
);
pub(crate) const PSI: Term = (
    "PSI",
    "Population stability index: how far the shares of a column's values have moved. 0 is no change; by custom, 0.1 is worth a look and 0.25 is large.",
);
pub(crate) const EXPECTED_BY_CHANCE: Term = (
    "Expected by chance",
    "What the number would be on average if nothing had changed. Two samples of the same thing never look exactly alike.",
);
pub(crate) const P_ADJUSTED: Term = (
    "p adjusted",
    "How surprising a change is if nothing really happened, corrected for looking at many columns at once. Small means: hardly chance.",
);
pub(crate) const ROC_AUC: Term = (
    "ROC AUC",
    "How well the model ranks: the chance that a case where it happened got a higher score than a case where it did not. 0.5 is a coin toss, 1 is perfect.",
);
pub(crate) const CALIBRATION: Term = (
    "Calibration",
    "Whether scores can be read as probabilities. The calibration error (ECE) is the average distance between what the model said and what happened.",
);
pub(crate) const INTERVAL: Term = (
    "Interval",
    "The range in which the true value plausibly lies. A 95 % interval covers the truth in 95 of 100 cases; fewer rows make it wider.",
);
pub(crate) const SEGMENT: Term = (
    "Segment",
    "A group of cases that share a value, such as one airport. A good average can hide a badly served segment.",
);
pub(crate) const UNKNOWN: Term =
    ("Unknown", "It could not be measured, and the reason is given. It never counts as a pass.");
pub(crate) const ESTIMATED: Term = (
    "Estimated performance",
    "How good the model probably is before anybody knows the outcomes, computed from its own scores. It holds as long as scores mean what they meant in the reference.",
);
pub(crate) const SETTLED: Term = (
    "Settled",
    "Nearly all outcomes that will come have come. Before that a window is maturing, or it is too early to say anything: what is known first is not like the rest.",
);
pub(crate) const CLASSIFIER: Term = (
    "Domain classifier",
    "A small model that tries to tell the rows of the window from those of the reference. If it cannot (AUC 0.5), nothing changed that it could see.",
);
pub(crate) const RECONSTRUCTION: Term = (
    "Reconstruction error",
    "How badly the relations between columns, learned on the reference, describe the rows of the window. It grows when columns stop moving together.",
);

pub(crate) fn section(terms: &[Term]) -> Section {
    Section {
        id: "glossary",
        title: "Glossary",
        short: "Glossary",
        question: "The words of this report, for readers from any field.",
        verdicts: Vec::new(),
        body: html! {
            dl.glossary {
                @for (term, meaning) in terms { div { dt { (term) } dd { (meaning) } } }
            }
        },
    }
}
