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

/// When somebody that found all places of those who wait for readers taken should come back: many of
/// them are let go within this time.
pub(crate) const WAITS_FULL_RETRY_MS: u64 = 1_000;

/// When a reader that met a connection limit should come back.
pub(crate) const LIMIT_RETRY_MS: u64 = 5_000;

/// Lines about connections that were added, in a second; as many about those that were removed. A storm
/// of them is a count.
pub(crate) const CONNECTION_LINES_PER_SECOND_MAX: u32 = 100;

/// Notes of connections that wait to be written as lines: a second of them.
pub(crate) const CONNECTION_NOTES_MAX: usize = 256;

/// How long after the last line about connections it is told how many there was no line about.
pub(crate) const SUPPRESSED_TOLD_AFTER: Duration = Duration::from_secs(1);

/// How often it is told of one topic that nobody reads it.
pub(crate) const UNREAD_TOPIC_PAUSE_MS: u64 = 1_000;

/// Topics of which that is told within this time; of others it is counted.
pub(crate) const UNREAD_TOPICS_MAX: usize = 64;

/// How often a drain looks whether everybody has left.
pub(crate) const DRAIN_LOOK_MS: u64 = 20;

/// How long a reader thread pauses before a shard that cannot read the log asks again.
pub(crate) const CATCH_UP_RETRY: Duration = Duration::from_millis(100);

/// What an event costs in the window besides its content: the envelope's fixed text, the frame and
/// the bookkeeping.
pub(crate) const WINDOW_EVENT_OVERHEAD_BYTES: usize = 512;

/// A socket on which nothing was heard for this long is asked whether anybody is there.
pub(crate) const TCP_KEEPALIVE_AFTER: Duration = Duration::from_secs(15);

/// How long it has for each answer.
pub(crate) const TCP_KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// How often it is asked.
pub(crate) const TCP_KEEPALIVE_PROBES: u32 = 3;

/// A peer that acknowledges nothing for this long is gone. With a heartbeat of 15 s, and a second for
/// the timers of the kernel, that is 45 s after the last it was heard of.
pub(crate) const TCP_USER_TIMEOUT: Duration = Duration::from_secs(29);

/// Bytes that the kernel holds for a reader and has not sent: a slow reader is seen to be slow here,
/// not behind megabytes of buffers.
pub(crate) const TCP_UNSENT_BYTES_MAX: u32 = 16 * 1024;

/// How long the socket of a connection that has ended is kept for a last word it cannot take at once.
pub(crate) const LAST_WORD_MS_MAX: u64 = 2_000;

/// How long a block that was read of the log answers others who want the same: as long as a herd that
/// came together stays together.
pub(crate) const RECENT_READ_MS_MAX: u64 = 2_000;

/// Bytes of such blocks, together.
pub(crate) const RECENT_READS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Such blocks, however small.
pub(crate) const RECENT_READS_MAX: usize = 4_096;

/// Events of one look at a shard's sockets.
pub(crate) const POLLED_EVENTS_MAX: usize = 512;

/// How often a renewal is worked out again because the stream's subscription was changed meanwhile.
pub(crate) const RENEWAL_TRIES_MAX: usize = 3;

/// Surveys of all connections at a time; the others wait for their turn. Each takes a share of every
/// shard's time as long as it goes on.
pub(crate) const SURVEYS_AT_ONCE_MAX: usize = 2;

/// Connections of one page of a list of them: each may have a hundred patterns and as much metadata.
pub const CONNECTIONS_LISTED_MAX: usize = 500;

/// How long a part of the hub has to answer when it is asked how it is: what takes longer would keep
/// publishers and readers waiting as well.
pub(crate) const HEALTH_ANSWER_MS_MAX: u64 = 1_000;
