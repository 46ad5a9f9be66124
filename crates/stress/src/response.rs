//! What the model answers under a fault: the class of each response, and whether the fault is handled.
//!
//! # What it measures
//!
//! The class of every response ([`ResponseClass`]); of the rows that the fault touched, the share of each class with its
//! interval; of all rows that were answered with and without the fault, the change of accuracy and of the mean loss,
//! row by row against itself; and from these a status.
//!
//! # When it misleads
//!
//! * Without outcomes, the answers to the clean rows stand in for the truth: a model that was wrong and stays wrong
//!   counts as right.
//! * A number, or a class without its probability, has no sign of doubt: every wrong one counts as confident.
//! * Rows of one customer or one day are not independent, and intervals then too narrow.
//!
//! # Formula
//!
//! A binary answer `s` decides yes where `s ≥ t`. Its margin is `(s − t) / (1 − t)` for a yes, else `(t − s) / t`: 0
//! at the threshold, 1 at certainty. It is confident from a margin of one half on, where nothing else is said: with
//! `t = 0.5`, at most 0.25 or at least 0.75. A class is confident from a probability of 0.75 on. Shares: Wilson. Accuracy: Bonett and Price's interval of the difference
//! of paired proportions. Mean loss (squared distance of a score to its outcome, 1 for a wrong class, absolute error of a number):
//! Student's interval of the mean of paired differences. Handled: the whole interval of the drop of accuracy is at
//! most the largest that is tolerated; failed: the whole interval is above it; unknown: it lies on both sides.
//!
//! # References
//!
//! * D. G. Bonett, R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
//!   paired data", Journal of Educational and Behavioral Statistics 37, 2012.
//! * E. B. Wilson, "Probable inference, the law of succession, and statistical inference", J. Am. Stat. Assoc. 22,
//!   1927.

use serde::{Deserialize, Serialize};
use stats::classification::Estimate;
use stats::interval::Level;
use stats::paired::mcnemar::{McNemar, mcnemar};
use stats::paired::mean_loss::{PairedMeanLoss, paired_mean_loss};
use stats::proportion::Proportion;
use types::faults::{FaultStatus, ResponseClass};
use types::format::{count, counted, percent};

/// What came back for a row.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// An answer, and whether it was marked as degraded.
    Answer {
        /// A score, a number, or the position of a class.
        value: f64,
        /// The probability of the predicted class, where the answer is a class.
        confidence: Option<f64>,
        is_degraded: bool,
    },
    /// Refused with a message.
    Rejected,
    /// An error of the model, a lost connection, or no answer in time.
    Crashed,
    /// Something that is no answer to what was asked.
    Malformed,
}

impl Response {
    /// A score or a number.
    pub fn of(value: f64) -> Self {
        Self::Answer { value, confidence: None, is_degraded: false }
    }

    /// A class, with its probability where the model gives one.
    pub fn of_class(class: usize, confidence: Option<f64>) -> Self {
        Self::Answer { value: class as f64, confidence, is_degraded: false }
    }

    /// The same answer, marked as degraded; what is no answer stays as it is.
    #[must_use]
    pub fn degraded(self) -> Self {
        match self {
            Self::Answer { value, confidence, .. } => Self::Answer { value, confidence, is_degraded: true },
            other => other,
        }
    }
}

/// How answers are read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// Scores of [0, 1]; outcomes are 0 or 1.
    Binary {
        threshold: f64,
        /// The least margin of a confident answer.
        confident: f64,
    },
    /// Positions of classes.
    Class {
        /// The least probability of a confident answer.
        confident: f64,
    },
    /// Numbers, right where they are within `tolerance` of the truth.
    Number { tolerance: f64 },
}

impl Reading {
    /// Scores with this threshold; confident from half the way to certainty on.
    pub fn binary(threshold: f64) -> Self {
        Self::Binary { threshold, confident: 0.5 }
    }

    /// Classes that are confident from a probability of three quarters on, as a score with a threshold of one half is.
    pub fn class() -> Self {
        Self::Class { confident: 0.75 }
    }

