//! Limits of the running program, with their unit in the name and why they are what they are.

use std::time::Duration;

/// Bytes of log lines that wait for whoever reads standard error: seconds of a busy hub, a thousandth
/// of its memory.
pub const LOG_LINES_BYTES_MAX: usize = 1024 * 1024;

/// How long the program's end waits for its last log lines to be taken.
pub const LAST_LINES_WAIT_MAX: Duration = Duration::from_secs(1);
