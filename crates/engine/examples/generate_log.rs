//! Writes a seeded prediction log for benchmarks: `cargo xtask generate-log --rows N --out FOLDER`.
//!
//! A time, a score, 20 numeric columns of several shapes and 10 categorical ones of 2 to 10,000
//! values (`--columns N` makes more or fewer, a third of them categorical); the rows run evenly from
//! 2025-01-01 over 20 weeks, half of them the reference, in files of a million rows (`--days N`: over so
//! many days, in a file for each). In the second half `n00` is shifted, `n01` loses values and `c0`
//! changes its shares; all else stays. Beside the Parquet files stands a `forewarn.toml` that checks what
//! follows the first ten weeks against them.

use std::fs::File;
use std::io::{BufWriter, Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

const VALUES: [u64; 10] = [2, 3, 5, 10, 20, 50, 100, 500, 2_000, 10_000];
const ROWS_PER_FILE: u64 = 1_000_000;
const ROWS_PER_BATCH: u64 = 65_536;
/// 2025-01-01T00:00:00Z and a day, in microseconds.
const START: i64 = 1_735_689_600_000_000;
const DAY: i64 = 24 * 3_600 * 1_000_000;
const DAYS: u64 = 20 * 7;

/// What to write.
struct Log {
    rows: u64,
    folder: PathBuf,
    columns: usize,
    /// With a file for each of them, where they were asked for.
    days: Option<u64>,
}

fn main() -> Result<()> {
    let log = arguments()?;
    std::fs::create_dir_all(log.folder.join("data"))?;
    let files = log.days.unwrap_or(log.rows.div_ceil(ROWS_PER_FILE));
    let first = |file: u64| match log.days {
        // Rounded up, so that no row is dated before its file's day.
        Some(days) => (log.rows * file).div_ceil(days),
        None => (file * ROWS_PER_FILE).min(log.rows),
    };
    for file in 0..files {
        let path = log.folder.join(format!("data/part-{file:03}.parquet"));
        write_file(&path, first(file)..first(file + 1), &log)?;
    }
    std::fs::write(log.folder.join("forewarn.toml"), DEFINITION)
}

const DEFINITION: &str = "[log]\npath = \"data\"\ntime = \"t\"\nscore = \"score\"\n\n\
    [reference]\nwindow = \"2025-01-01/2025-03-12\"\n";

fn arguments() -> Result<Log> {
    let mut log = Log { rows: 0, folder: PathBuf::new(), columns: 30, days: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().unwrap_or_default();
        let count =
            || value.replace('_', "").parse().map_err(|_| Error::other(format!("{word} takes a number")));
        match word.as_str() {
            "--rows" => log.rows = count()?,
            "--columns" => log.columns = count()? as usize,
            "--days" => log.days = Some(count()?),
            "--out" => log.folder = value.into(),
            _ => return Err(Error::other(format!("`{word}` is not --rows, --out, --columns or --days"))),
        }
    }
    let complete = log.rows > 0 && log.columns > 0 && log.days != Some(0) && log.folder != Path::new("");
    let usage = "usage: generate_log --rows N --out FOLDER [--columns N] [--days N]";
    complete.then_some(log).ok_or_else(|| Error::other(usage))
}

fn write_file(path: &Path, rows: std::ops::Range<u64>, log: &Log) -> Result<()> {
    let level = ZstdLevel::try_new(3).map_err(Error::other)?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    let mut rng = ChaCha8Rng::seed_from_u64(rows.start);
    let schema = batch(&mut rng, 0..0, log)?.schema();
    let file = BufWriter::new(File::create(path)?);
    let mut writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(Error::other)?;
    for first in rows.clone().step_by(ROWS_PER_BATCH as usize) {
        let batch = batch(&mut rng, first..(first + ROWS_PER_BATCH).min(rows.end), log)?;
        writer.write(&batch).map_err(Error::other)?;
    }
    writer.close().map_err(Error::other)?;
    Ok(())
}

fn batch(rng: &mut ChaCha8Rng, rows: std::ops::Range<u64>, log: &Log) -> Result<RecordBatch> {
    let total = log.rows;
    let span = i128::from(log.days.unwrap_or(DAYS) as i64 * DAY);
    let times = rows.clone().map(|row| START + (span * i128::from(row) / i128::from(total)) as i64);
    let late: Vec<bool> = rows.map(|row| row >= total / 2).collect();
    let time = TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC");
    let mut columns: Vec<(String, ArrayRef)> = vec![("t".into(), Arc::new(time))];
    let categorical = log.columns / 3;
    for at in 0..log.columns - categorical {
        columns.push((format!("n{at:02}"), Arc::new(numbers(rng, at, &late))));
    }
    for (at, values) in VALUES.into_iter().cycle().enumerate().take(categorical) {
        columns.push((format!("c{at}"), Arc::new(categories(rng, at, values, &late))));
    }
    let score: Float64Array = late.iter().map(|_| Some(1.0 / (1.0 + normal(rng).exp()))).collect();
    columns.push(("score".into(), Arc::new(score)));
    RecordBatch::try_from_iter(columns).map_err(Error::other)
}

fn numbers(rng: &mut ChaCha8Rng, at: usize, late: &[bool]) -> Float64Array {
    late.iter()
        .map(|&late| {
            let draw = normal(rng);
            let missing = if late && at == 1 { 0.2 } else { 0.02 * (at % 4) as f64 };
            let value = match at % 5 {
                0 => draw,
                1 => 50.0 + 10.0 * draw,
                2 => draw.exp(),
                3 => (draw * 4.0).round(),
                _ => (draw * 100.0).round() / 100.0,
            };
            let value = if late && at == 0 { value + 0.5 } else { value };
            (uniform(rng) >= missing).then_some(value)
        })
        .collect()
}

fn categories(rng: &mut ChaCha8Rng, at: usize, values: u64, late: &[bool]) -> StringArray {
    late.iter()
        .map(|&late| {
            // Squaring makes the first values the most frequent ones.
            let draw = uniform(rng);
            let draw = if late && at == 0 { draw } else { draw * draw };
            Some(format!("value_{at}_{:05}", (draw * values as f64) as u64))
        })
        .collect()
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Box–Muller, one of the pair.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (-2.0 * (1.0 - uniform(rng)).ln()).sqrt() * (std::f64::consts::TAU * uniform(rng)).cos()
}
