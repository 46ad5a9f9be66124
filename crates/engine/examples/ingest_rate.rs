//! How many predictions a second are taken in: `ingest_rate [--rows N] [--threads N] [--batch N] [--folder F]`.
//!
//! Sends NDJSON, and then an Arrow stream, of predictions with 30 features from several threads, each of which
//! waits until its rows are on disk, while another thread makes files of them; then says how many rows a second
//! were answered, how many became rows of files, and what a row cost in CPU time. HTTP is not in it.

use std::fmt::Write as _;
use std::io::{Error, Result};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::ipc::writer::StreamWriter;
use engine::ingest::{BodyFormat, Encoding, Ingest, IngestError, IngestOptions, Table, TableKind};
use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

const DEFINITION: &str = "[system]\nid = \"rate\"\n[log]\npath = \"log\"\nid = \"id\"\ntime = \"t\"\nscore = \"p\"\n\
    [reference]\nwindow = \"2025-01-01/2025-01-03\"\n";
const NUMBERS: usize = 20;
const TEXTS: usize = 10;
/// When the first prediction is dated, in microseconds; a millisecond lies between two of them.
const START: i64 = 1_795_000_000_000_000;

struct Load {
    rows: u64,
    threads: u64,
    batch: u64,
    folder: Option<PathBuf>,
}

fn main() -> Result<()> {
    let load = arguments()?;
    for format in [BodyFormat::Ndjson, BodyFormat::ArrowStream] {
        let own = std::env::temp_dir().join(format!("ingest-rate-{}", std::process::id()));
        let folder = load.folder.clone().unwrap_or(own);
        std::fs::create_dir_all(&folder)?;
        let told = run(&load, format, &folder);
        std::fs::remove_dir_all(&folder)?;
        told?;
    }
    Ok(())
}

fn arguments() -> Result<Load> {
    let mut load = Load { rows: 400_000, threads: 8, batch: 1_000, folder: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().unwrap_or_default();
        let count =
            || value.replace('_', "").parse().map_err(|_| Error::other(format!("{word} takes a number")));
        match word.as_str() {
            "--rows" => load.rows = count()?,
            "--threads" => load.threads = count()?,
            "--batch" => load.batch = count()?,
            "--folder" => load.folder = Some(value.into()),
            _ => return Err(Error::other(format!("`{word}` is not --rows, --threads, --batch or --folder"))),
        }
    }
    let complete = load.rows > 0 && load.threads > 0 && load.batch > 0;
    complete.then_some(load).ok_or_else(|| Error::other("rows, threads and batch are at least 1"))
}

fn run(load: &Load, format: BodyFormat, folder: &std::path::Path) -> Result<()> {
    let definition = types::definition::parse(DEFINITION).map_err(Error::other)?;
    let ingest = Ingest::open(&folder.join("state"), IngestOptions::default()).map_err(Error::other)?;
    let table = ingest.table(&definition, folder, TableKind::Predictions).map_err(Error::other)?;
    let requests = load.rows.div_ceil(load.batch);
    let bodies: Vec<Vec<u8>> =
        (0..requests).map(|request| body(format, request, load.batch)).collect::<Result<_>>()?;
    let bytes = bodies.iter().map(Vec::len).sum::<usize>() as u64 / bodies.len() as u64 / load.batch;
    let sent = requests * load.batch;
    let (next, done, busy) = (AtomicU64::new(0), AtomicBool::new(false), AtomicU64::new(0));
    let (cpu, start) = (cpu_seconds()?, Instant::now());
    let mut answered = Duration::ZERO;
    std::thread::scope(|scope| -> Result<()> {
        let files = scope.spawn(|| files(&table, &done));
        let senders: Vec<_> = (0..load.threads)
            .map(|_| {
                scope.spawn(|| -> Result<()> {
                    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                        send(&table, format, body, &busy)?;
                    }
                    Ok(())
                })
            })
            .collect();
        let sent: Result<()> = senders
            .into_iter()
            .try_for_each(|sender| sender.join().unwrap_or_else(|_| Err(Error::other("a sender panicked"))));
        answered = start.elapsed();
        done.store(true, Ordering::Relaxed);
        sent?;
        files.join().unwrap_or_else(|_| Err(Error::other("the compaction panicked")))
    })?;
    let (all, cpu) = (start.elapsed(), cpu_seconds()? - cpu);
    let status = table.status();
    println!(
        "{format:?}: {sent} rows of {bytes} bytes, {} threads, {} rows a request: {:.0} rows/s answered, {:.0} rows/s \
         in files, {:.2} µs of CPU a row, {} waits for the disk, {} times busy, {} files, {} rows written",
        load.threads,
        load.batch,
        sent as f64 / answered.as_secs_f64(),
        sent as f64 / all.as_secs_f64(),
        cpu * 1e6 / sent as f64,
        status.syncs,
        busy.load(Ordering::Relaxed),
        status.files,
        status.written
    );
    (status.written == sent).then_some(()).ok_or_else(|| Error::other("rows are missing"))
}

