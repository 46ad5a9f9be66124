//! Macro F1: precision and recall in one number, the mean over classes.
//!
//! # What it measures
//!
//! For each class twice the rows called right over the rows that are or are called that class; then the
//! mean over classes, from 0 to 1. A class that the model never finds pulls it down, however rare.
//!
//! # When it misleads
//!
//! * The rarest class has as much weight as the most frequent one, and few rows behind it; the interval is
//!   wide then.
//! * Classes that are neither an outcome nor a prediction here have no F1 and are left out, so two
//!   windows can be means over different classes.
//!
//! # Formula
//!
//! `Σ_c 2 n_cc / (n_c· + n_·c) / C` over the `C` classes with `n_c· + n_·c > 0`, as scikit-learn does by
//! default. Interval by the delta method over the multinomial cells of the confusion matrix: with
//! `g_ij` the derivative by the share of cell (i, j), the variance is `(Σ p g² − (Σ p g)²) / n`. Where
//! that is 0, Wilson's formula.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, multiclass::{ClassifiedRows, KeptRow, macro_f1::macro_f1}};
//! let mut rows = ClassifiedRows::new(3, None);
//! let row = |(outcome, predicted)| KeptRow { hash: 0, outcome, predicted, probabilities: vec![0.4, 0.3, 0.3] };
//! rows.extend([(0, 0), (0, 0), (1, 0), (1, 1)].map(row));
//! // 0.8 for the first class, 2/3 for the second; the third does not occur.
//! assert!((macro_f1(&rows, Level::P95)?.value - (0.8 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
//! # Ok::<(), stats::multiclass::MulticlassUndefined>(())
//! ```
//!
//! # References
//!
//! * K. Takahashi, K. Yamamoto, A. Kuchiba, T. Koyama, "Confidence interval for micro-averaged F1 and
//!   macro-averaged F1 scores", Appl. Intell. 52, 2022.

use super::{ClassifiedRows, MulticlassUndefined, bounded_estimate};
use crate::classification::Estimate;
use crate::interval::{IntervalMethod, Level};

/// Mean over classes of F1, in [0, 1].
///
/// # Errors
/// No rows.
pub fn macro_f1(rows: &ClassifiedRows, level: Level) -> Result<Estimate, MulticlassUndefined> {
    let n = rows.n();
    if n == 0 {
        return Err(MulticlassUndefined::NoRows);
    }
    let share = |count: u64| count as f64 / n as f64;
    // By class: shares called right, and shares that are or are called it; `None` where there are none.
    let classes: Vec<Option<(f64, f64)>> = (0..rows.classes())
        .map(|class| {
            let either = rows.outcomes(class) + rows.predictions(class);
            (either > 0).then(|| (share(rows.count(class, class)), share(either)))
        })
        .collect();
    let occurring = classes.iter().flatten().count() as f64;
    let value = classes.iter().flatten().map(|(right, either)| 2.0 * right / either).sum::<f64>() / occurring;
    let (mut mean, mut square) = (0.0, 0.0);
    for outcome in 0..rows.classes() {
        for predicted in 0..rows.classes() {
            let p = share(rows.count(outcome, predicted));
            if p == 0.0 {
                continue;
            }
            let touched =
                |class: usize| classes[class].map_or(0.0, |(right, either)| -2.0 * right / either.powi(2));
            let mut slope = touched(outcome) + touched(predicted);
            if outcome == predicted {
                slope += classes[outcome].map_or(0.0, |(_, either)| 2.0 / either);
            }
            mean += p * slope / occurring;
            square += p * (slope / occurring).powi(2);
        }
    }
    let error = ((square - mean * mean).max(0.0) / n as f64).sqrt();
    Ok(bounded_estimate(value, error, (0.0, 1.0), n, level, IntervalMethod::NormalOfInfluence))
}
