//! Any other server that takes and answers JSON: a template of the request, and where the answers are.

use serde_json::Value;
use types::batch::Batch;

use crate::answer::{Failure, FailureKind, Outcome, of_rows};
use crate::http::Endpoint;
use crate::json::{NonFinite, write_json, write_list, write_names, write_record, write_rows};
use crate::{Reading, Scores, Target};

/// A server with a form of its own.
#[derive(Clone, Debug)]
pub struct Template {
    endpoint: Endpoint,
    request: Value,
    /// A JSON pointer to the answers, or to the answer where a request has one row.
    answers: String,
    reading: Reading,
    asks_one_row: bool,
}

/// A template that cannot be asked with.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TemplateError {
    #[error(
        "the request says nothing of the rows: put \"{{records}}\", \"{{rows}}\" or \"{{record}}\" where they belong"
    )]
    NoRows,
    #[error("`{pointer}` is no JSON pointer: it starts with `/`, as in `/predictions`, or is empty")]
    Pointer { pointer: String },
}

impl Template {
    /// `request` is any JSON in which a text that is a placeholder stands for rows: `"{records}"` for a list of
    /// records, `"{rows}"` for a list of lists with `"{columns}"` for their names, `"{record}"` for one row, which
    /// makes a request of every row.
    pub fn new(
        endpoint: Endpoint,
        request: Value,
        answers: impl Into<String>,
        reading: Reading,
    ) -> Result<Self, TemplateError> {
        let answers = answers.into();
        if !answers.is_empty() && !answers.starts_with('/') {
            return Err(TemplateError::Pointer { pointer: answers });
        }
        let asks_one_row = holds(&request, "{record}");
        if !asks_one_row && !holds(&request, "{records}") && !holds(&request, "{rows}") {
            return Err(TemplateError::NoRows);
        }
        Ok(Self { endpoint, request, answers, reading, asks_one_row })
    }

    /// The scores of one request, and which rows are degraded.
    fn call(&mut self, batch: &Batch) -> Result<(Scores, Vec<bool>), Failure> {
        let mut body = Vec::new();
        let written = fill(&self.request, batch, &mut body);
        written.map_err(|why| Failure::new(FailureKind::Rejected, why))?;
        let url = self.endpoint.base().clone();
        let reply = self.endpoint.post(&url, body)?;
        let document = reply.document(&url)?;
        let malformed = |why: String| Failure::new(FailureKind::Malformed, why);
        let found = document.pointer(&self.answers);
        let found =
            found.ok_or_else(|| malformed(format!("the answer has nothing at `{}`", self.answers)))?;
        let scores = match found {
            Value::Array(rows) if !self.asks_one_row => self.reading.of_json(rows),
            row if self.asks_one_row => self.reading.of_json(std::slice::from_ref(row)),
            _ => Err(format!("there is no list at `{}`", self.answers)),
        };
        Ok((scores.map_err(malformed)?, reply.degraded(batch.rows())))
    }

    fn row_by_row(&mut self, batch: &Batch) -> Result<Outcome, Failure> {
        let mut scores = self.reading.empty(batch.rows());
        let mut degraded = Vec::with_capacity(batch.rows());
        for row in 0..batch.rows() {
            let (one, is_degraded) = self.call(&batch.take(&[row]))?;
            scores.append(one);
            degraded.extend(is_degraded);
        }
        Ok(of_rows(batch.rows(), scores, degraded))
    }
}

impl Target for Template {
    fn outcome(&mut self, batch: &Batch) -> Outcome {
        if self.asks_one_row {
            return self.row_by_row(batch).unwrap_or_else(Outcome::Failed);
        }
        match self.call(batch) {
            Ok((scores, degraded)) => of_rows(batch.rows(), scores, degraded),
            Err(failure) => failure.into(),
        }
    }
}

fn holds(value: &Value, placeholder: &str) -> bool {
    match value {
        Value::String(text) => text == placeholder,
        Value::Array(items) => items.iter().any(|item| holds(item, placeholder)),
        Value::Object(fields) => fields.values().any(|value| holds(value, placeholder)),
        _ => false,
    }
}

/// Writes the template with the rows in their places.
fn fill(value: &Value, batch: &Batch, to: &mut Vec<u8>) -> Result<(), String> {
    match value {
        Value::String(text) => match text.as_str() {
            "{columns}" => write_names(batch, to),
            "{rows}" => write_rows(batch, NonFinite::Null, to)?,
            "{record}" => write_record(batch, 0, to)?,
            "{records}" => write_list(0..batch.rows(), to, |row, to| write_record(batch, row, to))?,
            _ => write_json(value, to),
        },
        Value::Array(items) => write_list(items, to, |item, to| fill(item, batch, to))?,
        Value::Object(fields) => {
            to.push(b'{');
            for (at, (name, value)) in fields.iter().enumerate() {
                if at > 0 {
                    to.push(b',');
                }
                write_json(name, to);
                to.push(b':');
                fill(value, batch, to)?;
            }
            to.push(b'}');
        }
        _ => write_json(value, to),
    }
    Ok(())
}
