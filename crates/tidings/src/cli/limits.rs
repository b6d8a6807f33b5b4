//! Limits of the command line, with their unit in the name and why they are what they are.

use std::time::Duration;

/// Bytes of one body of lines: a second of work for a slow hub, and all that is lost by a retry.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Lines of one body, for files of tiny events.
pub(super) const BODY_LINES_MAX: usize = 4_096;

/// Refused lines that are shown; the others are only counted.
pub(super) const SHOWN_REFUSALS_MAX: u64 = 10;

/// How long each step of asking a hub for its health may take: less than supervisors wait.
pub(super) const HEALTH_STEP: Duration = Duration::from_secs(2);

/// Bytes of the answer to that: some words.
pub(super) const HEALTH_BYTES_MAX: u64 = 16 * 1024;

/// Bytes of data from standard input: one event is far smaller, and the hub says how much.
pub(super) const DATA_BYTES_MAX: u64 = 16 * 1024 * 1024;
