//! Limits that only the engine itself needs.

use std::time::Duration;

use tidings_core::limits::WINDOW_BYTES_DEFAULT;

/// Batches whose counts are remembered for publishers that ask: far more than can be committed in
/// the time that a publisher waits.
pub(crate) const TALLIES_KEPT_MAX: usize = 4_096;

/// Bytes of committed events that wait for one shard, together: as much as the window holds, since
/// what the window has let go of is better read from the log.
pub(crate) const SHARD_FEED_BYTES_MAX: usize = WINDOW_BYTES_DEFAULT;

/// Events that are handed to the log as one group when a publisher sends many separate ones.
pub(crate) const LINES_PER_GROUP_MAX: usize = 512;

/// When a caller that met a full queue should come back.
pub(crate) const BUSY_RETRY_MS: u64 = 1_000;

/// When a reader that met a connection limit should come back.
pub(crate) const LIMIT_RETRY_MS: u64 = 5_000;

/// How often a drain looks whether everybody has left.
pub(crate) const DRAIN_LOOK_MS: u64 = 20;

/// How long a reader thread pauses before a shard that cannot read the log asks again.
pub(crate) const CATCH_UP_RETRY: Duration = Duration::from_millis(100);

/// What an event costs in the window besides its content: the envelope's fixed text, the frame and
/// the bookkeeping.
pub(crate) const WINDOW_EVENT_OVERHEAD_BYTES: usize = 512;
