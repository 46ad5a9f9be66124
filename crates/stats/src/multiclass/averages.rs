//! Precision, recall and F1 of each class, and their averages over classes.
//!
//! # What it measures
//!
//! For each class: how often a row called it is it (precision), how often a row that is it is called it
//! (recall), both in one number (F1), and how well its probability tells it from the rest (area under the
//! ROC curve). As one number for all classes: *macro*, the plain mean; *weighted*, the mean weighted by how
//! often each class is the outcome; *micro*, over all rows at once, which is accuracy for all three.
//!
//! # When it misleads
//!
//! * A weighted mean hides rare classes; a macro mean is moved as much by a class of ten rows as by one of
//!   ten thousand, and is as rough. Look at the classes.
//! * Weighted recall is accuracy. Weighted F1 can lie outside the range between precision and recall.
//! * A class that is never called has no precision; in an average it counts as 0, as scikit-learn does by
//!   default. A class that is only called and never the outcome likewise counts as 0 for recall.
//!
//! # Formula
//!
//! With `n_cc` rows right, `r_c` outcomes, `q_c` calls of class `c`: `n_cc / q_c`, `n_cc / r_c`,
//! `2 n_cc / (r_c + q_c)`. Averages over the classes with `r_c + q_c > 0`. Each class' own interval is
//! Wilson's (for F1 of `n_cc / (r_c + q_c − n_cc)`, mapped); those of averages by the delta method over the
//! cells of the confusion table; micro, Wilson's.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, multiclass::{ClassifiedRows, KeptRow}};
//! use stats::multiclass::averages::{Average, ClassMetric, average, by_class};
//! let mut rows = ClassifiedRows::new(3, None);
//! let row = |(outcome, predicted)| KeptRow { hash: 0, outcome, predicted, probabilities: vec![0.4, 0.3, 0.3] };
//! rows.extend([(0, 0), (0, 0), (1, 0), (1, 1), (2, 0)].map(row));
//! let classes = by_class(&rows, Level::P95)?;
//! assert_eq!(classes[0].recall.unwrap().value, 1.0);
//! assert!(classes[2].precision.is_err(), "never called");
//! let precision = average(&rows, ClassMetric::Precision, Average::Macro, Level::P95)?;
//! assert_eq!(precision.value, 0.5); // 1/2, 1 and 0
//! # Ok::<(), stats::multiclass::MulticlassUndefined>(())
//! ```
//!
//! # References
//!
//! * K. Takahashi, K. Yamamoto, A. Kuchiba, T. Koyama, "Confidence interval for micro-averaged F1 and
//!   macro-averaged F1 scores", Appl. Intell. 52, 2022.
//! * D. J. Hand, P. Christen, N. Kirielle, Machine Learning 110, 2021: F1 as a proportion.

use serde::{Deserialize, Serialize};

use super::accuracy::accuracy;
use super::delta::Shares;
use super::{ClassifiedRows, MulticlassUndefined};
use crate::classification::confusion::{Confusion, Uncertain};
use crate::classification::roc_auc::roc_auc;
use crate::classification::{Estimate, Undefined};
use crate::interval::Level;
use crate::labelled_scores::LabelledScores;

/// What is measured of each class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassMetric {
    /// Right calls of all calls of the class.
    Precision,
    /// Right calls of all outcomes of the class.
    Recall,
    /// The harmonic mean of both.
    F1,
}

/// How one number is made for all classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Average {
    /// Over all rows at once: accuracy.
    Micro,
    /// The plain mean over classes.
    Macro,
    /// The mean over classes, weighted by their outcomes.
    Weighted,
}

/// How one class is called.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassQuality {
    /// Position of the class.
    pub class: usize,
    /// Rows whose outcome it is.
    pub outcomes: u64,
    /// Rows that are called it.
    pub predictions: u64,
    /// Right calls of all calls of the class.
    pub precision: Result<Estimate, Undefined>,
    /// Right calls of all outcomes of the class.
    pub recall: Result<Estimate, Undefined>,
    /// The harmonic mean of both.
    pub f1: Result<Estimate, Undefined>,
    /// The area under the ROC curve of its probability against the rest, of the rows kept.
    pub roc_auc: Result<Estimate, Undefined>,
}

