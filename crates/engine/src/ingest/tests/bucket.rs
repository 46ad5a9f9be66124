//! A log in a bucket: a store that fails, before or after it has done what it was asked.

use std::fmt;
use std::ops::Range;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path as Key;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::crashes::stopped_everywhere;
use super::*;

/// A store that fails every request after the first so many. The first one that fails may have been done.
#[derive(Debug)]
struct Failing {
    store: Arc<dyn ObjectStore>,
    left: Mutex<Option<usize>>,
    does_the_first: bool,
}

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    DoneUnanswered,
    Lost,
}

impl Failing {
    fn new(store: Arc<dyn ObjectStore>, does_the_first: bool) -> Arc<Self> {
        Arc::new(Self { store, left: Mutex::default(), does_the_first })
    }

    fn fail_after(&self, requests: usize) {
        *self.left.lock().unwrap() = Some(requests);
    }

    fn recover(&self) {
        *self.left.lock().unwrap() = None;
    }

    fn fate(&self) -> Fate {
        let mut left = self.left.lock().unwrap();
        match left.as_mut() {
            None => Fate::Answered,
            Some(0) => Fate::Lost,
            Some(1) if self.does_the_first => {
                *left = Some(0);
                Fate::DoneUnanswered
            }
            Some(left) => {
                *left -= 1;
                Fate::Answered
            }
        }
    }

    fn refused<T>() -> Result<T> {
        Err(Error::Generic { store: "test", source: "status code: 503 Service Unavailable".into() })
    }

    /// Does what is asked, or not, and answers, or not.
    async fn asked<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self.fate() {
            Fate::Answered => work.await,
            Fate::DoneUnanswered => {
                work.await?;
                Self::refused()
            }
            Fate::Lost => Self::refused(),
        }
    }
}

impl fmt::Display for Failing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failing")
    }
}

#[async_trait]
impl ObjectStore for Failing {
    async fn put_opts(&self, at: &Key, content: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.asked(self.store.put_opts(at, content, options)).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Key,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.asked(self.store.put_multipart_opts(at, options)).await
    }

    async fn get_opts(&self, at: &Key, options: GetOptions) -> Result<GetResult> {
        self.asked(self.store.get_opts(at, options)).await
    }

    async fn get_ranges(&self, at: &Key, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.asked(self.store.get_ranges(at, ranges)).await
    }

