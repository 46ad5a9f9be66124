//! Rows of several classes with their outcomes: all counted, some kept.
//!
//! What needs only counts and sums (accuracy, F1, log loss, Brier score) is exact for any number of
//! rows. What needs the probabilities of each row (ranking, calibration) takes the rows that are kept:
//! all of them without a limit, else those of the smallest hashes, which is a uniform sample that does
//! not depend on the order of rows or on how parts are merged.

use serde::{Deserialize, Serialize};

use super::MulticlassUndefined;
use crate::labelled_scores::LabelledScores;
use crate::sketch::Moments;

/// What a probability of what happened is at least taken for, so that its logarithm is finite.
const LEAST: f64 = f64::EPSILON;
/// How far from 1 a row's probabilities may add up by rounding.
const SUM_TOLERANCE: f64 = 0.01;

/// Rows with a probability for every class, a predicted class and an outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassifiedRows {
    classes: usize,
    /// Rows by outcome and then by predicted class, `classes × classes`.
    confusion: Vec<u64>,
    pub(super) log_loss: Moments,
    clipped: u64,
    pub(super) brier: Moments,
    /// Rows that may be kept; all where there is no limit.
    most_kept: Option<usize>,
    kept: Vec<KeptRow>,
}

/// A row whose probabilities are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptRow {
    /// Decides which rows are kept, and their order.
    pub hash: u64,
    /// Position of the class that happened.
    pub outcome: usize,
    /// Position of the class that the model called.
    pub predicted: usize,
    /// By class, in [0, 1].
    pub probabilities: Vec<f64>,
}

/// Whether probabilities are some: each in [0, 1]. That they add up to 1 is not asked for here.
pub fn are_probabilities(probabilities: &[f64]) -> bool {
    probabilities.iter().all(|p| (0.0..=1.0).contains(p))
}

/// Whether probabilities add up to 1, as far as rounding to two decimals lets them.
pub fn add_up(sum: f64) -> bool {
    (sum - 1.0).abs() <= SUM_TOLERANCE
}

/// The position of the largest value, the first of several; `None` where there are none.
pub fn likeliest(probabilities: &[f64]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (class, &p) in probabilities.iter().enumerate() {
        if best.is_none_or(|(_, most)| p > most) {
            best = Some((class, p));
        }
    }
    best.map(|(class, _)| class)
}

impl ClassifiedRows {
    /// No rows yet; at most `most_kept` of those to come are kept.
    pub fn new(classes: usize, most_kept: Option<usize>) -> ClassifiedRows {
        ClassifiedRows {
            classes,
            confusion: vec![0; classes * classes],
            log_loss: Moments::default(),
            clipped: 0,
            brier: Moments::default(),
            most_kept,
            kept: Vec::new(),
        }
    }

    /// Adds rows; those whose classes are none of [`classes`](Self::classes), or whose probabilities
    /// are none, are left out.
    pub fn extend(&mut self, rows: impl IntoIterator<Item = KeptRow>) {
        let (mut losses, mut distances) = (Vec::new(), Vec::new());
        for row in rows {
            let fits = row.outcome < self.classes
                && row.predicted < self.classes
                && row.probabilities.len() == self.classes
                && are_probabilities(&row.probabilities);
            if !fits {
                continue;
            }
            self.confusion[row.outcome * self.classes + row.predicted] += 1;
            let of_outcome = row.probabilities[row.outcome];
            self.clipped += u64::from(of_outcome < LEAST);
            losses.push(-of_outcome.clamp(LEAST, 1.0).ln());
            let happened = |class| f64::from(u8::from(class == row.outcome));
            let squares = row.probabilities.iter().enumerate().map(|(at, p)| (p - happened(at)).powi(2));
            distances.push(squares.sum());
            self.kept.push(row);
        }
        self.log_loss.extend(&losses);
        self.brier.extend(&distances);
        if self.most_kept.is_some_and(|most| self.kept.len() > 2 * most) {
            self.prune();
        }
    }

