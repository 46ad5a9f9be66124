//! Expected cost: what a decision costs per row when mistakes are not equally bad.
//!
//! # What it measures
//!
//! The mean over rows of what each is worth: a cost for every true positive, false positive, true negative
//! and false negative, in any unit (money, minutes, harm); negative costs are gains. And the threshold at
//! which it is least.
//!
//! # When it misleads
//!
//! * It is as good as the four numbers. If they are guesses, look at the threshold over a range of them.
//! * The cheapest threshold was chosen on these very rows: its cost is lower here than it will be on
//!   others, by more the fewer rows there are. Its interval does not allow for the choice.
//! * Rows count alike. Where a row has a cost of its own (a loan's amount), use the mean of those.
//!
//! # Formula
//!
//! `(c_tp tp + c_fp fp + c_tn tn + c_fn fn) / n`. Normal interval from the variance of the rows' costs,
//! cut at the smallest and the largest cost; where all rows cost the same, Wilson's formula on that
//! range. The cheapest threshold is the highest of those with the least cost, where "call nothing" counts
//! as the highest of all.
//!
//! Where scores were rounded, the error bound is the distance to the cost if all uncertain rows were
//! called the one way or the other.
//!
//! # Example
//!
//! ```
//! use stats::classification::expected_cost::{Costs, cheapest_threshold};
//! use stats::{interval::Level, labelled_scores::LabelledScores};
//! let scores = LabelledScores::from_pairs([(0.1, false), (0.4, false), (0.35, true), (0.8, true)])?;
//! // A missed positive costs 10, a false alarm 1.
//! let costs = Costs::new(0.0, 1.0, 0.0, 10.0)?;
//! let cheapest = cheapest_threshold(&scores, &costs, Level::P95)?;
//! assert_eq!((cheapest.threshold, cheapest.cost.value), (Some(0.35), 0.25));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//!
//! * C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::confusion::Confusion;
use super::threshold_curve::thresholds;
use super::{Estimate, Undefined, mean_estimate};
use crate::interval::{Interval, IntervalMethod, Level};
use crate::labelled_scores::LabelledScores;

/// Costs beyond this cannot be squared and added up over rows.
const LARGEST: f64 = 1e100;

/// What a row costs by its outcome and its call; below 0 is a gain.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 4]", into = "[f64; 4]")]
pub struct Costs([f64; 4]);

/// A cost that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("use a cost of {cost}: it must be a number between −1e100 and 1e100")]
pub struct CostError {
    /// What was given.
    pub cost: f64,
}

impl Costs {
    /// Costs of a true positive, a false positive, a true negative and a false negative.
    ///
    /// # Errors
    /// A cost that is no number, or beyond ±1e100.
    pub fn new(
        true_positive: f64,
        false_positive: f64,
        true_negative: f64,
        false_negative: f64,
    ) -> Result<Costs, CostError> {
        let costs = [true_positive, false_positive, true_negative, false_negative];
        check(&costs)?;
        Ok(Costs(costs))
    }

    /// Of a true positive, a false positive, a true negative and a false negative.
    pub fn get(&self) -> [f64; 4] {
        self.0
    }

    /// The mean cost of a row, given one row at least.
    pub(super) fn mean(&self, counts: [u64; 4]) -> f64 {
        let n: f64 = counts.iter().map(|&count| count as f64).sum();
        self.0.iter().zip(counts).map(|(cost, count)| cost * (count as f64 / n)).sum()
    }
}

/// Refuses costs that are no numbers, or too large ones.
pub(crate) fn check(costs: &[f64]) -> Result<(), CostError> {
    match costs.iter().find(|cost| cost.is_nan() || cost.abs() > LARGEST) {
        Some(&cost) => Err(CostError { cost }),
        None => Ok(()),
    }
}

impl TryFrom<[f64; 4]> for Costs {
    type Error = CostError;

