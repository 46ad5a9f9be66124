//! A crash at any point: of what was answered, every row is there once.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// The newest segment of the write-ahead log.
fn last_segment(site: &Site) -> PathBuf {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(site.wal()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.pop().unwrap()
}

#[test]
fn a_record_torn_at_any_byte_is_cut_off_and_those_before_it_stay() {
    let site = Site::new();
    let table = site.predictions();
    lines(&table, &numbered(0, 3));
    let before = std::fs::metadata(last_segment(&site)).unwrap().len();
    lines(&table, &numbered(3, 2));
    drop(table);
    let path = last_segment(&site);
    let whole = std::fs::read(&path).unwrap();
    for length in before..whole.len() as u64 {
        std::fs::write(&path, &whole[..length as usize]).unwrap();
        let table = site.predictions();
        let status = table.status();
        assert_eq!((status.waiting_rows, status.torn_bytes), (3, length - before));
    }
    for at in before as usize..whole.len() {
        let mut bent = whole.clone();
        bent[at] ^= 1;
        std::fs::write(&path, &bent).unwrap();
        assert_eq!(site.predictions().status().waiting_rows, 3, "byte {at}");
    }
    std::fs::write(&path, &whole).unwrap();
    let table = site.predictions();
    assert_eq!(table.status().waiting_rows, 5);
    table.compact(now()).unwrap();
    assert_eq!(site.ids(), expected_ids(5));
}

#[test]
fn a_segment_that_rots_is_set_aside_and_told() {
    let site = Site::new();
    let table = site.predictions();
    lines(&table, &numbered(0, 3));
    lines(&table, &numbered(3, 3));
    let path = last_segment(&site);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let done = table.compact(now()).unwrap();
    assert_eq!(done.damaged, [path.with_extension("damaged")]);
    assert_eq!(site.ids(), expected_ids(3));
    assert_eq!(std::fs::read(&done.damaged[0]).unwrap(), bytes);
}

/// Does something again and again, stopped a step later each time, until it comes through.
pub(super) fn stopped_everywhere(mut work: impl FnMut(usize) -> bool) {
    for step in 0..200 {
        if work(step) {
            return;
        }
    }
    panic!("it never comes through");
}

fn stop_after(table: &Table, step: usize) {
    *table.steps.left.lock().unwrap() = Some(step);
}

/// What of a table is neither a file of its log nor known: nothing, once it was opened and compacted.
fn left_over(site: &Site) -> Vec<PathBuf> {
    let folder = match site.bucket {
        Some(_) => site.path("state/ingest/system/predictions/out"),
        None => site.path("log"),
    };
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| !path.to_string_lossy().ends_with(".parquet")).collect()
}

#[test]
fn a_compaction_stopped_at_any_step_ends_in_the_same_rows() {
    compaction_stopped_everywhere(Site::new);
}

#[test]
fn in_a_bucket_a_compaction_stopped_at_any_step_ends_in_the_same_rows() {
    compaction_stopped_everywhere(Site::in_bucket);
}

fn compaction_stopped_everywhere(new: fn() -> Site) {
    stopped_everywhere(|step| {
        let site = new();
        let table = site.predictions();
        lines(&table, &numbered(0, 4));
        table.compact(now()).unwrap();
        lines(&table, &numbered(2, 6));
        stop_after(&table, step);
        let came_through = table.compact(now()).is_ok();
        drop(table);
        let seen: BTreeSet<String> = site.ids().into_iter().collect();
        assert_eq!(seen.len(), site.ids().len(), "no reader sees a row twice, step {step}");
        let table = site.predictions();
        table.compact(now()).unwrap();
        assert_eq!(site.ids(), expected_ids(8), "step {step}");
        assert!(left_over(&site).is_empty(), "{:?}", left_over(&site));
        came_through
    });
}

#[test]
fn a_merge_stopped_at_any_step_shows_the_same_rows_before_and_after_a_restart() {
    merge_stopped_everywhere(Site::new);
}

#[test]
fn in_a_bucket_a_merge_stopped_at_any_step_shows_the_same_rows_before_and_after_a_restart() {
    merge_stopped_everywhere(Site::in_bucket);
}

