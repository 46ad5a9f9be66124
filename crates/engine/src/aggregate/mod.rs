//! Aggregate functions that SQL lacks: each returns a mergeable summary in binary form.
//!
//! They are ordinary DataFusion functions with serialisable state, so the same plan gives the same
//! answer in one process and on a cluster whose executors have them registered. All share one
//! adapter, `SummaryUdaf`; a new function is one file with one `Summary`.

mod categories;
mod classified;
mod errors;
mod ids;
mod numbers;
mod scored;
mod texts;
mod vectors;

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, LargeBinaryArray, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stats::sketch::Fidelity;

pub(crate) use categories::CategoriesSummary;
pub(crate) use classified::ClassifiedSummary;
pub(crate) use errors::ErrorsSummary;
pub(crate) use ids::IdsSummary;
pub(crate) use numbers::NumbersSummary;
pub(crate) use scored::ScoredSummary;
pub(crate) use texts::TextsSummary;
pub(crate) use vectors::{VectorsSummary, lists_of_floats, vectors};

/// A summary of rows that can be extended by arrays and merged with another.
pub(crate) trait Summary: Debug + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The function's name in SQL, without the suffix for its fidelity.
    const NAME: &'static str;
    /// What its arguments are cast to.
    fn arguments() -> Vec<DataType>;
    /// How many arguments the function takes; as many as there are types of them, unless it takes more.
    fn signature() -> Signature {
        Signature::any(Self::arguments().len(), Volatility::Immutable)
    }
    fn new(fidelity: Fidelity) -> Self;
    /// Adds the rows of `columns`, all of the same length.
    fn extend(&mut self, columns: &[ArrayRef]) -> Result<()>;
    fn merge(&mut self, other: Self);
    /// Merges what [`encode`] wrote.
    fn merge_encoded(&mut self, bytes: &[u8]) -> Result<()> {
        self.merge(decode(bytes)?);
        Ok(())
    }
    fn heap_bytes(&self) -> usize;
    /// Called once before the summary is written out.
    fn finish(&mut self) {}
}

/// The name of a summary's function: those of different fidelity are registered side by side.
pub(crate) fn function_name<S: Summary>(fidelity: Fidelity) -> String {
    match fidelity {
        Fidelity::Exact => format!("{}_exact", S::NAME),
        Fidelity::Sketched => format!("{}_sketched", S::NAME),
    }
}

/// Every aggregate function, in both fidelities.
pub fn all() -> Vec<AggregateUDF> {
    [Fidelity::Exact, Fidelity::Sketched]
        .into_iter()
        .flat_map(|fidelity| {
            [
                SummaryUdaf::<NumbersSummary>::udaf(fidelity),
                SummaryUdaf::<CategoriesSummary>::udaf(fidelity),
                SummaryUdaf::<TextsSummary>::udaf(fidelity),
                SummaryUdaf::<VectorsSummary>::udaf(fidelity),
                SummaryUdaf::<ScoredSummary>::udaf(fidelity),
                SummaryUdaf::<ClassifiedSummary>::udaf(fidelity),
                SummaryUdaf::<ErrorsSummary>::udaf(fidelity),
                SummaryUdaf::<IdsSummary>::udaf(fidelity),
            ]
        })
        .collect()
}

/// Reads what a summary's function returned for one group.
pub(crate) fn decode<S: Summary>(bytes: &[u8]) -> Result<S> {
    decode_as::<S, S>(bytes)
}

/// Reads a summary in a form that may borrow from the bytes.
fn decode_as<'a, S: Summary, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T> {
    postcard::from_bytes(bytes).or_else(|error| exec_err!("a {} state is not readable: {error}", S::NAME))
}

/// A finished summary as its function returns it.
fn finished<S: Summary>(summary: &mut S) -> Result<Vec<u8>> {
    summary.finish();
    encode(summary)
}

/// Writes a summary as [`decode`] reads it.
pub(crate) fn encode<S: Summary>(summary: &S) -> Result<Vec<u8>> {
    postcard::to_stdvec(summary).or_else(|error| exec_err!("a {} state is not writable: {error}", S::NAME))
}

#[derive(Debug)]
struct SummaryUdaf<S> {
    name: String,
    signature: Signature,
    fidelity: Fidelity,
    summary: PhantomData<fn() -> S>,
}

impl<S: Summary> SummaryUdaf<S> {
    fn udaf(fidelity: Fidelity) -> AggregateUDF {
        AggregateUDF::from(Self {
            name: function_name::<S>(fidelity),
            signature: S::signature(),
            fidelity,
            summary: PhantomData,
        })
    }
}

impl<S> PartialEq for SummaryUdaf<S> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<S> Eq for SummaryUdaf<S> {}

impl<S> Hash for SummaryUdaf<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl<S: Summary> AggregateUDFImpl for SummaryUdaf<S> {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::LargeBinary)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}_state", args.name), DataType::LargeBinary, true))])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(SummaryAccumulator(S::new(self.fidelity))))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(SummaryGroups::<S> { fidelity: self.fidelity, groups: Vec::new(), last: None }))
    }
}

#[derive(Debug)]
struct SummaryAccumulator<S>(S);

