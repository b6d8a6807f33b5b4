//! Log lines: where they go, how they look, and from which level on.

mod lines;

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

use crate::limits::{LAST_LINES_WAIT_MAX, LOG_LINES_BYTES_MAX};
use crate::settings::{Diagnostics, LogFormat, LogLevel};
use lines::Lines;
pub use lines::Written;

/// The lines of the process.
static LINES: OnceLock<Lines> = OnceLock::new();

/// Sends log lines to standard error from now on, as long as the answer lives. They go where they went
/// before, if that was set up already.
pub fn start(diagnostics: &Diagnostics) -> io::Result<Written> {
    let level = match diagnostics.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let (lines, written) = Lines::start(io::stderr(), LOG_LINES_BYTES_MAX, LAST_LINES_WAIT_MAX)?;
    let subscriber = fmt()
        .with_max_level(level)
        .with_writer(lines.clone())
        .with_target(false)
        .with_ansi(io::stderr().is_terminal());
    let outcome = match diagnostics.format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    if outcome.is_err() || LINES.set(lines).is_err() {
        tracing::debug!("log lines go where they went before");
    }
    Ok(written)
}

/// Log lines that were dropped because nobody took them.
pub fn lines_dropped() -> u64 {
    LINES.get().map_or(0, Lines::dropped)
}
