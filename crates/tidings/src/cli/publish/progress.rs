//! How far a file is, on a terminal only, and the sum at the end.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::limits::SHOWN_REFUSALS_MAX;
use crate::cli::tell;

/// What has become of the lines so far.
pub(super) struct Progress {
    bar: ProgressBar,
    begun_at: Instant,
    published: u64,
    duplicates: u64,
    refused: u64,
}

impl Progress {
    /// Progress through this many bytes, if that is known, drawn if somebody is looking.
    pub(super) fn new(length: Option<u64>, is_terminal: bool) -> Self {
        let target = if is_terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let (bar, template) = match length {
            Some(length) => (
                ProgressBar::with_draw_target(Some(length), target),
                "{bar:40} {bytes}/{total_bytes} {msg}, {eta} left",
            ),
            None => (
                ProgressBar::with_draw_target(None, target),
                "{spinner} {bytes} {msg}",
            ),
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            bar: bar.with_style(style),
            begun_at: Instant::now(),
            published: 0,
            duplicates: 0,
            refused: 0,
        }
    }

    /// A line is in the log.
    pub(super) fn published(&mut self, bytes: u64, duplicate: bool) {
        self.published += 1;
        self.duplicates += u64::from(duplicate);
        self.bar.inc(bytes);
        self.bar.set_message(format!("{} events", self.published));
    }

    /// A line will not be published, and why.
    pub(super) fn refused(&mut self, number: u64, bytes: u64, problem: &str) {
        self.refused += 1;
        self.bar.inc(bytes);
        match self.refused {
            shown if shown <= SHOWN_REFUSALS_MAX => self.say(&format!("line {number}: {problem}")),
            shown if shown == SHOWN_REFUSALS_MAX + 1 => self.say("further refusals are not shown"),
            _ => {}
        }
    }

    /// Tells something without tearing the bar.
    pub(super) fn say(&self, text: &str) {
        self.bar.suspend(|| tell(text));
    }

    /// Tells the sum, and how many lines were refused.
    pub(super) fn finish(self) -> u64 {
        self.bar.finish_and_clear();
        let took = self.begun_at.elapsed().max(Duration::from_millis(1));
        let rate = self.published as f64 / took.as_secs_f64();
        tell(&format!(
            "published {} events in {:.1} s, {rate:.0} per second; {} of them were there already",
            self.published,
            took.as_secs_f64(),
            self.duplicates,
        ));
        self.refused
    }
}
