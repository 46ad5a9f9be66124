//! The body of a request: unpacked as it arrives, within limits of size and of memory for all requests together.

use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::error::IngestError;

/// How a body is packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    #[default]
    Identity,
    Gzip,
    Zstd,
}

/// How rows are written in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// An array of objects, or one object.
    Json,
    /// One object a line.
    Ndjson,
    /// An Arrow IPC stream.
    ArrowStream,
}

/// Bytes that are read at once.
const PIECE: usize = 256 << 10;
/// A client that packs with a larger window than 8 MiB is refused: unpacking would take that much memory.
const ZSTD_WINDOW_LOG: u32 = 23;
/// What a client is told that came at a bad time.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Memory that the requests of all tables use together.
#[derive(Debug)]
pub(super) struct Memory {
    used: AtomicUsize,
    most: usize,
}

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self { used: AtomicUsize::new(0), most }
    }
}

/// The part of it that one request has.
#[derive(Debug)]
struct Share {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Share {
    fn become_bytes(&mut self, bytes: usize) -> Result<(), IngestError> {
        let more = bytes.saturating_sub(self.bytes);
        let used = self.memory.used.fetch_add(more, Ordering::Relaxed) + more;
        self.bytes += more;
        if more > 0 && used > self.memory.most {
            let why = "the requests under way take all the memory that they may";
            return Err(IngestError::Busy { why, retry_after: RETRY_AFTER });
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.memory.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The bytes of a body that have arrived and are not used yet.
pub(super) struct Body<'a> {
    reader: Box<dyn Read + 'a>,
    buffer: Vec<u8>,
    start: usize,
    consumed: usize,
    total: usize,
    most: usize,
    share: Share,
}

impl<'a> Body<'a> {
    pub(super) fn new(
        reader: impl Read + 'a,
        encoding: Encoding,
        most: usize,
        memory: &Arc<Memory>,
    ) -> Result<Self, IngestError> {
        let unreadable = |error: std::io::Error| IngestError::UnreadableBody { reason: error.to_string() };
        let reader: Box<dyn Read + 'a> = match encoding {
            Encoding::Identity => Box::new(reader),
            Encoding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(BufReader::new(reader))),
            Encoding::Zstd => {
                let mut decoder = zstd::Decoder::new(reader).map_err(unreadable)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(unreadable)?;
                Box::new(decoder)
            }
        };
        let share = Share { memory: Arc::clone(memory), bytes: 0 };
        Ok(Self { reader, buffer: Vec::new(), start: 0, consumed: 0, total: 0, most, share })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        self.consumed += bytes;
    }

    /// The bytes that were used before [`Self::bytes`].
    pub(super) fn consumed(&self) -> usize {
        self.consumed
    }

    /// Waits for more bytes; `false` where the body has ended. `held` are the bytes of the rows read so far.
    ///
    /// At least as many bytes are read as there are, so that a row that comes in drops is not looked at once for
    /// each of them.
    pub(super) fn fill(&mut self, held: usize) -> Result<bool, IngestError> {
        self.fill_by(self.bytes().len().max(PIECE), held)
    }

    /// Waits until there are as many bytes as asked for; `false` where the body ends before.
    pub(super) fn fill_to(&mut self, bytes: usize, held: usize) -> Result<bool, IngestError> {
        let missing = bytes.saturating_sub(self.bytes().len());
        if missing > 0 {
            self.fill_by(missing, held)?;
        }
        Ok(self.bytes().len() >= bytes)
    }

    fn fill_by(&mut self, more: usize, held: usize) -> Result<bool, IngestError> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let mut read = 0;
        while read < more {
            // In pieces, and not by the length that is asked for, which a client may have made up.
            let piece = (more - read).min(PIECE);
            self.share.become_bytes(self.buffer.len() + piece + held)?;
            let got = self.reader.by_ref().take(piece as u64).read_to_end(&mut self.buffer);
            let got = got.map_err(|error| IngestError::UnreadableBody { reason: error.to_string() })?;
            read += got;
            if got < piece {
                break;
            }
        }
        self.total += read;
        if self.total > self.most { Err(IngestError::TooLarge { limit: self.most }) } else { Ok(read > 0) }
    }

    /// Rows may take more memory than they took bytes, where they leave out most columns of a wide table.
    #[inline]
    pub(super) fn check_size(&self, rows: usize, columns: usize) -> Result<(), IngestError> {
        /// A value and whether it is there.
        const BYTES_OF_A_VALUE: usize = 9;
        let bytes = rows.saturating_mul(columns).saturating_mul(BYTES_OF_A_VALUE);
        if bytes > self.rows_bytes_max() { Err(self.too_large()) } else { Ok(()) }
    }

    /// How large the rows of a request may become in memory.
    pub(super) fn rows_bytes_max(&self) -> usize {
        self.most.saturating_mul(4)
    }

    pub(super) fn too_large(&self) -> IngestError {
        IngestError::TooLarge { limit: self.most }
    }

    /// Waits for the whole body.
    pub(super) fn fill_all(&mut self) -> Result<(), IngestError> {
        while self.fill(0)? {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn all(bytes: &[u8], encoding: Encoding, most: usize) -> Result<Vec<u8>, IngestError> {
        let mut body = Body::new(bytes, encoding, most, &Arc::new(Memory::new(1 << 30)))?;
        body.fill_all()?;
        Ok(body.bytes().to_vec())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_packed_body_is_the_body() {
        let text = b"some text ".repeat(100_000);
        assert_eq!(all(&text, Encoding::Identity, 1 << 20).unwrap(), text);
        assert_eq!(all(&gzip(&text), Encoding::Gzip, 1 << 20).unwrap(), text);
        assert_eq!(all(&zstd::encode_all(&text[..], 3).unwrap(), Encoding::Zstd, 1 << 20).unwrap(), text);
    }

    #[test]
    fn a_bomb_is_refused_by_its_unpacked_size() {
        let bomb = vec![0; 50 << 20];
        for (packed, encoding) in
            [(gzip(&bomb), Encoding::Gzip), (zstd::encode_all(&bomb[..], 3).unwrap(), Encoding::Zstd)]
        {
            assert!(packed.len() < 100_000);
            assert!(
                matches!(all(&packed, encoding, 1 << 20), Err(IngestError::TooLarge { limit }) if limit == 1 << 20)
            );
        }
    }

    #[test]
    fn a_torn_body_is_unreadable() {
        let packed = gzip(&b"some text ".repeat(1_000));
        let torn = all(&packed[..packed.len() / 2], Encoding::Gzip, 1 << 20);
        assert!(matches!(torn, Err(IngestError::UnreadableBody { .. })), "{torn:?}");
        assert!(matches!(all(b"no gzip", Encoding::Gzip, 1 << 20), Err(IngestError::UnreadableBody { .. })));
    }

    #[test]
    fn requests_share_their_memory_and_give_it_back() {
        let memory = Arc::new(Memory::new(1 << 20));
        let text = vec![b' '; 900 << 10];
        let mut first = Body::new(&text[..], Encoding::Identity, 1 << 30, &memory).unwrap();
        first.fill(0).unwrap();
        first.fill(0).unwrap();
        let mut second = Body::new(&text[..], Encoding::Identity, 1 << 30, &memory).unwrap();
        assert!(matches!(second.fill(400 << 10), Err(IngestError::Busy { .. })));
        drop(first);
        drop(second);
        assert_eq!(memory.used.load(Ordering::Relaxed), 0);
    }
}
