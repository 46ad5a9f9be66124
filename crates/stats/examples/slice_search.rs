//! Searches slices of a table in a file, and says what that took. `bench/slices.py` writes the file and runs
//! the package `sliceline` on the same rows.
//!
//! `cargo run --release -p forewarn-stats --example slice_search -- FILE K ALPHA ROWS_MIN LEVEL_MAX THREADS`
//!
//! The file: rows and columns as two little-endian `u64`, then the codes as bytes, column by column, then the
//! losses as little-endian `f64`. Prints one line of JSON: wall and CPU seconds of the search alone, peak
//! memory of the process in MiB (Linux), and the slices.

use std::error::Error;
use std::fs;
use std::time::Instant;

use stats::slice_search::{EncodedColumn, SliceOptions, find_slices};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, k, alpha, rows_min, level_max, threads] = words.as_slice() else {
        return Err("give FILE K ALPHA ROWS_MIN LEVEL_MAX THREADS".into());
    };
    let options = SliceOptions {
        k: k.parse()?,
        alpha: alpha.parse()?,
        rows_min: rows_min.parse()?,
        level_max: level_max.parse()?,
        threads: threads.parse()?,
    };
    let (columns, losses) = read(&fs::read(file)?).ok_or("the file is cut off")?;
    let (started, cpu_before) = (Instant::now(), cpu_ticks());
    let found = find_slices(&columns, &losses, &options)?;
    let wall = started.elapsed().as_secs_f64();
    // The kernel counts in hundredths of a second.
    let cpu = cpu_ticks().zip(cpu_before).map(|(after, before)| (after - before) as f64 / 100.0);
    let peak_mib = status_kib("VmHWM:").map(|kib| kib / 1024);
    println!(
        "{}",
        serde_json::json!({ "wall": wall, "cpu": cpu, "peak_mib": peak_mib, "slices": found.slices })
    );
    Ok(())
}

/// Columns and losses; `None` where there are fewer bytes than the head says.
fn read(bytes: &[u8]) -> Option<(Vec<EncodedColumn>, Vec<f64>)> {
    let number = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?) as usize);
    let (rows, count) = (number(0)?, number(8)?);
    let codes_end = rows.checked_mul(count)?.checked_add(16)?;
    let losses = bytes.get(codes_end..)?.chunks_exact(8).take(rows);
    let losses: Vec<f64> =
        losses.filter_map(|chunk| Some(f64::from_le_bytes(chunk.try_into().ok()?))).collect();
    let column = |codes: &[u8]| EncodedColumn {
        codes: codes.iter().map(|&code| u32::from(code)).collect(),
        cardinality: codes.iter().max().map_or(0, |&code| u32::from(code) + 1),
    };
    let columns = bytes.get(16..codes_end)?.chunks_exact(rows.max(1)).map(column).collect();
    (losses.len() == rows).then_some((columns, losses))
}

/// User and system time of this process so far.
fn cpu_ticks() -> Option<u64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may hold spaces; user time is the twelfth field after it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

fn status_kib(key: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}
