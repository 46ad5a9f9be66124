//! Rows that are accepted once they are written: they survive the process at once, and the disk has them soon.

use std::time::{Duration, Instant};

use super::*;
use crate::ingest::Durability;

fn write(table: &Table, body: &str) -> Accepted {
    table.accept_as(BodyFormat::Ndjson, Encoding::Identity, body.as_bytes(), Durability::Written).unwrap()
}

#[test]
fn what_is_written_is_there_after_a_kill_at_that_moment() {
    let site = Site::new();
    let table = site.predictions();
    let mut kept = 0;
    for round in 0..5 {
        kept += write(&table, &numbered(round * 3, 3)).accepted;
        // What a killed process leaves is what others see of its files.
        let other = Site::new();
        std::fs::create_dir_all(other.wal()).unwrap();
        for entry in std::fs::read_dir(site.wal()).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, other.wal().join(path.file_name().unwrap())).unwrap();
        }
        let found = other.predictions();
        assert_eq!((found.status().waiting_rows, found.status().torn_bytes), (kept, 0));
    }
}

#[test]
fn the_disk_is_asked_soon_and_once_for_many() {
    let site = Site::new();
    let table = site.predictions();
    for round in 0..100 {
        write(&table, &numbered(round, 1));
    }
    let start = Instant::now();
    while table.status().syncs == 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "the disk was never asked");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(table.status().syncs < 50, "{:?}", table.status());
    assert_eq!(table.status().failed_syncs, 0);
}

#[test]
fn rows_of_both_kinds_become_files() {
    let site = Site::new();
    let table = site.predictions();
    write(&table, &numbered(0, 2));
    lines(&table, &numbered(2, 2));
    write(&table, &numbered(4, 2));
    table.compact(now()).unwrap();
    write(&table, &numbered(6, 2));
    drop(table);
    let table = site.predictions();
    assert_eq!(table.status().waiting_rows, 2);
    table.compact(now()).unwrap();
    assert_eq!(site.ids(), expected_ids(8));
    let columns: Vec<String> = table.columns().unwrap().into_iter().map(|(name, _)| name).collect();
    assert!(columns.contains(&"x".to_owned()), "{columns:?}");
}
