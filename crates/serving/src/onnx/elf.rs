//! Whether a library of Linux is whole. The system's loader maps one that is cut off, as a download may be, and the
//! process ends by a signal when it touches what is not there.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Sizes and places in the 64-bit format, little-endian; the specification calls the second table program headers.
const HEADER_BYTES: usize = 64;
const SEGMENT_BYTES: usize = 56;
const LOADED: u64 = 1;

/// Refuses a file of this format that ends before its segments do. Of other formats the loader checks that itself.
pub(super) fn check_whole(path: &Path) -> Result<(), String> {
    let cut_off = || "the file is cut off".to_owned();
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    let mut header = [0; HEADER_BYTES];
    if file.read_exact(&mut header).is_err() || !header.starts_with(b"\x7fELF\x02\x01") {
        return Ok(());
    }
    let (start, count) = (number(&header[32..40]), number(&header[56..58]));
    file.seek(SeekFrom::Start(start)).map_err(|error| error.to_string())?;
    let mut segment = [0; SEGMENT_BYTES];
    for _ in 0..count {
        file.read_exact(&mut segment).map_err(|_| cut_off())?;
        let is_loaded = number(&segment[..4]) == LOADED;
        let end = number(&segment[8..16]).checked_add(number(&segment[32..40]));
        if is_loaded && end.is_none_or(|end| end > length) {
            return Err(cut_off());
        }
    }
    Ok(())
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
