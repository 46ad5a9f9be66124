//! Opening a log: its files, its tables, its range of time.

use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema as ArrowSchema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::common::ScalarValue;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::functions_aggregate::expr_fn::{count, max, min};
use datafusion::logical_expr::{Expr, cast, ident, lit, try_cast};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};
use jiff::Timestamp;
use stats::sketch::Fidelity;
use tokio::runtime::Runtime;
use types::Window;
use types::column::{Column, ColumnKind, Schema};
use types::definition::{Definition, Log as Roles};
use types::evidence::DatasetVersion;
use types::log_state::FileChanges;
use types::window::Dataset;
use url::Url;

use crate::blame::{first_bad_file, first_bad_time};
use crate::cells::TimeAxis;
use crate::days::Profiles;
use crate::error::EngineError;
use crate::file_profile::BlocksAtHand;
use crate::files::{AsText, Format, Layout, TableFiles, is_number, is_text, table_files};
use crate::objects::{AsListed, Buckets, ObjectsError};
use crate::storage::Storage;
use crate::store::ProfileStore;
use crate::versions::{Files, dataset_version};

/// How the engine works.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Windows of up to this many rows are measured exactly, larger ones through sketches.
    pub exact_rows: u64,
    /// Threads that read and aggregate; by default all cores.
    pub threads: Option<usize>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { exact_rows: 1_000_000, threads: None }
    }
}

/// Reads logs. Keeps the threads that do it.
#[derive(Debug)]
pub struct Engine {
    pub(crate) runtime: Runtime,
    pub(crate) options: EngineOptions,
}

/// The name of the log's table in SQL.
pub(crate) const LOG: &str = "log";
/// The name of the outcomes' table in SQL.
pub(crate) const OUTCOMES: &str = "outcomes";
/// The name of the reference's table in the SQL of the log, where it has files of its own.
pub(crate) const REFERENCE: &str = "reference";
/// The entries of the store that say which files were seen.
const SEEN_OF_LOG: &str = "files";
const SEEN_OF_REFERENCE: &str = "files-reference";

