//! Limits that only the log knows, with their units in the name and why they are what they are.

/// Size of a full segment by default: retention works in these steps, and one is scanned in well
/// below 100 ms after a crash.
pub const SEGMENT_BYTES_DEFAULT: u64 = 64 * 1024 * 1024;

/// Size of the first segment after an opening; each next one is twice as large up to the full size.
/// A restart leaves the rest of a segment unused, which this keeps small.
pub const SEGMENT_BYTES_FIRST: u64 = 4 * 1024 * 1024;

/// The smallest size that may be configured for a segment: a few headers.
pub const SEGMENT_BYTES_MIN: u64 = 16 * 1024;

/// Epochs that the lineage remembers: cursors older than this many restarts are unknown. Sixteen
/// bytes each in every segment's header.
pub const LINEAGE_EPOCHS_MAX: usize = 1_000;

/// Index files that outlive their removed segments, to prove that a quiet topic lost nothing.
/// Beyond them nothing can be proven. Each is an open file, and a few percent of a segment.
pub const REMOVED_INDEXES_MAX: usize = 256;

/// Bytes of these index files, for logs without a byte limit.
pub const REMOVED_INDEX_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Share of the byte limit, in percent, that these index files may take from the events.
pub const REMOVED_INDEX_PERCENT_MAX: u64 = 10;

/// Bytes of one block of an index file, which is what a look-up reads. For each block some thirty
/// bytes stay in memory: about 50 KiB for a full segment.
pub const INDEX_BLOCK_BYTES: usize = 8 * 1024;

/// No file of the log begins with more than this before its records; a longer length is damage. A
/// lineage of [`LINEAGE_EPOCHS_MAX`] takes 16,000 bytes.
pub const PREAMBLE_BYTES_MAX: usize = 1024 * 1024;

/// Events that a commit feed gets at once while it catches up.
pub const FEED_PAGE_EVENTS: usize = 1_024;

/// Bytes after which a commit feed gets what has been read, while it catches up.
pub const FEED_PAGE_BYTES: usize = 1024 * 1024;

/// Bytes that one sequential read takes from a segment at once.
pub const READ_BLOCK_BYTES: usize = 256 * 1024;

/// Bytes that one call of a read walks through before it answers with what it has.
pub const READ_WALK_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Segments that one call of a read looks into before it answers with what it has.
pub const READ_SEGMENTS_MAX: usize = 64;

/// Keys of one segment that a pattern is resolved to; with more of them, walking the records is
/// cheaper than merging their postings.
pub const PATTERN_KEYS_MAX: usize = 4_096;

/// A refused publisher is asked to come back after this time.
pub const RETRY_AFTER_MS: u64 = 1_000;

/// What the keeper writes at once of an index, or of the next segment's zeros; a commit waits behind no
/// more than this.
pub const PIECE_BYTES: usize = 128 * 1024;

/// How long the disk is left to commits between two such pieces.
pub const PIECE_PAUSE_MS: u64 = 8;

/// The same for zeros, in microseconds, while events come so fast that the next segment may not be ready
/// in time. Zeros then come at about 100 MiB/s, which is more than a log of small events grows by.
pub const SPARE_HURRY_US: u64 = 500;

/// How often the keeper looks at retention and, if the disk is full, for space.
pub const KEEPER_TICK_MS: u64 = 500;

/// Retention begins early when the file system is used to this share, in percent.
pub const DISK_USED_PERCENT_MAX: u64 = 90;

/// While this much is available, retention does not begin early, whatever share it is.
pub const DISK_SPARE_BYTES: u64 = 1024 * 1024 * 1024;

/// How often the keeper works out which events rules by count and bytes hide.
pub const FLOORS_INTERVAL_MS: u64 = 5_000;

/// Retention begins early when the log holds this share of its byte limit, in percent, so that the
/// next segment fits below the limit.
pub const LOG_USED_PERCENT_MAX: u64 = 90;

/// With a byte limit, segments are no larger than this part of it, so that what goes at once is a
/// small share of what stays.
pub const SEGMENTS_PER_BYTE_LIMIT: u64 = 16;

/// Bytes that the keeper writes to find out whether a full disk has space again.
pub const PROBE_BYTES: usize = 64 * 1024;
