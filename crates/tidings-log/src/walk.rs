//! Walking through the records of a segment in large reads.

use std::io;

use bytes::Bytes;
use tidings_core::limits::GROUP_BYTES_MAX;

use crate::disk::DiskFile;
use crate::limits::READ_BLOCK_BYTES;
use crate::record::{RECORD_ALIGN, RECORD_HEADER_BYTES, RecordHeader};

/// A walk through the records of one segment. Unreadable stretches are stepped over; the walker sees
/// them as offsets that do not follow.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    file: &'a dyn DiskFile,
    tag: u64,
    at: u64,
    end: u64,
    block: Bytes,
    block_at: u64,
}

impl<'a> Walk<'a> {
    /// A walk over the bytes from `at` to `end`.
    pub(crate) fn new(file: &'a dyn DiskFile, tag: u64, at: u64, end: u64) -> Self {
        Self {
            file,
            tag,
            at,
            end,
            block: Bytes::new(),
            block_at: at,
        }
    }

    /// How far the walk has come in the file.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// The next whole record and its header; none at the end.
    pub(crate) fn next_record(&mut self) -> io::Result<Option<(RecordHeader, Bytes)>> {
        while self.at + RECORD_HEADER_BYTES as u64 <= self.end {
            if self.rest().len() < RECORD_HEADER_BYTES {
                self.load(READ_BLOCK_BYTES)?;
                if self.rest().len() < RECORD_HEADER_BYTES {
                    return Ok(None);
                }
            }
            if let Some(length) = RecordHeader::claimed_length(self.rest())
                && self.rest().len() < length
                && length <= GROUP_BYTES_MAX
                && self.at + length as u64 <= self.end
            {
                self.load(length.max(READ_BLOCK_BYTES))?;
            }
            if let Some(header) = RecordHeader::parse(self.rest(), self.tag) {
                let start = (self.at - self.block_at) as usize;
                let record = self.block.slice(start..start + header.length as usize);
                self.at += u64::from(header.length);
                return Ok(Some((header, record)));
            }
            self.at += RECORD_ALIGN as u64;
        }
        Ok(None)
    }

    fn rest(&self) -> &[u8] {
        let start = (self.at - self.block_at) as usize;
        self.block.get(start..).unwrap_or_default()
    }

    fn load(&mut self, length: usize) -> io::Result<()> {
        let length = (self.end - self.at).min(length as u64) as usize;
        let mut block = vec![0; length];
        let read = self.file.read_at(&mut block, self.at)?;
        block.truncate(read);
        self.block = Bytes::from(block);
        self.block_at = self.at;
        Ok(())
    }
}
