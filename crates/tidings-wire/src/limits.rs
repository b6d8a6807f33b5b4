//! Limits of the encodings, beside those of `tidings_core::limits` that everything obeys.

/// Arrays and objects inside each other in one event. Deeper data breaks recursive parsers of
/// readers, long before it means anything to people.
pub const JSON_DEPTH_MAX: usize = 64;

/// Fields of one event, and of its metadata: more is data in the wrong place.
pub const OBJECT_FIELDS_MAX: usize = 128;

/// Bytes of one line of an NDJSON body: the largest event with room for its addressees and escapes.
pub const NDJSON_LINE_BYTES_MAX: usize = 512 * 1024;

/// Parameters of one query string: every documented one, repeated many times.
pub const QUERY_PARAMETERS_MAX: usize = 256;

/// Bytes that a reader of SSE keeps for one block: the largest event with everything escaped.
pub const SSE_BLOCK_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Characters of a refused text that an error message repeats.
pub const SHOWN_CHARACTERS_MAX: usize = 80;

/// Bytes of text below which a block is stored and not compressed: a single small event gains a
/// third at best, and costs every reader's processor and the hub's.
pub const COMPRESS_BYTES_MIN: usize = 1024;

/// Bytes of text in one zstd frame. RFC 9659 lets a receiver of `zstd` refuse windows beyond 8 MiB,
/// and browsers do; the window of a frame of known size is never larger than its text.
pub const ZSTD_FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Idle compressors of one coding that are kept for the next block. There is one in use per thread
/// that packs at this moment; beyond these, a herd of threads frees what it borrowed.
pub const IDLE_COMPRESSORS_MAX: usize = 16;

/// Bytes of `Accept-Encoding` that are read: every coding ever registered, with weights. What comes
/// after them is not offered.
pub const ACCEPT_ENCODING_BYTES_MAX: usize = 1024;