    fn delete_stream(&self, at: BoxStream<'static, Result<Key>>) -> BoxStream<'static, Result<Key>> {
        match self.fate() {
            Fate::Answered => self.store.delete_stream(at),
            Fate::DoneUnanswered => {
                self.store.delete_stream(at).map(|done| done.and_then(|_| Self::refused())).boxed()
            }
            Fate::Lost => at.map(|_| Self::refused()).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.fate() {
            Fate::Answered => self.store.list(prefix),
            _ => futures::stream::once(std::future::ready(Self::refused())).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> Result<ListResult> {
        self.asked(self.store.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> Result<()> {
        self.asked(self.store.copy_opts(from, to, options)).await
    }
}

fn later() -> Timestamp {
    "2027-03-01T00:00:00Z".parse().unwrap()
}

/// The store fails at some request of a compaction or of a merge; readers see no row twice then, and afterwards
/// all rows are there once, whether the table was opened anew or not.
fn store_fails_everywhere(does_the_first: bool) {
    stopped_everywhere(|step| {
        let failing = Failing::new(Arc::new(InMemory::new()), does_the_first);
        let site = Site::with(failing.clone());
        let mut table = site.predictions();
        for first in 0..3 {
            lines(&table, &numbered(first * 2, 2));
            table.compact(now()).unwrap();
        }
        lines(&table, &numbered(4, 4));
        failing.fail_after(step);
        let came_through = table.compact(now()).is_ok() && table.merge(later()).is_ok();
        let accepted = lines(&table, &numbered(8, 2)).accepted;
        assert_eq!(accepted, 2, "rows are taken in while the store is away");
        failing.recover();
        let seen = site.ids();
        let different: std::collections::BTreeSet<&String> = seen.iter().collect();
        assert_eq!(different.len(), seen.len(), "a row is seen twice, step {step}");
        assert!((0..6).all(|id| seen.contains(&format!("r{id:06}"))), "a row is not seen, step {step}");
        if step % 2 == 0 {
            drop(table);
            table = site.predictions();
        }
        table.compact(now()).unwrap();
        table.merge(later()).unwrap();
        assert_eq!(site.ids(), expected_ids(10), "step {step}");
        assert_eq!(table.status().waiting_rows, 0);
        came_through
    });
}

#[test]
fn a_store_that_fails_at_any_request_loses_no_row_and_shows_none_twice() {
    store_fails_everywhere(false);
}

#[test]
fn a_store_whose_answer_is_lost_at_any_request_loses_no_row_and_shows_none_twice() {
    store_fails_everywhere(true);
}

#[test]
fn rows_wait_up_to_the_limit_while_the_store_is_away_and_are_files_once_it_is_back() {
    let failing = Failing::new(Arc::new(InMemory::new()), false);
    let mut site = Site::with(failing.clone());
    site.options.waiting_bytes_max = 2_000;
    let table = site.predictions();
    failing.fail_after(0);
    let mut accepted = 0;
    let refused = loop {
        match send(&table, BodyFormat::Ndjson, &numbered(accepted, 5)) {
            Ok(answer) => accepted += answer.accepted,
            Err(error) => break error,
        }
        assert!(accepted < 10_000, "the limit is never reached");
    };
    assert!(matches!(refused, IngestError::Busy { .. }), "{refused}");
    let why = table.compact(now()).unwrap_err().to_string();
    assert!(why.contains("s3://b/log") && why.contains("cannot be reached"), "{why}");
    failing.recover();
    table.compact(now()).unwrap();
    assert_eq!(site.ids(), expected_ids(accepted));
    lines(&table, &numbered(accepted, 1));
}

#[test]
fn a_table_whose_store_is_away_says_when_to_come_again() {
    let failing = Failing::new(Arc::new(InMemory::new()), false);
    failing.fail_after(0);
    let site = Site::with(failing);
    let refused =
        site.open().table(&site.definition(), site.folder.path(), TableKind::Predictions).unwrap_err();
    assert!(matches!(refused, IngestError::Busy { .. }), "{refused}");
}

#[test]
fn a_second_server_of_the_same_name_is_kept_from_a_bucket_and_one_of_another_name_is_not() {
    let first = Site::in_bucket();
    let table = first.predictions();
    lines(&table, &numbered(0, 2));
    table.compact(now()).unwrap();
    let mut second = Site { bucket: first.bucket.clone(), ..Site::new() };
    let open =
        |site: &Site| site.open().table(&site.definition(), site.folder.path(), TableKind::Predictions);
    let refused = open(&second).unwrap_err().to_string();
    assert!(refused.contains("another server") && refused.contains(".forewarn-a.owner"), "{refused}");
    second.options.node = "z".into();
    let other = open(&second).unwrap();
    lines(&other, &numbered(2, 2));
    other.compact(now()).unwrap();
    assert_eq!(first.ids(), expected_ids(4));
    drop(table);
    first.predictions();
}

/// More than an object that is put at once may have.
#[test]
fn a_file_that_is_put_in_parts_is_there_as_a_whole() {
    let site = Site::in_bucket();
    let table = site.predictions();
    let mut text = String::new();
    let mut drawn = 1_u64;
    for id in 0..60 {
        let mut random = || {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            format!("{drawn:016x}")
        };
        let long: String = (0..40_000).map(|_| random()).collect();
        text += &format!("{{\"id\":\"{id}\",\"t\":\"2026-11-27T00:00:00Z\",\"p\":0.5,\"x\":\"{long}\"}}\n");
    }
    assert_eq!(lines(&table, &text).accepted, 60);
    table.compact(now()).unwrap();
    let rows = site.rows();
    assert_eq!(rows.len(), 60);
    let sent = |row: &BTreeMap<String, String>| {
        text.contains(&format!("\"id\":\"{}\",", row["id"])) && text.contains(&row["x"])
    };
    assert!(rows.iter().all(sent));
    let size = site.buckets().open(BUCKET).unwrap();
    let object = size
        .list("log", false)
        .unwrap()
        .into_iter()
        .find(|at| at.extension().is_some_and(|end| end == "parquet"));
    assert!(size.known(&object.unwrap()).unwrap().size > 16 << 20, "it is large enough to be put in parts");
}

#[test]
fn what_is_there_under_a_name_is_not_written_over() {
    let store = Arc::new(InMemory::new());
    let site = Site::with(store.clone());
    let bucket = site.buckets().open(BUCKET).unwrap();
    let (ours, at) = (site.path("ours"), bucket.at("log/x.parquet"));
    std::fs::write(&ours, "content").unwrap();
    bucket.put_new(&ours, &at).unwrap();
    bucket.put_new(&ours, &at).expect("the very same content is there already");
    std::fs::write(&ours, "another").unwrap();
    let refused = bucket.put_new(&ours, &at).unwrap_err().to_string();
    assert!(refused.contains("s3://b/log/x.parquet") && refused.contains("already"), "{refused}");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let there = runtime.block_on(async { store.get(&Key::from("log/x.parquet")).await?.bytes().await });
    assert_eq!(there.unwrap(), "content");
}
