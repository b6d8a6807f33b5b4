//! Lines of a body that are answered together.

use bytes::Bytes;
use tidings_core::awaited::ReaderWait;
use tidings_core::event::Content;
use tidings_wire::problem::Problem;
use tidings_wire::publish::{Line, Publication, decode_event};

use crate::limits::{BATCH_BYTES_MAX, BATCH_LINES_MAX};

/// A line that was read: an event, or what it is instead.
pub(super) struct Read {
    number: u64,
    bytes: usize,
    event: Result<Publication, Problem>,
}

impl Read {
    pub(super) fn of(line: Line) -> Self {
        let bytes = line.text.as_ref().map_or(0, Bytes::len);
        let event = line
            .text
            .map_err(Problem::from)
            .and_then(|text| decode_event(&text).map_err(|error| Problem::from(&error)));
        Self {
            number: line.number,
            bytes,
            event,
        }
    }

    fn wait(&self) -> Option<ReaderWait> {
        self.event.as_ref().ok()?.wait
    }
}

/// Lines that are answered together, in order.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) lines: Vec<(u64, Result<(), Problem>)>,
    /// The events of the lines that are events.
    pub(super) events: Vec<Content>,
    /// The bytes of the lines of these events.
    pub(super) sizes: Vec<usize>,
    bytes: usize,
    /// What its only line waits for.
    pub(super) wait: Option<ReaderWait>,
}

impl Batch {
    pub(super) fn is_full(&self) -> bool {
        let is_large = self.lines.len() >= BATCH_LINES_MAX || self.bytes >= BATCH_BYTES_MAX;
        is_large || self.wait.is_some()
    }

    /// Takes a line, or gives it back if it waits and would hold up those before it.
    pub(super) fn add(&mut self, line: Read) -> Option<Read> {
        let wait = line.wait();
        if wait.is_some() && !self.lines.is_empty() {
            return Some(line);
        }
        self.wait = wait;
        self.bytes += line.bytes;
        let decoded = line.event.map(|event| {
            self.events.push(event.content);
            self.sizes.push(line.bytes);
        });
        self.lines.push((line.number, decoded));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(lines: usize, bytes: usize) -> Batch {
        let mut batch = Batch::default();
        for number in 0..lines {
            let text = vec![b' '; bytes / lines + usize::from(number < bytes % lines)];
            let (number, text) = (number as u64, Ok(text.into()));
            assert!(batch.add(Read::of(Line { number, text })).is_none());
        }
        batch
    }

    #[test]
    fn a_batch_is_full_at_so_many_lines_or_bytes() {
        assert!(!batch(BATCH_LINES_MAX - 1, 10).is_full());
        assert!(batch(BATCH_LINES_MAX, 10).is_full());
        assert!(!batch(3, BATCH_BYTES_MAX - 1).is_full());
        assert!(batch(3, BATCH_BYTES_MAX).is_full());
    }
}
