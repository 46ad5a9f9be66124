//! Columns of a batch as the tensors that a model takes: one for each column, or one for all of them.
//!
//! A missing number is NaN, which is what scikit-learn's converters expect; a type without a NaN has no missing
//! value, and says so. A missing text is a text of the caller's choice.

use std::fmt;

use ort::session::Session;
use ort::value::{DynValue, Outlet, Tensor, TensorElementType, ValueType};
use serde_json::Value;
use types::batch::{Batch, ValueKind, Values};

use super::Settings;

/// What the model takes.
#[derive(Debug)]
pub(super) struct Inputs {
    form: Form,
    missing_text: String,
}

#[derive(Debug)]
enum Form {
    ByColumn(Vec<Input>),
    /// Shape `[rows, columns]`.
    Together {
        tensor: Input,
        columns: Vec<String>,
    },
}

#[derive(Debug)]
struct Input {
    name: String,
    element: TensorElementType,
    /// Of shape `[rows]`, not `[rows, 1]`.
    is_flat: bool,
}

/// A column that is not what the model takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub column: String,
    pub kind: MisfitKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MisfitKind {
    /// The model takes it, and it is not there.
    Missing { wanted: String },
    /// The model takes something else under this name.
    Mistyped { wanted: String, is: ValueKind },
    /// The model does not take it.
    Extra,
}

impl MisfitKind {
    /// The model can be asked all the same.
    pub fn is_harmless(&self) -> bool {
        matches!(self, Self::Extra)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, kind } = self;
        match kind {
            MisfitKind::Missing { wanted } => write!(f, "`{column}` is missing: the model takes {wanted}"),
            MisfitKind::Mistyped { wanted, is } => {
                write!(f, "`{column}` has {}, and the model takes {wanted}", is.words())
            }
            MisfitKind::Extra => write!(f, "`{column}` is nothing that the model takes"),
        }
    }
}

/// What a tensor holds, as in "the model takes …".
fn words(element: TensorElementType) -> String {
    use TensorElementType::{Bool, Float32, Float64, Int32, Int64, String};
    match element {
        Float32 | Float64 => "numbers".into(),
        Int32 | Int64 => "whole numbers".into(),
        Bool => "yes or no".into(),
        String => "texts".into(),
        other => format!("values of the type {other}"),
    }
}

impl Inputs {
    pub(super) fn of(session: &Session, settings: &Settings) -> Result<Self, String> {
        let missing_text = settings.missing_text.clone();
        let outlets = session.inputs();
        if let [outlet] = outlets {
            let (input, width) = input_of(outlet)?;
            // One tensor of one column may still be all columns of a model that has one.
            if width != Some(1) && !input.is_flat {
                let columns = order_of(session, settings)?;
                if width.is_some_and(|width| width != columns.len()) {
                    let (width, given) = (width.unwrap_or_default(), columns.len());
                    return Err(format!(
                        "its input takes {width} columns, and {given} are named in their order"
                    ));
                }
                return Ok(Self { form: Form::Together { tensor: input, columns }, missing_text });
            }
        }
        let mut inputs = Vec::with_capacity(outlets.len());
        for outlet in outlets {
            let (input, width) = input_of(outlet)?;
            if width.is_some_and(|width| width != 1) {
                let name = &input.name;
                return Err(format!(
                    "input `{name}` takes several columns beside other inputs; only a model with \
                                    one input may take several columns in it"
                ));
            }
            inputs.push(input);
        }
        Ok(Self { form: Form::ByColumn(inputs), missing_text })
    }

    /// Names and types.
    pub(super) fn described(&self) -> Vec<(String, String)> {
        self.wanted().map(|(name, element)| (name.to_owned(), element.to_string())).collect()
    }

    fn wanted(&self) -> Box<dyn Iterator<Item = (&str, TensorElementType)> + '_> {
        match &self.form {
            Form::ByColumn(inputs) => {
                Box::new(inputs.iter().map(|input| (input.name.as_str(), input.element)))
            }
            Form::Together { tensor, columns } => {
                Box::new(columns.iter().map(|name| (name.as_str(), tensor.element)))
            }
        }
    }

    /// Every column that is not what the model takes, in the order of the model and then of the batch.
    pub(super) fn misfits(&self, batch: &Batch) -> Vec<Misfit> {
        let of_model = self.wanted().filter_map(|(name, element)| {
            let wanted = words(element);
            let kind = match batch.column(name) {
                None => MisfitKind::Missing { wanted },
                Some(values) if !takes(element, values.kind()) => {
                    MisfitKind::Mistyped { wanted, is: values.kind() }
                }
                Some(_) => return None,
            };
            Some(Misfit { column: name.into(), kind })
        });
        let of_batch =
            batch.columns().iter().filter(|column| self.wanted().all(|(name, _)| name != column.name));
        let extra = of_batch.map(|column| Misfit { column: column.name.clone(), kind: MisfitKind::Extra });
        of_model.chain(extra).collect()
    }

    /// The tensors of a batch without misfits. The error names a value that the model has no form for.
    pub(super) fn tensors(&self, batch: &Batch) -> Result<Vec<(String, DynValue)>, String> {
        match &self.form {
            Form::ByColumn(inputs) => {
                let tensor = |input: &Input| {
                    let columns = [(input.name.as_str(), column(batch, &input.name)?)];
                    Ok((input.name.clone(), self.tensor(input, &columns, batch.rows())?))
                };
                inputs.iter().map(tensor).collect()
            }
            Form::Together { tensor, columns } => {
                let columns: Result<Vec<_>, String> =
                    columns.iter().map(|name| Ok((name.as_str(), column(batch, name)?))).collect();
                Ok(vec![(tensor.name.clone(), self.tensor(tensor, &columns?, batch.rows())?)])
            }
        }
    }

    fn tensor(&self, input: &Input, columns: &[(&str, &Values)], rows: usize) -> Result<DynValue, String> {
        use TensorElementType::{Bool, Float32, Float64, Int32, Int64, String};
        let shape = if input.is_flat { vec![rows] } else { vec![rows, columns.len()] };
        match input.element {
            Float32 => numeric(shape, &cells(columns, rows, |values, row| Ok(float(values, row) as f32))?),
            Float64 => numeric(shape, &cells(columns, rows, |values, row| Ok(float(values, row)))?),
            Int64 => numeric(shape, &cells(columns, rows, whole)?),
            Int32 => {
                let cell = |values: &Values, row| {
                    let number = whole(values, row)?;
                    i32::try_from(number).map_err(|_| format!("{number} is too large for it"))
                };
                numeric(shape, &cells(columns, rows, cell)?)
            }
            Bool => numeric(shape, &cells(columns, rows, |values, row| Ok(whole(values, row)? != 0))?),
            String => {
                let cell = |values: &Values, row| {
                    let text = values.text(row).unwrap_or_else(|| self.missing_text.clone());
                    if text.contains('\0') {
                        Err("a text with a zero byte cannot be said".into())
                    } else {
                        Ok(text)
                    }
                };
                let texts = cells(columns, rows, cell)?;
                Tensor::from_string_array((shape, texts.as_slice()))
                    .map(Tensor::into_dyn)
                    .map_err(|error| error.to_string())
            }
            other => Err(format!("a tensor of {other} is not supported")),
        }
    }
}

