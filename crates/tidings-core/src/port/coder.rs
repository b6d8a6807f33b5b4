//! The coder port: how the hub packs text without knowing a compression format.

use crate::coding::{CheckSum, Coding};

/// Packs the text of streams.
///
/// Duties: what [`begin`](Self::begin) writes, any blocks, and [`end`](Self::end) with their joined
/// check sum, in this order, decode to the texts of the blocks. Blocks know nothing of each other, so
/// that all connections can share them. With [`Coding::Identity`], beginning and end are empty and a
/// block is its text.
pub trait Coder: Send + Sync + std::fmt::Debug {
    /// Appends what a stream begins with.
    fn begin(&self, coding: Coding, out: &mut Vec<u8>);

    /// Appends a block of this text, which a reader can decode as soon as it has it.
    fn block(&self, coding: Coding, text: &[u8], out: &mut Vec<u8>) -> CheckSum;

    /// The check sum of one text after another.
    fn join(&self, first: CheckSum, second: CheckSum) -> CheckSum;

    /// Appends what a stream ends with, after blocks of this check sum together.
    fn end(&self, coding: Coding, all: CheckSum, out: &mut Vec<u8>);
}
