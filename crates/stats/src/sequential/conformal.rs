//! Conformal p-value of a window: whether its rows could be any rows of all that came so far.
//!
//! # What it measures
//!
//! How surprising the window's counts over bins are, if the window is a random part of the *bag*:
//! its own rows together with the reference and all windows before it. A stream of these p-values,
//! one per window, is what the martingales beside this file bet on.
//!
//! # When it misleads
//!
//! * Rows must be exchangeable while nothing changes. Repeated rows of one customer, weekly rhythms
//!   within a window of a day, or a season that comes back every year are all *not exchangeable*:
//!   they look like a change, and in the sense of this test they are one.
//! * Windows of a change that nobody acts on join the pool, and what is normal moves with them:
//!   evidence of a lasting change grows more slowly the longer it lasts.
//! * Rare categories are pooled with their neighbours in size; a change inside a pool is unseen.
//! * It says nothing about size: with a million rows, a change of no importance has a tiny p-value.
//!
//! # Formula
//!
//! Given the bag's counts, the window's counts follow the multivariate hypergeometric distribution,
//! whatever the distribution of the rows. Halving the cells again and again splits it into k − 1
//! hypergeometric ones, independent but for their totals. Split `i` contributes `zᵢ²`, where `zᵢ`
//! is the standard normal quantile of that point between `P(X < x)` and `P(X ≤ x)` which is nearest
//! to one half. The p-value is the upper tail of the χ² distribution with k − 1 degrees of freedom
//! at `Σ zᵢ²`. With many rows the sum is Pearson's χ²; with few it errs on the safe side, tails
//! included, which Pearson's does not: a count of 20 where 5 are expected has a probability of
//! 3·10⁻⁷ and a Pearson p-value of 2·10⁻¹¹, and betting multiplies such mistakes.
//!
//! # Which bins
//!
//! * *Categories*: each value a cell of its own, also one that never came before (it has 0 rows
//!   before). Not one cell for all values that the reference lacks: it would be empty in the
//!   reference by construction, and chance alone fills it in the windows. Too many values to keep
//!   may be put into buckets by a hash.
//! * *Numbers*: cut at the reference's own quantiles, upper ends included, as
//!   [`QuantileBins`](crate::bins::QuantileBins) does.
//! * Any bins that were fixed without looking at these rows.
//!
//! # Why the p-values may be multiplied
//!
//! Assume that *the rows of the reference and of all windows are exchangeable*, that the reference
//! is fixed, and that windows are disjoint, come in order and have row counts that do not depend
//! on the values. Then for every window there is a `Uₜ ≤ pₜ` such that `U₁, U₂, …` are independent
//! and uniform. A capital that falls when a p-value rises is therefore never more than the same
//! capital of the `U`, which is a martingale, and the probability that it *ever* reaches `1/α` is
//! at most `α`.
//!
//! *Categories and fixed bins*, Vovk's argument for conformal p-values, run from the last bag
//! backwards. Write `Gₜ` for what is known from the bag of the first `t` windows (how many rows
//! fell into each cell up to then, not in which window) and from all later windows.
//!
//! 1. Given `Gₜ`, window `t` is a draw without replacement from its bag: exchangeability. Given the
//!    total of its parent, each split is hypergeometric; its randomised distribution value `Vᵢ`,
//!    uniform between `P(X < x)` and `P(X ≤ x)`, is then exactly uniform, independently of the
//!    splits above it; and `zᵢ²` is at most the square of the normal quantile of `Vᵢ`. So `pₜ` is
//!    at least a `Uₜ` that is uniform given `Gₜ`. Rare cells are pooled by the bag's counts alone,
//!    which are fixed given `Gₜ`.
//! 2. `Uₜ₊₁, Uₜ₊₂, …` are functions of `Gₜ` and of independent randomisation: the bag up to
//!    `s > t` is the bag up to `t` and the windows between.
//! 3. So `Uₜ` is independent of all later ones, for `t = 1, 2, …` in turn.
//!
//! *Numbers without ties, cut at the reference's quantiles*, forwards. Let two neighbouring cells
//! have `k` and `k′` rows before the window. The cut between them is the largest of the `k`: all
//! ways in which the window's rows can fall between the rows before are equally likely, whatever
//! came before. That at most `w` of the window's rows lie left of the cut means that at most `w` of
//! the first `k + w` rows of both are the window's, and the probability of that is the very
//! hypergeometric tail that the split computes where it sees `w`; the tail on the other side is
//! computed with one row too many on the left, and errs on the safe side. (So does the fixed right
//! end of an inner cell, one row that cannot move.) Here `Uₜ` is uniform given all counts of the
//! stream's earlier windows. Where values repeat, the truth lies between the two cases.
//!
//! *The filtration matters.* The capital is an e-process for somebody who sees this stream's
//! p-values, not for one who also sees other columns of the same rows: their p-values are uniform
//! too, but how they go together depends on what the columns have in common, the bag included.
//! [`running_maximum`](super::running_maximum) and [`e_bh`](super::e_bh) say what is left, and it is
//! enough.
//!
//! # Example
//!
//! ```
//! use stats::sequential::conformal::window_p_value;
//! let before = [4000, 3000, 3000];
//! assert!(window_p_value(&before, &[400, 310, 290])?.p_value > 0.5);
//! assert!(window_p_value(&before, &[300, 350, 350])?.p_value < 1e-6);
//! # Ok::<(), stats::counts::CountsError>(())
//! ```
//!
//! # References
//!
//! * V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2nd edition, 2022,
//!   chapters 2 (p-values are independent and uniform) and 8 (testing exchangeability).
//! * V. Vovk, I. Nouretdinov, A. Gammerman, "Testing exchangeability on-line", ICML 2003.
//! * H. O. Lancaster, "The derivation and partition of χ² in certain discrete distributions",
//!   Biometrika 36, 1949: the splits; "Statistical control of counting experiments", Biometrika 39,
//!   1952: adding them up exactly.

