//! The profile of a numeric column.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use serde::{Deserialize, Serialize};
use stats::sketch::{Fidelity, NumericProfile};

use super::Summary;

/// Counts, moments and quantiles of any numeric type, taken as 64-bit floats.
///
/// Integers beyond 2^53 lose their last digits, which no statistic of a distribution notices.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NumbersSummary(pub(crate) NumericProfile);

impl Summary for NumbersSummary {
    const NAME: &'static str = "profile_numbers";

    fn arguments() -> Vec<DataType> {
        vec![DataType::Float64]
    }

    fn new(fidelity: Fidelity) -> Self {
        Self(NumericProfile::new(fidelity))
    }

    fn extend(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let floats = cast(&columns[0], &DataType::Float64)?;
        let floats = floats.as_primitive::<Float64Type>();
        self.0.nulls += floats.null_count() as u64;
        let Some(nulls) = floats.nulls().filter(|nulls| nulls.null_count() > 0) else {
            self.0.extend(floats.values());
            return Ok(());
        };
        let mut present = Vec::with_capacity(floats.len());
        for (from, to) in nulls.valid_slices() {
            present.extend_from_slice(&floats.values()[from..to]);
        }
        self.0.extend(&present);
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.0.merge(&other.0);
    }

    fn heap_bytes(&self) -> usize {
        self.0.quantiles.heap_bytes()
    }

    fn finish(&mut self) {
        self.0.quantiles.compact();
    }
}
