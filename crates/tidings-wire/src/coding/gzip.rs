//! A stream as one gzip member (RFC 1952) of deflate blocks (RFC 1951) that know no history.
//!
//! One member, because browsers stop at the end of the first; each block ended as by a full flush,
//! so that a reader who joins with the header and any block can decode from there on.

use flate2::{Compress, Compression, FlushCompress};
use tidings_core::coding::CheckSum;

use super::compressors::Compressors;
use crate::limits::COMPRESS_BYTES_MIN;

/// Magic, deflate, no flags, no time, no word on the effort, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The last block: fixed codes and nothing but the end of the block.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];

/// Bytes of a stored block before its text: its kind padded to a byte, its length twice.
const STORED_HEADER_BYTES: usize = 5;

/// Bytes of text in one stored block: its length is written in 16 bits.
const STORED_BYTES_MAX: usize = 0xffff;

/// How hard to look for repetitions. A block is made once and sent to many, so the ratio counts for
/// more than the time, up to where it hardly grows. Recorded events of GitHub as a stream, one core
/// of 2 vCPU, ratio and CPU per MB of text:
///
/// | level | blocks of 4 KiB | of 16 KiB | of 64 KiB |
/// |---|---|---|---|
/// | 1 | 2.95, 3.8 ms | 3.96, 2.6 ms | 4.88, 2.2 ms |
/// | 2 | 3.69, 8.0 ms | 4.95, 4.8 ms | 6.13, 3.7 ms |
/// | 4 | 3.82, 9.2 ms | 5.27, 6.0 ms | 6.83, 5.1 ms |
/// | 6 | 3.85, 9.5 ms | 5.37, 6.8 ms | 7.06, 6.2 ms |
const LEVEL: u32 = 4;

/// Raw deflate, made ready again for each block.
pub(super) struct Compressor(Compress);

/// Appends what every stream begins with.
pub(super) fn begin(out: &mut Vec<u8>) {
    out.extend_from_slice(&HEADER);
}

/// Appends a text as blocks that end at a byte, compressed if it is long enough for that and gains.
pub(super) fn block(compressors: &Compressors<Compressor>, text: &[u8], out: &mut Vec<u8>) {
    let compressed = text.len() >= COMPRESS_BYTES_MIN
        && compressors.with(|compressor| compressor.append(text, out));
    if !compressed {
        store(text, out);
    }
}

/// What a text is checked by.
pub(super) fn check_sum(text: &[u8]) -> CheckSum {
    CheckSum {
        crc32: crc32fast::hash(text),
        bytes: text.len() as u32,
    }
}

/// The check sum of one text after another of less than 4 GiB.
pub(super) fn join(first: CheckSum, second: CheckSum) -> CheckSum {
    let hasher = |of: CheckSum| crc32fast::Hasher::new_with_initial_len(of.crc32, of.bytes.into());
    let mut joined = hasher(first);
    joined.combine(&hasher(second));
    CheckSum {
        crc32: joined.finalize(),
        bytes: first.bytes.wrapping_add(second.bytes),
    }
}

/// Appends the end of the member.
pub(super) fn end(all: CheckSum, out: &mut Vec<u8>) {
    out.extend_from_slice(&LAST_BLOCK);
    out.extend_from_slice(&all.crc32.to_le_bytes());
    out.extend_from_slice(&all.bytes.to_le_bytes());
}

/// Appends a text as it is.
fn store(text: &[u8], out: &mut Vec<u8>) {
    out.reserve(stored_bytes(text.len()));
    for part in text.chunks(STORED_BYTES_MAX) {
        let length = part.len() as u16;
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(part);
    }
}

/// Bytes of a text that is stored.
fn stored_bytes(text_bytes: usize) -> usize {
    text_bytes + text_bytes.div_ceil(STORED_BYTES_MAX) * STORED_HEADER_BYTES
}

// === impl Compressor ===

impl Compressor {
    /// Appends a text compressed, and says whether it is smaller so; if not, nothing is appended.
    fn append(&mut self, text: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        let stored = stored_bytes(text.len());
        out.reserve(stored);
        // A full flush is a sync flush that forgets the history. The reset forgets it for this
        // block, whatever became of the one before, and once is enough.
        self.0.reset();
        let result = self.0.compress_vec(text, out, FlushCompress::Sync);
        // There is room for the stored text: a flush that leaves none is not complete, but gains
        // nothing either.
        let complete =
            result.is_ok() && self.0.total_in() == text.len() as u64 && out.len() - start < stored;
        if !complete {
            out.truncate(start);
        }
        complete
    }
}

impl Default for Compressor {
    fn default() -> Self {
        let zlib_header = false;
        Self(Compress::new(Compression::new(LEVEL), zlib_header))
    }
}
