//! Isotonic regression: the best fit that never falls.
//!
//! # What it measures
//!
//! The weighted least-squares fit of `y` by a function of `x` that does not decrease. It makes
//! scores into probabilities without assuming a shape: only that a higher score is no less likely
//! to be positive.
//!
//! # When it misleads
//!
//! * It follows its data closely: with few rows it is a staircase of chance, and its ends reach
//!   the smallest and the largest outcome too readily.
//! * Where `y` truly falls with `x`, it answers a constant and says nothing of it.
//! * Outside of the data it continues with the nearest value.
//!
//! # Formula
//!
//! `min Σ wᵢ (yᵢ − f(xᵢ))²` over non-decreasing `f`, solved by pooling adjacent violators: equal `x`
//! become their weighted mean, and neighbouring blocks are merged while the left one is not below
//! the right one. Between blocks `f` is the straight line, as in scikit-learn's
//! `IsotonicRegression(out_of_bounds="clip")`.
//!
//! # Example
//!
//! ```
//! use stats::estimated::isotonic::Isotonic;
//! let fit = Isotonic::fit([(0.1, 0.0, 1.0), (0.2, 1.0, 1.0), (0.3, 0.0, 1.0), (0.5, 1.0, 1.0)])?;
//! assert_eq!(fit.predict(0.25), 0.5);          // 0.2 and 0.3 are one block
//! assert!((fit.predict(0.4) - 0.75).abs() < 1e-12); // half-way from 0.3 to 0.5
//! assert_eq!(fit.predict(9.0), 1.0);
//! # Ok::<(), stats::estimated::isotonic::IsotonicError>(())
//! ```
//!
//! # References
//!
//! * M. Ayer, H. D. Brunk, G. M. Ewing, W. T. Reid, E. Silverman, "An empirical distribution
//!   function for sampling with incomplete information", Ann. Math. Stat. 26, 1955.
//! * B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability
//!   estimates", KDD 2002: isotonic calibration of scores.

use thiserror::Error;

/// A fitted non-decreasing function.
#[derive(Clone, Debug, PartialEq)]
pub struct Isotonic {
    blocks: Vec<Block>,
}

/// Neighbouring inputs with one fitted value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// The smallest input in the block.
    pub first: f64,
    /// The largest input in the block.
    pub last: f64,
    /// The weighted mean of the block's outputs.
    pub value: f64,
    /// The weight of the block's inputs.
    pub weight: f64,
}

/// Why nothing could be fitted.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum IsotonicError {
    /// No point with a weight.
    #[error("fit an isotonic function: no point has a weight above zero")]
    NoPoints,
    /// A coordinate that is infinite or not a number.
    #[error("fit an isotonic function: point {index} is infinite or not a number")]
    NotFinite {
        /// Position in the input.
        index: usize,
    },
    /// A weight below zero.
    #[error("fit an isotonic function: point {index} has the weight {weight}, below zero")]
    NegativeWeight {
        /// Position in the input.
        index: usize,
        /// The weight.
        weight: f64,
    },
}

/// Where an input lies between two blocks: `(1 − share) · lower + share · upper`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) lower: usize,
    pub(super) upper: usize,
    pub(super) share_of_upper: f64,
}

impl Place {
    /// The value between those of the two blocks.
    pub(super) fn between(&self, of_block: impl Fn(usize) -> f64) -> f64 {
        let lower = of_block(self.lower);
        lower + self.share_of_upper * (of_block(self.upper) - lower)
    }
}

impl Isotonic {
    /// Fits `(x, y, weight)` points, in any order and with ties. Points of weight 0 do not count.
    pub fn fit(points: impl IntoIterator<Item = (f64, f64, f64)>) -> Result<Isotonic, IsotonicError> {
        let mut points: Vec<(f64, f64, f64)> = points.into_iter().collect();
        for (index, &(x, y, weight)) in points.iter().enumerate() {
            if !(x.is_finite() && y.is_finite() && weight.is_finite()) {
                return Err(IsotonicError::NotFinite { index });
            }
            if weight < 0.0 {
                return Err(IsotonicError::NegativeWeight { index, weight });
            }
        }
        points.retain(|&(.., weight)| weight > 0.0);
        // By output and weight too, so that the order of the rows does not reach the last digit.
        points.sort_unstable_by(|a, b| {
            (a.0 + 0.0).total_cmp(&(b.0 + 0.0)).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        });
        let mut blocks: Vec<Block> = Vec::new();
        for (x, y, weight) in points {
            let x = x + 0.0; // turns -0.0 into 0.0
            let here = Block { first: x, last: x, value: y, weight };
            match blocks.last_mut() {
                Some(before) if before.last == x => *before = merged(before, &here),
                _ => blocks.push(here),
            }
        }
        let blocks = pooled(blocks);
        if blocks.is_empty() { Err(IsotonicError::NoPoints) } else { Ok(Isotonic { blocks }) }
    }

