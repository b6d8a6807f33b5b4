//! Log lines: where they go, how they look, and from which level on.

use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;

use crate::settings::{Diagnostics, LogFormat, LogLevel};

/// Sends log lines to standard error from now on. Does nothing if that was set up before.
pub fn start(diagnostics: &Diagnostics) {
    let level = match diagnostics.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let lines = fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal());
    let outcome = match diagnostics.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    if outcome.is_err() {
        tracing::debug!("log lines go where they went before");
    }
}
