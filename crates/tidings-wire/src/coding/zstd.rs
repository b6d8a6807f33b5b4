//! A stream as zstd frames (RFC 8878), one per block.
//!
//! Frames follow each other without anything between them, and decoders of HTTP take any number. Each
//! names the size of its text, so that its window is no larger than that, and has no check sum:
//! transports have theirs.

use std::io::Cursor;

use zstd::bulk;

use super::compressors::Compressors;
use crate::limits::{COMPRESS_BYTES_MIN, ZSTD_FRAME_BYTES_MAX};

/// What every frame begins with.
const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// The bit of the frame header that says: the window is the whole text, whose size follows.
const SINGLE_SEGMENT: u8 = 1 << 5;

/// Bytes of text in one block of a frame.
const RAW_BYTES_MAX: usize = 128 * 1024;

/// Bytes of a block before its text.
const RAW_HEADER_BYTES: usize = 3;

/// The bit of a block's header that says: the frame ends with it.
const LAST_BLOCK: u8 = 1;

/// Where the size of a block begins, after the bits for its kind and for being the last.
const RAW_SIZE_SHIFT: u32 = 3;

/// How hard to look for repetitions: as much as is nearly free. Measured as for gzip:
///
/// | level | blocks of 4 KiB | of 16 KiB | of 64 KiB |
/// |---|---|---|---|
/// | 1 | 3.60, 3.3 ms | 5.10, 1.9 ms | 6.90, 1.4 ms |
/// | 3 | 3.67, 3.8 ms | 5.23, 2.3 ms | 7.18, 1.6 ms |
/// | 5 | 3.79, 8.3 ms | 5.47, 6.3 ms | 7.36, 4.2 ms |
const LEVEL: i32 = 3;

/// Packs whole frames; nothing if the library could not make one, which is then not used.
pub(super) struct Compressor(Option<bulk::Compressor<'static>>);

/// Appends a text as frames, compressed if it is long enough for that and gains.
pub(super) fn block(compressors: &Compressors<Compressor>, text: &[u8], out: &mut Vec<u8>) {
    for part in text.chunks(ZSTD_FRAME_BYTES_MAX) {
        let compressed = part.len() >= COMPRESS_BYTES_MIN
            && compressors.with(|compressor| compressor.append(part, out));
        if !compressed {
            store(part, out);
        }
    }
}

/// Appends the end of a stream: an empty frame, because a stream that told nothing must have one.
pub(super) fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[SINGLE_SEGMENT, 0, LAST_BLOCK, 0, 0]);
}

/// Appends a frame with a text as it is.
fn store(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(stored_bytes(text.len()));
    out.extend_from_slice(&MAGIC);
    // The size takes 1, 2 or 4 bytes; two bits say which, and 2 bytes count from 256.
    if let Ok(size) = u8::try_from(text.len()) {
        out.push(SINGLE_SEGMENT);
        out.push(size);
    } else if let Ok(size) = u16::try_from(text.len() - 256) {
        out.push(SINGLE_SEGMENT | 1 << 6);
        out.extend_from_slice(&size.to_le_bytes());
    } else {
        out.push(SINGLE_SEGMENT | 2 << 6);
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    }
    let mut parts = text.chunks(RAW_BYTES_MAX).peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().map_or(LAST_BLOCK, |_| 0);
        let [low, middle, high, _] =
            ((part.len() as u32) << RAW_SIZE_SHIFT | u32::from(is_last)).to_le_bytes();
        out.extend_from_slice(&[low, middle, high]);
        out.extend_from_slice(part);
    }
}

/// Bytes of a stored text at most.
fn stored_bytes(text_bytes: usize) -> usize {
    let header = MAGIC.len() + 1 + 4;
    header + text_bytes + text_bytes.div_ceil(RAW_BYTES_MAX) * RAW_HEADER_BYTES
}

// === impl Compressor ===

impl Compressor {
    /// Appends a text compressed, and says whether it is smaller so; if not, nothing is appended.
    fn append(&mut self, text: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(compressor) = &mut self.0 else {
            return false;
        };
        let start = out.len();
        out.reserve(zstd::zstd_safe::compress_bound(text.len()));
        let mut place = Cursor::new(&mut *out);
        place.set_position(start as u64);
        let gains = compressor
            .compress_to_buffer(text, &mut place)
            .is_ok_and(|written| written < text.len());
        if !gains {
            out.truncate(start);
        }
        gains
    }
}

impl Default for Compressor {
    fn default() -> Self {
        Self(bulk::Compressor::new(LEVEL).ok())
    }
}
