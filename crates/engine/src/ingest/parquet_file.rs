//! Writing a file of the log so that it is there as a whole or not at all.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::schema::types::ColumnPath;

use super::Steps;
use super::error::IngestError;
use super::folder::Folder;
use super::names::FileName;

/// Rows that readers skip or read together, and that are held in memory while they are written.
const ROW_GROUP_ROWS: usize = 262_144;
/// How often the filter of ids says that an id may be there that is not.
const FALSE_HITS: f64 = 1e-5;

/// A file that is being written.
pub(super) struct ParquetFile<'a> {
    writer: ArrowWriter<BufWriter<File>>,
    path: PathBuf,
    folder: &'a Folder,
    name: &'a FileName,
}

impl<'a> ParquetFile<'a> {
    /// Begins a file. `id` is the column whose values can be looked up without reading them.
    pub(super) fn begin(
        folder: &'a Folder,
        name: &'a FileName,
        schema: SchemaRef,
        id: &str,
        level: i32,
    ) -> Result<Self, IngestError> {
        let (part, path) = (folder.part(name), folder.path.join(name.file()));
        let bad = IngestError::parquet(&path);
        let level = ZstdLevel::try_new(level).map_err(|error| bad(error.to_string()))?;
        let id = ColumnPath::from(vec![id.to_owned()]);
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_column_bloom_filter_enabled(id.clone(), true)
            .set_column_bloom_filter_fpp(id.clone(), FALSE_HITS)
            .set_column_bloom_filter_max_ndv(id.clone(), ROW_GROUP_ROWS as u64)
            // Ids are all different.
            .set_column_dictionary_enabled(id, false)
            .build();
        let file = File::create(&part).map_err(IngestError::io(&part))?;
        let writer = ArrowWriter::try_new(BufWriter::new(file), schema, Some(properties))
            .map_err(|error| bad(error.to_string()))?;
        Ok(Self { writer, path, folder, name })
    }

    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<(), IngestError> {
        self.writer.write(batch).map_err(|error| IngestError::parquet(&self.path)(error.to_string()))
    }

    /// Ends the file: what it holds is on disk before it has its name.
    pub(super) fn finish(self, steps: &Steps) -> Result<(), IngestError> {
        let bad = IngestError::parquet(&self.path);
        let file = self.writer.into_inner().map_err(|error| bad(error.to_string()))?;
        let file = file.into_inner().map_err(|error| bad(error.to_string()))?;
        steps.pass()?;
        self.folder.publish(&file, self.name, steps)?;
        steps.pass()
    }
}
