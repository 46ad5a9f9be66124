//! Metrics of several classes as the mean over each class against the rest, of outcomes that are
//! probabilities: with the slopes by every row and class.

use super::confusion::Ratio;
use super::multiclass::MulticlassMetric;
use super::ranking::{Mass, Measured, Slope, Ties, average_precision, roc_auc};
use crate::classification::Undefined;

/// Rows with scores, calls and the probabilities of their outcomes, by class and then by row.
pub(super) struct Outcomes<'a> {
    pub(super) scores: &'a [&'a [f64]],
    pub(super) predicted: &'a [usize],
    /// How many rows each row stands for.
    pub(super) rows: &'a [f64],
    /// One-hot where the outcomes are known.
    pub(super) probabilities: &'a [Vec<f64>],
}

/// A mean over classes.
pub(super) struct MacroMeasured {
    pub(super) value: f64,
    /// The change with one outcome more of a class at a row, by class and then by row.
    pub(super) slopes: Vec<Vec<f64>>,
}

impl Outcomes<'_> {
    /// # Errors
    /// The first class for which the metric does not exist.
    pub(super) fn measure(&self, metric: MulticlassMetric) -> Result<MacroMeasured, (usize, Undefined)> {
        match metric {
            MulticlassMetric::Accuracy => Ok(self.accuracy()),
            MulticlassMetric::RocAuc => self.over_classes(|class| self.by_score(class, roc_auc)),
            MulticlassMetric::AveragePrecision => self.over_classes(|class| {
                self.by_score(class, |masses| average_precision(masses, Ties::OneThreshold))
            }),
            MulticlassMetric::F1 => self.over_classes(|class| self.by_call(class, &Ratio::F1)),
            MulticlassMetric::Precision => self.over_classes(|class| self.by_call(class, &Ratio::PRECISION)),
            MulticlassMetric::Recall => self.over_classes(|class| self.by_call(class, &Ratio::RECALL)),
            MulticlassMetric::Specificity => {
                self.over_classes(|class| self.by_call(class, &Ratio::SPECIFICITY))
            }
        }
        .map_err(|class| (class, self.why_undefined(class, metric)))
    }

    fn accuracy(&self) -> MacroMeasured {
        let n: f64 = self.rows.iter().sum();
        let right = self.predicted.iter().zip(self.rows).enumerate();
        let right: f64 = right.map(|(row, (&class, rows))| rows * self.probabilities[class][row]).sum();
        let slope_of = |class| self.predicted.iter().map(|&p| f64::from(p == class) / n).collect();
        MacroMeasured {
            value: (right / n).clamp(0.0, 1.0),
            slopes: (0..self.scores.len()).map(slope_of).collect(),
        }
    }

    /// The mean of one metric per class; fails with the first class that has none.
    fn over_classes(
        &self,
        metric: impl Fn(usize) -> Option<(f64, Vec<f64>)>,
    ) -> Result<MacroMeasured, usize> {
        let classes = self.scores.len();
        let mut measured = MacroMeasured { value: 0.0, slopes: Vec::with_capacity(classes) };
        for class in 0..classes {
            let (value, mut slopes) = metric(class).ok_or(class)?;
            measured.value += value / classes as f64;
            for slope in &mut slopes {
                *slope /= classes as f64;
            }
            measured.slopes.push(slopes);
        }
        measured.value = measured.value.clamp(0.0, 1.0);
        Ok(measured)
    }

    /// A ranking metric of one class by its score.
    fn by_score(
        &self,
        class: usize,
        metric: impl Fn(&[Mass]) -> Option<Measured>,
    ) -> Option<(f64, Vec<f64>)> {
        let scores = self.scores[class];
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| (scores[a] + 0.0).total_cmp(&(scores[b] + 0.0)));
        let mut masses: Vec<Mass> = Vec::new();
        let mut mass_of = vec![0; scores.len()];
        for row in order {
            if masses.last().is_none_or(|mass| mass.score != scores[row]) {
                masses.push(Mass { score: scores[row], positives: 0.0, negatives: 0.0 });
            }
            mass_of[row] = masses.len() - 1;
            self.add(masses.last_mut()?, class, row);
        }
        Some(by_row(&metric(&masses)?, mass_of.iter().copied()))
    }

    /// A metric of the calls of one class.
    fn by_call(&self, class: usize, ratio: &Ratio) -> Option<(f64, Vec<f64>)> {
        let side = |call: f64| Mass { score: call, positives: 0.0, negatives: 0.0 };
        let mut masses = [side(0.0), side(1.0)];
        for (row, &predicted) in self.predicted.iter().enumerate() {
            self.add(&mut masses[usize::from(predicted == class)], class, row);
        }
        let measured = ratio.measure(&masses, 0.5, 0.0)?;
        Some(by_row(&measured, self.predicted.iter().map(|&p| usize::from(p == class))))
    }

    fn add(&self, mass: &mut Mass, class: usize, row: usize) {
        let (rows, probability) = (self.rows[row], self.probabilities[class][row]);
        mass.positives += rows * probability;
        mass.negatives += rows * (1.0 - probability).max(0.0);
    }

    fn why_undefined(&self, class: usize, metric: MulticlassMetric) -> Undefined {
        let rows = self.rows.iter().zip(&self.probabilities[class]);
        let positives = rows.clone().any(|(&rows, &p)| rows * p > 0.0);
        let negatives = rows.clone().any(|(&rows, &p)| rows * (1.0 - p) > 0.0);
        match metric {
            MulticlassMetric::Precision => Undefined::NoPredictedPositives,
            MulticlassMetric::F1 => Undefined::NothingPositive,
            _ if !positives => Undefined::NoPositives,
            _ if !negatives => Undefined::NoNegatives,
            _ => Undefined::NoRows,
        }
    }
}

/// The value, and by row what one outcome more of the class in place of another changes.
fn by_row(measured: &Measured, mass_of: impl Iterator<Item = usize>) -> (f64, Vec<f64>) {
    let change = |slope: &Slope| slope.by_positives - slope.by_negatives;
    (measured.value, mass_of.map(|mass| change(&measured.slopes[mass])).collect())
}
