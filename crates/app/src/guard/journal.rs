//! The prediction log of a guard: rows of requests with what was answered, through the write-ahead log of ingestion.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use engine::ingest::{Accepted, BodyFormat, Durability, Encoding, Table};
use jiff::Timestamp;
use serde_json::{Map, Value};
use serving::Scores;
use serving::guard::{Backlog, Journal, NotKept, Predictions};
use types::definition::{Definition, GuardColumns, Output};

/// How often a row is tried again without a value that its column does not take.
const TRIES: usize = 64;

/// Writes predictions into the table of a log.
#[derive(Debug)]
pub(super) struct LogJournal {
    table: Arc<Table>,
    durability: Durability,
    id: String,
    time: String,
    version: String,
    added: GuardColumns,
    outputs: Outputs,
    /// Columns that have a role, and so are never taken from a request.
    roles: HashSet<String>,
    known: OnceLock<Known>,
    /// The next id, for a log whose ids are whole numbers.
    next: AtomicI64,
    repeated: AtomicU64,
}

/// The columns that scores go to.
#[derive(Clone, Debug)]
enum Outputs {
    Number(String),
    /// In the order of the classes, and the column of the predicted one.
    Classes {
        columns: Vec<(String, String)>,
        predicted: Option<String>,
    },
}

/// What the table takes.
#[derive(Debug)]
struct Known {
    columns: HashSet<String>,
    whole_ids: bool,
}

impl LogJournal {
    pub(super) fn new(
        table: Arc<Table>,
        definition: &Definition,
        added: &GuardColumns,
        durability: Durability,
    ) -> Self {
        let log = &definition.log;
        let outputs = match log.output() {
            Output::Score(column) | Output::Number(column) => Outputs::Number(column.to_owned()),
            Output::Probabilities { scores, predicted } => Outputs::Classes {
                columns: scores.iter().map(|(class, column)| (class.clone(), column.clone())).collect(),
                predicted: predicted.map(str::to_owned),
            },
        };
        let id = log.id.clone().unwrap_or_default();
        let outcome = log.outcome.iter().filter(|outcome| outcome.path.is_none());
        let roles = log
            .output_columns()
            .into_iter()
            .map(|(_, column)| column.to_owned())
            .chain(added.names().map(|(_, name)| name.to_owned()))
            .chain(outcome.map(|outcome| outcome.column.clone()))
            .chain([id.clone(), log.time.clone()])
            .collect();
        // Milliseconds, and room for a thousand rows in each: none that was given before, and all below 2^53.
        let next = AtomicI64::new(Timestamp::now().as_millisecond() << 10);
        Self {
            table,
            durability,
            id,
            time: log.time.clone(),
            version: definition.model.version.clone(),
            added: added.clone(),
            outputs,
            roles,
            known: OnceLock::new(),
            next,
            repeated: AtomicU64::new(0),
        }
    }

    /// What the table takes; nothing while its first row is yet to come.
    fn known(&self) -> Option<&Known> {
        if let Some(known) = self.known.get() {
            return Some(known);
        }
        let columns = self.table.columns()?;
        let whole_ids = columns.iter().any(|(name, is_whole)| *is_whole && *name == self.id);
        let columns = columns.into_iter().map(|(name, _)| name).collect();
        Some(self.known.get_or_init(|| Known { columns, whole_ids }))
    }

    fn ids(&self, predictions: &Predictions, whole: bool) -> Vec<Value> {
        let rows = predictions.rows();
        match &predictions.ids {
            Some(ids) if whole => ids
                .iter()
                .map(|id| {
                    id.as_str().and_then(|text| text.parse::<i64>().ok()).map_or(id.clone(), Value::from)
                })
                .collect(),
            // A column of texts takes numbers as texts.
            Some(ids) => ids
                .iter()
                .map(|id| if id.is_string() { id.clone() } else { Value::from(id.to_string()) })
                .collect(),
            None if whole => {
                let first = self.next.fetch_add(rows as i64, Ordering::Relaxed);
                (0..rows as i64).map(|row| Value::from(first + row)).collect()
            }
            None => (0..rows).map(|row| Value::from(format!("{}-{row}", predictions.request))).collect(),
        }
    }