fn merge_stopped_everywhere(new: fn() -> Site) {
    let later: Timestamp = "2027-03-01T00:00:00Z".parse().unwrap();
    stopped_everywhere(|step| {
        let site = new();
        let table = site.predictions();
        for first in 0..3 {
            lines(&table, &numbered(first * 2, 2));
            table.compact(now()).unwrap();
        }
        stop_after(&table, step);
        let came_through = table.merge(later).is_ok();
        assert_eq!(site.ids(), expected_ids(6), "step {step}");
        drop(table);
        assert_eq!(site.ids(), expected_ids(6));
        let table = site.predictions();
        assert_eq!(site.ids(), expected_ids(6));
        table.merge(later).unwrap();
        assert_eq!(site.ids(), expected_ids(6));
        lines(&table, &numbered(0, 7));
        table.compact(now()).unwrap();
        assert_eq!(site.ids(), expected_ids(7), "rows in a merged file are known");
        came_through
    });
}

#[test]
fn a_day_that_is_over_is_one_file() {
    let site = Site::new();
    let table = site.predictions();
    let add = |table: &Table, id: u8| {
        let row = format!("{{\"id\":\"{id}\",\"t\":\"2026-11-27T0{id}:00:00Z\",\"p\":0.5}}\n");
        assert_eq!(lines(table, &row).accepted, 1);
        table.compact(now()).unwrap();
    };
    (0..5).for_each(|id| add(&table, id));
    assert_eq!(table.merge("2026-11-28T00:30:00Z".parse().unwrap()).unwrap().files, 0);
    let merged = table.merge("2026-11-28T01:00:00Z".parse().unwrap()).unwrap();
    assert_eq!((merged.files, merged.replaced, merged.rows), (1, 5, 5));
    assert_eq!(site.files(), ["2026-11-27.a-0000000001-0000000005.parquet"]);
    drop(table);
    add(&site.predictions(), 5);
    let late = "2026-11-27.a-0000000006.parquet";
    assert_eq!(site.files(), ["2026-11-27.a-0000000001-0000000005.parquet", late]);
}

/// What happens to a table.
#[derive(Clone, Debug)]
enum Event {
    /// Ids from here on are sent, so many of them.
    Send(u8, u8),
    Compact,
    Merge,
    /// A compaction, or a merge, that stops after so many steps; then the process ends.
    CrashInCompaction(u8),
    CrashInMerge(u8),
    /// The process ends while a record is written: so many bytes of it are on disk.
    CrashInAppend(u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0_u8..40, 1_u8..10).prop_map(|(first, count)| Event::Send(first, count)),
        2 => Just(Event::Compact),
        1 => Just(Event::Merge),
        2 => (0_u8..30).prop_map(Event::CrashInCompaction),
        1 => (0_u8..10).prop_map(Event::CrashInMerge),
        1 => any::<u8>().prop_map(Event::CrashInAppend),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_every_row_that_was_answered_is_there_once(
        events in prop::collection::vec(event(), 1..25),
        segment_bytes in prop_oneof![Just(1_u64), Just(2_000), Just(1 << 20)],
        in_bucket in any::<bool>(),
    ) {
        let later: Timestamp = "2027-03-01T00:00:00Z".parse().unwrap();
        let mut site = if in_bucket { Site::in_bucket() } else { Site::new() };
        site.options.segment_bytes = segment_bytes;
        let mut table = site.predictions();
        let mut answered = BTreeSet::new();
        for event in events {
            match event {
                Event::Send(first, count) => {
                    lines(&table, &numbered(first.into(), count.into()));
                    answered.extend((first..first + count).map(|id| format!("r{id:06}")));
                }
                Event::Compact => drop(table.compact(now()).unwrap()),
                Event::Merge => drop(table.merge(later).unwrap()),
                Event::CrashInCompaction(step) => {
                    stop_after(&table, step.into());
                    drop(table.compact(now()));
                    drop(table);
                    table = site.predictions();
                }
                Event::CrashInMerge(step) => {
                    stop_after(&table, step.into());
                    drop(table.merge(later));
                    drop(table);
                    table = site.predictions();
                }
                Event::CrashInAppend(bytes) => {
                    drop(table);
                    let torn = [7; 256];
                    let mut paths: Vec<PathBuf> =
                        std::fs::read_dir(site.wal()).unwrap().map(|entry| entry.unwrap().path()).collect();
                    paths.sort();
                    if let Some(path) = paths.pop() {
                        let mut segment = std::fs::read(&path).unwrap();
                        segment.extend_from_slice(&torn[..bytes.into()]);
                        std::fs::write(&path, segment).unwrap();
                    }
                    table = site.predictions();
                }
            }
            let seen = site.ids();
            let different: BTreeSet<&String> = seen.iter().collect();
            prop_assert_eq!(different.len(), seen.len(), "a row is seen twice");
            prop_assert!(seen.iter().all(|id| answered.contains(id)));
        }
        table.compact(now()).unwrap();
        prop_assert_eq!(site.ids(), answered.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(table.status().waiting_rows, 0);
    }
}
