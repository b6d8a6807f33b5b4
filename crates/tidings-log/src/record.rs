//! Records: one atomic group of events as bytes in a segment.
//!
//! ```text
//! 0   4  magic; two of its bytes never occur in UTF-8, so no event's text holds it
//! 4   4  CRC32C of everything behind it
//! 8   4  length of the record, a multiple of 8
//! 12  4  events
//! 16  8  tag of the segment: leftovers of other files are not taken for records
//! 24  8  offset of the first event
//! 32  8  the committed end when the write began that this record was part of
//! 40  8  timestamp
//! 48  8  number of that write: leftovers of an earlier, failed write have a lower one
//! 56  8  epoch
//! 64     events (see `record/event.rs`), then zeros
//! ```
//!
//! A record decodes alone.

mod event;

use bytes::Buf;

pub(crate) use event::{RawEvent, encode_draft};

const MAGIC: [u8; 4] = [0xff, b'T', b'G', 0xfe];

/// Bytes before the events.
pub(crate) const RECORD_HEADER_BYTES: usize = 64;

/// Records begin at multiples of this, which makes finding the next one after damage quick.
pub(crate) const RECORD_ALIGN: usize = 8;

/// What a record says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    /// Bytes of the whole record.
    pub(crate) length: u32,
    /// Events in it.
    pub(crate) count: u32,
    /// Tag of the segment.
    pub(crate) tag: u64,
    /// Offset of the first event.
    pub(crate) base: u64,
    /// The committed end when its write began.
    pub(crate) synced_end: u64,
    /// When the group was appended.
    pub(crate) timestamp: u64,
    /// Which write it was part of.
    pub(crate) write: u64,
    /// Which opening of the log wrote it.
    pub(crate) epoch: u64,
}

impl RecordHeader {
    /// The offset of the last event.
    pub(crate) fn last(&self) -> u64 {
        self.base + u64::from(self.count) - 1
    }

    /// Appends a whole record; the length is worked out here.
    pub(crate) fn encode<'a>(
        &self,
        events: impl IntoIterator<Item = &'a [u8]>,
        out: &mut Vec<u8>,
    ) -> Self {
        let start = out.len();
        out.resize(start + RECORD_HEADER_BYTES, 0);
        for event in events {
            out.extend_from_slice(event);
        }
        let length = (out.len() - start).next_multiple_of(RECORD_ALIGN);
        out.resize(start + length, 0);
        let whole = Self {
            length: length as u32,
            ..*self
        };
        if let Some(record) = out.get_mut(start..) {
            whole.fill(record);
        }
        whole
    }

    fn fill(&self, record: &mut [u8]) {
        let mut header = [0_u8; RECORD_HEADER_BYTES];
        header[8..12].copy_from_slice(&self.length.to_le_bytes());
        header[12..16].copy_from_slice(&self.count.to_le_bytes());
        let words = [
            self.tag,
            self.base,
            self.synced_end,
            self.timestamp,
            self.write,
            self.epoch,
        ];
        for (place, word) in header[16..].chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        header[..4].copy_from_slice(&MAGIC);
        record[..RECORD_HEADER_BYTES].copy_from_slice(&header);
        let crc = crc32c::crc32c(&record[8..]);
        record[4..8].copy_from_slice(&crc.to_le_bytes());
    }

    /// The length that a record at the beginning of these bytes claims to have, unchecked.
    pub(crate) fn claimed_length(bytes: &[u8]) -> Option<usize> {
        if !bytes.starts_with(&MAGIC) {
            return None;
        }
        let mut length = bytes.get(8..12)?;
        Some(length.get_u32_le() as usize)
    }

    /// The record at the beginning of these bytes, if a whole and undamaged one of this segment
    /// stands there.
    pub(crate) fn parse(bytes: &[u8], tag: u64) -> Option<Self> {
        let length = Self::claimed_length(bytes)?;
        if length < RECORD_HEADER_BYTES || !length.is_multiple_of(RECORD_ALIGN) {
            return None;
        }
        let record = bytes.get(..length)?;
        let mut fields = record.get(4..RECORD_HEADER_BYTES)?;
        let crc = fields.get_u32_le();
        let header = Self {
            length: fields.get_u32_le(),
            count: fields.get_u32_le(),
            tag: fields.get_u64_le(),
            base: fields.get_u64_le(),
            synced_end: fields.get_u64_le(),
            timestamp: fields.get_u64_le(),
            write: fields.get_u64_le(),
            epoch: fields.get_u64_le(),
        };
        let sane = header.tag == tag
            && header.count > 0
            && header.base > 0
            && header.base.checked_add(u64::from(header.count)).is_some();
        (sane && crc32c::crc32c(record.get(8..)?) == crc).then_some(header)
    }

    /// The events of a record that was parsed from these bytes.
    pub(crate) fn events<'a>(&self, bytes: &'a [u8]) -> RawEvents<'a> {
        let events = bytes.get(RECORD_HEADER_BYTES..self.length as usize);
        RawEvents {
            rest: events.unwrap_or_default(),
            left: self.count,
            offset: self.base,
        }
    }

    /// The event at an offset of a record that was parsed from these bytes. Those before it are
    /// stepped over by their lengths, not taken apart: a group may have a thousand.
    pub(crate) fn event<'a>(&self, bytes: &'a [u8], offset: u64) -> Option<RawEvent<'a>> {
        let place = offset.checked_sub(self.base)?;
        if place >= u64::from(self.count) {
            return None;
        }
        let mut rest = self.events(bytes).rest;
        for _ in 0..place {
            rest = RawEvent::skip(rest)?;
        }
        RawEvent::split(rest).map(|(event, _)| event)
    }
}

/// Walks through the events of one record, each with its offset.
#[derive(Debug, Clone)]
pub(crate) struct RawEvents<'a> {
    rest: &'a [u8],
    left: u32,
    offset: u64,
}

impl<'a> Iterator for RawEvents<'a> {
    type Item = (u64, RawEvent<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (event, rest) = RawEvent::split(self.rest)?;
        self.rest = rest;
        let offset = self.offset;
        self.offset += 1;
        Some((offset, event))
    }
}

#[cfg(test)]
mod tests;
