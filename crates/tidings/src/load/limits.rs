//! Limits of the load generator, with their unit in the name and why they are what they are.

/// Publishers: each is a socket under the poll of one thread.
pub(crate) const PUBLISHERS_MAX: usize = 1_024;

/// Events of one NDJSON body: it is sent whole before its answer is read.
pub(crate) const BATCH_EVENTS_MAX: u64 = 1_024;

/// Worker processes.
pub(crate) const PROCESSES_MAX: usize = 64;

/// Threads of readers in one process.
pub(crate) const READER_THREADS_MAX: usize = 64;

/// Streams of one connection over HTTP/2: as many as this hub allows.
pub(crate) const STREAMS_MAX: usize = 100;

/// Source addresses: those of 127.0.0.2 and up that stay in two bytes.
pub(crate) const SOURCE_ADDRESSES_MAX: usize = 250;

/// Readers of one source address to one target, below the range of ports that systems give out.
pub(super) const READERS_PER_SOURCE_MAX: usize = 20_000;

/// Descriptors of a process that are not readers: publishers come on top.
pub(super) const DESCRIPTORS_BESIDE: u64 = 128;

/// Bytes of a response head.
pub(super) const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Bytes of a refusal that are kept to be shown.
pub(super) const REFUSAL_BYTES_MAX: usize = 1_024;

/// Bytes of a line of a stream that arrives in parts; a hub's largest event fits.
pub(super) const LINE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Bytes of an answer to a publish: a receipt for each event of the largest body.
pub(super) const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes that one read takes from a socket.
pub(super) const READ_BYTES: usize = 256 * 1024;

/// Stretches of missing events that a reader remembers, to tell late ones from repeated ones.
pub(super) const HOLES_MAX: usize = 1_024;

/// Connections that are being opened at the same time, unless asked otherwise: under the backlog of
/// any listener, so that no connection waits a second for its second attempt.
pub(crate) const OPENING_DEFAULT: usize = 100;

/// The same, if asked: the largest backlog that systems grant.
pub(crate) const OPENING_MAX: usize = 4_096;

/// How often in a row a reader comes back in vain before it gives up.
pub(super) const RETURNS_MAX: u32 = 50;

/// Microseconds from the loss of a connection until the reader comes back.
pub(super) const RETURN_AFTER_US: u64 = 100_000;

/// Microseconds that a reader may take until it has its response head.
pub(super) const OPEN_MAX_US: u64 = 60_000_000;

/// Milliseconds until a reader comes back whose stream has not asked for a time: what browsers wait.
pub(super) const UNASKED_RETURN_MS: u64 = 3_000;

/// Microseconds from when a hub is told to end until all its readers have left and are back.
pub(super) const ABSENCE_MAX_US: u64 = 300_000_000;

/// Microseconds that a hub may take to close its listener, and from then on until it is there again.
pub(super) const RESTART_MAX_US: u64 = 120_000_000;

/// Microseconds that a hub may take to answer a publish.
pub(super) const ANSWER_MAX_US: u64 = 30_000_000;

/// Orders that wait for a thread of readers: it gets the next one when it has answered.
pub(super) const ORDERS_MAX: usize = 1;