impl Engine {
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        if let Some(threads) = options.threads {
            builder.worker_threads(threads.max(1));
        }
        let runtime = builder
            .enable_all()
            .build()
            .map_err(|error| EngineError::Query(format!("no threads to work with: {error}")))?;
        Ok(Self { runtime, options })
    }

    /// Finds the log's files, and the outcomes' where they are apart, and reads their schemas.
    ///
    /// With a store, files are profiled day by day, and once; without one, windows are read each time.
    pub fn open(
        &self,
        definition: &Definition,
        base: &Path,
        store: Option<Arc<dyn ProfileStore>>,
    ) -> Result<Log<'_>, EngineError> {
        // Another tool's result is equalled from all values or not at all.
        let days_fidelity = match definition.monitor.drift.method.peer() {
            Some(_) => Fidelity::Exact,
            None => Fidelity::Sketched,
        };
        let roles = definition.log.clone();
        let buckets = Buckets::on(self.runtime.handle());
        let place = (base, &buckets);
        let mut log = self.open_dataset(roles, place, store.clone(), SEEN_OF_LOG, days_fidelity)?;
        if let Some(path) = &definition.reference.path {
            let ids: Vec<&str> = definition.log.id.as_deref().into_iter().collect();
            let as_text = AsText { ids: &ids, time: Some(&definition.log.time) };
            let reference = table_files(base, path, &buckets, as_text)?;
            let roles = reference_roles(&definition.log, path, &reference);
            // Outcomes of the reference's predictions may lie in the table of the log's.
            register(&self.runtime, &log.context, REFERENCE, &reference)?;
            let opened = self.open_dataset(roles, place, store, SEEN_OF_REFERENCE, days_fidelity)?;
            log.reference = Some(Box::new(opened));
        }
        Ok(log)
    }

    fn open_dataset(
        &self,
        roles: Roles,
        (base, buckets): (&Path, &Buckets),
        store: Option<Arc<dyn ProfileStore>>,
        seen: &'static str,
        days_fidelity: Fidelity,
    ) -> Result<Log<'_>, EngineError> {
        let context = self.context();
        let outcome = roles.outcome.as_ref();
        let ids: Vec<&str> = roles.id.as_deref().into_iter().collect();
        let outcome_ids: Vec<&str> =
            ids.iter().copied().chain(outcome.and_then(|outcome| outcome.id.as_deref())).collect();
        let log_as_text = AsText { ids: &ids, time: Some(&roles.time) };
        let log = table_files(base, &roles.path, buckets, log_as_text)?;
        if log.rows_about == 0 {
            return Err(EngineError::NoRows { path: log.files[0].clone() });
        }
        register(&self.runtime, &context, LOG, &log)?;
        let outcome_path = outcome.and_then(|outcome| outcome.path.as_deref());
        let outcomes_as_text = AsText { ids: &outcome_ids, time: None };
        let outcomes = outcome_path.map(|path| table_files(base, path, buckets, outcomes_as_text));
        let outcomes = outcomes.transpose()?;
        if let Some(outcomes) = &outcomes {
            register(&self.runtime, &context, OUTCOMES, outcomes)?;
        }
        Ok(Log {
            engine: self,
            context,
            roles,
            days_fidelity,
            base: base.to_owned(),
            log,
            outcomes,
            reference: None,
            store,
            seen,
            versions: OnceCell::new(),
            profiles: RefCell::default(),
            blocks: RefCell::default(),
        })
    }

    pub(crate) fn context(&self) -> SessionContext {
        let mut config = SessionConfig::new();
        if let Some(threads) = self.options.threads {
            config = config.with_target_partitions(threads.max(1));
        }
        // Which thread reads which file must not depend on timing: sketches see rows in an order.
        config.options_mut().execution.enable_file_stream_work_stealing = false;
        // Rows outside of the windows are left out while decoding, and the others are not copied again.
        config.options_mut().execution.parquet.pushdown_filters = true;
        let context = SessionContext::new_with_config(config);
        for function in crate::aggregate::all() {
            context.register_udaf(function);
        }
        context.register_udf(crate::row_hash::row_hash());
        context
    }

    pub(crate) fn collect(&self, rows: DataFrame) -> Result<Vec<RecordBatch>, EngineError> {
        Ok(self.runtime.block_on(rows.collect())?)
    }
}

/// The roles of a reference's columns: those of the log; its outcomes are among its own columns where it has
/// the column, else in the table of outcomes.
fn reference_roles(log: &Roles, path: &str, files: &TableFiles) -> Roles {
    let mut roles = Roles { path: path.to_owned(), ..log.clone() };
    let has = |name: &str| files.schema.field_with_name(name).is_ok();
    if let Some(outcome) = roles.outcome.as_mut().filter(|outcome| has(&outcome.column)) {
        outcome.path = None;
        outcome.time = outcome.time.take().filter(|time| has(time));
    }
    roles
}

/// Makes the files known to SQL as one table.
pub(crate) fn register(
    runtime: &Runtime,
    context: &SessionContext,
    name: &str,
    table: &TableFiles,
) -> Result<(), EngineError> {
    if let Storage::Bucket(bucket) = &table.storage {
        let reader = Arc::new(AsListed(Arc::clone(bucket)));
        context.register_object_store(&address_url(&bucket.address())?, reader);
    }
    let in_order =
        |layout: &Layout| table.schema.fields().iter().map(|field| field.name()).eq(&layout.columns);
    match table.layouts.as_slice() {
        [only] if only.own_types.is_empty() && in_order(only) => {
            context
                .register_table(name, Arc::new(listing(table, &only.files, Arc::clone(&table.schema))?))?;
        }
        layouts => {
            let mut whole: Option<DataFrame> = None;
            for layout in layouts {
                let part = context.read_table(Arc::new(listing(
                    table,
                    &layout.files,
                    layout_schema(table, layout)?,
                )?))?;
                let part = part.select(columns_of_table(table, layout))?;
                whole = Some(match whole {
                    None => part,
                    Some(whole) => whole.union(part)?,
                });
            }
            if let Some(whole) = whole {
                context.register_table(name, whole.into_view())?;
            }
        }
    }
    // Planned once here, so that a table that cannot be read is not found out later.
    runtime.block_on(context.table(name))?;
    Ok(())
}