    /// The fitted value at `x`: of its block, on the line between two blocks, or of the nearest
    /// block outside of the data. NaN stays NaN.
    pub fn predict(&self, x: f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        self.locate(x).between(|block| self.blocks[block].value)
    }

    /// The blocks, ascending in inputs and in values.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// `x` must not be NaN.
    pub(super) fn locate(&self, x: f64) -> Place {
        let at = |block| Place { lower: block, upper: block, share_of_upper: 0.0 };
        // The first block that ends at or after x.
        let upper = self.blocks.partition_point(|block| block.last < x);
        match self.blocks.get(upper) {
            None => at(self.blocks.len() - 1),
            Some(block) if block.first <= x || upper == 0 => at(upper),
            Some(block) => {
                let lower = &self.blocks[upper - 1];
                let share_of_upper = (x - lower.last) / (block.first - lower.last);
                Place { lower: upper - 1, upper, share_of_upper }
            }
        }
    }
}

/// Merges neighbours until the values ascend strictly.
fn pooled(points: Vec<Block>) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::with_capacity(points.len());
    for mut here in points {
        while let Some(before) = blocks.pop_if(|before| before.value >= here.value) {
            here = merged(&before, &here);
        }
        blocks.push(here);
    }
    blocks
}

fn merged(left: &Block, right: &Block) -> Block {
    let weight = left.weight + right.weight;
    // The share form stays finite and between the two values for weights of any size.
    let value = left.value + (right.value - left.value) * (right.weight / weight);
    Block { first: left.first, last: right.last, value, weight }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_fitted_says_why() {
        assert_eq!(Isotonic::fit([]), Err(IsotonicError::NoPoints));
        assert_eq!(Isotonic::fit([(0.1, 1.0, 0.0)]), Err(IsotonicError::NoPoints));
        let negative = Isotonic::fit([(0.1, 1.0, 1.0), (0.2, 1.0, -2.0)]);
        assert_eq!(negative, Err(IsotonicError::NegativeWeight { index: 1, weight: -2.0 }));
        for bad in [(f64::NAN, 1.0, 1.0), (0.0, f64::INFINITY, 1.0), (0.0, 0.0, f64::NAN)] {
            assert_eq!(Isotonic::fit([bad]), Err(IsotonicError::NotFinite { index: 0 }));
        }
    }

    #[test]
    fn one_point_is_a_constant() {
        let fit = Isotonic::fit([(0.4, 0.7, 2.0)]).unwrap();
        for x in [f64::NEG_INFINITY, 0.0, 0.4, 1.0, f64::INFINITY] {
            assert_eq!(fit.predict(x), 0.7);
        }
        assert!(fit.predict(f64::NAN).is_nan());
    }

    #[test]
    fn falling_outputs_are_one_block_with_their_mean() {
        let fit = Isotonic::fit((0..5).map(|i| (f64::from(i), f64::from(-i), 1.0))).unwrap();
        assert_eq!(fit.blocks().len(), 1);
        assert!((fit.predict(2.0) + 2.0).abs() < 1e-12);
    }

    #[test]
    fn ties_count_as_their_weighted_mean_in_any_order() {
        let rows = [(0.5, 1.0, 1.0), (0.1, 0.2, 1.0), (0.5, 0.0, 3.0), (-0.0, 0.0, 1.0), (0.0, 0.1, 1.0)];
        let fit = Isotonic::fit(rows).unwrap();
        assert_eq!(fit, Isotonic::fit(rows.into_iter().rev()).unwrap());
        assert!((fit.predict(0.0) - 0.05).abs() < 1e-12);
        assert!((fit.predict(0.5) - 0.25).abs() < 1e-12);
    }
}
