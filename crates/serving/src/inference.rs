//! The Open Inference Protocol, version 2, over REST: MLServer, KServe, Triton, Seldon.
//!
//! Every column is a tensor of its own, which servers that know pandas (`content_type` `pd`) make a data frame of.
//! A missing number is `null`, and so is NaN, for which the protocol has no word.

use serde_json::Value;
use types::batch::{Batch, BatchColumn, Values};

use crate::answer::{Failure, FailureKind, Outcome, of_rows};
use crate::http::Endpoint;
use crate::json::{NonFinite, write_json, write_list, write_value};
use crate::reading::{DEGRADED, Row};
use crate::{Reading, Scores, Target};

/// A model of an inference server.
#[derive(Clone, Debug)]
pub struct OpenInference {
    endpoint: Endpoint,
    model: String,
    /// The tensor of the answer that has the scores; without it, the only one there is.
    output: Option<String>,
    reading: Reading,
}

impl OpenInference {
    /// `output` is asked for by name where it is given, as MLServer needs for `predict_proba`.
    pub fn new(
        endpoint: Endpoint,
        model: impl Into<String>,
        output: Option<String>,
        reading: Reading,
    ) -> Self {
        Self { endpoint, model: model.into(), output, reading }
    }

    fn body(&self, batch: &Batch) -> Result<Vec<u8>, String> {
        let mut body = b"{\"parameters\":{\"content_type\":\"pd\"},\"inputs\":".to_vec();
        write_list(batch.columns(), &mut body, write_tensor)?;
        if let Some(output) = &self.output {
            body.extend_from_slice(b",\"outputs\":[{\"name\":");
            write_json(output, &mut body);
            body.extend_from_slice(b"}]");
        }
        body.push(b'}');
        Ok(body)
    }

    fn call(&mut self, batch: &Batch) -> Result<Outcome, Failure> {
        let body = self.body(batch).map_err(|why| Failure::new(FailureKind::Rejected, why))?;
        let url = self.endpoint.below(&["v2", "models", &self.model, "infer"]);
        let reply = self.endpoint.post(&url, body)?;
        let document = reply.document(&url)?;
        let malformed = |why: String| Failure::new(FailureKind::Malformed, why);
        let outputs = outputs(&document).map_err(malformed)?;
        let scores = scores(outputs, self.output.as_deref(), &self.reading, batch.rows());
        let scores = scores.map_err(malformed)?;
        let mut degraded = reply.degraded(scores.len());
        let flags = outputs.iter().find(|output| name_of(output) == DEGRADED).map(data_of);
        for (flag, degraded) in flags.into_iter().flatten().zip(&mut degraded) {
            *degraded |= flag.as_bool().unwrap_or(false);
        }
        Ok(of_rows(batch.rows(), scores, degraded))
    }
}

impl Target for OpenInference {
    fn outcome(&mut self, batch: &Batch) -> Outcome {
        self.call(batch).unwrap_or_else(Outcome::Failed)
    }

    fn ready(&mut self) -> Result<(), Failure> {
        let server = self.endpoint.below(&["v2", "health", "ready"]);
        let model = self.endpoint.below(&["v2", "models", &self.model, "ready"]);
        self.endpoint.is_well(&server)?;
        self.endpoint.is_well(&model)
    }
}

/// The tensors of an answer.
pub(crate) fn outputs(document: &Value) -> Result<&Vec<Value>, String> {
    let outputs = document.get("outputs").and_then(Value::as_array);
    outputs.ok_or_else(|| "the answer has no list of `outputs`".into())
}

