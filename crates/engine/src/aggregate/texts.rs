//! The profile of a column of free text.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use serde::{Deserialize, Serialize};
use stats::sketch::{Fidelity, TextProfile};

use super::Summary;

/// Lengths, kinds of characters and words of texts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TextsSummary(pub(crate) TextProfile);

impl Summary for TextsSummary {
    const NAME: &'static str = "profile_texts";

    fn arguments() -> Vec<DataType> {
        vec![DataType::Utf8View]
    }

    fn new(fidelity: Fidelity) -> Self {
        Self(TextProfile::new(fidelity))
    }

    fn extend(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let texts = cast(&columns[0], &DataType::Utf8View)?;
        let texts = texts.as_string_view();
        self.0.nulls += texts.null_count() as u64;
        self.0.extend(texts.iter().flatten());
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(&other.0);
    }

    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }

    fn finish(&mut self) {
        self.0.compact();
    }
}
