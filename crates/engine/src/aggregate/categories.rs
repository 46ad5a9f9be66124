//! The profile of a categorical column.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ByteView, StringViewArray};
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use stats::sketch::{CategoricalProfile, Fidelity, StoredCategoricalProfile};

use super::{Summary, decode_as};

/// Different values that are counted exactly.
const MOST_VALUES: usize = 65_536;

/// Views of at most this many bytes hold their text themselves.
const INLINE_BYTES: u128 = 12;

/// Counts of values, taken as text.
///
/// A text view of up to twelve bytes is its own text, so those are counted by the 16 bytes of the
/// view. A longer one points into a buffer, and a Parquet dictionary holds each text once, so those
/// are counted by view too for as long as batches come with the same buffers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CategoriesSummary {
    profile: CategoricalProfile,
    /// Counts that have not been added to the profile yet, by inline view.
    #[serde(skip)]
    inline: Views,
    /// Likewise of longer texts, which lie in `buffers`.
    #[serde(skip)]
    long: Views,
    #[serde(skip)]
    buffers: Vec<Buffer>,
    /// Counts by the offset of the text, where there is one small buffer: a dictionary.
    #[serde(skip)]
    dictionary: Vec<(u32, u64)>,
}

/// The summary as it is written, with the texts where they lie.
#[derive(Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    profile: StoredCategoricalProfile<'a>,
}

/// A buffer of at most this many bytes is counted by offset.
const DICTIONARY_BYTES: usize = 1 << 20;

/// Counts by the 16 bytes of a view.
type Views = HashMap<u128, u64, FixedState>;

impl CategoriesSummary {
    pub(crate) fn into_profile(self) -> CategoricalProfile {
        self.profile
    }

    fn settle(&mut self) {
        self.settle_long();
        for (view, count) in self.inline.drain() {
            let bytes = view.to_le_bytes();
            let length = (view as u32) as usize;
            let text = std::str::from_utf8(&bytes[4..4 + length]).unwrap_or_default();
            self.profile.values.add(text, count);
        }
    }

    fn settle_long(&mut self) {
        let text = |buffer: usize, from: usize, length: u32| {
            std::str::from_utf8(&self.buffers[buffer][from..from + length as usize]).unwrap_or_default()
        };
        for (view, count) in self.long.drain() {
            let view = ByteView::from(view);
            self.profile
                .values
                .add(text(view.buffer_index as usize, view.offset as usize, view.length), count);
        }
        for (from, (length, count)) in self.dictionary.iter_mut().enumerate().filter(|(_, entry)| entry.1 > 0)
        {
            self.profile.values.add(text(0, from, *length), std::mem::take(count));
        }
    }

    /// Counted views stay valid only as long as they point into the same buffers.
    fn use_buffers(&mut self, buffers: &[Buffer]) {
        let same = self.buffers.len() == buffers.len()
            && self.buffers.iter().zip(buffers).all(|(a, b)| a.as_ptr() == b.as_ptr() && a.len() == b.len());
        if !same {
            self.settle_long();
            self.buffers = buffers.to_vec();
            let bytes = if let [only] = buffers { only.len() } else { 0 };
            self.dictionary.clear();
            if bytes <= DICTIONARY_BYTES {
                self.dictionary.resize(bytes, (0, 0));
            }
        }
    }
}

impl Summary for CategoriesSummary {
    const NAME: &'static str = "profile_categories";

    fn arguments() -> Vec<DataType> {
        vec![DataType::Utf8View]
    }

    fn new(_: Fidelity) -> Self {
        Self {
            profile: CategoricalProfile::new(MOST_VALUES),
            inline: Views::default(),
            long: Views::default(),
            buffers: Vec::new(),
            dictionary: Vec::new(),
        }
    }

    fn extend(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let views = cast(&columns[0], &DataType::Utf8View)?;
        let views: &StringViewArray = views.as_string_view();
        self.profile.nulls += views.null_count() as u64;
        self.use_buffers(views.data_buffers());
        let mut count = |view: u128| {
            if u128::from(view as u32) <= INLINE_BYTES {
                *self.inline.entry(view).or_insert(0) += 1;
                return;
            }
            let long = ByteView::from(view);
            match self.dictionary.get_mut(long.offset as usize) {
                // Two texts can start at one offset; the second is counted the other way.
                Some((length, count)) if *count == 0 || *length == long.length => {
                    (*length, *count) = (long.length, *count + 1);
                }
                _ => *self.long.entry(view).or_insert(0) += 1,
            }
        };
        match views.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => views.views().iter().for_each(|view| count(*view)),
            Some(nulls) => nulls.valid_indices().for_each(|row| count(views.views()[row])),
        }
        if self.inline.len().max(self.long.len()) > MOST_VALUES {
            self.settle();
        }
        Ok(())
    }

    fn merge(&mut self, mut other: Self) {
        other.settle();
        self.profile.merge(&other.profile);
    }

    fn merge_encoded(&mut self, bytes: &[u8]) -> Result<()> {
        let stored: Stored<'_> = decode_as::<Self, _>(bytes)?;
        self.profile.merge_stored(&stored.profile);
        Ok(())
    }

    fn heap_bytes(&self) -> usize {
        self.profile.values.heap_bytes()
            + (self.inline.capacity() + self.long.capacity()) * 32
            + self.dictionary.capacity() * 16
    }

    fn finish(&mut self) {
        self.settle();
    }
}
