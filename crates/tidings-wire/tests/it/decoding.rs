//! Decoders that say at once all that the bytes so far tell, as a live reader needs it.

use flate2::{Decompress, FlushDecompress, Status};
use tidings_core::coding::Coding;
use zstd::stream::raw::{DParameter, Decoder as ZstdDecoder, Operation as _};

/// Bytes of the largest window that browsers take, as a power of two: 8 MiB.
const WINDOW_LOG_MAX: u32 = 23;

/// Bits of gzip's one window.
const GZIP_WINDOW_BITS: u8 = 15;

/// A decoder of one stream.
pub(crate) enum Decoder {
    /// Text as it is.
    Identity,
    /// One gzip member.
    Gzip(Decompress),
    /// Any number of zstd frames.
    Zstd(ZstdDecoder<'static>),
}

// === impl Decoder ===

impl Decoder {
    /// A decoder of a stream from its beginning.
    pub(crate) fn new(coding: Coding) -> Self {
        match coding {
            Coding::Identity => Self::Identity,
            Coding::Gzip => Self::Gzip(Decompress::new_gzip(GZIP_WINDOW_BITS)),
            Coding::Zstd => {
                let mut decoder = ZstdDecoder::new().expect("a decoder");
                decoder
                    .set_parameter(DParameter::WindowLogMax(WINDOW_LOG_MAX))
                    .expect("a window that the library knows");
                Self::Zstd(decoder)
            }
        }
    }

    /// Takes whole blocks and appends all text that they tell. Says whether the stream may end here:
    /// for gzip, that its check sum was there and right.
    pub(crate) fn feed(&mut self, bytes: &[u8], text: &mut Vec<u8>) -> bool {
        match self {
            Self::Identity => {
                text.extend_from_slice(bytes);
                true
            }
            Self::Gzip(decoder) => {
                let before = decoder.total_in();
                loop {
                    text.reserve(4096);
                    let read = (decoder.total_in() - before) as usize;
                    let status = decoder
                        .decompress_vec(&bytes[read..], text, FlushDecompress::Sync)
                        .expect("gzip");
                    let read = (decoder.total_in() - before) as usize;
                    let ended = status == Status::StreamEnd;
                    if ended || (read == bytes.len() && text.len() < text.capacity()) {
                        assert_eq!(read, bytes.len(), "nothing follows the end of the member");
                        return ended;
                    }
                }
            }
            // The library answers what it wants next, which after no bytes is a frame that may not come.
            Self::Zstd(_) if bytes.is_empty() => true,
            Self::Zstd(decoder) => {
                let mut read = 0;
                let mut part = [0; 4096];
                loop {
                    let status = decoder
                        .run_on_buffers(&bytes[read..], &mut part)
                        .expect("zstd");
                    read += status.bytes_read;
                    text.extend_from_slice(&part[..status.bytes_written]);
                    let ended = status.remaining == 0;
                    if read == bytes.len() && (ended || status.bytes_written < part.len()) {
                        return ended;
                    }
                }
            }
        }
    }
}