fn column<'b>(batch: &'b Batch, name: &str) -> Result<&'b Values, String> {
    batch.column(name).ok_or_else(|| format!("`{name}` is missing"))
}

fn numeric<T>(shape: Vec<usize>, cells: &[T]) -> Result<DynValue, String>
where
    T: ort::value::PrimitiveTensorElementType + fmt::Debug + Clone + 'static,
{
    Tensor::from_array((shape, cells.to_vec())).map(Tensor::into_dyn).map_err(|error| error.to_string())
}

/// The cells of all columns, row by row.
fn cells<T>(
    columns: &[(&str, &Values)],
    rows: usize,
    cell: impl Fn(&Values, usize) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut cells = Vec::with_capacity(rows * columns.len());
    for row in 0..rows {
        for (name, values) in columns {
            cells.push(cell(values, row).map_err(|why| format!("column `{name}`, row {row}: {why}"))?);
        }
    }
    Ok(cells)
}

fn float(values: &Values, row: usize) -> f64 {
    match values {
        Values::Booleans(values) => values[row].map_or(f64::NAN, |is| f64::from(u8::from(is))),
        _ => values.number(row).unwrap_or(f64::NAN),
    }
}

fn whole(values: &Values, row: usize) -> Result<i64, String> {
    const MISSING: &str = "is missing, and whole numbers have no missing value";
    match values {
        Values::Integers(values) => values[row].ok_or_else(|| MISSING.into()),
        Values::Booleans(values) => values[row].map(i64::from).ok_or_else(|| MISSING.into()),
        _ => match values.number(row) {
            Some(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => Ok(number as i64),
            Some(number) => Err(format!("{number} is no whole number")),
            None => Err(MISSING.into()),
        },
    }
}

/// Whether a model's type takes values of this kind, as Python's would.
fn takes(element: TensorElementType, kind: ValueKind) -> bool {
    use TensorElementType::{Bool, Float32, Float64, Int32, Int64, String};
    match element {
        String => kind == ValueKind::Text,
        Bool => kind == ValueKind::Boolean,
        Float32 | Float64 | Int32 | Int64 => kind != ValueKind::Text,
        _ => false,
    }
}

/// An input, and how many columns it takes where it says so.
fn input_of(outlet: &Outlet) -> Result<(Input, Option<usize>), String> {
    let name = outlet.name().to_owned();
    let ValueType::Tensor { ty, shape, .. } = outlet.dtype() else {
        return Err(format!("input `{name}` takes {}, and only tensors are supported", outlet.dtype()));
    };
    if let Some(&rows) = shape.first().filter(|&&rows| rows > 0) {
        return Err(format!(
            "input `{name}` takes exactly {rows} rows at a time; export it with any number of rows"
        ));
    }
    let width = match shape[..] {
        [_] => Some(1),
        [_, width] => usize::try_from(width).ok(),
        _ => {
            return Err(format!(
                "input `{name}` takes {}, and rows with columns are supported",
                outlet.dtype()
            ));
        }
    };
    Ok((Input { name, element: *ty, is_flat: shape.len() == 1 }, width))
}

/// The columns of a model with one tensor.
fn order_of(session: &Session, settings: &Settings) -> Result<Vec<String>, String> {
    if !settings.order.is_empty() {
        return Ok(settings.order.clone());
    }
    let named = session.metadata().ok().and_then(|metadata| metadata.custom("feature_names"));
    let named = named.map(|text| match serde_json::from_str::<Value>(&text) {
        Ok(Value::Array(names)) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => text.split(',').map(|name| name.trim().to_owned()).collect(),
    });
    let why = "it takes all columns in one tensor, and nothing says in which order: list them, or put them into the \
               model's metadata under `feature_names`";
    named.filter(|names: &Vec<String>| !names.is_empty()).ok_or_else(|| why.into())
}