    /// Adds the rows of `other`, which must have the same classes; others are left out.
    pub fn merge(&mut self, other: ClassifiedRows) {
        if other.classes != self.classes {
            return;
        }
        self.confusion.iter_mut().zip(other.confusion).for_each(|(mine, theirs)| *mine += theirs);
        self.log_loss.merge(&other.log_loss);
        self.clipped += other.clipped;
        self.brier.merge(&other.brier);
        self.kept.extend(other.kept);
        self.most_kept = match (self.most_kept, other.most_kept) {
            (Some(mine), Some(theirs)) => Some(mine.min(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        if self.most_kept.is_some_and(|most| self.kept.len() > 2 * most) {
            self.prune();
        }
    }

    /// Puts the kept rows in the order of their hashes and leaves only as many as may be kept.
    pub fn prune(&mut self) {
        self.kept.sort_by(|a, b| {
            let by_probabilities = || {
                let pairs = a.probabilities.iter().zip(&b.probabilities);
                pairs.map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne()).unwrap_or(a.hash.cmp(&b.hash))
            };
            (a.hash, a.outcome, a.predicted)
                .cmp(&(b.hash, b.outcome, b.predicted))
                .then_with(by_probabilities)
        });
        if let Some(most) = self.most_kept {
            self.kept.truncate(most);
        }
    }

    /// The number of rows.
    pub fn n(&self) -> u64 {
        self.confusion.iter().sum()
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Rows whose outcome is `outcome` and whose predicted class is `predicted`.
    pub fn count(&self, outcome: usize, predicted: usize) -> u64 {
        self.confusion.get(outcome * self.classes + predicted).copied().unwrap_or(0)
    }

    /// Rows whose outcome is `class`.
    pub fn outcomes(&self, class: usize) -> u64 {
        (0..self.classes).map(|predicted| self.count(class, predicted)).sum()
    }

    /// Rows whose predicted class is `class`.
    pub fn predictions(&self, class: usize) -> u64 {
        (0..self.classes).map(|outcome| self.count(outcome, class)).sum()
    }

    /// Rows whose predicted class is the outcome.
    pub fn right(&self) -> u64 {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    /// Rows that gave what happened so little that its logarithm had to be cut.
    pub fn clipped(&self) -> u64 {
        self.clipped
    }

    /// The rows whose probabilities are kept.
    pub fn kept(&self) -> &[KeptRow] {
        &self.kept
    }

    /// Whether the probabilities of all rows are kept.
    pub fn all_kept(&self) -> bool {
        self.kept.len() as u64 == self.n()
    }

    /// The probability of the predicted class with whether that is what happened, of the rows kept:
    /// the confidence that a user sees.
    ///
    /// # Errors
    /// No rows.
    pub fn top_label(&self) -> Result<LabelledScores, MulticlassUndefined> {
        let row = |row: &KeptRow| (row.probabilities[row.predicted], row.predicted == row.outcome);
        match LabelledScores::from_pairs(self.kept.iter().map(row)) {
            Ok(scores) if !scores.is_empty() => Ok(scores),
            _ => Err(MulticlassUndefined::NoRows),
        }
    }

    /// The probability of `class` with whether it is what happened, of the rows kept.
    ///
    /// # Errors
    /// No rows, or no such class.
    pub fn against_the_rest(&self, class: usize) -> Result<LabelledScores, MulticlassUndefined> {
        let row = |row: &KeptRow| Some((*row.probabilities.get(class)?, row.outcome == class));
        match LabelledScores::from_pairs(self.kept.iter().filter_map(row)) {
            Ok(scores) if !scores.is_empty() => Ok(scores),
            _ => Err(MulticlassUndefined::NoRows),
        }
    }

    /// Bytes on the heap, about.
    pub fn heap_bytes(&self) -> usize {
        let row = size_of::<KeptRow>() + self.classes * size_of::<f64>();
        self.confusion.capacity() * size_of::<u64>() + self.kept.capacity() * row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(hash: u64, outcome: usize, probabilities: &[f64]) -> KeptRow {
        KeptRow {
            hash,
            outcome,
            predicted: likeliest(probabilities).unwrap(),
            probabilities: probabilities.to_vec(),
        }
    }

    fn rows(n: u64) -> Vec<KeptRow> {
        let of = |at: u64| {
            let p = (at % 10) as f64 / 20.0;
            row(at.wrapping_mul(0x9E37_79B9_7F4A_7C15), (at % 3) as usize, &[p, 0.5 - p, 0.5])
        };
        (0..n).map(of).collect()
    }

    #[test]
    fn a_sample_does_not_depend_on_how_rows_are_parted() {
        let all = rows(500);
        let mut whole = ClassifiedRows::new(3, Some(50));
        whole.extend(all.clone());
        whole.prune();
        for cut in [0, 1, 77, 499] {
            let mut later = ClassifiedRows::new(3, Some(50));
            later.extend(all[cut..].iter().rev().cloned());
            let mut merged = ClassifiedRows::new(3, Some(50));
            merged.extend(all[..cut].to_vec());
            merged.merge(later);
            merged.prune();
            assert_eq!(merged.kept(), whole.kept());
            assert_eq!(merged.confusion, whole.confusion);
            assert!((merged.log_loss.mean().unwrap() - whole.log_loss.mean().unwrap()).abs() < 1e-12);
        }
        assert_eq!((whole.n(), whole.kept().len()), (500, 50));
        assert!(!whole.all_kept());
    }

    #[test]
    fn what_is_no_row_of_these_classes_is_left_out() {
        let mut kept = ClassifiedRows::new(3, None);
        kept.extend([
            row(1, 7, &[0.2, 0.3, 0.5]),
            row(2, 0, &[0.2, 0.8]),
            row(3, 0, &[0.2, f64::NAN, 0.5]),
            row(4, 0, &[-0.2, 0.7, 0.5]),
        ]);
        assert_eq!(kept.n(), 0);
        assert_eq!(kept.top_label(), Err(MulticlassUndefined::NoRows));
        kept.merge(ClassifiedRows::new(2, None));
        assert_eq!(kept.classes(), 3);
    }
}
