//! What a segment holds, by key, id, offset and time.
//!
//! The active segment has it in memory ([`Table`]); a sealed one has it in a file of which only a
//! sparse sample is in memory ([`IndexFile`]), so that memory does not grow with keys times segments.
//! Both answer the same questions.

mod blocks;
mod build;
mod file;
mod table;

use std::fmt;
use std::io;

use tidings_core::event::DedupeKey;

pub(crate) use file::{IndexFault, IndexFile};
pub(crate) use table::Table;

/// One event of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Posting {
    /// Its offset.
    pub(crate) offset: u64,
    /// What it takes in its record.
    pub(crate) bytes: u32,
}

/// What is known of a key without its postings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyEntry {
    /// Events of the key.
    pub(crate) count: u32,
    /// Offset of the oldest.
    pub(crate) first: u64,
    /// Offset of the newest.
    pub(crate) last: u64,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Group {
    /// Offset of its first event.
    pub(crate) base: u64,
    /// Its events.
    pub(crate) count: u32,
    /// Place in the file.
    pub(crate) at: u64,
    /// Bytes.
    pub(crate) length: u32,
    /// When it was appended.
    pub(crate) timestamp: u64,
}

impl Group {
    /// Offset of the last event.
    pub(crate) fn last(&self) -> u64 {
        self.base + u64::from(self.count) - 1
    }
}

/// One publish that can be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DedupeUse {
    /// Its offset.
    pub(crate) offset: u64,
    /// When it was appended.
    pub(crate) timestamp: u64,
    /// By what a repeat is recognised.
    pub(crate) key: DedupeKey,
}

/// Offsets from the first through the last of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// The first.
    pub(crate) from: u64,
    /// The last.
    pub(crate) through: u64,
}

/// What a segment holds in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The first offset that it may hold.
    pub(crate) first: u64,
    /// Its last committed offset; `first - 1` if there is none.
    pub(crate) last: u64,
    /// Where its last record ends in the file.
    pub(crate) end_bytes: u64,
    /// Timestamp of the newest event, or zero.
    pub(crate) newest: u64,
    /// Events.
    pub(crate) events: u64,
}

/// Called with each key of a range; answers whether to go on.
pub(crate) type KeyVisitor<'a> = dyn FnMut(&str, KeyEntry) -> bool + 'a;

/// The questions that a segment's index answers. An error means that it could not be read, or is not
/// what was written.
pub(crate) trait Index: Send + Sync + fmt::Debug {
    /// What the segment holds in all.
    fn summary(&self) -> Summary;

    /// Whether and where a key occurs.
    fn key(&self, key: &str) -> io::Result<Option<KeyEntry>>;

    /// Events of a key after an offset, by rising offset.
    fn postings(&self, key: &str, after: u64) -> io::Result<Vec<Posting>>;

    /// Visits the keys that begin with a prefix, in order of their bytes.
    fn visit_keys(&self, prefix: &str, visit: &mut KeyVisitor<'_>) -> io::Result<()>;

    /// The record that holds an offset, else the first one behind it.
    fn group_at(&self, offset: u64) -> io::Result<Option<Group>>;

    /// The first record that is not older than a time.
    fn group_since(&self, timestamp: u64) -> io::Result<Option<Group>>;

    /// Offsets of events whose id has this hash, rising.
    fn offsets_of_id(&self, hash: u64) -> io::Result<Vec<u64>>;

    /// Publishes that can be repeated, by rising offset.
    fn dedupe_uses(&self) -> io::Result<Vec<DedupeUse>>;

    /// Stretches whose records are unreadable.
    fn damaged(&self) -> Vec<Stretch>;

    /// The bytes of an index file, if there is none yet.
    fn unwritten(&self, sequence: u64) -> Option<Vec<u8>>;

    /// Bytes of the index on disk.
    fn file_bytes(&self) -> u64;
}

/// The hash by which ids are found; the seed differs from log to log. FNV-1a, finished so that all
/// bits depend on all of them.
pub(crate) fn hash_id(seed: u64, id: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for byte in id.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

pub(crate) fn damaged_index(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests;
