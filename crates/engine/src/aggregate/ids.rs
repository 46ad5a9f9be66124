//! How often ids repeat.

use std::hash::{BuildHasher, Hash};

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::common::Result;
use foldhash::quality::FixedState;
use serde::{Deserialize, Serialize};
use stats::sketch::Fidelity;
use types::answer::Identity;

use super::Summary;

/// The 64-bit hashes of a window's ids, eight bytes a row.
///
/// Two different ids are taken for one with probability n² / 2⁶⁵: about three in a million for ten
/// million rows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct IdsSummary {
    hashes: Vec<u64>,
    nulls: u64,
}

impl IdsSummary {
    pub(crate) fn identity(mut self) -> Identity {
        self.hashes.sort_unstable();
        let (mut repeated_ids, mut surplus_rows) = (0, 0);
        for run in self.hashes.chunk_by(|a, b| a == b) {
            if run.len() > 1 {
                repeated_ids += 1;
                surplus_rows += run.len() as u64 - 1;
            }
        }
        Identity {
            rows: self.hashes.len() as u64 + self.nulls,
            null_ids: self.nulls,
            repeated_ids,
            surplus_rows,
        }
    }
}

fn hash(value: impl Hash) -> u64 {
    FixedState::default().hash_one(value)
}

impl Summary for IdsSummary {
    const NAME: &'static str = "id_hashes";

    fn arguments() -> Vec<DataType> {
        vec![DataType::Utf8View]
    }

    fn new(_: Fidelity) -> Self {
        Self { hashes: Vec::new(), nulls: 0 }
    }

    fn extend(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let ids = &columns[0];
        self.nulls += ids.null_count() as u64;
        if ids.data_type() == &DataType::UInt64 {
            self.hashes.extend(ids.as_primitive::<UInt64Type>().iter().flatten().map(hash));
        } else if ids.data_type().is_integer() {
            let ids = cast(ids, &DataType::Int64)?;
            self.hashes.extend(ids.as_primitive::<Int64Type>().iter().flatten().map(hash));
        } else {
            let ids = cast(ids, &DataType::Utf8View)?;
            self.hashes.extend(ids.as_string_view().iter().flatten().map(hash));
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.nulls += other.nulls;
        self.hashes.extend(other.hashes);
    }

    fn heap_bytes(&self) -> usize {
        self.hashes.capacity() * size_of::<u64>()
    }
}