/// The types that a layout is read as, in its order.
fn layout_schema(table: &TableFiles, layout: &Layout) -> Result<SchemaRef, EngineError> {
    let field = |name: &String| -> Result<Field, ArrowError> {
        let field = table.schema.field_with_name(name)?.clone();
        Ok(match layout.own_types.get(name) {
            Some(own) => field.with_data_type(own.clone()),
            None => field,
        })
    };
    let fields = layout.columns.iter().map(field).collect::<Result<Vec<_>, _>>();
    let fields = fields.map_err(|error| EngineError::Query(error.to_string()))?;
    Ok(Arc::new(ArrowSchema::new(fields)))
}

/// The table's columns in its order; null where the layout lacks one, or holds what cannot be read as its type.
fn columns_of_table(table: &TableFiles, layout: &Layout) -> Vec<Expr> {
    let column = |field: &Arc<Field>| {
        if layout.own_types.contains_key(field.name()) {
            try_cast(ident(field.name()), field.data_type().clone()).alias(field.name())
        } else if layout.columns.contains(field.name()) {
            ident(field.name())
        } else {
            cast(lit(ScalarValue::Null), field.data_type().clone()).alias(field.name())
        }
    };
    table.schema.fields().iter().map(column).collect()
}

fn listing(table: &TableFiles, files: &[PathBuf], schema: SchemaRef) -> Result<ListingTable, EngineError> {
    let format: Arc<dyn FileFormat> = match table.format {
        Format::Parquet => Arc::new(ParquetFormat::default()),
        // A quoted value may hold a line break, so a CSV file is not split between threads.
        Format::Csv => Arc::new(CsvFormat::default().with_has_header(true).with_newlines_in_values(true)),
    };
    let url = |path: &PathBuf| -> Result<ListingTableUrl, EngineError> {
        let url = match &table.storage {
            Storage::Disk => file_url(path),
            // A percent sign in a key is one; the others are written as URLs have them.
            Storage::Bucket(_) => address_url(&path.to_string_lossy().replace('%', "%25")),
        };
        Ok(ListingTableUrl::try_new(url?, None)?)
    };
    let urls = files.iter().map(url).collect::<Result<Vec<_>, _>>()?;
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(ListingOptions::new(format).with_file_extension(""))
        .with_schema(schema);
    Ok(ListingTable::try_new(config)?)
}

fn file_url(path: &Path) -> Result<Url, EngineError> {
    // An object store knows no `..` and no links.
    let full = path.canonicalize().map_err(|source| EngineError::Io { path: path.to_owned(), source })?;
    Url::from_file_path(&full).map_err(|()| EngineError::NotFound { path: full })
}

fn address_url(address: &str) -> Result<Url, EngineError> {
    Url::parse(address).map_err(|_| ObjectsError::NotAnAddress { address: address.to_owned() }.into())
}

/// The range of times in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    pub first: Timestamp,
    pub last: Timestamp,
    /// Rows without a time: they are in no window.
    pub undated_rows: u64,
    /// As many of these have a local time in a zone that is no one instant there.
    pub rows_of_no_instant: u64,
}

/// An opened log.
pub struct Log<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) context: SessionContext,
    pub(crate) roles: Roles,
    /// How the days of files are summarised.
    pub(crate) days_fidelity: Fidelity,
    base: PathBuf,
    pub(crate) log: TableFiles,
    pub(crate) outcomes: Option<TableFiles>,
    /// The reference, where it has files of its own.
    reference: Option<Box<Self>>,
    /// The entry of the store that says which of its files were seen.
    seen: &'static str,
    store: Option<Arc<dyn ProfileStore>>,
    versions: OnceCell<(Files, FileChanges)>,
    /// The profiles of the log's files that were looked at, by the file's position.
    pub(crate) profiles: RefCell<Profiles>,
    /// The summaries of their columns that were asked for last.
    pub(crate) blocks: RefCell<BlocksAtHand>,
}

impl std::fmt::Debug for Log<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log")
            .field("log", &self.log)
            .field("outcomes", &self.outcomes)
            .finish_non_exhaustive()
    }
}

