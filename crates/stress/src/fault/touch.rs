//! What faults have in common: which rows are hit, and how the values of a column are changed.

use rand_core::RngCore;
use stats::random::{shuffle_front, uniform};
use types::batch::{Batch, Values};
use types::nearest::listed;

use super::{Change, NotApplicable};

/// The share of rows that a fault hits unless it is said: all of them.
pub(super) fn every_row() -> f64 {
    1.0
}

/// `rate` of the rows, one at least, each as likely as any other. With the same generator the rows of a lower rate
/// are among those of a higher one, so that a curve over rates is of one outage that grows.
pub(super) fn picked(rows: usize, rate: f64, rng: &mut impl RngCore) -> Result<Vec<bool>, NotApplicable> {
    let many = how_many(rows, rate)?;
    let mut order: Vec<usize> = (0..rows).collect();
    shuffle_front(&mut order, many, rng);
    Ok(marked(rows, &order[..many]))
}

/// The ratio of the chance to be hit of the row with the largest weight to that of the smallest.
const WEIGHT_RATIO: f64 = 20.0;

/// As [`picked`], but a row whose `standing` (0 to 1) is high is far more likely to be hit: the keys of Efraimidis
/// and Spirakis ("Weighted random sampling with a reservoir", Information Processing Letters 97, 2006).
pub(super) fn picked_by_standing(
    standing: &[f64],
    rate: f64,
    rng: &mut impl RngCore,
) -> Result<Vec<bool>, NotApplicable> {
    let many = how_many(standing.len(), rate)?;
    let key = |standing: &f64, rng: &mut _| uniform(rng).ln() / WEIGHT_RATIO.powf(*standing);
    let keys: Vec<f64> = standing.iter().map(|standing| key(standing, rng)).collect();
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| keys[b].total_cmp(&keys[a]).then(a.cmp(&b)));
    Ok(marked(standing.len(), &order[..many]))
}

fn how_many(rows: usize, rate: f64) -> Result<usize, NotApplicable> {
    if rate > 0.0 && rate <= 1.0 {
        Ok(((rows as f64 * rate).round() as usize).clamp(1, rows))
    } else {
        Err(NotApplicable::here(format!(
            "a rate of {rate} is no share of rows: it lies above 0 and at most at 1"
        )))
    }
}

fn marked(rows: usize, chosen: &[usize]) -> Vec<bool> {
    let mut mask = vec![false; rows];
    for &row in chosen {
        mask[row] = true;
    }
    mask
}

/// Changes each named column of a batch.
pub(super) fn each_column<N: AsRef<str>>(
    batch: &Batch,
    columns: &[N],
    mut change: impl FnMut(&str, &Values) -> Result<Values, NotApplicable>,
) -> Result<Change, NotApplicable> {
    if columns.is_empty() {
        return Err(NotApplicable::here("no column is named"));
    }
    let mut changed = batch.clone();
    for name in columns.iter().map(AsRef::as_ref) {
        let values = change(name, column(&changed, name)?)?;
        changed = replaced(&changed, name, values)?;
    }
    Ok(Change { batch: changed, origin: None })
}

pub(super) fn column<'a>(batch: &'a Batch, name: &str) -> Result<&'a Values, NotApplicable> {
    batch.column(name).ok_or_else(|| {
        let has = listed(batch.columns().iter().map(|column| column.name.as_str()), 10);
        NotApplicable::at(name, format!("there is no column `{name}` (has: {has})"))
    })
}

pub(super) fn replaced(batch: &Batch, name: &str, values: Values) -> Result<Batch, NotApplicable> {
    batch.replaced(name, values).map_err(|error| NotApplicable::at(name, error.to_string()))
}