use serde::{Deserialize, Serialize};

use super::P_VALUE_FLOOR;
use crate::counts::{self, CountsError};
use crate::hypergeometric::Hypergeometric;
use crate::special::{chi_square_sf, normal_quantile};

/// Cells whose expected count is below this on the smaller side are pooled. Only power depends on
/// it: the p-value is valid for any pooling that looks at the bag alone.
const EXPECTED_LEAST: f64 = 5.0;

/// One window held against everything before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowComparison {
    /// At least as likely as the true one is, given the bag; from 1e-300 to 1. It is 1 where there
    /// is nothing to compare.
    pub p_value: f64,
    /// `Σ zᵢ²`, near Pearson's χ² with many rows.
    pub statistic: f64,
    /// Compared cells less one; 0 where one cell holds everything.
    pub degrees_of_freedom: u64,
    /// How many occupied cells were lost by putting rare ones together.
    pub pooled: u64,
    /// Rows of the reference and of all windows before.
    pub n_before: u64,
    /// Rows of the window.
    pub n_window: u64,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    before: u64,
    window: u64,
}

impl Cell {
    fn all(self) -> u64 {
        self.before + self.window
    }

    fn and(self, other: Cell) -> Cell {
        Cell { before: self.before + other.before, window: self.window + other.window }
    }
}

/// Conformal p-value of `window` against the rows `before` it.
///
/// `before`: counts per bin of the reference and all earlier windows together, `window`: those of
/// the window, over the same bins, shape `[bins]`. Exact in the sense of the module: under
/// exchangeability the p-value is at most `u` with probability at most `u`.
///
/// # Errors
/// Different lengths, a side without rows, or more than 2⁶⁴ rows.
pub fn window_p_value(before: &[u64], window: &[u64]) -> Result<WindowComparison, CountsError> {
    let (n_before, n_window) = counts::totals(before, window)?;
    let n = counts::total_of_both(n_before, n_window)?;
    let cells = before.iter().zip(window).map(|(&before, &window)| Cell { before, window });
    let occupied: Vec<Cell> = cells.filter(|cell| cell.all() > 0).collect();
    let occupied_cells = occupied.len();
    let share = n_before.min(n_window) as f64 / n as f64;
    let cells = pool_rare(occupied, EXPECTED_LEAST / share);
    let statistic = split(&cells).1;
    let degrees_of_freedom = cells.len() as u64 - 1;
    let p_value = match degrees_of_freedom {
        0 => 1.0,
        free => chi_square_sf(statistic, free as f64).max(P_VALUE_FLOOR),
    };
    Ok(WindowComparison {
        p_value,
        statistic,
        degrees_of_freedom,
        pooled: (occupied_cells - cells.len()) as u64,
        n_before,
        n_window,
    })
}