impl Log<'_> {
    /// The log's columns; those that the definition calls text are of that kind.
    pub fn schema(&self) -> Schema {
        let mut schema = schema_of(&self.log);
        for column in &mut schema.columns {
            let is_text = column.kind == ColumnKind::Categorical && column.type_name != "Boolean";
            if is_text && self.roles.text.contains(&column.name) {
                column.kind = ColumnKind::Text;
            }
        }
        schema
    }

    /// The dataset that a window is about: the reference, where that has files of its own, or this log.
    pub(crate) fn dataset(&self, window: Window) -> &Self {
        match &self.reference {
            Some(reference) if window.dataset() == Dataset::Reference => reference,
            _ => self,
        }
    }

    /// The reference, where it has files of its own.
    pub fn reference(&self) -> Option<&Self> {
        self.reference.as_deref()
    }

    /// The schema of the outcome table, where it is a table of its own.
    pub fn outcome_schema(&self) -> Option<Schema> {
        self.outcomes.as_ref().map(schema_of)
    }

    /// How many files there are to read, outcomes included.
    pub fn file_count(&self) -> usize {
        let own = self.log.files.len() + self.outcomes.as_ref().map_or(0, |outcomes| outcomes.files.len());
        own + self.reference.as_ref().map_or(0, |reference| reference.log.files.len())
    }

    /// How many files the log itself has.
    pub fn log_file_count(&self) -> u64 {
        self.log.files.len() as u64
    }

    /// Which versions of the datasets are about to be read. Files that changed are digested.
    pub fn dataset_versions(&self) -> Result<Vec<DatasetVersion>, EngineError> {
        let files = self.versions()?;
        let mut versions = vec![dataset_version("predictions", &self.log.storage, &files.log)];
        if let Some(outcomes) = &self.outcomes {
            versions.push(dataset_version("outcomes", &outcomes.storage, &files.outcomes));
        }
        if let Some(reference) = &self.reference {
            let files = &reference.versions()?.log;
            versions.push(dataset_version("reference", &reference.log.storage, files));
        }
        Ok(versions)
    }

    /// What happened to the files since [`Self::remember_files`].
    pub fn file_changes(&self) -> Result<FileChanges, EngineError> {
        let mut changes = self.looked_at()?.1.clone();
        if let Some(reference) = &self.reference {
            let theirs = &reference.looked_at()?.1;
            changes.added += theirs.added;
            changes.changed.extend_from_slice(&theirs.changed);
            changes.vanished.extend_from_slice(&theirs.vanished);
        }
        Ok(changes)
    }

    /// Remembers the files as they are, once it is recorded what happened to them.
    pub fn remember_files(&self) -> Result<(), EngineError> {
        let Some(store) = self.store() else { return Ok(()) };
        self.versions()?.remember(store, self.seen)?;
        self.reference.as_ref().map_or(Ok(()), |reference| reference.remember_files())
    }

    /// A digest of each outcome file, by path.
    pub fn outcome_files(&self) -> Result<Vec<(String, types::Digest)>, EngineError> {
        let files = &self.versions()?.outcomes;
        Ok(files.iter().map(|file| (file.path.clone(), file.digest)).collect())
    }

    pub(crate) fn versions(&self) -> Result<&Files, EngineError> {
        Ok(&self.looked_at()?.0)
    }

    pub(crate) fn store(&self) -> Option<&dyn ProfileStore> {
        self.store.as_deref()
    }

    /// The files as they are now, and what happened to them.
    fn looked_at(&self) -> Result<&(Files, FileChanges), EngineError> {
        if let Some(versions) = self.versions.get() {
            return Ok(versions);
        }
        let remembered = Files::remembered(self.store(), self.seen)?;
        let outcomes_at = self.roles.outcome.as_ref().and_then(|outcome| outcome.path.as_deref());
        let place = format!("{}\n{}", self.roles.path, outcomes_at.unwrap_or_default());
        let files = Files::now(place, &self.log, self.outcomes.as_ref(), &self.base, remembered.as_ref())?;
        let changes = files.changes_since(remembered.as_ref());
        Ok(self.versions.get_or_init(|| (files, changes)))
    }

    /// The range of times in the log. Call it after `types::definition::check_against`.
    pub fn time_range(&self) -> Result<TimeRange, EngineError> {
        let axis = self.time_axis();
        let none = || EngineError::NoTimes { column: axis.column().to_owned() };
        let table = self.engine.runtime.block_on(self.context.table(LOG))?;
        let instant = axis.instant()?;
        let range = vec![
            min(instant.clone()),
            max(instant.clone()),
            count(lit(1_i64)),
            count(instant),
            // Named, since it may be the very same expression.
            count(ident(axis.column())).alias("written"),
        ];
        let batches =
            self.collect(table.aggregate(vec![], range)?).map_err(|error| self.explain_time(error))?;
        let batch = batches.iter().find(|batch| batch.num_rows() > 0).ok_or_else(none)?;
        let at = |column: usize| -> Result<Timestamp, EngineError> {
            let value = ScalarValue::try_from_array(batch.column(column), 0)?;
            axis.timestamp(&value).ok_or_else(none)
        };
        let counted = |column: usize| batch.column(column).as_primitive::<Int64Type>().value(0) as u64;
        Ok(TimeRange {
            first: at(0)?,
            last: at(1)?,
            undated_rows: counted(2) - counted(3),
            rows_of_no_instant: counted(4) - counted(3),
        })
    }

    /// Names the file and the row where a query failed because a text is no instant.
    pub(crate) fn explain_time(&self, error: EngineError) -> EngineError {
        if !matches!(error, EngineError::Query(_)) {
            return error;
        }
        let known = self.roles.outcome.as_ref().and_then(|outcome| outcome.time.as_deref());
        let outcomes = self.outcomes.as_ref().or(Some(&self.log)).zip(known);
        let times = std::iter::once((&self.log, self.roles.time.as_str())).chain(outcomes);
        let bad =
            times.into_iter().find_map(|(table, column)| Some((column, first_bad_time(table, column)?)));
        bad.map_or(error, |(column, bad)| EngineError::UnreadableTime {
            column: column.to_owned(),
            path: bad.path,
            row: bad.row,
            text: bad.text,
        })
    }

    pub(crate) fn time_axis(&self) -> TimeAxis {
        let data_type = self.column_type(&self.roles.time);
        TimeAxis::new(&self.roles.time, &data_type, self.roles.time_unit)
    }

    pub(crate) fn column_type(&self, name: &str) -> DataType {
        self.log.schema.field_with_name(name).map_or(DataType::Null, |field| field.data_type().clone())
    }

    /// Runs a query over one file; a failure that comes from it is traced to it.
    pub(crate) fn collect_of(&self, file: usize, rows: DataFrame) -> Result<Vec<RecordBatch>, EngineError> {
        let collected = self.engine.collect(rows);
        collected.map_err(|error| error.traced(|| first_bad_file(&self.log.only(&[file]))))
    }

    /// Runs a query; a failure that comes from a file is traced to it.
    pub(crate) fn collect(&self, rows: DataFrame) -> Result<Vec<RecordBatch>, EngineError> {
        let bad_file = || std::iter::once(&self.log).chain(&self.outcomes).find_map(first_bad_file);
        self.engine.collect(rows).map_err(|error| error.traced(bad_file))
    }
}

pub(crate) fn schema_of(table: &TableFiles) -> Schema {
    let column = |field: &Arc<Field>| Column {
        name: field.name().clone(),
        kind: kind_of(field.data_type()),
        type_name: match field.data_type() {
            _ if table.empty_columns.contains(field.name()) => Column::EMPTY.into(),
            DataType::Utf8View => "text".into(),
            other => other.to_string(),
        },
    };
    Schema { columns: table.schema.fields().iter().map(column).collect() }
}

fn kind_of(data_type: &DataType) -> ColumnKind {
    match data_type {
        DataType::Boolean => ColumnKind::Categorical,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => ColumnKind::Time,
        _ if is_text(data_type) => ColumnKind::Categorical,
        _ if is_number(data_type) => ColumnKind::Numeric,
        DataType::List(entry) | DataType::LargeList(entry) | DataType::FixedSizeList(entry, _)
            if entry.data_type().is_floating() =>
        {
            ColumnKind::Embedding
        }
        _ => ColumnKind::Other,
    }
}
