//! Macro ROC AUC: can each class be told from the rest by its probability?
//!
//! # What it measures
//!
//! For each class the chance that a random row of it has a higher probability of it than a random row of
//! another class; then the mean over classes. 0.5 is chance, 1 is perfect.
//!
//! # When it misleads
//!
//! * It sees ranks only: probabilities can be far from what happens and rank perfectly.
//! * One class against the rest: that two classes are confused with each other shows less the more
//!   other classes there are.
//! * A rare class has as much weight as a frequent one, and few rows behind it.
//!
//! # Formula
//!
//! Mean over classes of the Mann–Whitney area, ties counting half, as scikit-learn's
//! `roc_auc_score(multi_class="ovr", average="macro")`. Every class must occur. Interval: normal, from each
//! row's influence on all classes' areas at once (`DeLong`'s placements, summed over classes by row, so
//! that what classes share is counted); where nothing varies, Wilson's formula with the rarest class as
//! number of rows.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, multiclass::{ClassifiedRows, KeptRow, macro_roc_auc::macro_roc_auc}};
//! let mut rows = ClassifiedRows::new(2, None);
//! let row = |(p, outcome)| KeptRow { hash: 0, outcome, predicted: 0, probabilities: vec![p, 1.0 - p] };
//! rows.extend([(0.9, 0), (0.4, 0), (0.6, 1), (0.1, 1)].map(row));
//! assert_eq!(macro_roc_auc(&rows, Level::P95)?.value, 0.75);
//! # Ok::<(), stats::multiclass::MulticlassUndefined>(())
//! ```
//!
//! # References
//!
//! * F. Provost, P. Domingos, "Tree induction for probability-based ranking", Mach. Learn. 52, 2003: one
//!   class against the rest (weighted there).
//! * E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or more correlated
//!   receiver operating characteristic curves", Biometrics 44, 1988.

use super::{ClassifiedRows, KeptRow, MulticlassUndefined, bounded_estimate};
use crate::classification::Estimate;
use crate::interval::{IntervalMethod, Level};

/// Mean over classes of the area under the ROC curve against the rest, in [0, 1], of the rows kept.
///
/// # Errors
/// No rows, or a class that is never or always the outcome.
pub fn macro_roc_auc(rows: &ClassifiedRows, level: Level) -> Result<Estimate, MulticlassUndefined> {
    let kept = rows.kept();
    if kept.is_empty() {
        return Err(MulticlassUndefined::NoRows);
    }
    let classes = rows.classes();
    let mut influence = vec![0.0; kept.len()];
    let (mut sum, mut rarest) = (0.0, kept.len());
    for class in 0..classes {
        let positives = kept.iter().filter(|row| row.outcome == class).count();
        if positives == 0 {
            return Err(MulticlassUndefined::NeverTheOutcome { class });
        }
        if positives == kept.len() {
            return Err(MulticlassUndefined::AlwaysTheOutcome { class });
        }
        rarest = rarest.min(positives).min(kept.len() - positives);
        sum += add_area(kept, class, positives, &mut influence);
    }
    let n = kept.len() as f64;
    let squares: f64 = influence.iter().map(|of_row| (of_row / classes as f64).powi(2)).sum();
    let value = sum / classes as f64;
    let error = if kept.len() > 1 { (squares / n / (n - 1.0)).sqrt() } else { 0.0 };
    let method = IntervalMethod::NormalOfInfluence;
    let mut estimate = bounded_estimate(value, error, (0.0, 1.0), rarest as u64, level, method);
    estimate.n = kept.len() as u64;
    Ok(estimate)
}

/// The area of one class against the rest; adds each row's influence on it.
fn add_area(kept: &[KeptRow], class: usize, positives: usize, influence: &mut [f64]) -> f64 {
    let score = |row: usize| kept[row].probabilities[class];
    let is_positive = |row: &usize| kept[*row].outcome == class;
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by(|&a, &b| score(a).total_cmp(&score(b)));
    let (positives, negatives) = (positives as f64, (kept.len() - positives) as f64);
    // A row's placement: the share of the other side that it beats, ties counting half.
    let mut placements = vec![0.0; kept.len()];
    let (mut positives_below, mut negatives_below, mut area) = (0.0, 0.0, 0.0);
    for tied in order.chunk_by(|&a, &b| score(a) == score(b)) {
        let here = tied.iter().filter(|row| is_positive(row)).count() as f64;
        let others = tied.len() as f64 - here;
        for row in tied {
            placements[*row] = if is_positive(row) {
                (negatives_below + others / 2.0) / negatives
            } else {
                (positives - positives_below - here / 2.0) / positives
            };
        }
        area += here * (negatives_below + others / 2.0);
        positives_below += here;
        negatives_below += others;
    }
    let area = area / (positives * negatives);
    let n = positives + negatives;
    for (row, of_row) in influence.iter_mut().enumerate() {
        let side = if is_positive(&row) { positives } else { negatives };
        *of_row += (placements[row] - area) * n / side;
    }
    area
}
