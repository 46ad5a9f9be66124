//! Probabilities of several classes with their outcomes.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int32Type, UInt64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{Signature, Volatility};
use serde::{Deserialize, Serialize};
use stats::multiclass::rows::{are_probabilities, likeliest};
use stats::multiclass::{ClassifiedRows, KeptRow};
use stats::sketch::Fidelity;

use super::Summary;

/// Probabilities that are kept of each group where there are too many rows to keep all: 8 MB.
const MOST_NUMBERS: usize = 1 << 20;
/// Columns before those of the probabilities: hash, predicted class, outcome.
const FIRST_SCORE: usize = 3;

/// The rows of a group that have an outcome: all counted, all or a sample of them kept.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ClassifiedSummary {
    fidelity: Fidelity,
    /// `None` before the first rows, which say how many classes there are.
    rows: Option<ClassifiedRows>,
    /// Rows with an outcome without usable probabilities.
    pub(crate) invalid: u64,
}

impl ClassifiedSummary {
    /// The rows; none of `classes` where there were none.
    pub(crate) fn into_rows(self, classes: usize) -> ClassifiedRows {
        let mut rows = self.rows.unwrap_or_else(|| empty(self.fidelity, classes));
        rows.prune();
        rows
    }
}

fn empty(fidelity: Fidelity, classes: usize) -> ClassifiedRows {
    let most = match fidelity {
        Fidelity::Exact => None,
        Fidelity::Sketched => Some(MOST_NUMBERS / classes.max(1)),
    };
    ClassifiedRows::new(classes, most)
}

impl Summary for ClassifiedSummary {
    const NAME: &'static str = "classified_outcomes";

    fn arguments() -> Vec<DataType> {
        vec![DataType::UInt64, DataType::Int32, DataType::Int32, DataType::Float64]
    }

    /// One column of probabilities for each class.
    fn signature() -> Signature {
        Signature::variadic_any(Volatility::Immutable)
    }

    fn new(fidelity: Fidelity) -> Self {
        Self { fidelity, rows: None, invalid: 0 }
    }

    fn extend(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let [hashes, predicted, outcomes, scores @ ..] = columns else {
            return exec_err!("{} takes at least {FIRST_SCORE} columns", Self::NAME);
        };
        let (hashes, predicted) = (cast(hashes, &DataType::UInt64)?, cast(predicted, &DataType::Int32)?);
        let outcomes = cast(outcomes, &DataType::Int32)?;
        let scores: Vec<ArrayRef> =
            scores.iter().map(|scores| Ok(cast(scores, &DataType::Float64)?)).collect::<Result<_>>()?;
        let scores: Vec<&PrimitiveArray<Float64Type>> = scores.iter().map(AsArray::as_primitive).collect();
        let (hashes, predicted) =
            (hashes.as_primitive::<UInt64Type>(), predicted.as_primitive::<Int32Type>());
        let mut rows = Vec::new();
        for (row, outcome) in outcomes.as_primitive::<Int32Type>().iter().enumerate() {
            let Some(outcome) = outcome else { continue };
            let of_class = |scores: &&PrimitiveArray<Float64Type>| {
                if scores.is_valid(row) { scores.value(row) } else { f64::NAN }
            };
            let probabilities: Vec<f64> = scores.iter().map(of_class).collect();
            let usable = are_probabilities(&probabilities);
            // Without a column of its own the likeliest class is the predicted one: it is passed as -1.
            let class = predicted.is_valid(row).then(|| predicted.value(row));
            let class = match class {
                Some(class) if class < 0 => likeliest(&probabilities),
                class => class.map(|class| class as usize),
            };
            match class.filter(|_| usable) {
                Some(predicted) => rows.push(KeptRow {
                    hash: hashes.value(row),
                    outcome: outcome as usize,
                    predicted,
                    probabilities,
                }),
                None => self.invalid += 1,
            }
        }
        let fidelity = self.fidelity;
        self.rows.get_or_insert_with(|| empty(fidelity, scores.len())).extend(rows);
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.invalid += other.invalid;
        match (&mut self.rows, other.rows) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (mine, theirs) => *mine = mine.take().or(theirs),
        }
    }

    fn heap_bytes(&self) -> usize {
        self.rows.as_ref().map_or(0, ClassifiedRows::heap_bytes)
    }

    fn finish(&mut self) {
        if let Some(rows) = &mut self.rows {
            rows.prune();
        }
    }
}