/// The numbers of masked rows through `change`; whole numbers stay whole.
pub(super) fn numbers(
    name: &str,
    values: &Values,
    mask: &[bool],
    mut change: impl FnMut(f64) -> f64,
) -> Result<Values, NotApplicable> {
    match values {
        Values::Integers(values) => {
            let whole = |value: i64, hit: bool| if hit { change(value as f64).round() as i64 } else { value };
            Ok(Values::Integers(of_rows(values, mask, whole)))
        }
        Values::Numbers(values) => {
            Ok(Values::Numbers(of_rows(values, mask, |value, hit| if hit { change(value) } else { value })))
        }
        other => Err(not_of(name, other, "numbers")),
    }
}

/// The texts of masked rows through `change`.
pub(super) fn texts(
    name: &str,
    values: &Values,
    mask: &[bool],
    mut change: impl FnMut(&str) -> String,
) -> Result<Values, NotApplicable> {
    match values {
        Values::Texts(values) => {
            let changed = |value: String, hit: bool| if hit { change(&value) } else { value };
            Ok(Values::Texts(of_rows(values, mask, changed)))
        }
        other => Err(not_of(name, other, "texts")),
    }
}

fn of_rows<V: Clone>(
    values: &[Option<V>],
    mask: &[bool],
    mut change: impl FnMut(V, bool) -> V,
) -> Vec<Option<V>> {
    let rows = values.iter().zip(mask);
    rows.map(|(value, hit)| value.clone().map(|value| change(value, *hit))).collect()
}

/// A fault of one kind of values, and a column of another.
pub(super) fn not_of(name: &str, values: &Values, wanted: &str) -> NotApplicable {
    let reason = format!("`{name}` holds {}, and this is a fault of {wanted}", values.kind().words());
    NotApplicable::at(name, reason)
}

/// `values` with no value in the masked rows.
pub(super) fn without(values: &Values, mask: &[bool]) -> Values {
    fn kept<V: Clone>(values: &[Option<V>], mask: &[bool]) -> Vec<Option<V>> {
        values.iter().zip(mask).map(|(value, hit)| value.clone().filter(|_| !hit)).collect()
    }
    match values {
        Values::Integers(values) => Values::Integers(kept(values, mask)),
        Values::Numbers(values) => Values::Numbers(kept(values, mask)),
        Values::Booleans(values) => Values::Booleans(kept(values, mask)),
        Values::Texts(values) => Values::Texts(kept(values, mask)),
    }
}

/// The finite numbers of a column of the reference, ascending.
pub(super) fn sorted_numbers(reference: &Batch, name: &str) -> Result<Vec<f64>, NotApplicable> {
    let values = column(reference, name)?;
    if !values.kind().is_numeric() {
        return Err(not_of(name, values, "numbers"));
    }
    let mut sorted: Vec<f64> =
        (0..values.len()).filter_map(|row| values.number(row)).filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    if sorted.is_empty() {
        return Err(NotApplicable::at(name, format!("`{name}` has no number in the reference")));
    }
    Ok(sorted)
}

/// The different texts of a column of the reference, in their order.
pub(super) fn categories(reference: &Batch, name: &str) -> Result<Vec<String>, NotApplicable> {
    match column(reference, name)? {
        Values::Texts(values) => {
            let different: std::collections::BTreeSet<&String> = values.iter().flatten().collect();
            Ok(different.into_iter().cloned().collect())
        }
        other => Err(not_of(name, other, "texts")),
    }
}

/// Whether a value is not the one that it was made of. Values of different types are held against each other as
/// they are written down.
pub(super) fn differs(before: &Values, row: usize, after: &Values, now: usize) -> bool {
    match (before, after) {
        (Values::Integers(before), Values::Integers(after)) => before[row] != after[now],
        (Values::Numbers(before), Values::Numbers(after)) => {
            before[row].map(f64::to_bits) != after[now].map(f64::to_bits)
        }
        (Values::Booleans(before), Values::Booleans(after)) => before[row] != after[now],
        (Values::Texts(before), Values::Texts(after)) => before[row] != after[now],
        (before, after) => before.text(row) != after.text(now),
    }
}
