//! Whether slices that were found are worse than the rest on rows that were not searched.
//!
//! # What it measures
//!
//! For each slice the mean loss of its rows beside that of all other rows: their difference, the lift (the
//! slice's mean over that of all rows), and how probable a slice so bad would be if its rows were no worse.
//!
//! # When it misleads
//!
//! * On the rows that were searched. The best of many slices is bad there by construction, and neither
//!   p-value nor interval knows of the search.
//! * The intervals are each their own: of twenty at 95 % one misses. Only the p-values are adjusted.
//! * Rows must be independent; a thousand rows of ten customers are closer to ten.
//!
//! # Formula
//!
//! *Losses of 0 and 1*: Fisher's exact test, the probability that a draw of as many rows without replacement
//! has as many ones or more. Newcombe's interval of the difference; for the ratio of the two shares Walter's
//! logarithm with half a row added to all four counts.
//!
//! *Other losses*: the larger of two p-values, because each fails where the other holds. With the losses of
//! all `N` rows given, the mean of `n` of them drawn at random has the variance `m₂ (N−n) / (n (N−1))` and the
//! third moment `m₃ (N−n)(N−2n) / (n² (N−1)(N−2))`; a gamma distribution with these moments (Pearson's type
//! III) replaces the permutations. It takes any skewness of the losses into account, but as the null hypothesis
//! that the losses have nothing to do with the slice at all. Welch's t-test asks for equal means only, whatever
//! the spread on either side, but a skewed mean of few rows is not normal: too many small values of p where the
//! slice is most of the rows, too few where it is not. Welch's interval of the difference; for the ratio of
//! the means the normal interval of its logarithm.
//!
//! A ratio `ρ` of the slice's mean to the other rows' is a lift of `ρ / (w ρ + 1 − w)`, `w` the slice's share
//! of the rows; its interval is carried over. Adjusted p-values are Holm's over all slices handed in.
//!
//! # References
//!
//! * R. A. Fisher, "The logic of inductive inference", J. R. Stat. Soc. 98, 1935.
//! * P. W. Mielke, K. J. Berry, "Permutation methods: a distance function approach", 2nd ed., Springer 2007,
//!   section 2.3: Pearson's type III with the moments of the permutations.
//! * B. L. Welch, "The generalization of Student's problem when several different population variances are
//!   involved", Biometrika 34, 1947.
//! * S. D. Walter, "The distribution of Levin's measure of attributable risk", Biometrika 62, 1975.

use serde::{Deserialize, Serialize};

use super::comparison::Losses;
use super::encoding::EncodedColumn;
use super::members::rows_of;
use super::{Slice, SliceError, check_table};
use crate::false_discovery::holm;
use crate::interval::{Interval, Level};

/// A slice on rows that were not searched.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirmed {
    /// Rows of the slice.
    pub rows: u64,
    /// All other rows.
    pub rows_outside: u64,
    /// How much worse the slice is; `None` where either side has too few rows: none at all, or less than two
    /// where losses are not 0 and 1.
    pub comparison: Option<Comparison>,
    /// One-sided: the slice is no worse than the other rows. 1 where they could not be compared.
    pub p_value: f64,
    /// The same for any of the slices that were handed in (Holm).
    pub p_adjusted: f64,
}

impl Confirmed {
    /// Whether the slice is worse than the rest, with a probability of at most `alpha_one_sided` that this is
    /// said of any slice that is not.
    pub fn is_confirmed(&self, alpha_one_sided: f64) -> bool {
        self.p_adjusted <= alpha_one_sided
    }
}

/// The losses of a slice beside those of all other rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Mean loss of the slice.
    pub mean_inside: f64,
    /// Mean loss of the other rows.
    pub mean_outside: f64,
    /// Mean loss of all rows.
    pub mean_overall: f64,
    /// The slice's mean less the other rows'.
    pub difference: f64,
    /// Of the difference.
    pub difference_interval: Interval,
    /// The slice's mean over that of all rows; 1 where all losses are 0.
    pub lift: f64,
    /// Of the lift; `None` where losses are not only 0 and 1, and those of a side are all 0 or nothing varies.
    pub lift_interval: Option<Interval>,
    /// How the p-value was made.
    pub method: ComparisonMethod,
}

/// How a slice was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComparisonMethod {
    /// Fisher's exact test of a 2 × 2 table.
    FisherExact,
    /// The larger p-value of Welch's test and of the moments of a permutation test.
    WelchAndPermutation,
}

/// Compares each of `slices` with the rest of the rows of `columns`, which must not be the rows that they
/// were found in: encode these with what was learnt there ([`Encoding`](super::Encoding)).
///
/// ```
/// use stats::interval::Level;
/// use stats::slice_search::{EncodedColumn, SliceOptions, confirm, find_slices};
/// let half = |from: u32| {
///     let rows = from..from + 400;
///     let losses: Vec<f64> = rows.clone().map(|row| f64::from(row % 4 == 2 && row % 3 > 0 || row % 7 == 0)).collect();
///     ([EncodedColumn { codes: rows.map(|row| row % 4).collect(), cardinality: 4 }], losses)
/// };
/// let ((searched, losses), (others, their_losses)) = (half(0), half(400));
/// let found = find_slices(&searched, &losses, &SliceOptions::new(400))?;
/// let confirmed = confirm(&found.slices, &others, &their_losses, Level::P95)?;
/// assert!(confirmed[0].is_confirmed(0.05));
/// assert!(confirmed[0].comparison.is_some_and(|of| of.lift > 2.0 && of.difference_interval.lower > 0.4));
/// # Ok::<(), stats::slice_search::SliceError>(())
/// ```
///
/// # Errors
/// As [`find_slices`](super::find_slices); a condition on a column that is not there.
pub fn confirm(
    slices: &[Slice],
    columns: &[EncodedColumn],
    losses: &[f64],
    level: Level,
) -> Result<Vec<Confirmed>, SliceError> {
    check_table(columns, losses)?;
    let all = Losses::new(losses);
    let mut confirmed = Vec::with_capacity(slices.len());
    for slice in slices {
        confirmed.push(all.confirm(&rows_of(&slice.conditions, columns)?, level));
    }
    let p_values: Vec<f64> = confirmed.iter().map(|slice| slice.p_value).collect();
    for (slice, p_adjusted) in confirmed.iter_mut().zip(holm(&p_values)) {
        slice.p_adjusted = p_adjusted;
    }
    Ok(confirmed)
}
