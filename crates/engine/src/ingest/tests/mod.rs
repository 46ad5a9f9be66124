//! Tests of ingestion as a whole: what comes in is in the files, once, whatever happens in between.

mod bucket;
mod crashes;
mod killed;
mod requests;
mod written;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use jiff::Timestamp;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use types::definition::{self, Definition};

use super::{Accepted, BodyFormat, Encoding, Ingest, IngestError, IngestOptions, Table, TableKind};
use crate::find::{Found, matching_files};
use crate::objects::Buckets;

const DEFINITION: &str = r#"
[log]
path = "log"
id = "id"
time = "t"
score = "p"
[log.outcome]
path = "outcomes/*.parquet"
column = "y"
time = "known"
[reference]
window = "2025-01-01/2025-01-03"
"#;

fn definition() -> Definition {
    definition_of("log")
}

fn definition_of(log: &str) -> Definition {
    definition::parse(&DEFINITION.replace("path = \"log\"", &format!("path = \"{log}\""))).unwrap()
}

fn now() -> Timestamp {
    "2026-11-27T12:00:00Z".parse().unwrap()
}

/// A folder with a system in it, whose log is in the folder or in a bucket.
struct Site {
    folder: tempfile::TempDir,
    options: IngestOptions,
    bucket: Option<Arc<dyn ObjectStore>>,
}

/// The name of that bucket.
const BUCKET: &str = "b";

impl Site {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), options: IngestOptions::default(), bucket: None }
    }

    fn in_bucket() -> Self {
        Self::with(Arc::new(InMemory::new()))
    }

    fn with(store: Arc<dyn ObjectStore>) -> Self {
        Self { bucket: Some(store), ..Self::new() }
    }

    /// Where the log is, as the definition says it.
    fn log(&self) -> &'static str {
        if self.bucket.is_some() { "s3://b/log" } else { "log" }
    }

    fn definition(&self) -> Definition {
        definition_of(self.log())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) -> Ingest {
        let ingest = Ingest::open(&self.path("state"), self.options.clone()).unwrap();
        if let Some(store) = &self.bucket {
            ingest.buckets.insert(BUCKET, store.clone());
        }
        ingest
    }

    fn table(&self, kind: TableKind) -> Arc<Table> {
        self.open().table(&self.definition(), self.folder.path(), kind).unwrap()
    }

    fn predictions(&self) -> Arc<Table> {
        self.table(TableKind::Predictions)
    }

    fn wal(&self) -> PathBuf {
        self.path("state/ingest/system/predictions/wal")
    }

    /// For whoever reads the log.
    fn buckets(&self) -> Buckets {
        let buckets = Buckets::with_own_threads();
        if let Some(store) = &self.bucket {
            buckets.insert(BUCKET, store.clone());
        }
        buckets
    }

    /// The rows in the files of the log, as the engine finds them.
    fn rows(&self) -> Vec<BTreeMap<String, String>> {
        self.rows_at(self.log())
    }

    fn rows_at(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        rows_of(self.folder.path(), path, &self.buckets())
    }

    fn ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.rows().into_iter().map(|row| row["id"].clone()).collect();
        ids.sort();
        ids
    }

    fn files(&self) -> Vec<String> {
        let found = matching_files(self.folder.path(), self.log(), &self.buckets());
        let files = found.map(|found| found.files).unwrap_or_default();
        files.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }
}

fn rows_of(base: &Path, path: &str, buckets: &Buckets) -> Vec<BTreeMap<String, String>> {
    let Ok(Found { storage, files }) = matching_files(base, path, buckets) else { return Vec::new() };
    let batches = files.iter().flat_map(|path| {
        ParquetRecordBatchReaderBuilder::try_new(storage.open(path).unwrap()).unwrap().build().unwrap()
    });
    batches.flat_map(|batch| rows_of_batch(&batch.unwrap())).collect()
}

fn rows_of_batch(batch: &RecordBatch) -> Vec<BTreeMap<String, String>> {
    let mut rows = vec![BTreeMap::new(); batch.num_rows()];
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let texts = cast(column, &DataType::Utf8).unwrap();
        let texts = texts.as_string::<i32>();
        for (row, values) in rows.iter_mut().enumerate() {
            if texts.is_valid(row) {
                values.insert(field.name().clone(), texts.value(row).to_owned());
            }
        }
    }
    rows
}

fn send(table: &Table, format: BodyFormat, body: &str) -> Result<Accepted, IngestError> {
    table.accept(format, Encoding::Identity, body.as_bytes())
}

fn lines(table: &Table, body: &str) -> Accepted {
    send(table, BodyFormat::Ndjson, body).unwrap()
}

/// `count` lines with ids from `first` on, one every ten hours.
fn numbered(first: u64, count: u64) -> String {
    let line = |id: u64| {
        let at = Timestamp::from_second(1_795_000_000 + id as i64 * 36_000).unwrap();
        format!("{{\"id\":\"r{id:06}\",\"t\":\"{at}\",\"p\":0.25,\"x\":{id},\"c\":\"value {}\"}}\n", id % 7)
    };
    (first..first + count).map(line).collect()
}

fn expected_ids(count: u64) -> Vec<String> {
    (0..count).map(|id| format!("r{id:06}")).collect()
}
