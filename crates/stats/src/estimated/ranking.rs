//! How well scores rank expected outcomes: area under the ROC curve and average precision of
//! counts that need not be whole, each with its slopes.
//!
//! The realised counterparts, with their own intervals, are in
//! [`classification`](crate::classification).

/// Positives and negatives at one score, expected ones or weighted ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mass {
    pub(super) score: f64,
    pub(super) positives: f64,
    pub(super) negatives: f64,
}

impl Mass {
    fn all(&self) -> f64 {
        self.positives + self.negatives
    }
}

/// How a metric moves with one positive and with one negative more at a score.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slope {
    pub(super) by_positives: f64,
    pub(super) by_negatives: f64,
}

/// A metric of masses by ascending score.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) value: f64,
    /// By score.
    pub(super) slopes: Vec<Slope>,
    /// How far the value can be off if scores were rounded.
    pub(super) hidden_by_rounding: f64,
}

/// How rows of equal score count for average precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ties {
    /// As one threshold, the way realised average precision is defined here and in scikit-learn.
    OneThreshold,
    /// One row after the other, the way NannyML estimates it; a little higher.
    RowByRow,
}

/// Positives and negatives; None where one of them is missing.
pub(super) fn both_classes(masses: &[Mass]) -> Option<(f64, f64)> {
    let positives: f64 = masses.iter().map(|mass| mass.positives).sum();
    let negatives: f64 = masses.iter().map(|mass| mass.negatives).sum();
    (positives > 0.0 && negatives > 0.0).then_some((positives, negatives))
}

/// Area under the ROC curve, ties half; None where a class is missing.
pub(super) fn roc_auc(masses: &[Mass]) -> Option<Measured> {
    let (positives, negatives) = both_classes(masses)?;
    let (mut pairs, mut tied) = (0.0, 0.0);
    let (mut positives_below, mut negatives_below) = (0.0, 0.0);
    let mut slopes = Vec::with_capacity(masses.len());
    for mass in masses {
        let below = negatives_below + mass.negatives / 2.0;
        let above = positives - positives_below - mass.positives / 2.0;
        pairs += mass.positives * below;
        tied += mass.positives * mass.negatives;
        slopes.push(Slope { by_positives: below / negatives, by_negatives: above / positives });
        positives_below += mass.positives;
        negatives_below += mass.negatives;
    }
    let value = (pairs / positives / negatives).clamp(0.0, 1.0);
    for slope in &mut slopes {
        slope.by_positives = (slope.by_positives - value) / positives;
        slope.by_negatives = (slope.by_negatives - value) / negatives;
    }
    Some(Measured { value, slopes, hidden_by_rounding: tied / positives / negatives / 2.0 })
}

/// Average precision; None where a class is missing. The slopes are those of ties as one threshold.
pub(super) fn average_precision(masses: &[Mass], ties: Ties) -> Option<Measured> {
    let (positives, _) = both_classes(masses)?;
    let (mut found, mut called) = (0.0, 0.0);
    let (mut as_tied, mut row_by_row, mut at_best, mut at_worst) = (0.0, 0.0, 0.0, 0.0);
    // Highest score first.
    let mut steps = Vec::with_capacity(masses.len());
    for mass in masses.iter().rev() {
        if mass.all() <= 0.0 {
            // No rows: one more would meet the precision of what lies above, and pulls nothing.
            let precision = if called > 0.0 { found / called } else { 1.0 };
            steps.push(Step { precision, by_positives: 0.0, by_negatives: 0.0 });
            continue;
        }
        let p = mass.positives;
        row_by_row += gain_row_by_row(found, called, mass);
        if p > 0.0 {
            at_best += p * (found + p) / (called + p);
        }
        at_worst += gain_at_worst(p, found, called - found + mass.negatives);
        found += p;
        called += mass.all();
        let precision = found / called;
        as_tied += p * precision;
        let pull = p / called;
        steps.push(Step {
            precision,
            by_positives: pull * (1.0 - precision),
            by_negatives: pull * precision,
        });
    }
    let share = |sum: f64| (sum / positives).clamp(0.0, 1.0);
    let tied = share(as_tied);
    let value = match ties {
        Ties::OneThreshold => tied,
        Ties::RowByRow => share(row_by_row),
    };
    let hidden_by_rounding = (share(at_best) - value).max(value - share(at_worst)).max(0.0);
    Some(Measured { value, slopes: slopes(&steps, tied, positives), hidden_by_rounding })
}

