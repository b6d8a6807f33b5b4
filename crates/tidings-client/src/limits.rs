//! Limits of the client, with their unit in the name and why they are what they are.

use std::time::Duration;

/// Bytes of one answer other than a stream: a page or a group at its own limits, with room for
/// escapes.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of a refusal that are read: a problem document is a few hundred.
pub const REFUSAL_BYTES_MAX: usize = 64 * 1024;

/// Idle connections kept for the next requests.
pub const IDLE_CONNECTIONS_MAX: usize = 8;

/// How long connecting may take, and how long the head of an answer beyond what was asked to wait.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer may take: a publish may wait for a busy log, and a large one for its lines.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// A stream silent for this many heartbeats is dead, whatever TCP believes.
pub const SILENT_HEARTBEATS_MAX: u32 = 3;

/// The first wait before reconnecting is a random part of this.
pub const BACKOFF_BASE: Duration = Duration::from_millis(500);

/// Later waits are a random part of at most this.
pub const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Longest wait that a hub can ask for; a mistaken one must not silence a client for days.
pub const ASKED_WAIT_MAX: Duration = Duration::from_secs(15 * 60);
