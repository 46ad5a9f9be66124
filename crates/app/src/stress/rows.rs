//! Rows of the log as a model is asked about them.

use types::answer::{SampledColumn, SampledValues};
use types::batch::{Batch, BatchColumn, BatchError, Values};
use types::{Schema, cases::Cases};

/// The largest integer up to which every one is a number of 64 bits.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// The features of cases in the types that the log has. A number that is none is taken for a missing one, as
/// everywhere else.
pub(super) fn batch(cases: &Cases, schema: &Schema) -> Result<Batch, BatchError> {
    let columns = cases.features.iter().map(|column| BatchColumn {
        name: column.name.clone(),
        values: values(column, schema.column(&column.name).map_or("", |of| of.type_name.as_str())),
    });
    Batch::new(columns.collect())
}

fn values(column: &SampledColumn, type_name: &str) -> Values {
    match &column.values {
        SampledValues::Numbers(numbers) if is_whole(numbers, type_name) => Values::Integers(
            numbers.iter().map(|&number| present(number).map(|number| number as i64)).collect(),
        ),
        SampledValues::Numbers(numbers) => {
            Values::Numbers(numbers.iter().map(|&number| present(number)).collect())
        }
        SampledValues::Categories(texts) if type_name == "Boolean" => {
            Values::Booleans(texts.iter().map(|text| text.as_ref().map(|text| text == "true")).collect())
        }
        SampledValues::Categories(texts) => Values::Texts(texts.clone()),
        // A model is not asked about vectors; `features` leaves them out.
        SampledValues::Vectors(vectors) => Values::Numbers(vec![None; vectors.len()]),
    }
}

fn is_whole(numbers: &[f64], type_name: &str) -> bool {
    type_name.contains("Int")
        && numbers.iter().all(|number| number.is_nan() || number.abs() <= EXACT_INTEGERS)
}

fn present(number: f64) -> Option<f64> {
    (!number.is_nan()).then_some(number)
}
