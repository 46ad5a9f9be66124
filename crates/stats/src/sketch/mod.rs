//! Mergeable summaries of a column: what is kept of data that is too large, or too far away, to keep.
//!
//! A [`Profile`] of a whole equals the merge of the profiles of its parts: exactly for counts,
//! extremes and frequent values below their cap, to rounding for [`Moments`], and within the stated
//! rank error for a [`QuantileSketch`] that has left its exact mode. A day's profile can therefore
//! be stored once and a month be merged from days. Nothing here compares two profiles; the
//! distances and tests next door do.

mod distinct;
pub mod frequent;
pub mod moments;
pub mod quantile;
mod radix;
pub mod text;
pub mod tokens;
pub mod vectors;
mod weighted_keys;

use serde::{Deserialize, Serialize};

pub use frequent::{FrequentValues, StoredFrequentValues};
pub use moments::Moments;
pub use quantile::{Fidelity, QuantileSketch};
pub use text::TextProfile;
pub use vectors::EmbeddingProfile;

use crate::ecdf::Ecdf;

/// The summary of a column over a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Profile {
    Numeric(NumericProfile),
    Categorical(CategoricalProfile),
    Text(Box<TextProfile>),
    Embedding(EmbeddingProfile),
}

impl Profile {
    pub fn rows(&self) -> u64 {
        match self {
            Self::Numeric(profile) => profile.rows(),
            Self::Categorical(profile) => profile.rows(),
            Self::Text(profile) => profile.rows(),
            Self::Embedding(profile) => profile.rows(),
        }
    }

    /// Rows without a usable value: null or NaN, or a vector that is broken or of another length than most.
    pub fn missing(&self) -> u64 {
        match self {
            Self::Numeric(profile) => profile.nulls + profile.nans,
            Self::Categorical(profile) => profile.nulls,
            Self::Text(profile) => profile.nulls,
            Self::Embedding(profile) => profile.rows() - profile.present(),
        }
    }

    /// Adds another profile of the same column; `None` where it is of another kind.
    pub fn merge(&mut self, other: &Self) -> Option<()> {
        match (self, other) {
            (Self::Numeric(mine), Self::Numeric(theirs)) => mine.merge(theirs),
            (Self::Categorical(mine), Self::Categorical(theirs)) => mine.merge(theirs),
            (Self::Text(mine), Self::Text(theirs)) => mine.merge(theirs),
            (Self::Embedding(mine), Self::Embedding(theirs)) => mine.merge(theirs),
            _ => return None,
        }
        Some(())
    }

    /// The distributions of the numbers that a profile keeps: that of a number, or those of a text's or
    /// a vector's quantities; none of categories.
    pub fn ecdfs(&self) -> Vec<Ecdf> {
        match self {
            Self::Numeric(profile) => vec![profile.ecdf()],
            Self::Categorical(_) => Vec::new(),
            Self::Text(profile) => profile.ecdfs(),
            Self::Embedding(profile) => profile.ecdfs(),
        }
    }
}

/// The summary of a numeric column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumericProfile {
    pub nulls: u64,
    pub nans: u64,
    pub positive_infinities: u64,
    pub negative_infinities: u64,
    /// Of the finite values.
    pub moments: Moments,
    /// Of all values that are not NaN, infinities included.
    pub quantiles: QuantileSketch,
}

impl NumericProfile {
    pub fn new(fidelity: Fidelity) -> Self {
        Self {
            nulls: 0,
            nans: 0,
            positive_infinities: 0,
            negative_infinities: 0,
            moments: Moments::default(),
            quantiles: QuantileSketch::new(fidelity),
        }
    }

    /// Adds values, none of which is null.
    pub fn extend(&mut self, values: &[f64]) {
        if values.iter().all(|value| value.is_finite()) {
            self.moments.extend(values);
            self.quantiles.extend(values);
            return;
        }
        let mut finite = Vec::with_capacity(values.len());
        for &value in values {
            if value.is_nan() {
                self.nans += 1;
            } else if value == f64::INFINITY {
                self.positive_infinities += 1;
            } else if value == f64::NEG_INFINITY {
                self.negative_infinities += 1;
            } else {
                finite.push(value);
            }
        }
        self.moments.extend(&finite);
        self.quantiles.extend(&finite);
    }

    /// Rows with a value that is neither null nor NaN.
    pub fn present(&self) -> u64 {
        self.moments.count() + self.positive_infinities + self.negative_infinities
    }

    pub fn rows(&self) -> u64 {
        self.present() + self.nulls + self.nans
    }

    pub fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        self.nans += other.nans;
        self.positive_infinities += other.positive_infinities;
        self.negative_infinities += other.negative_infinities;
        self.moments.merge(&other.moments);
        self.quantiles.merge(&other.quantiles);
    }

    /// The distribution of the values, with the infinities at its ends.
    pub fn ecdf(&self) -> Ecdf {
        self.quantiles.ecdf_with([
            (f64::NEG_INFINITY, self.negative_infinities),
            (f64::INFINITY, self.positive_infinities),
        ])
    }
}

/// The summary of a categorical column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CategoricalProfile {
    pub nulls: u64,
    pub values: FrequentValues,
}

impl CategoricalProfile {
    pub fn new(most_values: usize) -> Self {
        Self { nulls: 0, values: FrequentValues::new(most_values) }
    }

    pub fn rows(&self) -> u64 {
        self.nulls + self.values.n()
    }

    pub fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        self.values.merge(&other.values);
    }

    /// Merges what was stored, without copying the texts that are known.
    pub fn merge_stored(&mut self, other: &StoredCategoricalProfile<'_>) {
        self.nulls += other.nulls;
        self.values.merge_stored(&other.values);
    }
}

/// A [`CategoricalProfile`] as it was stored, with the texts where they lie.
#[derive(Debug, Deserialize)]
pub struct StoredCategoricalProfile<'a> {
    nulls: u64,
    #[serde(borrow)]
    values: StoredFrequentValues<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_infinite_values_are_counted_apart() {
        let mut profile = NumericProfile::new(Fidelity::Exact);
        profile.nulls += 2;
        profile.extend(&[1.0, f64::NAN, f64::INFINITY, 3.0, f64::NEG_INFINITY]);
        assert_eq!((profile.rows(), profile.present(), profile.nans), (7, 4, 1));
        assert_eq!(profile.moments.mean(), Some(2.0));
        let ecdf = profile.ecdf();
        assert_eq!((ecdf.min(), ecdf.max()), (Some(f64::NEG_INFINITY), Some(f64::INFINITY)));
        assert_eq!(Profile::Numeric(profile).missing(), 3);
    }
}
