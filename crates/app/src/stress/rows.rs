//! Rows of the log as a model is asked about them.

use types::Schema;
use types::answer::{SampledColumn, SampledValues};
use types::batch::{Batch, BatchColumn, BatchError, Values};
use types::cases::{Cases, Outputs};

/// The largest integer up to which every one is a number of 64 bits.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// The cases in the order of their times: what was drawn comes in the order of its hash.
pub(super) fn in_time_order(cases: &Cases) -> Cases {
    let mut order: Vec<usize> = (0..cases.rows()).collect();
    order.sort_by(|&a, &b| cases.days[a].total_cmp(&cases.days[b]));
    let of = |column: &SampledColumn| SampledColumn {
        name: column.name.clone(),
        values: match &column.values {
            SampledValues::Numbers(values) => SampledValues::Numbers(taken(values, &order)),
            SampledValues::Categories(values) => SampledValues::Categories(taken(values, &order)),
            SampledValues::Vectors(values) => SampledValues::Vectors(taken(values, &order)),
        },
    };
    let outputs = match &cases.outputs {
        Outputs::Binary { scores, outcomes } => {
            Outputs::Binary { scores: taken(scores, &order), outcomes: taken(outcomes, &order) }
        }
        Outputs::Multiclass { probabilities, predicted, outcomes } => Outputs::Multiclass {
            probabilities: probabilities.iter().map(|of_class| taken(of_class, &order)).collect(),
            predicted: taken(predicted, &order),
            outcomes: taken(outcomes, &order),
        },
        Outputs::Regression { predicted, outcomes } => {
            Outputs::Regression { predicted: taken(predicted, &order), outcomes: taken(outcomes, &order) }
        }
    };
    Cases {
        drawn_share: cases.drawn_share,
        ids: taken(&cases.ids, &order),
        days: taken(&cases.days, &order),
        features: cases.features.iter().map(of).collect(),
        segments: Vec::new(),
        also: Vec::new(),
        outputs,
    }
}

/// Values in another order; those that are not there stay away.
fn taken<T: Clone>(values: &[T], order: &[usize]) -> Vec<T> {
    order.iter().filter_map(|&row| values.get(row).cloned()).collect()
}

/// The features of cases in the types that the log has. A number that is none is taken for a missing one, as
/// everywhere else.
pub(super) fn batch(cases: &Cases, schema: &Schema) -> Result<Batch, BatchError> {
    let columns = cases.features.iter().map(|column| BatchColumn {
        name: column.name.clone(),
        values: values(column, schema.column(&column.name).map_or("", |of| of.type_name.as_str())),
    });
    Batch::new(columns.collect())
}

/// Some columns of rows, in this order; those that are not there stay away.
pub(super) fn only(rows: &Batch, names: &[String]) -> Batch {
    let column = |name: &String| Some(BatchColumn { name: name.clone(), values: rows.column(name)?.clone() });
    let mut columns: Vec<BatchColumn> = Vec::with_capacity(names.len());
    for column in names.iter().filter_map(column) {
        if columns.iter().all(|before| before.name != column.name) {
            columns.push(column);
        }
    }
    Batch::new(columns).expect("columns of one batch are of one length, and each was taken once")
}

/// Rows, and the columns of others that they do not have.
pub(super) fn beside(rows: &Batch, others: &Batch) -> Batch {
    let more = others.columns().iter().filter(|column| rows.column(&column.name).is_none());
    let columns = rows.columns().iter().chain(more).cloned().collect();
    Batch::new(columns)
        .expect("both have a row for each of the same rows, and no column of both is taken twice")
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