    /// The rows as objects of the log.
    fn rows(&self, predictions: &Predictions, ids: &[Value]) -> Vec<Map<String, Value>> {
        let now = Timestamp::now().to_string();
        let known = self.known();
        let is_taken =
            |name: &str| !self.roles.contains(name) && known.is_none_or(|known| known.columns.contains(name));
        let columns: Vec<&(String, Vec<Value>)> =
            predictions.columns.iter().filter(|(name, _)| is_taken(name)).collect();
        let unusable: HashSet<(usize, &str)> =
            predictions.unusable.iter().map(|(row, name)| (*row, name.as_str())).collect();
        let of_row = |row: usize| {
            let mut object = Map::new();
            object.insert(self.id.clone(), ids[row].clone());
            object.insert(self.time.clone(), now.clone().into());
            for (name, values) in &columns {
                if !values[row].is_null() && !unusable.contains(&(row, name.as_str())) {
                    object.insert(name.clone(), values[row].clone());
                }
            }
            self.write_outputs(predictions.scores.as_ref(), row, &mut object);
            let added = [
                (&self.added.degraded, predictions.remedies[row]),
                (&self.added.flags, predictions.flags[row].as_str()),
                (&self.added.version, self.version.as_str()),
                (&self.added.request, predictions.request.as_str()),
            ];
            for (name, value) in
                added.into_iter().filter(|(name, value)| !name.is_empty() && !value.is_empty())
            {
                object.insert(name.clone(), value.into());
            }
            object
        };
        (0..predictions.rows()).map(of_row).collect()
    }

    fn write_outputs(&self, scores: Option<&Scores>, row: usize, object: &mut Map<String, Value>) {
        match (&self.outputs, scores) {
            (Outputs::Number(column), Some(Scores::Numbers(rows))) => {
                if let Some(number) = rows[row] {
                    object.insert(column.clone(), number.into());
                }
            }
            (Outputs::Classes { columns, predicted }, Some(Scores::Probabilities(rows))) => {
                let Some(numbers) = &rows[row] else { return };
                for ((_, column), number) in columns.iter().zip(numbers) {
                    object.insert(column.clone(), (*number).into());
                }
                let likeliest = columns.iter().zip(numbers).max_by(|a, b| a.1.total_cmp(b.1));
                if let (Some(predicted), Some(((class, _), _))) = (predicted, likeliest) {
                    object.insert(predicted.clone(), class.as_str().into());
                }
            }
            _ => {}
        }
    }

    fn accept(&self, rows: &[Map<String, Value>]) -> Result<Accepted, NotKept> {
        let mut body = Vec::with_capacity(rows.len() * 1_024);
        for row in rows {
            serde_json::to_writer(&mut body, row).expect("values have a form in JSON");
            body.push(b'\n');
        }
        self.table
            .accept_as(BodyFormat::Ndjson, Encoding::Identity, body.as_slice(), self.durability)
            .map_err(|error| NotKept(error.to_string()))
    }
}

impl Journal for LogJournal {
    fn keep(&self, predictions: &Predictions) -> Result<String, NotKept> {
        let whole = self.known().is_some_and(|known| known.whole_ids);
        let ids = self.ids(predictions, whole);
        let mut rows = self.rows(predictions, &ids);
        for _ in 0..TRIES {
            let accepted = self.accept(&rows)?;
            self.repeated.fetch_add(accepted.duplicates, Ordering::Relaxed);
            if accepted.errors.is_empty() {
                return Ok(text(&ids[0]));
            }
            rows = without_mistakes(rows, &accepted, (&self.id, &self.time), &self.added.flags)?;
        }
        Err(NotKept("a row has too many values that its columns do not take".into()))
    }

    fn backlog(&self) -> Backlog {
        let status = self.table.status();
        Backlog {
            rows: status.waiting_rows,
            bytes: status.waiting_bytes,
            failed_syncs: status.failed_syncs,
            repeated: self.repeated.load(Ordering::Relaxed),
        }
    }
}

/// The rows that were refused, without the values that they were refused for, which is noted in `flags`.
fn without_mistakes(
    rows: Vec<Map<String, Value>>,
    accepted: &Accepted,
    (id, time): (&str, &str),
    flags: &str,
) -> Result<Vec<Map<String, Value>>, NotKept> {
    let mistakes: HashMap<usize, _> =
        accepted.errors.iter().map(|error| (error.row as usize, error)).collect();
    let mut left = Vec::with_capacity(mistakes.len());
    for (at, mut row) in rows.into_iter().enumerate() {
        let Some(mistake) = mistakes.get(&at) else { continue };
        let column = mistake.column.as_deref().filter(|column| *column != id && *column != time);
        let Some(column) = column.filter(|column| row.remove(*column).is_some()) else {
            return Err(NotKept(format!("row {at}: {}", mistake.message)));
        };
        if !flags.is_empty() && column != flags {
            let before = row.get(flags).and_then(Value::as_str).map(|flags| format!("{flags};"));
            let noted = format!("{}unlogged:{column}", before.unwrap_or_default());
            row.insert(flags.to_owned(), noted.into());
        }
        left.push(row);
    }
    Ok(left)
}

fn text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
