//! Class-wise calibration: does the probability of each class mean what it says?
//!
//! # What it measures
//!
//! For each class, the gaps between its probability and how often it happens (its rows against all
//! others), and the mean of the classes' expected calibration errors. The confidence of the predicted
//! class alone ([`ClassifiedRows::top_label`]) can be right while the probabilities of the others, which
//! decisions by cost depend on, are not.
//!
//! # When it misleads
//!
//! * With many classes most probabilities are near 0 and their gaps are small; the mean over classes is
//!   small then for any model. Look at the classes.
//! * What chance adds is in each class (`expected_if_calibrated`).
//! * A rare class has as much weight as a frequent one.
//! * Only rows whose probabilities are kept count; where that is a sample (`rows_of`), the intervals are
//!   those of the sample.
//!
//! # Formula
//!
//! `Σ_c ECE_c / C`, `ECE_c` over bins of the probability of class `c`, as in
//! [`binned_error`](crate::classification::calibration::binned_error). A class that never happens counts:
//! its probabilities should be near 0. The interval of the mean is the mean of bounds at a level that
//! makes all classes hold together (Bonferroni): wide, as classes depend on each other.
//!
//! # Example
//!
//! ```
//! use stats::classification::calibration::Binning;
//! use stats::{interval::Level, multiclass::{ClassifiedRows, KeptRow}};
//! use stats::multiclass::classwise_calibration::classwise_calibration_error;
//! let mut rows = ClassifiedRows::new(2, None);
//! let row = |outcome| KeptRow { hash: 0, outcome, predicted: 0, probabilities: vec![0.75, 0.25] };
//! rows.extend([0, 0, 1, 1].map(row));
//! let error = classwise_calibration_error(&rows, 10, Binning::EqualWidth, Level::P95)?;
//! assert_eq!((error.mean.value, error.classes[0].ece.value), (0.25, 0.25));
//! # Ok::<(), stats::multiclass::MulticlassUndefined>(())
//! ```
//!
//! # References
//!
//! * M. Kull et al., "Beyond temperature scaling: obtaining well-calibrated multi-class probabilities with
//!   Dirichlet calibration", NeurIPS 2019: class-wise ECE.
//! * J. Nixon et al., "Measuring calibration in deep learning", CVPR workshops 2019.

use serde::{Deserialize, Serialize};

use super::{ClassifiedRows, MulticlassUndefined};
use crate::classification::calibration::Binning;
use crate::classification::calibration::binned_error::{BinnedError, binned_error};
use crate::classification::{Estimate, Undefined};
use crate::interval::{Interval, IntervalMethod, Level};

/// The calibration errors of every class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClasswiseCalibration {
    /// The mean of the classes' expected calibration errors.
    pub mean: Estimate,
    /// By class.
    pub classes: Vec<BinnedError>,
    /// The class with the largest expected calibration error, the first of several.
    pub worst: usize,
    /// The rows that the measured ones were sampled from; as many as those where all are kept.
    pub rows_of: u64,
}

impl ClasswiseCalibration {
    /// Whether only some of the rows were measured.
    pub fn is_sampled(&self) -> bool {
        self.mean.n < self.rows_of
    }
}

/// Calibration errors of each class against the rest, over at most `bins` bins.
///
/// # Errors
/// No rows kept, or zero bins.
pub fn classwise_calibration_error(
    rows: &ClassifiedRows,
    bins: usize,
    binning: Binning,
    level: Level,
) -> Result<ClasswiseCalibration, MulticlassUndefined> {
    let each = level.for_each_of(rows.classes());
    let (mut classes, mut worst) = (Vec::new(), 0);
    let (mut value, mut lower, mut upper) = (0.0, 0.0, 0.0);
    for class in 0..rows.classes() {
        let scores = rows.against_the_rest(class)?;
        let of = |level| binned_error(&scores, bins, binning, level).map_err(undefined);
        let (error, joint) = (of(level)?, of(each)?.ece.interval);
        let weight = 1.0 / rows.classes() as f64;
        value += weight * error.ece.value;
        lower += weight * joint.lower;
        upper += weight * joint.upper;
        classes.push(error);
        worst = if classes[class].ece.value > classes[worst].ece.value { class } else { worst };
    }
    if classes.is_empty() {
        return Err(MulticlassUndefined::NoRows);
    }
    let interval = Interval {
        lower: lower.clamp(0.0, value),
        upper: upper.max(value),
        level,
        method: IntervalMethod::NormalOfBinNoise,
    };
    let mean = Estimate { value, interval, n: rows.kept().len() as u64, error_bound: 0.0 };
    Ok(ClasswiseCalibration { mean, classes, worst, rows_of: rows.n() })
}

fn undefined(reason: Undefined) -> MulticlassUndefined {
    match reason {
        Undefined::ZeroBins => MulticlassUndefined::ZeroBins,
        _ => MulticlassUndefined::NoRows,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multiclass::KeptRow;

    fn rows(most: Option<usize>, outcomes: &[usize], probabilities: &[f64]) -> ClassifiedRows {
        let mut rows = ClassifiedRows::new(probabilities.len(), most);
        rows.extend(outcomes.iter().enumerate().map(|(at, &outcome)| KeptRow {
            hash: at as u64,
            outcome,
            predicted: 0,
            probabilities: probabilities.to_vec(),
        }));
        rows.prune();
        rows
    }

    fn of(rows: &ClassifiedRows, bins: usize) -> Result<ClasswiseCalibration, MulticlassUndefined> {
        classwise_calibration_error(rows, bins, Binning::EqualMass, Level::P95)
    }

    #[test]
    fn what_cannot_be_measured_says_why() {
        assert_eq!(of(&rows(None, &[], &[0.5, 0.5]), 9), Err(MulticlassUndefined::NoRows));
        assert_eq!(of(&ClassifiedRows::new(0, None), 9), Err(MulticlassUndefined::NoRows));
        assert_eq!(of(&rows(None, &[0], &[0.5, 0.5]), 0), Err(MulticlassUndefined::ZeroBins));
    }

    #[test]
    fn a_class_that_never_happens_is_measured_and_the_worst_is_named() {
        let found = of(&rows(None, &[0, 0, 0, 0], &[0.5, 0.125, 0.375]), 9).unwrap();
        let errors: Vec<f64> = found.classes.iter().map(|class| class.ece.value).collect();
        assert_eq!(errors, [0.5, 0.125, 0.375]);
        assert_eq!((found.worst, found.is_sampled()), (0, false));
        assert!(found.mean.interval.contains(1.0 / 3.0));
    }

    #[test]
    fn a_sample_says_how_many_rows_it_is_of() {
        let found = of(&rows(Some(3), &[0, 1, 0, 1, 1], &[0.5, 0.5]), 9).unwrap();
        assert_eq!((found.mean.n, found.rows_of, found.is_sampled()), (3, 5, true));
    }
}