/// Bins of which each must be expected to have five rows of the smaller side: rarer ones put together by how many rows
/// both sides have of them.
///
/// `reference` and `current`: counts per bin, shape `[bins]`, in an order that depends on neither. Which bins are put
/// together depends on the sums of both sides alone, so a test over what is returned is as valid as one over bins that
/// were fixed beforehand, and tells sides apart that have different rare values.
///
/// # Errors
/// Different lengths, a side without rows, or more than 2⁶⁴ rows.
pub fn rare_bins_together(reference: &[u64], current: &[u64]) -> Result<(Vec<u64>, Vec<u64>), CountsError> {
    let (n_reference, n_current) = counts::totals(reference, current)?;
    let n = counts::total_of_both(n_reference, n_current)?;
    let cells = reference.iter().zip(current).map(|(&before, &window)| Cell { before, window });
    let share = n_reference.min(n_current) as f64 / n as f64;
    let cells = pool_rare(cells.filter(|cell| cell.all() > 0).collect(), EXPECTED_LEAST / share);
    Ok(cells.into_iter().map(|cell| (cell.before, cell.window)).unzip())
}

/// Puts cells with fewer than `least` rows together with the next rarest until each has as many.
///
/// Looks at nothing but the bag's counts, so it is as good as fixed given the bag.
fn pool_rare(mut cells: Vec<Cell>, least: f64) -> Vec<Cell> {
    if cells.iter().all(|cell| cell.all() as f64 >= least) {
        return cells;
    }
    // Stable, so that the order of equally rare cells is the given one, not the window's.
    cells.sort_by_key(|cell| cell.all());
    let mut pooled: Vec<Cell> = Vec::new();
    let mut open = Cell::default();
    for cell in cells {
        open = open.and(cell);
        if open.all() as f64 >= least {
            pooled.push(open);
            open = Cell::default();
        }
    }
    match pooled.last_mut() {
        Some(last) => *last = last.and(open),
        None => pooled.push(open),
    }
    pooled
}

/// The cells together, and the sum of the squared scores of all splits among them.
fn split(cells: &[Cell]) -> (Cell, f64) {
    if let [only] = cells {
        return (*only, 0.0);
    }
    let (left, right) = cells.split_at(cells.len() / 2);
    let ((left, scores_left), (right, scores_right)) = (split(left), split(right));
    (left.and(right), scores_left + scores_right + squared_score(left, right))
}

/// `z²` of the left cell's window rows among those of both, on the side that errs towards 0.
fn squared_score(left: Cell, right: Cell) -> f64 {
    let draw = Hypergeometric::new(left.all(), right.all(), left.window + right.window);
    let mean = left.all() as f64 * (left.window + right.window) as f64 / left.and(right).all() as f64;
    let tail = if left.window as f64 <= mean {
        draw.at_most(left.window)
    } else {
        draw.of_others().at_most(right.window)
    };
    // A tail that has underflowed is raised to the smallest number, which only weakens the evidence.
    if tail < 0.5 { normal_quantile(tail.max(f64::MIN_POSITIVE)).powi(2) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cell_and_all_rare_cells_have_nothing_to_compare() {
        for (before, window, pooled) in [(vec![7], vec![1], 0), (vec![1, 1, 1], vec![1, 0, 0], 2)] {
            let found = window_p_value(&before, &window).unwrap();
            assert_eq!((found.p_value, found.statistic, found.degrees_of_freedom), (1.0, 0.0, 0));
            assert_eq!(found.pooled, pooled);
        }
    }

    #[test]
    fn rare_cells_are_pooled_in_groups_and_not_all_into_one() {
        // Half of the rows are the window's, so ten rows of both make five expected.
        let found = window_p_value(&[3, 3, 3, 3, 50], &[3, 3, 3, 3, 50]).unwrap();
        assert_eq!((found.pooled, found.degrees_of_freedom), (2, 2));
    }

    #[test]
    fn a_window_from_elsewhere_has_the_least_p_value() {
        let found = window_p_value(&[1_000_000, 0], &[0, 1_000_000]).unwrap();
        assert_eq!(found.p_value, P_VALUE_FLOOR);
    }

    #[test]
    fn sides_that_cannot_be_compared_are_errors() {
        for (before, window) in
            [(vec![], vec![]), (vec![0], vec![1]), (vec![1], vec![1, 1]), (vec![u64::MAX], vec![1])]
        {
            assert!(window_p_value(&before, &window).is_err(), "{before:?} {window:?}");
        }
    }
}