fn send(table: &Table, format: BodyFormat, body: &[u8], busy: &AtomicU64) -> Result<()> {
    loop {
        match table.accept(format, Encoding::Identity, body) {
            Ok(answer) if answer.rejected == 0 => return Ok(()),
            Ok(answer) => return Err(Error::other(format!("{:?}", answer.errors))),
            Err(IngestError::Busy { .. }) => {
                busy.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => return Err(Error::other(error)),
        }
    }
}

/// Makes files whenever a segment is full, and of the rest at the end.
fn files(table: &Table, done: &AtomicBool) -> Result<()> {
    let now = Timestamp::UNIX_EPOCH;
    while !done.load(Ordering::Relaxed) {
        if table.should_compact() {
            table.compact(now).map_err(Error::other)?;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    table.compact(now).map_err(Error::other)?;
    Ok(())
}

fn body(format: BodyFormat, request: u64, rows: u64) -> Result<Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(request);
    let ids = request * rows..(request + 1) * rows;
    let at = |id: u64| START + id as i64 * 1_000;
    if format == BodyFormat::Ndjson {
        let mut text = String::new();
        for id in ids {
            let time = Timestamp::from_microsecond(at(id)).map_err(Error::other)?;
            let _ = write!(text, "{{\"id\":\"{id:016x}\",\"t\":\"{time}\",\"p\":{}", uniform(&mut rng));
            for column in 0..NUMBERS {
                let _ = write!(text, ",\"n{column:02}\":{}", number(&mut rng, column));
            }
            for column in 0..TEXTS {
                let _ = write!(text, ",\"c{column}\":\"value_{column}_{:05}\"", rng.next_u32() % 100);
            }
            text.push_str("}\n");
        }
        return Ok(text.into_bytes());
    }
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("id".into(), Arc::new(ids.clone().map(|id| Some(format!("{id:016x}"))).collect::<StringArray>())),
        (
            "t".into(),
            Arc::new(TimestampMicrosecondArray::from_iter_values(ids.clone().map(at)).with_timezone("UTC")),
        ),
        ("p".into(), Arc::new(ids.clone().map(|_| Some(uniform(&mut rng))).collect::<Float64Array>())),
    ];
    for column in 0..NUMBERS {
        let values: Vec<f64> = ids.clone().map(|_| number(&mut rng, column)).collect();
        let values: ArrayRef = if column % 4 == 3 {
            Arc::new(values.iter().map(|value| *value as i64).collect::<Int64Array>())
        } else {
            Arc::new(Float64Array::from(values))
        };
        columns.push((format!("n{column:02}"), values));
    }
    for column in 0..TEXTS {
        let value = |_| Some(format!("value_{column}_{:05}", rng.next_u32() % 100));
        columns.push((format!("c{column}"), Arc::new(ids.clone().map(value).collect::<StringArray>())));
    }
    let batch = RecordBatch::try_from_iter(columns).map_err(Error::other)?;
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).map_err(Error::other)?;
    writer.write(&batch).and_then(|()| writer.finish()).map_err(Error::other)?;
    writer.into_inner().map_err(Error::other)
}

/// Full floats, two decimals, integers: what features look like.
fn number(rng: &mut ChaCha8Rng, column: usize) -> f64 {
    let draw = uniform(rng) * 100.0;
    match column % 4 {
        0 => draw,
        3 => draw.floor(),
        _ => (draw * 100.0).round() / 100.0,
    }
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// The CPU time of this process so far, as Linux tells it in hundredths of a second.
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    Ok((ticks(11) + ticks(12)) / 100.0)
}
