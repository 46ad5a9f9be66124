//! Scores out of what a model puts out: a tensor of numbers, or a map for each row (the ZipMap of scikit-learn's
//! converters).

use ort::value::{DynMapValueType, DynValue, Outlet, TensorElementType, ValueType};

use crate::reading::Row;
use crate::{Reading, Scores};

/// Names that converters give to probabilities.
const OF_PROBABILITIES: [&str; 3] = ["probabilities", "output_probability", "probability_tensor"];

/// The output that has the scores.
pub(super) fn chosen(outlets: &[Outlet], wanted: Option<&str>) -> Result<String, String> {
    let listed = || outlets.iter().map(|of| format!("`{}`", of.name())).collect::<Vec<_>>().join(", ");
    if let Some(wanted) = wanted {
        return match outlets.iter().find(|of| of.name() == wanted) {
            Some(_) => Ok(wanted.into()),
            None => Err(format!("has no output `{wanted}` (has: {})", listed())),
        };
    }
    if let [only] = outlets {
        return Ok(only.name().into());
    }
    let with_scores: Vec<&str> =
        outlets.iter().filter(|of| has_scores(of.dtype())).map(Outlet::name).collect();
    let by_name = with_scores.iter().find(|name| OF_PROBABILITIES.contains(name));
    match (with_scores.as_slice(), by_name) {
        ([only], _) | (_, Some(only)) => Ok((*only).into()),
        _ => Err(format!("has the outputs {}; say which has the scores (`output`)", listed())),
    }
}

/// Labels are whole numbers or texts; probabilities and predicted numbers are not.
fn has_scores(dtype: &ValueType) -> bool {
    match dtype {
        ValueType::Tensor { ty, .. } => matches!(ty, TensorElementType::Float32 | TensorElementType::Float64),
        ValueType::Sequence(of) => of.is_map(),
        _ => false,
    }
}

pub(super) fn scores(value: &DynValue, reading: &Reading) -> Result<Scores, String> {
    match value.dtype() {
        ValueType::Tensor { .. } => of_tensor(value, reading),
        ValueType::Sequence(of) if of.is_map() => of_maps(value, reading),
        other => Err(format!("the output is {other}, which has no scores")),
    }
}

fn of_tensor(value: &DynValue, reading: &Reading) -> Result<Scores, String> {
    use TensorElementType::{Float32, Float64, Int32, Int64};
    let ValueType::Tensor { ty, shape, .. } = value.dtype() else { return Err("is no tensor".into()) };
    let text = |error: ort::Error| error.to_string();
    let numbers: Vec<f64> = match ty {
        Float32 => {
            value.try_extract_tensor::<f32>().map_err(text)?.1.iter().copied().map(f64::from).collect()
        }
        Float64 => value.try_extract_tensor::<f64>().map_err(text)?.1.to_vec(),
        Int64 => {
            value.try_extract_tensor::<i64>().map_err(text)?.1.iter().map(|&number| number as f64).collect()
        }
        Int32 => value.try_extract_tensor::<i32>().map_err(text)?.1.iter().copied().map(f64::from).collect(),
        other => return Err(format!("the output is a tensor of {other}, which are no scores")),
    };
    let rows = shape.first().and_then(|&rows| usize::try_from(rows).ok()).unwrap_or(0);
    let width = numbers.len().checked_div(rows).unwrap_or(0);
    let mut scores = reading.empty(rows);
    for (row, numbers) in numbers.chunks(width.max(1)).enumerate() {
        let pushed = reading.push(&mut scores, &Row { names: None, numbers });
        pushed.map_err(|why| format!("row {row}: {why}"))?;
    }
    Ok(scores)
}

fn of_maps(value: &DynValue, reading: &Reading) -> Result<Scores, String> {
    let text = |error: ort::Error| error.to_string();
    let maps = value.try_extract_sequence::<DynMapValueType>().map_err(text)?;
    let mut scores = reading.empty(maps.len());
    for (row, map) in maps.iter().enumerate() {
        let ValueType::Map { key, .. } = map.dtype() else { return Err("is no map".into()) };
        let entries: Vec<(String, f32)> = match key {
            TensorElementType::Int64 => {
                let entries = map.try_extract_key_values::<i64, f32>().map_err(text)?;
                entries.into_iter().map(|(key, number)| (key.to_string(), number)).collect()
            }
            _ => map.try_extract_key_values::<String, f32>().map_err(text)?,
        };
        let (names, numbers): (Vec<String>, Vec<f64>) =
            entries.into_iter().map(|(name, number)| (name, f64::from(number))).unzip();
        let pushed = reading.push(&mut scores, &Row { names: Some(&names), numbers: &numbers });
        pushed.map_err(|why| format!("row {row}: {why}"))?;
    }
    Ok(scores)
}