/// Every class, in its position.
///
/// # Errors
/// No rows.
pub fn by_class(rows: &ClassifiedRows, level: Level) -> Result<Vec<ClassQuality>, MulticlassUndefined> {
    if rows.n() == 0 {
        return Err(MulticlassUndefined::NoRows);
    }
    Ok((0..rows.classes()).map(|class| of_class(rows, class, level)).collect())
}

fn of_class(rows: &ClassifiedRows, class: usize, level: Level) -> ClassQuality {
    let (outcomes, predictions) = (rows.outcomes(class), rows.predictions(class));
    let right = rows.count(class, class);
    let against_rest = Confusion {
        threshold: 0.0,
        true_positives: right,
        false_positives: predictions - right,
        true_negatives: rows.n() - outcomes - (predictions - right),
        false_negatives: outcomes - right,
        uncertain: Uncertain::default(),
    };
    let scored = rows.kept().iter().map(|row| (row.probabilities[class], row.outcome == class));
    ClassQuality {
        class,
        outcomes,
        predictions,
        precision: against_rest.precision(level),
        recall: against_rest.recall(level),
        f1: against_rest.f1(level),
        roc_auc: LabelledScores::from_pairs(scored)
            .map_err(|_| Undefined::NoRows)
            .and_then(|scores| roc_auc(&scores, level)),
    }
}

/// One number for all classes, in [0, 1].
///
/// # Errors
/// No rows.
pub fn average(
    rows: &ClassifiedRows,
    metric: ClassMetric,
    average: Average,
    level: Level,
) -> Result<Estimate, MulticlassUndefined> {
    if average == Average::Micro {
        return accuracy(rows, level);
    }
    let shares = Shares::of_rows(rows).ok_or(MulticlassUndefined::NoRows)?;
    let classes: Vec<Term> = (0..shares.classes()).map(|class| Term::of(&shares, class, metric)).collect();
    let occurring = classes.iter().filter(|class| class.occurs).count() as f64;
    let weight = |class: usize| match average {
        Average::Weighted => shares.outcomes[class],
        _ => 1.0 / occurring,
    };
    let value = classes.iter().enumerate().map(|(class, term)| weight(class) * term.value).sum();
    let slope = |outcome: usize, predicted: usize| {
        let mut slope = weight(outcome) * classes[outcome].by_outcomes
            + weight(predicted) * classes[predicted].by_predictions;
        if outcome == predicted {
            slope += weight(outcome) * classes[outcome].by_right;
        }
        // Weights are shares of outcomes and move with them.
        if average == Average::Weighted { slope + classes[outcome].value } else { slope }
    };
    Ok(shares.estimate(value, (0.0, 1.0), slope, level))
}

/// A metric of one class, and its derivatives by the class' shares.
struct Term {
    occurs: bool,
    value: f64,
    by_right: f64,
    by_outcomes: f64,
    by_predictions: f64,
}

impl Term {
    fn of(shares: &Shares, class: usize, metric: ClassMetric) -> Term {
        let (outcomes, predictions) = (shares.outcomes[class], shares.predictions[class]);
        let (right, of_outcomes, of_predictions) = match metric {
            ClassMetric::Precision => (1.0, 0.0, 1.0),
            ClassMetric::Recall => (1.0, 1.0, 0.0),
            ClassMetric::F1 => (2.0, 1.0, 1.0),
        };
        let whole = of_outcomes * outcomes + of_predictions * predictions;
        let occurs = outcomes + predictions > 0.0;
        if whole == 0.0 {
            return Term { occurs, value: 0.0, by_right: 0.0, by_outcomes: 0.0, by_predictions: 0.0 };
        }
        let value = right * shares.right(class) / whole;
        Term {
            occurs,
            value,
            by_right: right / whole,
            by_outcomes: -of_outcomes * value / whole,
            by_predictions: -of_predictions * value / whole,
        }
    }
}