/// The scores in tensors: those of `output`, or of the only one there is.
pub(crate) fn scores(
    outputs: &[Value],
    output: Option<&str>,
    reading: &Reading,
    rows_asked: usize,
) -> Result<Scores, String> {
    let tensors: Vec<&Value> = outputs.iter().filter(|output| name_of(output) != DEGRADED).collect();
    let names: Vec<String> = tensors.iter().map(|output| name_of(output).to_owned()).collect();
    let found = match output {
        Some(name) => tensors.iter().copied().find(|output| name_of(output) == name),
        None if is_one_column_each(reading, &tensors) => return of_columns(reading, &tensors, &names),
        None if tensors.len() == 1 => Some(tensors[0]),
        None => return Err(format!("has the outputs {}: which has the scores?", names.join(", "))),
    };
    let wanted = output.unwrap_or_default();
    let tensor = found.ok_or_else(|| format!("has no output `{wanted}` (has: {})", names.join(", ")))?;
    let data: Vec<&Value> = data_of(tensor).collect();
    let shape = tensor.get("shape").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let size = |at: usize| shape.get(at).and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
    let rows = size(0).unwrap_or(rows_asked);
    let columns = if shape.len() < 2 { 1 } else { size(1).unwrap_or(0) };
    if shape.len() > 2 || rows.checked_mul(columns) != Some(data.len()) {
        return Err(format!("{} values do not fill the shape {}", data.len(), Value::from(shape)));
    }
    let rows: Vec<Value> = if columns == 1 {
        data.into_iter().cloned().collect()
    } else {
        data.chunks(columns.max(1)).map(|row| row.iter().copied().cloned().collect()).collect()
    };
    reading.of_json(&rows)
}

/// Whether the answer is a data frame: a column for each class, under its name.
fn is_one_column_each(reading: &Reading, tensors: &[&Value]) -> bool {
    matches!(&reading.wanted, crate::Wanted::Probabilities { classes }
        if tensors.len() > 1 && classes.iter().all(|class| tensors.iter().any(|of| name_of(of) == class)))
}

fn of_columns(reading: &Reading, tensors: &[&Value], names: &[String]) -> Result<Scores, String> {
    let columns: Vec<Vec<f64>> = tensors
        .iter()
        .map(|tensor| data_of(tensor).map(|value| value.as_f64().unwrap_or(f64::NAN)).collect())
        .collect();
    let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
    let mut scores = reading.empty(rows);
    for row in 0..rows {
        let numbers: Vec<f64> = columns.iter().map(|column| column[row]).collect();
        reading.push(&mut scores, &Row { names: Some(names), numbers: &numbers })?;
    }
    Ok(scores)
}

fn name_of(output: &Value) -> &str {
    output.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// The values of a tensor, row by row, whether they come flat or as lists of lists.
fn data_of(output: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match output.get("data") {
        Some(Value::Array(items)) => Box::new(items.iter().flat_map(|item| match item {
            Value::Array(inner) => inner.as_slice(),
            one => std::slice::from_ref(one),
        })),
        _ => Box::new(std::iter::empty()),
    }
}

fn write_tensor(column: &BatchColumn, to: &mut Vec<u8>) -> Result<(), String> {
    let (datatype, content_type) = match &column.values {
        Values::Integers(values) if values.iter().all(Option::is_some) => ("INT64", None),
        // A whole number that is missing has no place in a tensor of them; pandas would do the same.
        Values::Integers(_) | Values::Numbers(_) => ("FP64", None),
        Values::Booleans(_) => ("BOOL", None),
        Values::Texts(_) => ("BYTES", Some("str")),
    };
    let rows = column.values.len();
    to.extend_from_slice(b"{\"name\":");
    write_json(&column.name, to);
    to.extend_from_slice(format!(",\"shape\":[{rows},1],\"datatype\":\"{datatype}\"").as_bytes());
    if let Some(content_type) = content_type {
        to.extend_from_slice(format!(",\"parameters\":{{\"content_type\":\"{content_type}\"}}").as_bytes());
    }
    to.extend_from_slice(b",\"data\":");
    let written = write_list(0..rows, to, |row, to| write_value(&column.values, row, NonFinite::Null, to));
    written.map_err(|why| format!("column `{}`: {why}", column.name))?;
    to.push(b'}');
    Ok(())
}
