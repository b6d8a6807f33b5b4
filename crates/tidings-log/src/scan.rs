//! Reading a segment's records from the bytes alone, and telling damage from a torn tail.
//!
//! A record carries the committed end at the time when its write began. The largest such end is
//! *proven*: everything up to it was durable once. What is unreadable below it is damage, and keeps
//! its offsets; behind it stands at most one unfinished write, of which the longest readable beginning
//! is the *tail* and the rest is dropped.

use std::io;

use bytes::Bytes;

use crate::disk::DiskFile;
use crate::index::{Stretch, Table};
use crate::record::{RECORD_ALIGN, RecordHeader};

/// What is known of a segment before its records are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) log_id: u64,
    pub(crate) tag: u64,
    /// Its first offset.
    pub(crate) first: u64,
    /// Where its records begin.
    pub(crate) start_bytes: u64,
    /// Proven by others: this segment's header, or the next segment's beginning.
    pub(crate) proven: u64,
    /// For a sealed segment nothing counts beyond what is proven.
    pub(crate) sealed: bool,
}

/// A stretch of unreadable records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Where it begins in the file.
    pub(crate) at: u64,
    /// The offsets that stood there.
    pub(crate) stretch: Stretch,
}

/// What a segment turned out to hold.
#[derive(Debug)]
pub(crate) struct Found {
    /// Everything proven.
    pub(crate) table: Table,
    /// Whole records of the unfinished write, in order.
    pub(crate) tail: Vec<(RecordHeader, Bytes)>,
    pub(crate) damage: Vec<Damage>,
    /// Bytes of the unfinished write that are not kept.
    pub(crate) dropped_bytes: u64,
    pub(crate) scanned_bytes: u64,
    /// Epochs in the order of their records, each with its first offset here.
    pub(crate) epochs: Vec<(u64, u64)>,
}

struct Candidate {
    at: usize,
    header: RecordHeader,
}

/// Reads all bytes of a segment up to its end, if that is known.
pub(crate) fn load(file: &dyn DiskFile, end_bytes: Option<u64>) -> io::Result<Bytes> {
    let length = file.len_bytes()?;
    let mut bytes = vec![0; end_bytes.map_or(length, |end| end.min(length)) as usize];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(Bytes::from(bytes))
}

/// The tag of the first record that is whole, whatever segment it claims to belong to.
pub(crate) fn first_tag(bytes: &[u8]) -> Option<u64> {
    (0..bytes.len()).step_by(RECORD_ALIGN).find_map(|at| {
        let record = bytes.get(at..)?;
        RecordHeader::claimed_length(record)?;
        let tag = u64::from_le_bytes(record.get(16..24)?.try_into().ok()?);
        RecordHeader::parse(record, tag).map(|_| tag)
    })
}

/// Sorts out a segment's bytes.
pub(crate) fn scan(bytes: &Bytes, known: &Known) -> Found {
    let candidates = candidates(bytes, known);
    let proven = if known.sealed {
        known.proven
    } else {
        let told = candidates.iter().map(|found| found.header.synced_end);
        told.fold(known.proven, u64::max)
    };
    let mut found = Found {
        table: Table::new(known.log_id, known.first, known.start_bytes),
        tail: Vec::new(),
        damage: Vec::new(),
        dropped_bytes: 0,
        scanned_bytes: bytes.len() as u64,
        epochs: Vec::new(),
    };
    let mut kept_bytes = known.start_bytes;
    for Candidate { at, header } in candidates {
        let record = bytes.slice(at..at + header.length as usize);
        if header.last() <= proven {
            found.note_damage(header.base.saturating_sub(1));
            found.table.add(&header, at as u64, &record);
        } else if !known.sealed && found.continues(&header, proven) {
            found.tail.push((header, record));
        } else {
            continue;
        }
        found.note_epoch(&header);
        kept_bytes = (at + header.length as usize) as u64;
    }
    found.note_damage(proven);
    if !known.sealed {
        let behind = bytes.get(kept_bytes as usize..).unwrap_or_default();
        let written = behind.iter().rposition(|byte| *byte != 0);
        found.dropped_bytes = written.map_or(0, |last| last as u64 + 1);
    }
    found
}

/// All whole records of this segment that no later write has replaced.
fn candidates(bytes: &Bytes, known: &Known) -> Vec<Candidate> {
    let mut found = Vec::new();
    let (mut next, mut write) = (known.first, 0);
    let mut at = known.start_bytes as usize;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let header = RecordHeader::parse(rest, known.tag);
        // A record of an earlier write behind one of a later write is a leftover of one that failed.
        match header.filter(|header| header.base >= next && header.write >= write) {
            Some(header) => {
                found.push(Candidate { at, header });
                next = header.last() + 1;
                write = header.write;
                at += header.length as usize;
            }
            None => at += RECORD_ALIGN,
        }
    }
    found
}

impl Found {
    /// Whether a record is the next one of the unfinished write.
    fn continues(&self, header: &RecordHeader, proven: u64) -> bool {
        match self.tail.last() {
            Some((last, _)) => header.base == last.last() + 1 && header.write == last.write,
            None => header.base == proven + 1,
        }
    }

    /// Whatever is missing up to here was committed and is unreadable.
    fn note_damage(&mut self, through: u64) {
        let summary = self.table.summary();
        if summary.last < through {
            self.damage.push(Damage {
                at: summary.end_bytes,
                stretch: Stretch {
                    from: summary.last + 1,
                    through,
                },
            });
            self.table.add_damage(through);
        }
    }

    fn note_epoch(&mut self, header: &RecordHeader) {
        if self
            .epochs
            .last()
            .is_none_or(|(epoch, _)| *epoch != header.epoch)
        {
            self.epochs.push((header.epoch, header.base));
        }
    }

    /// The newest timestamp that is kept.
    pub(crate) fn newest(&self) -> u64 {
        let tail = self.tail.last().map_or(0, |(header, _)| header.timestamp);
        tail.max(self.table.summary().newest)
    }
}

#[cfg(test)]
mod tests;
