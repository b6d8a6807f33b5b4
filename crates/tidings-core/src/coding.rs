//! Content codings: how a stream's text is packed on its way to a reader.

/// A content coding of a stream.
///
/// A coded stream is a row of blocks that are made once and shared by every connection that
/// negotiated the coding; no block refers to what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Coding {
    /// The text as it is.
    #[default]
    Identity,
    /// One gzip member; each block ends where the next one can begin without history.
    Gzip,
    /// One zstd frame per block.
    Zstd,
}

/// What a coding checks a text by; all of a stream's blocks together, at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CheckSum {
    /// CRC-32 of the text (RFC 1952, section 8); 0 for codings without one over all blocks.
    pub crc32: u32,
    /// Bytes of the text, modulo 2^32.
    pub bytes: u32,
}
