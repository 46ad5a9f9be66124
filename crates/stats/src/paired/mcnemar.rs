//! McNemar's test: are two models equally often right on the same rows?
//!
//! # What it measures
//!
//! The second model's share of rows called right less the first's, and whether that is luck. Only the rows
//! on which the models differ say anything.
//!
//! # When it misleads
//!
//! * The exact p-value is larger than it needs to be with few differing rows; the mid-p value is close to
//!   its level and hardly ever above it. With none, nothing can be told.
//! * Equally often right does not mean right on the same rows: look at `wins` and `losses`.
//!
//! # Formula
//!
//! With `b` rows on which only the first is right and `c` on which only the second is, `X` binomial of
//! `b + c` trials at one half: exact `min(1, 2 P(X ≤ min(b, c)))`, mid-p
//! `2 P(X ≤ min(b, c)) − P(X = min(b, c))`. Interval after Bonett and Price: with
//! `p = (c + 1) / (n + 2)`, `q = (b + 1) / (n + 2)`: `p − q ± z √((p + q − (p − q)²) / (n + 2))`, cut at ±1.
//!
//! # Example
//!
//! ```
//! use stats::{interval::Level, paired::mcnemar::mcnemar};
//! let first = [true, true, false, false, true, false, true, false];
//! let second = [true, true, true, true, true, true, true, false];
//! let found = mcnemar(&first, &second, Level::P95)?;
//! assert_eq!((found.rows.wins, found.rows.losses, found.difference.value), (3, 0, 0.375));
//! assert!((found.p_exact - 0.25).abs() < 1e-12 && (found.p_mid - 0.125).abs() < 1e-12);
//! # Ok::<(), stats::paired::PairedError>(())
//! ```
//!
//! # References
//!
//! * Q. McNemar, Psychometrika 12, 1947.
//! * M. W. Fagerland, S. Lydersen, P. Laake, "The McNemar test for binary matched-pairs data: mid-p and
//!   asymptotic are better than exact conditional", BMC Med. Res. Methodol. 13, 2013.
//! * D. G. Bonett, R. M. Price, "Adjusted Wald confidence interval for a difference of binomial proportions
//!   based on paired data", J. Educ. Behav. Stat. 37, 2012.

use serde::{Deserialize, Serialize};

use super::{PairedError, WinsTiesLosses};
use crate::classification::Estimate;
use crate::hypergeometric::ln_binomial_probability;
use crate::interval::{Interval, IntervalMethod, Level};

/// How often two models are right on the same rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// The second model's share of rows called right less the first's, in [−1, 1].
    pub difference: Estimate,
    /// Two-sided and exact.
    pub p_exact: f64,
    /// Two-sided, half of the probability of what was seen.
    pub p_mid: f64,
    /// Rows on which only the second (wins), both or neither, only the first (losses) was right.
    pub rows: WinsTiesLosses,
}

/// Compares on which rows two models are right.
///
/// # Errors
/// Slices of different length, or no rows.
pub fn mcnemar(first: &[bool], second: &[bool], level: Level) -> Result<McNemar, PairedError> {
    if first.len() != second.len() {
        let (first, second) = (first.len(), second.len());
        return Err(PairedError::LengthsDiffer { first, second, outcomes: first });
    }
    let mut rows = WinsTiesLosses::default();
    for pair in first.iter().zip(second) {
        match pair {
            (false, true) => rows.wins += 1,
            (true, false) => rows.losses += 1,
            _ => rows.ties += 1,
        }
    }
    if first.is_empty() {
        return Err(PairedError::TooFewRows { n: 0, needed: 1 });
    }
    let n = first.len() as f64;
    let (wins, losses) = (rows.wins as f64, rows.losses as f64);
    let value = (wins - losses) / n;
    let (p, q) = ((wins + 1.0) / (n + 2.0), (losses + 1.0) / (n + 2.0));
    let half = level.z() * ((p + q - (p - q).powi(2)) / (n + 2.0)).sqrt();
    let interval = Interval {
        lower: (p - q - half).max(-1.0).min(value),
        upper: (p - q + half).min(1.0).max(value),
        level,
        method: IntervalMethod::BonettPrice,
    };
    let (p_exact, p_mid) = two_sided(rows.wins.min(rows.losses), rows.wins + rows.losses);
    let difference = Estimate { value, interval, n: first.len() as u64, error_bound: 0.0 };
    Ok(McNemar { difference, p_exact, p_mid, rows })
}

/// The exact and the mid-p value of `least` heads or fewer, or as few tails, in `n` throws of a fair coin.
fn two_sided(least: u64, n: u64) -> (f64, f64) {
    if n == 0 {
        return (1.0, 1.0);
    }
    let probability = ln_binomial_probability(n, least, 0.5, 0.5).exp();
    let (mut term, mut tail, mut at) = (probability, probability, least);
    while at > 0 && term > tail * 1e-17 {
        term *= at as f64 / (n - at + 1) as f64;
        tail += term;
        at -= 1;
    }
    let exact = (2.0 * tail).min(1.0);
    (exact, (2.0 * tail - probability).min(1.0))
}
