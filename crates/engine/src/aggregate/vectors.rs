//! The profile of a column of embeddings.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Float64Type};
use datafusion::common::Result;
use serde::{Deserialize, Serialize};
use stats::sketch::{EmbeddingProfile, Fidelity};

use super::Summary;

/// Mean, spread, norms and projections of lists of floats.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VectorsSummary(pub(crate) EmbeddingProfile);

/// Lists of whichever kind as lists of 64-bit floats.
pub(crate) fn lists_of_floats(column: &ArrayRef) -> Result<ArrayRef> {
    Ok(cast(column, &DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true))))?)
}

/// The vectors of a column of [`lists_of_floats`]; `None` where there is none.
pub(crate) fn vectors(lists: &ArrayRef) -> Vec<Option<Float64Array>> {
    let lists = lists.as_list::<i32>();
    lists.iter().map(|list| list.map(|list| list.as_primitive::<Float64Type>().clone())).collect()
}

impl Summary for VectorsSummary {
    const NAME: &'static str = "profile_vectors";

    fn arguments() -> Vec<DataType> {
        vec![DataType::Float64]
    }

    fn new(fidelity: Fidelity) -> Self {
        Self(EmbeddingProfile::new(fidelity))
    }

    fn extend(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let vectors = vectors(&lists_of_floats(&columns[0])?);
        let mut whole: Vec<&[f64]> = Vec::with_capacity(vectors.len());
        for vector in &vectors {
            match vector {
                None => self.0.nulls += 1,
                Some(vector) if vector.null_count() > 0 => self.0.broken += 1,
                Some(vector) => whole.push(vector.values()),
            }
        }
        self.0.extend(&whole);
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
