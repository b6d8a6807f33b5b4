//! Server-sent events, scanned for what a load counts: probes, gaps, and the id to return with.
//!
//! A line that lies whole in what was read is looked at where it lies; only one that is cut is
//! copied. What a block says counts with its empty line, as in a browser.

use memchr::memchr;

use super::limits::LINE_BYTES_MAX;
use super::probe::{Probe, ProbeFinder};

const GAP: &[u8] = b"tidings.gap";

/// What a block of the stream tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// An event of the load.
    Probe(Probe),
    /// That the reader misses something.
    Gap,
}

/// A stream of which a part has arrived.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// The beginning of a line that is cut.
    cut: Vec<u8>,
    block: Option<Told>,
    block_id: Vec<u8>,
    last_id: Vec<u8>,
    retry_ms: Option<u64>,
}

impl Scanner {
    /// The id of the last whole block that had one, for `Last-Event-ID`.
    pub(super) fn last_id(&self) -> &[u8] {
        &self.last_id
    }

    /// After how long the stream has asked to be opened again, if it has.
    pub(super) fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    /// Forgets what has arrived of a block: the connection that it came on is gone.
    pub(super) fn interrupt(&mut self) {
        self.cut = Vec::new();
        self.block = None;
        self.block_id.clear();
    }

    /// Scans the next piece of the stream.
    pub(super) fn scan(
        &mut self,
        mut piece: &[u8],
        finder: &ProbeFinder,
        mut tell: impl FnMut(Told),
    ) {
        // The latest id of the piece, and whether its block has ended.
        let mut id: Option<(&[u8], bool)> = None;
        if !self.cut.is_empty() {
            let Some(end) = memchr(b'\n', piece) else {
                return self.keep(piece);
            };
            let (rest, after) = piece.split_at(end);
            piece = after.get(1..).unwrap_or_default();
            let mut line = std::mem::take(&mut self.cut);
            line.extend_from_slice(rest);
            if let Some(found) = self.line(&line, finder, &mut tell) {
                self.block_id.clear();
                self.block_id.extend_from_slice(found);
            }
        }
        while let Some(end) = memchr(b'\n', piece) {
            let (line, after) = piece.split_at(end);
            piece = after.get(1..).unwrap_or_default();
            if let Some(found) = self.line(line, finder, &mut tell) {
                if let Some((earlier, true)) = id {
                    set(&mut self.last_id, earlier);
                }
                id = Some((found, false));
            } else if line.is_empty() || line == b"\r" {
                id = id.map(|(found, _)| (found, true));
            }
        }
        match id {
            Some((found, true)) => set(&mut self.last_id, found),
            Some((found, false)) => set(&mut self.block_id, found),
            None => {}
        }
        self.keep(piece);
    }

    /// Looks at one line; its id, if it is one.
    fn line<'a>(
        &mut self,
        line: &'a [u8],
        finder: &ProbeFinder,
        tell: &mut impl FnMut(Told),
    ) -> Option<&'a [u8]> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(data) = line.strip_prefix(b"data:") {
            if let Some(probe) = finder.find(data) {
                self.block = Some(Told::Probe(probe));
            }
        } else if let Some(id) = line.strip_prefix(b"id:") {
            return Some(id.strip_prefix(b" ").unwrap_or(id));
        } else if let Some(ms) = line.strip_prefix(b"retry:") {
            let ms = str::from_utf8(ms)
                .ok()
                .and_then(|ms| ms.trim().parse().ok());
            self.retry_ms = ms.or(self.retry_ms);
        } else if let Some(name) = line.strip_prefix(b"event:") {
            if name.strip_prefix(b" ").unwrap_or(name) == GAP {
                self.block = Some(Told::Gap);
            }
        } else if line.is_empty() {
            if let Some(told) = self.block.take() {
                tell(told);
            }
            if !self.block_id.is_empty() {
                set(&mut self.last_id, &self.block_id);
                self.block_id.clear();
            }
        }
        None
    }

    /// Keeps the beginning of a line; one without end is not kept for ever.
    fn keep(&mut self, part: &[u8]) {
        if self.cut.len() + part.len() <= LINE_BYTES_MAX {
            self.cut.extend_from_slice(part);
        }
    }
}

fn set(id: &mut Vec<u8>, to: &[u8]) {
    id.clear();
    id.extend_from_slice(to);
}

#[cfg(test)]
mod tests;
