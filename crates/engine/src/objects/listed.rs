//! A bucket as the query engine reads it: only what was listed, and only as it was then.
//!
//! The size and the ETag of an object are known from the list, so nobody asks for them again; every read is on
//! the condition that the object still has that ETag. Nothing is written through it.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::path::Path as Key;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, OBJECT_STORE_COALESCE_DEFAULT, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result, coalesce_ranges,
};

use super::{Bucket, ObjectsError};

/// The objects of a bucket that were listed.
#[derive(Clone, Debug)]
pub(crate) struct AsListed(pub(crate) Arc<Bucket>);

impl AsListed {
    fn known(&self, location: &Key) -> Result<ObjectMeta> {
        self.0
            .known(&self.0.at(location.as_ref()))
            .map_err(|error| Error::NotFound { path: location.to_string(), source: Box::new(error) })
    }

    /// An error that says which object of which bucket it is about, and the way out.
    fn explain(&self, location: &Key, error: &Error) -> Error {
        let address = self.0.at(location.as_ref()).display().to_string();
        Error::Generic { store: "S3", source: Box::new(ObjectsError::of(address, error)) }
    }

    fn only_read<T>(&self, operation: &str) -> Result<T> {
        Err(Error::NotImplemented { operation: operation.to_owned(), implementer: self.to_string() })
    }
}

impl fmt::Display for AsListed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.address())
    }
}

#[async_trait]
impl ObjectStore for AsListed {
    async fn get_opts(&self, location: &Key, options: GetOptions) -> Result<GetResult> {
        let known = self.known(location)?;
        if options.head {
            return Ok(GetResult {
                payload: GetResultPayload::Stream(stream::empty().boxed()),
                range: 0..known.size,
                meta: known,
                attributes: Attributes::default(),
            });
        }
        let options = GetOptions { if_match: known.e_tag, ..options };
        self.0.store.get_opts(location, options).await.map_err(|error| self.explain(location, &error))
    }

    async fn get_ranges(&self, location: &Key, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let tag = self.known(location)?.e_tag;
        let fetch = |range: Range<u64>| {
            let options = GetOptions {
                if_match: tag.clone(),
                range: Some(GetRange::Bounded(range)),
                ..GetOptions::default()
            };
            async move { self.0.store.get_opts(location, options).await?.bytes().await }
        };
        let fetched = coalesce_ranges(ranges, fetch, OBJECT_STORE_COALESCE_DEFAULT).await;
        fetched.map_err(|error| self.explain(location, &error))
    }

    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.store.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> Result<ListResult> {
        self.0.store.list_with_delimiter(prefix).await
    }

    async fn put_opts(&self, _: &Key, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        self.only_read("put")
    }

    async fn put_multipart_opts(&self, _: &Key, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.only_read("put in parts")
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Key>>) -> BoxStream<'static, Result<Key>> {
        stream::once(std::future::ready(self.only_read("delete"))).boxed()
    }

    async fn copy_opts(&self, _: &Key, _: &Key, _: CopyOptions) -> Result<()> {
        self.only_read("copy")
    }
}
