//! Which losses can be measured.

/// Losses of this size or more have squares of squares that no 64-bit float holds.
const LARGEST: f64 = 1e72;

/// The position of the first loss that cannot be measured: NaN, infinite, or too large to square.
pub(crate) fn first_unmeasurable(losses: &[f64]) -> Option<usize> {
    losses.iter().position(|loss| loss.is_nan() || loss.abs() >= LARGEST)
}

/// Whether every loss is 0 or 1: mistakes, whose mean is a share.
pub(crate) fn are_mistakes(losses: &[f64]) -> bool {
    losses.iter().all(|&loss| loss == 0.0 || loss == 1.0)
}
