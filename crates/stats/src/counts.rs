//! Two rows of counts over the same bins or categories, and what makes them comparable.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One of the two things compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What is compared against.
    Reference,
    /// What is examined.
    Current,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Reference => "reference",
            Side::Current => "current",
        })
    }
}

/// Why two rows of counts cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CountsError {
    /// The sides were counted over different bins.
    #[error("compare {reference} reference bins with {current} current ones: count both over the same bins")]
    DifferentLengths {
        /// Bins of the reference.
        reference: usize,
        /// Bins of the current side.
        current: usize,
    },
    /// One side is empty, so it has no shares.
    #[error("compare shares: the {side} side has no rows")]
    NoRows {
        /// Which one.
        side: Side,
    },
    /// More rows than a 64-bit count holds.
    #[error("count the rows: the {side} counts add up to more than 2^64")]
    TooManyRows {
        /// Which one.
        side: Side,
    },
}

/// The totals of both sides, once they are known to be comparable.
pub(crate) fn totals(reference: &[u64], current: &[u64]) -> Result<(u64, u64), CountsError> {
    if reference.len() != current.len() {
        return Err(CountsError::DifferentLengths { reference: reference.len(), current: current.len() });
    }
    Ok((total(reference, Side::Reference)?, total(current, Side::Current)?))
}

fn total(counts: &[u64], side: Side) -> Result<u64, CountsError> {
    let sum = counts
        .iter()
        .try_fold(0_u64, |sum, &count| sum.checked_add(count))
        .ok_or(CountsError::TooManyRows { side })?;
    match sum {
        0 => Err(CountsError::NoRows { side }),
        sum => Ok(sum),
    }
}

/// All rows of both sides, whose totals are known.
pub(crate) fn total_of_both(reference: u64, current: u64) -> Result<u64, CountsError> {
    reference.checked_add(current).ok_or(CountsError::TooManyRows { side: Side::Current })
}

/// The shares of both sides per bin, the reference's first.
pub(crate) fn shares<'a>(
    reference: &'a [u64],
    current: &'a [u64],
) -> Result<impl Iterator<Item = (f64, f64)> + 'a, CountsError> {
    let (n, m) = totals(reference, current)?;
    let pairs = reference.iter().zip(current);
    Ok(pairs.map(move |(&r, &c)| (r as f64 / n as f64, c as f64 / m as f64)))
}

/// How many bins hold each number of rows, both sides together; empty bins are left out. With many
/// bins there are few different numbers, so that what depends on them alone is computed seldom.
pub(crate) fn bins_by_rows(reference: &[u64], current: &[u64]) -> Vec<(u64, u64)> {
    let pairs = reference.iter().zip(current);
    let mut rows: Vec<u64> = pairs.map(|(&r, &c)| r.saturating_add(c)).filter(|&both| both > 0).collect();
    rows.sort_unstable();
    rows.chunk_by(|a, b| a == b).map(|same| (same[0], same.len() as u64)).collect()
}

/// The number of bins that are occupied on either side.
pub(crate) fn occupied(reference: &[u64], current: &[u64]) -> usize {
    let pairs = reference.iter().zip(current);
    pairs.filter(|&(&r, &c)| r > 0 || c > 0).count()
}

/// `(occupied bins − 1)(1/n + 1/m)`: what chance alone contributes to `Σ (p − q)² / p`; 0 where
/// there is nothing to compare.
pub(crate) fn chance_divergence(reference: &[u64], current: &[u64]) -> f64 {
    let Ok((n, m)) = totals(reference, current) else {
        return 0.0;
    };
    let free = occupied(reference, current) - 1;
    free as f64 * (1.0 / n as f64 + 1.0 / m as f64)
}