/// One threshold: its precision, and how its gain moves with what lies at or above it.
struct Step {
    precision: f64,
    by_positives: f64,
    by_negatives: f64,
}

/// A positive more at one score gains the precision there and moves the precision of every
/// threshold at or below; a negative only does the second.
fn slopes(steps: &[Step], value: f64, positives: f64) -> Vec<Slope> {
    let (mut gain, mut loss) = (0.0, 0.0);
    let mut slopes = Vec::with_capacity(steps.len());
    for step in steps.iter().rev() {
        gain += step.by_positives;
        loss += step.by_negatives;
        slopes.push(Slope {
            by_positives: (step.precision + gain - value) / positives,
            by_negatives: -loss / positives,
        });
    }
    slopes
}

/// `Σ c · (found + k c) / (called + k)` over the tied rows `k = 1..m`, each positive with
/// probability `c`; with the harmonic numbers it has a closed form.
fn gain_row_by_row(found: f64, called: f64, mass: &Mass) -> f64 {
    let c = mass.positives / mass.all();
    let reciprocals = harmonic(called + mass.all()) - harmonic(called);
    c * (mass.positives + (found - called * c) * reciprocals)
}

/// `1 + 1/2 + … + 1/n`, to 1e-12. `n` is rounded: the sum runs over whole rows.
fn harmonic(n: f64) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    let n = n.round();
    if n < 40.0 {
        return (1..=n as u64).map(|k| 1.0 / k as f64).sum();
    }
    let square = n * n;
    n.ln() + EULER + 0.5 / n - (1.0 - 0.1 / square) / (12.0 * square)
}

/// Every negative before every positive: `p` of these after `found` others and `a` negatives.
fn gain_at_worst(p: f64, found: f64, a: f64) -> f64 {
    if found + a <= 0.0 {
        return p;
    }
    (p - a * (p / (found + a)).ln_1p()).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masses() -> Vec<Mass> {
        let at = |score, positives, negatives| Mass { score, positives, negatives };
        vec![at(0.1, 0.5, 9.5), at(0.3, 2.0, 6.0), at(0.6, 3.0, 3.0), at(0.95, 7.5, 0.5)]
    }

    /// A slope is what a small change of a mass does.
    #[test]
    fn slopes_are_what_a_small_change_does() {
        let of_average = |masses: &[Mass]| average_precision(masses, Ties::OneThreshold);
        for by_area in [true, false] {
            let metric = |masses: &[Mass]| if by_area { roc_auc(masses) } else { of_average(masses) };
            let at_rest = metric(&masses()).unwrap();
            for i in 0..masses().len() {
                let moved = |positives, negatives| {
                    let mut masses = masses();
                    masses[i].positives += positives;
                    masses[i].negatives += negatives;
                    metric(&masses).unwrap().value
                };
                let by_positives = (moved(1e-6, 0.0) - moved(-1e-6, 0.0)) / 2e-6;
                let by_negatives = (moved(0.0, 1e-6) - moved(0.0, -1e-6)) / 2e-6;
                assert!((at_rest.slopes[i].by_positives - by_positives).abs() < 1e-8);
                assert!((at_rest.slopes[i].by_negatives - by_negatives).abs() < 1e-8);
            }
        }
    }

    #[test]
    fn harmonic_numbers_join_where_the_series_takes_over() {
        let summed = |n: u64| (1..=n).map(|k| 1.0 / k as f64).sum::<f64>();
        for n in [0, 1, 39, 40, 41, 1000] {
            assert!((harmonic(n as f64) - summed(n)).abs() < 1e-12, "{n}");
        }
    }

    #[test]
    fn a_missing_class_has_no_ranking() {
        let one = [Mass { score: 0.5, positives: 1.0, negatives: 0.0 }];
        assert!(roc_auc(&one).is_none() && average_precision(&one, Ties::RowByRow).is_none());
    }
}
