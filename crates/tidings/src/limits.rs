//! Limits of the running program, with their unit in the name and why they are what they are.

use std::time::Duration;

/// Bytes of log lines that wait for whoever reads standard error: seconds of a busy hub, a thousandth
/// of its memory.
pub const LOG_LINES_BYTES_MAX: usize = 1024 * 1024;

/// Spans that wait to be sent; beyond it they are dropped. A few seconds of a busy hub, each of which is
/// under a kilobyte.
pub const SPANS_WAITING_MAX: usize = 2_048;

/// Spans of one export.
pub const SPANS_PER_EXPORT_MAX: usize = 512;

/// How long a span waits for others to be sent with.
pub const SPANS_WAIT_MAX: Duration = Duration::from_secs(1);

/// How long a collector may take to answer; spans wait meanwhile, and are dropped when there are too many.
pub const SPANS_EXPORT_WAIT_MAX: Duration = Duration::from_secs(5);

/// How long the program's end waits for its last spans to be taken.
pub const LAST_SPANS_WAIT_MAX: Duration = Duration::from_secs(2);

/// How often it is told that nobody takes the spans.
pub const UNSENT_SPANS_LOG_PAUSE: Duration = Duration::from_secs(60);

/// How long the program's end waits for its last log lines to be taken.
pub const LAST_LINES_WAIT_MAX: Duration = Duration::from_secs(1);