impl<S: Summary> Accumulator for SummaryAccumulator<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.extend(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::LargeBinary(Some(finished(&mut self.0)?)))
    }

    fn size(&self) -> usize {
        size_of::<S>() + self.0.heap_bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for state in states[0].as_binary::<i64>().iter().flatten() {
            self.0.merge_encoded(state)?;
        }
        Ok(())
    }
}

/// One summary for each group of a `GROUP BY`.
///
/// A log is mostly in the order of time, so a batch mostly lies in one day or window, and a group that
/// rows have moved on from is mostly complete. It is written out at once, because a year of
/// days of a thousand columns would not fit into memory as they are while being built.
#[derive(Debug)]
struct SummaryGroups<S> {
    fidelity: Fidelity,
    groups: Vec<Group<S>>,
    /// The group that the last batch lay in as a whole.
    last: Option<usize>,
}

#[derive(Debug)]
enum Group<S> {
    Empty,
    Open(S),
    Written(Vec<u8>),
}

impl<S: Summary> Group<S> {
    /// The summary to go on with, read again where it was written out.
    fn open(&mut self, fidelity: Fidelity) -> Result<&mut S> {
        match self {
            Self::Open(_) => {}
            Self::Empty => *self = Self::Open(S::new(fidelity)),
            Self::Written(bytes) => *self = Self::Open(decode(bytes)?),
        }
        match self {
            Self::Open(summary) => Ok(summary),
            Self::Empty | Self::Written(_) => exec_err!("a {} state was not opened", S::NAME),
        }
    }

    fn write(&mut self) -> Result<()> {
        if let Self::Open(summary) = self {
            *self = Self::Written(finished(summary)?);
        }
        Ok(())
    }

    /// Adds a state that another group of the same rows was written out as.
    fn merge(&mut self, state: &[u8], fidelity: Fidelity) -> Result<()> {
        if let Self::Empty = self {
            *self = Self::Written(state.to_vec());
            return Ok(());
        }
        self.open(fidelity)?.merge_encoded(state)?;
        self.write()
    }

    fn into_bytes(self, fidelity: Fidelity) -> Result<Vec<u8>> {
        match self {
            Self::Empty => finished(&mut S::new(fidelity)),
            Self::Open(mut summary) => finished(&mut summary),
            Self::Written(bytes) => Ok(bytes),
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Empty => size_of::<S>(),
            Self::Open(summary) => size_of::<S>() + summary.heap_bytes(),
            Self::Written(bytes) => bytes.capacity(),
        }
    }
}

impl<S: Summary> SummaryGroups<S> {
    fn grow(&mut self, total: usize) {
        self.groups.resize_with(total, || Group::Empty);
    }
}

impl<S: Summary> GroupsAccumulator for SummaryGroups<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        if opt_filter.is_some() {
            return exec_err!("{} takes no FILTER clause", S::NAME);
        }
        let Some(&first) = group_indices.first() else {
            return Ok(());
        };
        if group_indices.iter().all(|group| *group == first) {
            if let Some(before) = self.last.replace(first).filter(|before| *before != first) {
                self.groups[before].write()?;
            }
            return self.groups[first].open(self.fidelity)?.extend(values);
        }
        // Each column is put in the order of its groups once, and each group takes its run of it.
        let mut order: Vec<u32> = (0..group_indices.len() as u32).collect();
        order.sort_by_key(|row| group_indices[*row as usize]);
        let runs: Vec<(usize, usize)> = order
            .chunk_by(|a, b| group_indices[*a as usize] == group_indices[*b as usize])
            .map(|run| (group_indices[run[0] as usize], run.len()))
            .collect();
        let order = UInt32Array::from(order);
        let columns: Vec<ArrayRef> =
            values.iter().map(|column| Ok(take(column, &order, None)?)).collect::<Result<_>>()?;
        let mut from = 0;
        for (group, rows) in runs {
            let rows_of_group: Vec<ArrayRef> =
                columns.iter().map(|column| column.slice(from, rows)).collect();
            self.groups[group].open(self.fidelity)?.extend(&rows_of_group)?;
            from += rows;
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.last = None;
        let emitted = emit_to.take_needed(&mut self.groups);
        let encoded: Vec<Vec<u8>> =
            emitted.into_iter().map(|group| group.into_bytes(self.fidelity)).collect::<Result<_>>()?;
        Ok(Arc::new(LargeBinaryArray::from_iter_values(encoded)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        for (state, group) in values[0].as_binary::<i64>().iter().zip(group_indices) {
            if let Some(state) = state {
                self.groups[*group].merge(state, self.fidelity)?;
            }
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], _: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, Array::len);
        let states: Vec<Vec<u8>> = (0..rows)
            .map(|row| {
                let mut summary = S::new(self.fidelity);
                let columns: Vec<ArrayRef> = values.iter().map(|column| column.slice(row, 1)).collect();
                summary.extend(&columns)?;
                finished(&mut summary)
            })
            .collect::<Result<_>>()?;
        Ok(vec![Arc::new(LargeBinaryArray::from_iter_values(states))])
    }

    fn size(&self) -> usize {
        self.groups.iter().map(Group::heap_bytes).sum()
    }
}