    /// The answer where it is one: finite, a score of [0, 1], or a position.
    fn answer(self, response: Response) -> Option<f64> {
        let Response::Answer { value, confidence, .. } = response else {
            return None;
        };
        let is_possible = match self {
            Self::Binary { .. } => (0.0..=1.0).contains(&value),
            Self::Class { .. } => {
                let is_probability = confidence.is_none_or(|confidence| (0.0..=1.0).contains(&confidence));
                value >= 0.0 && value.fract() == 0.0 && is_probability
            }
            Self::Number { .. } => value.is_finite(),
        };
        is_possible.then_some(value)
    }

    fn is_right(self, answer: f64, truth: f64) -> bool {
        match self {
            Self::Binary { threshold, .. } => (answer >= threshold) == (truth >= threshold),
            Self::Class { .. } => answer == truth,
            Self::Number { tolerance } => (answer - truth).abs() <= tolerance,
        }
    }

    fn is_confident(self, response: Response) -> bool {
        let Response::Answer { value, confidence, .. } = response else {
            return false;
        };
        match self {
            Self::Binary { threshold, confident } => margin(value, threshold) >= confident,
            Self::Class { confident } => confidence.is_none_or(|confidence| confidence >= confident),
            Self::Number { .. } => true,
        }
    }

    fn loss(self, answer: f64, truth: f64) -> f64 {
        match self {
            Self::Binary { .. } => (answer - truth).powi(2),
            Self::Class { .. } => f64::from(u8::from(answer != truth)),
            Self::Number { .. } => (answer - truth).abs(),
        }
    }
}

/// How far a score is from the threshold, as a share of the way to certainty.
pub fn margin(score: f64, threshold: f64) -> f64 {
    let (way, whole) = if score >= threshold {
        (score - threshold, 1.0 - threshold)
    } else {
        (threshold - score, threshold)
    };
    if whole > 0.0 { way / whole } else { 1.0 }
}

/// The class of a response; `truth` is the outcome, or the answer to the clean row where none is known.
pub fn class(reading: Reading, response: Response, truth: Option<f64>) -> ResponseClass {
    let Response::Answer { is_degraded, .. } = response else {
        return match response {
            Response::Rejected => ResponseClass::Rejected,
            Response::Crashed => ResponseClass::Crashed,
            _ => ResponseClass::Malformed,
        };
    };
    match (reading.answer(response), truth) {
        (None, _) => ResponseClass::Malformed,
        (Some(_), _) if is_degraded => ResponseClass::Degraded,
        (Some(_), None) => ResponseClass::Unjudged,
        (Some(answer), Some(truth)) if reading.is_right(answer, truth) => ResponseClass::Right,
        (Some(_), Some(_)) if reading.is_confident(response) => ResponseClass::SilentlyWrong,
        _ => ResponseClass::WrongUnsure,
    }
}

/// The same rows asked twice, position by position: the clean answers are those of each row's origin.
#[derive(Clone, Copy, Debug)]
pub struct AskedTwice<'a> {
    pub clean: &'a [Response],
    pub faulted: &'a [Response],
    /// What happened, where it is known.
    pub outcomes: &'a [Option<f64>],
    /// The rows that the fault touched.
    pub mask: &'a [bool],
    /// What the model said when it refused or crashed.
    pub error: Option<&'a str>,
}

/// What is tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tolerance {
    /// The largest drop of accuracy, as a share of all rows.
    pub max_drop: f64,
    /// The largest share of touched rows without an answer.
    pub max_unanswered: f64,
    /// Whether a refusal with a message is a way to handle a fault.
    pub is_rejecting_handled: bool,
    /// Fewer rows than these say nothing about accuracy.
    pub min_rows: u64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self { max_drop: 0.05, max_unanswered: 0.0, is_rejecting_handled: false, min_rows: 100 }
    }
}

