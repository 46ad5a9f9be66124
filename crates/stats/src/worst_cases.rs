//! The worst cases: the rows with the largest losses, to be looked at one by one.
//!
//! # What it measures
//!
//! Nothing: it picks rows. What they have in common is a question for
//! [`worst_subpopulation`](crate::worst_subpopulation).
//!
//! # When it misleads
//!
//! The largest losses are often wrong outcomes, not wrong predictions.
//!
//! # Formula
//!
//! The rows in descending order of loss, rows of equal loss in the order given.
//!
//! # Example
//!
//! ```
//! use stats::worst_cases::worst_cases;
//! assert_eq!(worst_cases(&[0.2, 3.0, 0.1, 3.0], 3)?, [1, 3, 0]);
//! # Ok::<(), stats::worst_cases::LossNotANumber>(())
//! ```

use thiserror::Error;

/// A loss that compares with nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("rank the loss of row {row}: it is not a number")]
pub struct LossNotANumber {
    /// Position of the row.
    pub row: usize,
}

/// The positions of the `k` largest `losses`, the largest first, or of all where there are fewer.
///
/// # Errors
/// A loss that is not a number; infinite ones are.
pub fn worst_cases(losses: &[f64], k: usize) -> Result<Vec<usize>, LossNotANumber> {
    if let Some(row) = losses.iter().position(|loss| loss.is_nan()) {
        return Err(LossNotANumber { row });
    }
    let mut rows: Vec<usize> = (0..losses.len()).collect();
    // Compared as numbers, -0 and 0 are equal; a stable sort keeps the order of equals.
    rows.sort_by(|&a, &b| losses[b].partial_cmp(&losses[a]).unwrap_or(std::cmp::Ordering::Equal));
    rows.truncate(k);
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_losses_keep_their_order_and_what_is_no_number_is_refused() {
        assert_eq!(worst_cases(&[0.0, -0.0, 0.0], 9), Ok(vec![0, 1, 2]));
        assert_eq!(worst_cases(&[1.0, f64::INFINITY, f64::NEG_INFINITY], 2), Ok(vec![1, 0]));
        assert_eq!(worst_cases(&[], 2), Ok(vec![]));
        assert_eq!(worst_cases(&[1.0], 0), Ok(vec![]));
        assert_eq!(worst_cases(&[1.0, f64::NAN], 1), Err(LossNotANumber { row: 1 }));
    }
}
