//! A first look at a file nobody has described yet, for `forewarn init`.

use std::path::Path;

use datafusion::arrow::array::AsArray;
use datafusion::common::ScalarValue;
use jiff::Timestamp;
use stats::sketch::{Fidelity, Profile};
use types::column::{Column, ColumnKind};

use crate::aggregate::{CategoriesSummary, NumbersSummary, decode, function_name};
use crate::blame::first_bad_file;
use crate::cells::TimeAxis;
use crate::error::EngineError;
use crate::files::{AsText, table_files};
use crate::objects::Buckets;
use crate::open::{Engine, LOG, register, schema_of};
use crate::sql::quoted;

/// What a look at a table shows.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Rows that were looked at.
    pub rows: u64,
    pub columns: Vec<ProbedColumn>,
}

/// A column and a summary of its values.
#[derive(Clone, Debug)]
pub struct ProbedColumn {
    pub column: Column,
    /// `None` for times and nested values.
    pub profile: Option<Profile>,
    /// First and last instant, of time columns.
    pub range: Option<(Timestamp, Timestamp)>,
}

/// Rows that are looked at; enough to tell an id from a category.
const ROWS: usize = 200_000;

impl Engine {
    /// Profiles every column of the table at `path`.
    pub fn probe(&self, path: &Path) -> Result<Probe, EngineError> {
        let base = Path::new("");
        let table = table_files(
            base,
            &path.to_string_lossy(),
            &Buckets::on(self.runtime.handle()),
            AsText::default(),
        )?;
        let context = self.context();
        if table.rows_about == 0 {
            return Err(EngineError::NoRows { path: table.files[0].clone() });
        }
        register(&self.runtime, &context, LOG, &table)?;
        let columns = schema_of(&table).columns;
        let selected: Vec<String> = columns.iter().map(aggregate_sql).collect();
        let sql = format!("SELECT count(*), {} FROM (SELECT * FROM {LOG} LIMIT {ROWS})", selected.join(", "));
        let query = self.runtime.block_on(context.sql(&sql))?;
        let batches = self.collect(query).map_err(|error| error.traced(|| first_bad_file(&table)))?;
        let batch = batches
            .iter()
            .find(|batch| batch.num_rows() > 0)
            .ok_or_else(|| EngineError::Query("the look at the file returned nothing".into()))?;
        let ScalarValue::Int64(Some(rows)) = ScalarValue::try_from_array(batch.column(0), 0)? else {
            return Err(EngineError::Query("the rows could not be counted".into()));
        };
        let columns = columns
            .into_iter()
            .enumerate()
            .map(|(at, column)| {
                let values = batch.column(at + 1);
                let profile = match column.kind {
                    ColumnKind::Numeric => {
                        let NumbersSummary(profile) = decode(values.as_binary::<i64>().value(0))?;
                        Some(Profile::Numeric(profile))
                    }
                    ColumnKind::Categorical => {
                        let summary: CategoriesSummary = decode(values.as_binary::<i64>().value(0))?;
                        Some(Profile::Categorical(summary.into_profile()))
                    }
                    ColumnKind::Time | ColumnKind::Text | ColumnKind::Embedding | ColumnKind::Other => None,
                };
                let range = (column.kind == ColumnKind::Time)
                    .then(|| time_range(&self.column_range(&context, &table, &column).ok()?))
                    .flatten();
                Ok(ProbedColumn { column, profile, range })
            })
            .collect::<Result<Vec<_>, EngineError>>()?;
        Ok(Probe { rows: rows as u64, columns })
    }

    fn column_range(
        &self,
        context: &datafusion::prelude::SessionContext,
        table: &crate::files::TableFiles,
        column: &Column,
    ) -> Result<(TimeAxis, ScalarValue, ScalarValue), EngineError> {
        let data_type = table
            .schema
            .field_with_name(&column.name)
            .map_err(|error| EngineError::Query(error.to_string()))?;
        let axis = TimeAxis::new(&column.name, data_type.data_type(), None);
        let name = quoted(&column.name);
        let sql = format!("SELECT min({name}), max({name}) FROM {LOG}");
        let query = self.runtime.block_on(context.sql(&sql))?;
        let batches = self.collect(query)?;
        let batch = batches.first().ok_or_else(|| EngineError::NoTimes { column: column.name.clone() })?;
        let first = ScalarValue::try_from_array(batch.column(0), 0)?;
        let last = ScalarValue::try_from_array(batch.column(1), 0)?;
        Ok((axis, first, last))
    }
}

fn time_range((axis, first, last): &(TimeAxis, ScalarValue, ScalarValue)) -> Option<(Timestamp, Timestamp)> {
    Some((axis.timestamp(first)?, axis.timestamp(last)?))
}

fn aggregate_sql(column: &Column) -> String {
    let name = quoted(&column.name);
    match column.kind {
        ColumnKind::Numeric => format!("{}({name})", function_name::<NumbersSummary>(Fidelity::Exact)),
        ColumnKind::Categorical => format!("{}({name})", function_name::<CategoriesSummary>(Fidelity::Exact)),
        ColumnKind::Time | ColumnKind::Text | ColumnKind::Embedding | ColumnKind::Other => "NULL".into(),
    }
}