/// How a model takes a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    pub status: FaultStatus,
    /// Why, in a sentence.
    pub reason: String,
    pub rows: u64,
    pub rows_touched: u64,
    /// Of the touched rows; classes without a row are there too.
    pub classes: Vec<ClassShare>,
    /// The share of the touched rows in which the model was silently wrong without the fault already.
    pub silently_wrong_before: Option<Estimate>,
    /// Share of rows with another decision (or number beyond the tolerance) than without the fault.
    pub changed: Option<Estimate>,
    /// Right answers under the fault less those without it, of rows that were answered both times.
    pub accuracy: Option<McNemar>,
    pub accuracy_before: Option<Estimate>,
    /// The mean loss under the fault less that without it.
    pub loss: Option<PairedMeanLoss>,
    /// The mean loss without the fault, of the same rows.
    pub mean_loss_before: Option<f64>,
    /// Whether the clean answers stand in for the truth in some row.
    pub is_against_clean_answers: bool,
}

/// How many of the touched rows are of a class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassShare {
    pub class: ResponseClass,
    pub rows: u64,
    pub share: Estimate,
}

/// Rows that do not belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "pair the rows: {clean} clean answers, {faulted} under the fault, {outcomes} outcomes, {mask} in the mask"
)]
pub struct LengthsDiffer {
    pub clean: usize,
    pub faulted: usize,
    pub outcomes: usize,
    pub mask: usize,
}

/// What a fault does to the model's answers, and whether that is tolerated.
///
/// # Errors
/// Slices of different length.
pub fn impact(
    asked: AskedTwice<'_>,
    reading: Reading,
    tolerance: &Tolerance,
) -> Result<Impact, LengthsDiffer> {
    let AskedTwice { clean, faulted, outcomes, mask, .. } = asked;
    let rows = clean.len();
    if [faulted.len(), outcomes.len(), mask.len()] != [rows; 3] {
        let (clean, faulted, outcomes, mask) = (rows, faulted.len(), outcomes.len(), mask.len());
        return Err(LengthsDiffer { clean, faulted, outcomes, mask });
    }
    let truth: Vec<Option<f64>> =
        (0..rows).map(|row| outcomes[row].or_else(|| reading.answer(clean[row]))).collect();
    let touched: Vec<usize> = (0..rows).filter(|&row| mask[row]).collect();
    let of_touched = |responses: &[Response]| -> Vec<ResponseClass> {
        touched.iter().map(|&row| class(reading, responses[row], truth[row])).collect()
    };
    let classes = shares(&of_touched(faulted));
    let before = shares(&of_touched(clean));
    let pairs = Pairs::of(asked, reading, &truth);
    let accuracy = mcnemar(&pairs.right_before, &pairs.right_after, Level::P95).ok();
    let (status, reason) = status(&classes, accuracy.as_ref(), asked.error, tolerance);
    let right_before = pairs.right_before.iter().filter(|right| **right).count();
    Ok(Impact {
        status,
        reason,
        rows: rows as u64,
        rows_touched: touched.len() as u64,
        silently_wrong_before: before
            .iter()
            .find(|of| of.class == ResponseClass::SilentlyWrong)
            .map(|of| of.share),
        classes,
        changed: share_of(pairs.changed, pairs.answered),
        accuracy_before: share_of(right_before as u64, pairs.right_before.len() as u64),
        accuracy,
        mean_loss_before: (!pairs.loss_before.is_empty())
            .then(|| pairs.loss_before.iter().sum::<f64>() / pairs.loss_before.len() as f64),
        loss: paired_mean_loss(&pairs.loss_before, &pairs.loss_after, Level::P95).ok(),
        is_against_clean_answers: outcomes.iter().any(Option::is_none),
    })
}

/// Rows that were answered both times.
#[derive(Default)]
struct Pairs {
    answered: u64,
    changed: u64,
    right_before: Vec<bool>,
    right_after: Vec<bool>,
    loss_before: Vec<f64>,
    loss_after: Vec<f64>,
}