    fn try_from([tp, fp, tn, r#fn]: [f64; 4]) -> Result<Costs, CostError> {
        Costs::new(tp, fp, tn, r#fn)
    }
}

impl From<Costs> for [f64; 4] {
    fn from(costs: Costs) -> [f64; 4] {
        costs.0
    }
}

/// The threshold at which rows cost least.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheapestThreshold {
    /// Scores at or above this are called positive; `None` where it is cheapest to call nothing.
    pub threshold: Option<f64>,
    /// The mean cost of a row there.
    pub cost: Estimate,
    /// The mean cost of a row if nothing is called.
    pub cost_of_calling_nothing: f64,
    /// The mean cost of a row if every row is called.
    pub cost_of_calling_all: f64,
}

/// The mean cost of a row.
///
/// # Errors
/// Fewer than two rows, or counts of more than 2^64 rows.
pub fn expected_cost(confusion: &Confusion, costs: &Costs, level: Level) -> Result<Estimate, Undefined> {
    if !confusion.is_sound() {
        return Err(Undefined::NoRows);
    }
    let counts = |c: &Confusion| [c.true_positives, c.false_positives, c.true_negatives, c.false_negatives];
    let estimate = of_counts(counts(confusion), costs, level)?;
    let near = confusion.uncertain;
    let [tp, fp, tn, r#fn] = costs.0;
    let n = confusion.n() as f64;
    let moved = (tp - r#fn).abs() * (near.true_positives + near.false_negatives) as f64
        + (fp - tn).abs() * (near.false_positives + near.true_negatives) as f64;
    Ok(Estimate { error_bound: moved / n, ..estimate })
}

/// The threshold with the least mean cost, of all distinct scores and of calling nothing.
///
/// # Errors
/// Fewer than two rows.
pub fn cheapest_threshold(
    scores: &LabelledScores,
    costs: &Costs,
    level: Level,
) -> Result<CheapestThreshold, Undefined> {
    let (positives, negatives) = (scores.positives_total(), scores.negatives_total());
    let counts = |[tp, fp]: [u64; 2]| [tp, fp, negatives - fp, positives - tp];
    if scores.is_empty() {
        return Err(Undefined::NoRows);
    }
    let mut best = (None, [0, 0], costs.mean(counts([0, 0])));
    for (threshold, called) in thresholds(scores) {
        let cost = costs.mean(counts(called));
        if cost < best.2 {
            best = (threshold, called, cost);
        }
    }
    let cost = match best.0 {
        Some(threshold) => expected_cost(&Confusion::at(scores, threshold)?, costs, level)?,
        None => of_counts(counts([0, 0]), costs, level)?,
    };
    Ok(CheapestThreshold {
        threshold: best.0,
        cost,
        cost_of_calling_nothing: costs.mean(counts([0, 0])),
        cost_of_calling_all: costs.mean(counts([positives, negatives])),
    })
}

fn of_counts(counts: [u64; 4], costs: &Costs, level: Level) -> Result<Estimate, Undefined> {
    of_cells(costs.0.iter().copied().zip(counts), &costs.0, level)
}

/// The mean of `(cost, rows)`, which lies within the range of `all` costs.
pub(crate) fn of_cells(
    cells: impl Iterator<Item = (f64, u64)> + Clone,
    all: &[f64],
    level: Level,
) -> Result<Estimate, Undefined> {
    let least = all.iter().copied().fold(f64::INFINITY, f64::min);
    let most = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if least == most {
        // Any rows cost this.
        let n = cells.map(|(_, rows)| rows).sum();
        if n == 0 {
            return Err(Undefined::NoRows);
        }
        let interval = Interval { lower: least, upper: least, level, method: IntervalMethod::NormalOfMean };
        return Ok(Estimate { value: least, interval, n, error_bound: 0.0 });
    }
    mean_estimate(cells, (least, most), level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_that_are_no_numbers_are_refused() {
        for cost in [f64::NAN, f64::INFINITY, -1e101] {
            assert!(Costs::new(0.0, cost, 0.0, 1.0).is_err());
        }
        let text = serde_json::to_string(&Costs::new(0.0, 1.0, -2.0, 5.0).unwrap()).unwrap();
        assert_eq!(text, "[0.0,1.0,-2.0,5.0]");
        assert!(serde_json::from_str::<Costs>("[0,1,2,1e200]").is_err());
    }

    #[test]
    fn equal_costs_are_certain_and_costs_of_one_kind_are_not() {
        let confusion = Confusion::from_counts(0.5, [0, 0, 10, 0]).unwrap();
        let same = expected_cost(&confusion, &Costs::new(2.0, 2.0, 2.0, 2.0).unwrap(), Level::P95).unwrap();
        assert_eq!((same.value, same.interval.width()), (2.0, 0.0));
        let costs = Costs::new(0.0, 1.0, 0.0, 100.0).unwrap();
        let found = expected_cost(&confusion, &costs, Level::P95).unwrap();
        assert_eq!((found.value, found.interval.method), (0.0, IntervalMethod::WilsonOfBoundedMean));
        assert!(found.interval.upper > 10.0, "ten rows say little about a mistake that costs 100");
        let largest = Costs::new(1e100, -1e100, 0.0, 1e100).unwrap();
        let many = Confusion::from_counts(0.5, [1 << 61, 1 << 61, 1 << 61, 1 << 61]).unwrap();
        let found = expected_cost(&many, &largest, Level::P95).unwrap();
        assert!(found.interval.lower.is_finite() && found.interval.upper.is_finite());
    }

    #[test]
    fn too_few_rows_have_no_cost() {
        let costs = Costs::new(0.0, 1.0, 0.0, 5.0).unwrap();
        let none = cheapest_threshold(&LabelledScores::default(), &costs, Level::P95);
        assert_eq!(none, Err(Undefined::NoRows));
        let one = Confusion::from_counts(0.5, [1, 0, 0, 0]).unwrap();
        let too_few = Err(Undefined::TooFewRows { n: 1, needed: 2 });
        assert_eq!(expected_cost(&one, &costs, Level::P95), too_few);
        let unsound = Confusion::from_counts(0.5, [u64::MAX, 1, 0, 0]).unwrap();
        assert!(expected_cost(&unsound, &costs, Level::P95).is_err());
    }

    #[test]
    fn where_alarms_cost_too_much_nothing_is_called() {
        let scores =
            LabelledScores::from_pairs((0..20).map(|at| (f64::from(at) / 20.0, at % 2 == 0))).unwrap();
        let dear = Costs::new(0.0, 100.0, 0.0, 1.0).unwrap();
        let found = cheapest_threshold(&scores, &dear, Level::P95).unwrap();
        assert_eq!((found.threshold, found.cost.value), (None, 0.5));
        let cheap = Costs::new(0.0, 1.0, 0.0, 100.0).unwrap();
        let found = cheapest_threshold(&scores, &cheap, Level::P95).unwrap();
        assert_eq!((found.threshold, found.cost.value), (Some(0.0), 0.5));
        assert_eq!(found.cost_of_calling_all, 0.5);
    }

    #[test]
    fn the_error_bound_covers_the_exact_cost() {
        let rows = (0..500).map(|i| (f64::from(i * 7919 % 500) / 500.0, i % 3 == 0));
        let exact = LabelledScores::from_pairs(rows).unwrap();
        let costs = Costs::new(-1.0, 3.0, 0.5, 8.0).unwrap();
        for step in [0.01, 0.1, 0.3] {
            let rounded = exact.rounded_to(step).unwrap();
            for threshold in [0.05, 0.5, 0.99] {
                let cost = |scores| {
                    expected_cost(&Confusion::at(scores, threshold).unwrap(), &costs, Level::P95).unwrap()
                };
                let (truth, found) = (cost(&exact), cost(&rounded));
                assert!((truth.value - found.value).abs() <= found.error_bound + 1e-12, "{step} {threshold}");
            }
        }
    }
}
