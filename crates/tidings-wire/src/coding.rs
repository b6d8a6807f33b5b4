//! Content codings of streams: which one a reader gets, and how text is packed in it.
//!
//! A stream is packed in blocks that know nothing of each other. So a block is made once for all
//! readers of a coding, a reader may join at any block, and no connection has a compressor of its
//! own. Each block ends at a byte, and a reader can decode all of it as soon as it is there.

mod compressors;
mod gzip;
mod negotiate;
mod zstd;

use tidings_core::coding::{CheckSum, Coding};
use tidings_core::port::Coder;

use compressors::Compressors;
pub use negotiate::{content_encoding, negotiate};

/// Packs text as browsers take it: one gzip member of full-flush blocks, or a zstd frame per block.
///
/// Any number of threads may use one coder at once; each packs with a compressor that it borrows. An
/// empty text is no block, nothing is appended.
#[derive(Debug, Default)]
pub struct BlockCoder {
    gzip: Compressors<gzip::Compressor>,
    zstd: Compressors<zstd::Compressor>,
}

// === impl BlockCoder ===

impl Coder for BlockCoder {
    fn begin(&self, coding: Coding, out: &mut Vec<u8>) {
        match coding {
            Coding::Gzip => gzip::begin(out),
            Coding::Identity | Coding::Zstd => {}
        }
    }

    fn block(&self, coding: Coding, text: &[u8], out: &mut Vec<u8>) -> CheckSum {
        match coding {
            Coding::Identity => out.extend_from_slice(text),
            Coding::Gzip => {
                gzip::block(&self.gzip, text, out);
                return gzip::check_sum(text);
            }
            Coding::Zstd => zstd::block(&self.zstd, text, out),
        }
        CheckSum::default()
    }

    /// The second text must be shorter than 4 GiB, as every block is: its length shifts the first
    /// one's CRC. The first may have any length.
    fn join(&self, first: CheckSum, second: CheckSum) -> CheckSum {
        gzip::join(first, second)
    }

    fn end(&self, coding: Coding, all: CheckSum, out: &mut Vec<u8>) {
        match coding {
            Coding::Identity => {}
            Coding::Gzip => gzip::end(all, out),
            Coding::Zstd => zstd::end(out),
        }
    }
}