impl Pairs {
    fn of(asked: AskedTwice<'_>, reading: Reading, truth: &[Option<f64>]) -> Self {
        let mut pairs = Self::default();
        for (row, truth) in truth.iter().enumerate() {
            let answers = (reading.answer(asked.clean[row]), reading.answer(asked.faulted[row]));
            let ((Some(before), Some(after)), Some(truth)) = (answers, *truth) else {
                continue;
            };
            pairs.answered += 1;
            pairs.changed += u64::from(!reading.is_right(after, before));
            pairs.right_before.push(reading.is_right(before, truth));
            pairs.right_after.push(reading.is_right(after, truth));
            pairs.loss_before.push(reading.loss(before, truth));
            pairs.loss_after.push(reading.loss(after, truth));
        }
        pairs
    }
}

fn shares(classes: &[ResponseClass]) -> Vec<ClassShare> {
    let of = |class: ResponseClass| {
        let rows = classes.iter().filter(|of_row| **of_row == class).count() as u64;
        Some(ClassShare { class, rows, share: share_of(rows, classes.len() as u64)? })
    };
    ResponseClass::ALL.into_iter().filter_map(of).collect()
}

fn share_of(rows: u64, of: u64) -> Option<Estimate> {
    let share = Proportion::new(rows, of).ok()?;
    Some(Estimate { value: share.share(), interval: share.wilson(Level::P95), n: of, error_bound: 0.0 })
}

fn status(
    classes: &[ClassShare],
    accuracy: Option<&McNemar>,
    error: Option<&str>,
    tolerance: &Tolerance,
) -> (FaultStatus, String) {
    let Some(touched) = classes.first().map(|of| of.share.n) else {
        return (FaultStatus::Unknown, "The fault touched no row.".into());
    };
    let rows_of = |class| classes.iter().find(|of| of.class == class).map_or(0, |of| of.rows);
    let said =
        error.map_or_else(|| ".".to_owned(), |error| format!(": {}.", error.trim().trim_end_matches('.')));
    let failures = [
        (ResponseClass::Crashed, "The model gave no answer for"),
        (ResponseClass::Malformed, "The answer is malformed for"),
        (ResponseClass::Rejected, "The model refused"),
    ];
    let unanswered: u64 = failures
        .iter()
        .filter(|(class, _)| *class != ResponseClass::Rejected || !tolerance.is_rejecting_handled)
        .map(|(class, _)| rows_of(*class))
        .sum();
    if unanswered as f64 > tolerance.max_unanswered * touched as f64 {
        let (class, words) =
            failures.into_iter().max_by_key(|(class, _)| rows_of(*class)).unwrap_or(failures[0]);
        let rows = counted(touched, "row", "rows");
        return (FaultStatus::Failed, format!("{words} {} of {rows}{said}", count(rows_of(class))));
    }
    if rows_of(ResponseClass::Rejected) == touched {
        return (FaultStatus::Handled, format!("The model refused every row with a message{said}"));
    }
    let Some(accuracy) = accuracy.filter(|accuracy| accuracy.difference.n >= tolerance.min_rows) else {
        let n = accuracy.map_or(0, |accuracy| accuracy.difference.n);
        let rows = counted(n, "row was", "rows were");
        let needed = count(tolerance.min_rows);
        return (
            FaultStatus::Unknown,
            format!("{rows} answered with and without the fault, {needed} are needed."),
        );
    };
    against_limit(accuracy, tolerance.max_drop)
}

/// The drop of accuracy, wholly at or below the limit, wholly above, or neither.
fn against_limit(accuracy: &McNemar, max_drop: f64) -> (FaultStatus, String) {
    let interval = accuracy.difference.interval;
    let (least, most) = (-interval.upper, -interval.lower);
    // The estimate's own sign is turned; 0 stays 0.
    let drop = 0.0 - accuracy.difference.value;
    let limit = percent(max_drop);
    let found = format!("Accuracy drops by {} ({} to {})", percent(drop), percent(least), percent(most));
    if most <= max_drop {
        (FaultStatus::Handled, format!("{found}, at most {limit} is tolerated."))
    } else if least > max_drop {
        (FaultStatus::Failed, format!("{found}, more than the {limit} that are tolerated."))
    } else {
        (
            FaultStatus::Unknown,
            format!("{found}: whether by more than {limit} cannot be told from so many rows."),
        )
    }
}

#[cfg(test)]
mod tests;
