//! Where the engine keeps what it has computed of files: a few named byte strings.
//!
//! All of it can be computed again, so an entry that is gone, damaged or of another version is simply
//! made anew. Who keeps the bytes (files beside the definition, later a database) is not known here.

use serde::Serialize;
use serde::de::DeserializeOwned;
use types::Digest;

use crate::error::EngineError;

/// The version of everything that is kept: of the summaries' stored form and of what surrounds it.
pub(crate) const FORMAT: u32 = 3;

/// The default level of zstd trades a little speed for nothing that matters here.
const ZSTD_LEVEL: i32 = 1;
/// More than any entry unpacks to; a damaged length must not ask for all memory.
const UNPACKED_BYTES_MOST: usize = 1 << 32;
const DIGEST_BYTES: usize = 32;

/// Keeps byte strings by name. A name is a word and hexadecimal digits, fit for a file.
pub trait ProfileStore: std::fmt::Debug + Send + Sync {
    /// The bytes under a name; `None` where there are none.
    ///
    /// # Errors
    /// They are there and cannot be read.
    fn read(&self, name: &str) -> std::io::Result<Option<Vec<u8>>>;

    /// Keeps bytes under a name, in place of what was there.
    ///
    /// # Errors
    /// They cannot be written.
    fn write(&self, name: &str, bytes: &[u8]) -> std::io::Result<()>;

    /// Says that what is kept under a name is still of use, though it is not read now.
    fn retain(&self, name: &str);
}

/// What is kept under a name; `None` where nothing is, or nothing that can be used.
///
/// # Errors
/// It is there and cannot be read.
pub fn load<T: DeserializeOwned>(store: &dyn ProfileStore, name: &str) -> Result<Option<T>, EngineError> {
    let Some(bytes) = store.read(name).map_err(|error| unusable(name, &error))? else {
        return Ok(None);
    };
    let Some((digest, packed)) = bytes.split_at_checked(DIGEST_BYTES) else {
        return Ok(None);
    };
    if Digest::of(packed).bytes() != digest {
        return Ok(None);
    }
    let Ok(mut decoder) = zstd::bulk::Decompressor::new() else {
        return Ok(None);
    };
    let Ok(Some(length)) = zstd::zstd_safe::get_frame_content_size(packed) else {
        return Ok(None);
    };
    let Some(length) = usize::try_from(length).ok().filter(|length| *length <= UNPACKED_BYTES_MOST) else {
        return Ok(None);
    };
    let unpacked = decoder.decompress(packed, length);
    Ok(unpacked.ok().and_then(|bytes| postcard::from_bytes(&bytes).ok()))
}

/// Keeps a value under a name.
///
/// # Errors
/// It cannot be written.
pub fn keep<T: Serialize>(store: &dyn ProfileStore, name: &str, value: &T) -> Result<(), EngineError> {
    let bytes = postcard::to_stdvec(value)
        .map_err(|error| EngineError::Query(format!("a profile is not writable: {error}")))?;
    let packed = zstd::bulk::compress(&bytes, ZSTD_LEVEL).map_err(|error| unusable(name, &error))?;
    let mut entry = Digest::of(&packed).bytes().to_vec();
    entry.extend(packed);
    store.write(name, &entry).map_err(|error| unusable(name, &error))
}

fn unusable(name: &str, error: &std::io::Error) -> EngineError {
    EngineError::Store { name: name.to_owned(), reason: error.to_string() }
}
