//! The profile of a categorical column.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use stats::sketch::{CategoricalProfile, Fidelity};

use super::Summary;

/// Different values that are counted exactly.
const MOST_VALUES: usize = 65_536;

/// Views of at most this many bytes hold their text themselves.
const INLINE_BYTES: u128 = 12;

/// Counts of values, taken as text.
///
/// A text view of up to twelve bytes is its own text, so those are counted by the 16 bytes of the
/// view, from batch to batch. Longer texts of one batch share their bytes when they come from one
/// dictionary page, so they are counted by view within the batch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CategoriesSummary {
    profile: CategoricalProfile,
    /// Counts that have not been added to the profile yet, by inline view.
    #[serde(skip)]
    inline: HashMap<u128, u64, FixedState>,
}

impl CategoriesSummary {
    pub(crate) fn into_profile(self) -> CategoricalProfile {
        self.profile
    }

    fn settle(&mut self) {
        for (view, count) in self.inline.drain() {
            let bytes = view.to_le_bytes();
            let length = (view as u32) as usize;
            let text = std::str::from_utf8(&bytes[4..4 + length]).unwrap_or_default();
            self.profile.values.add(text, count);
        }
    }
}

impl Summary for CategoriesSummary {
    const NAME: &'static str = "profile_categories";

    fn arguments() -> Vec<DataType> {
        vec![DataType::Utf8View]
    }

    fn new(_: Fidelity) -> Self {
        Self { profile: CategoricalProfile::new(MOST_VALUES), inline: HashMap::default() }
    }

    fn extend(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let views = cast(&columns[0], &DataType::Utf8View)?;
        let views: &StringViewArray = views.as_string_view();
        self.profile.nulls += views.null_count() as u64;
        let mut long: HashMap<u128, (usize, u64), FixedState> = HashMap::default();
        for (row, &view) in views.views().iter().enumerate() {
            if views.is_null(row) {
                continue;
            }
            if u128::from(view as u32) <= INLINE_BYTES {
                *self.inline.entry(view).or_insert(0) += 1;
            } else {
                long.entry(view).or_insert((row, 0)).1 += 1;
            }
        }
        for (row, count) in long.into_values() {
            self.profile.values.add(views.value(row), count);
        }
        if self.inline.len() > MOST_VALUES {
            self.settle();
        }
        Ok(())
    }

    fn merge(&mut self, mut other: Self) {
        other.settle();
        self.profile.merge(&other.profile);
    }

    fn heap_bytes(&self) -> usize {
        self.profile.values.heap_bytes() + self.inline.capacity() * 32
    }

    fn finish(&mut self) {
        self.settle();
    }
}
