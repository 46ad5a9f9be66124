//! What of a bucket is read, against a store in memory.

use datafusion::parquet::file::reader::ChunkReader;
use object_store::PutPayload;
use object_store::memory::InMemory;

use super::*;
use crate::EngineError;
use crate::storage::Storage;

/// A bucket with an object of ten bytes under each key.
struct Shelf {
    runtime: Runtime,
    store: Arc<InMemory>,
    buckets: Buckets,
}

impl Shelf {
    fn of(keys: &[&str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let store = Arc::new(InMemory::new());
        let buckets = Buckets::on(runtime.handle());
        buckets.insert("b", store.clone());
        let shelf = Self { runtime, store, buckets };
        for key in keys {
            shelf.put(key, "0123456789");
        }
        shelf
    }

    fn put(&self, key: &str, content: &str) {
        let content = PutPayload::from(content.to_owned());
        self.runtime.block_on(self.store.put(&Key::from(key), content)).unwrap();
    }

    fn matching(&self, pattern: &str) -> Vec<String> {
        let bucket = self.buckets.open("b").unwrap();
        let mut found = bucket.matching(pattern).unwrap();
        found.sort();
        found.iter().map(|at| at.display().to_string()).collect()
    }
}

const KEYS: &[&str] = &[
    "log/2026-01.parquet",
    "log/2026-02.parquet",
    "log/.hidden.parquet",
    "log/_meta/x.parquet",
    "log/notes.txt",
    "log/deep/2026-03.parquet",
    "log/.forewarn-a.owner",
    "logs/other.parquet",
    "one.csv",
];

#[test]
fn a_folder_is_what_lies_below_it_without_what_is_hidden_or_no_table() {
    let shelf = Shelf::of(KEYS);
    let expected =
        ["s3://b/log/2026-01.parquet", "s3://b/log/2026-02.parquet", "s3://b/log/deep/2026-03.parquet"];
    assert_eq!(shelf.matching("log"), expected);
    assert_eq!(shelf.matching("nothing"), [""; 0]);
}

/// The rules are those of `glob::glob` on a disk, which is asked here for the same names.
#[test]
fn a_pattern_matches_the_keys_that_it_matches_as_files() {
    let shelf = Shelf::of(KEYS);
    let disk = tempfile::tempdir().unwrap();
    for key in KEYS.iter().filter(|key| !key.contains(PREFIX)) {
        let path = disk.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "0123456789").unwrap();
    }
    for pattern in [
        "log/*.parquet",
        "log/**/*.parquet",
        "log/2026-0?.parquet",
        "log/2026-0[1-1].parquet",
        "log*/*.parquet",
        "*/*/x.parquet",
        "**/*.parquet",
        "*.csv",
    ] {
        let on_disk = glob::glob(&disk.path().join(pattern).to_string_lossy()).unwrap();
        let name = |path: PathBuf| format!("s3://b/{}", path.strip_prefix(disk.path()).unwrap().display());
        let mut expected: Vec<String> = on_disk.map(|path| name(path.unwrap())).collect();
        expected.sort();
        assert!(!expected.is_empty(), "{pattern} matches something");
        assert_eq!(shelf.matching(pattern), expected, "{pattern}");
    }
}

#[test]
fn an_address_of_another_store_is_refused_and_a_path_is_none() {
    assert_eq!(Address::parse("data/*.parquet").unwrap(), None);
    let address = Address { bucket: "b", key: "a/*.parquet" };
    assert_eq!(Address::parse("s3://b/a/*.parquet").unwrap(), Some(address));
    for other in ["gs://b/a", "s3:///a", "s3://*/a", "https://x.org/a.csv"] {
        let told = Address::parse(other).unwrap_err().to_string();
        assert!(told.contains(other) && told.contains("s3://BUCKET"), "{told}");
    }
}

#[test]
fn an_object_that_was_replaced_has_another_identity_and_is_not_read_as_the_one_before() {
    let shelf = Shelf::of(&["log/a.csv"]);
    let bucket = shelf.buckets.open("b").unwrap();
    let at = bucket.matching("log").unwrap().remove(0);
    let (before, size) = bucket.identity(&at).unwrap();
    assert_eq!(size, 10);
    bucket.matching("log").unwrap();
    assert_eq!(bucket.identity(&at).unwrap().0, before, "listed again, it is the same");
    // Of the same size.
    shelf.put("log/a.csv", "9876543210");
    let read = ObjectFile::open(&bucket, &at).unwrap();
    let mut text = String::new();
    let error = std::io::Read::read_to_string(&mut ObjectRead::from_start(&read), &mut text).unwrap_err();
    assert!(error.to_string().contains("was replaced while it was used"), "{error}");
    bucket.matching("log").unwrap();
    assert_ne!(bucket.identity(&at).unwrap().0, before);
}

#[test]
fn every_range_of_an_object_is_what_was_put_there() {
    let content: String = (0..400_000).map(|at| format!("{at:07}")).collect();
    let shelf = Shelf::of(&[]);
    shelf.put("log/a.csv", &content);
    let bucket = shelf.buckets.open("b").unwrap();
    let at = bucket.matching("log/a.csv").unwrap().remove(0);
    let file = ObjectFile::open(&bucket, &at).unwrap();
    let size = content.len();
    for (from, length) in [
        (size - 8, 8),
        (size - 70_000, 70_000),
        (0, 1),
        (0, size),
        (5, 2_000_000),
        (1_048_570, 20),
        (size, 0),
    ] {
        let bytes = file.get_bytes(from as u64, length).unwrap();
        assert_eq!(bytes, content.as_bytes()[from..from + length], "{from}, {length}");
    }
    assert!(file.get_bytes(size as u64 - 1, 2).is_err());
    let mut text = String::new();
    std::io::Read::read_to_string(&mut ObjectRead::from_start(&file), &mut text).unwrap();
    assert_eq!(text, content);
}

#[test]
fn results_are_in_the_order_of_the_files_and_an_error_is_told() {
    let keys: Vec<String> = (0..100).map(|at| format!("log/{at:03}.csv")).collect();
    let shelf = Shelf::of(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    let bucket = shelf.buckets.open("b").unwrap();
    let files = bucket.matching("log").unwrap();
    let storage = Storage::Bucket(bucket);
    assert_eq!(storage.each(&files, |path| Ok(path.clone())).unwrap(), files);
    let failed = storage.each(&files, |path| {
        let is_bad = path.ends_with("050.csv");
        if is_bad { Err(EngineError::EmptyFile { path: path.clone() }) } else { Ok(()) }
    });
    assert!(failed.unwrap_err().to_string().contains("050.csv"));
}
