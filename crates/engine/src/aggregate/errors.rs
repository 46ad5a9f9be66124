//! Predicted numbers with their outcomes.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;
use serde::{Deserialize, Serialize};
use stats::regression::PredictionErrors;
use stats::regression::errors::is_measurable;
use stats::sketch::Fidelity;

use super::Summary;

/// The errors of the rows that have an outcome; of one size for any number of them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ErrorsSummary {
    pub(crate) errors: PredictionErrors,
    /// Rows with an outcome whose prediction is missing or not finite.
    pub(crate) invalid: u64,
}

impl Summary for ErrorsSummary {
    const NAME: &'static str = "prediction_errors";

    fn arguments() -> Vec<DataType> {
        vec![DataType::Float64, DataType::Float64]
    }

    fn new(_: Fidelity) -> Self {
        Self::default()
    }

    fn extend(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let predictions = cast(&columns[0], &DataType::Float64)?;
        let outcomes = cast(&columns[1], &DataType::Float64)?;
        let mut rows = Vec::new();
        let predictions = predictions.as_primitive::<Float64Type>();
        for (prediction, outcome) in predictions.iter().zip(outcomes.as_primitive::<Float64Type>()) {
            let Some(outcome) = outcome else { continue };
            match prediction.filter(|prediction| is_measurable(*prediction, outcome)) {
                Some(prediction) => rows.push((prediction, outcome)),
                None => self.invalid += 1,
            }
        }
        self.errors.merge(&PredictionErrors::of(rows));
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.errors.merge(&other.errors);
        self.invalid += other.invalid;
    }

    fn heap_bytes(&self) -> usize {
        0
    }
}
