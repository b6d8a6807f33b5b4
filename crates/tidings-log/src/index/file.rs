//! The index of a sealed segment in a file.

use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use tidings_core::event::DedupeKey;

use super::blocks::{Fence, read_checked};
use super::build::MAGIC;
use super::{
    DedupeUse, Group, Index, KeyEntry, KeyVisitor, Posting, Stretch, Summary, damaged_index,
};
use crate::disk::DiskFile;
use crate::preamble::{self, PreambleFault};

/// The index of a sealed segment: a sparse sample in memory, the rest read when it is asked for.
#[derive(Debug)]
pub(crate) struct IndexFile {
    file: Arc<dyn DiskFile>,
    /// Where the body begins.
    start: u64,
    log_id: u64,
    sequence: u64,
    summary: Summary,
    keys: Fence,
    ids: Fence,
    groups: Fence,
    /// Only read as a whole, at an opening, so its fence is not kept.
    dedupe: (u64, u64),
    damaged: Vec<Stretch>,
}

/// Why an index file cannot be used.
#[derive(Debug)]
pub(crate) enum IndexFault {
    /// Written by a newer program.
    Newer(u32),
    /// Missing, unreadable or not what was written; it can be rebuilt.
    Unusable,
}

/// Bytes of one entry of the groups.
const GROUP_BYTES: usize = 32;

/// A key's entry and the place of its postings.
struct Found {
    entry: KeyEntry,
    place: (u64, u64),
}

impl IndexFile {
    /// Opens an index file; reads the preamble and the fences.
    pub(crate) fn open(file: Arc<dyn DiskFile>) -> Result<Self, IndexFault> {
        let (fields, start) = match preamble::read(&*file, MAGIC) {
            Ok(read) => read,
            Err(PreambleFault::Newer(version)) => return Err(IndexFault::Newer(version)),
            Err(PreambleFault::Damaged | PreambleFault::Io(_)) => return Err(IndexFault::Unusable),
        };
        Self::decode(file, fields, start).map_err(|_| IndexFault::Unusable)
    }

    fn decode(file: Arc<dyn DiskFile>, mut fields: Bytes, start: u64) -> io::Result<Self> {
        let mut word = || fields.try_get_u64_le().map_err(io::Error::other);
        let (log_id, sequence) = (word()?, word()?);
        let summary = Summary {
            first: word()?,
            last: word()?,
            end_bytes: word()?,
            newest: word()?,
            events: word()?,
        };
        let mut fence = || Fence::read(&*file, start, (word()?, word()?));
        let (keys, ids, groups) = (fence()?, fence()?, fence()?);
        let dedupe = (word()?, word()?);
        let count = word()?;
        let mut damaged = Vec::new();
        for _ in 0..count {
            damaged.push(Stretch {
                from: word()?,
                through: word()?,
            });
        }
        Ok(Self {
            file,
            start,
            log_id,
            sequence,
            summary,
            keys,
            ids,
            groups,
            dedupe,
            damaged,
        })
    }

    /// Whether this is the index of that segment.
    pub(crate) fn belongs_to(&self, log_id: u64, sequence: u64) -> bool {
        self.log_id == log_id && self.sequence == sequence
    }

    /// Visits the dictionary from a text on.
    fn visit_from(&self, text: &str, visit: &mut dyn FnMut(&str, Found) -> bool) -> io::Result<()> {
        let start = self.keys.seek(|key| key <= text.as_bytes());
        for block in start..self.keys.len() {
            let mut entries = self.keys.block(&*self.file, block)?;
            while entries.has_remaining() {
                let (key, found) = take_key(&mut entries)
                    .ok_or_else(|| damaged_index("the keys of an index file are damaged"))?;
                let key = str::from_utf8(&key).map_err(io::Error::other)?;
                if key >= text && !visit(key, found) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn find(&self, wanted: &str) -> io::Result<Option<Found>> {
        let mut result = None;
        self.visit_from(wanted, &mut |key, found| {
            if key == wanted {
                result = Some(found);
            }
            false
        })?;
        Ok(result)
    }

    /// The first record for which `before` is not true; `before` gets base and timestamp of fences,
    /// and `skip` gets records.
    fn first_group(
        &self,
        before: impl Fn(u64, u64) -> bool,
        skip: impl Fn(&Group) -> bool,
    ) -> io::Result<Option<Group>> {
        let start = self.groups.seek(|mut key| {
            let base = key.try_get_u64().unwrap_or_default();
            before(base, key.try_get_u64().unwrap_or_default())
        });
        for block in start..self.groups.len() {
            let entries = self.groups.block(&*self.file, block)?;
            let (groups, _) = entries.as_chunks::<GROUP_BYTES>();
            let place = groups.partition_point(|entry| skip(&take_group(entry)));
            if let Some(entry) = groups.get(place) {
                return Ok(Some(take_group(entry)));
            }
        }
        Ok(None)
    }
}

impl Index for IndexFile {
    fn summary(&self) -> Summary {
        self.summary
    }

    fn key(&self, key: &str) -> io::Result<Option<KeyEntry>> {
        Ok(self.find(key)?.map(|found| found.entry))
    }

    fn postings(&self, key: &str, after: u64) -> io::Result<Vec<Posting>> {
        let Some(found) = self.find(key)? else {
            return Ok(Vec::new());
        };
        if found.entry.last <= after {
            return Ok(Vec::new());
        }
        let (at, length) = found.place;
        let mut run = read_checked(&*self.file, self.start.saturating_add(at), length)?;
        let mut postings = Vec::new();
        let mut offset = self.summary.first;
        while run.has_remaining() {
            let posting = take_varint(&mut run).zip(take_varint(&mut run));
            let (delta, bytes) =
                posting.ok_or_else(|| damaged_index("the postings of a key are damaged"))?;
            offset = offset.saturating_add(delta);
            if offset > after {
                postings.push(Posting {
                    offset,
                    bytes: bytes as u32,
                });
            }
        }
        Ok(postings)
    }

    fn visit_keys(&self, prefix: &str, visit: &mut KeyVisitor<'_>) -> io::Result<()> {
        self.visit_from(prefix, &mut |key, found| {
            key.starts_with(prefix) && visit(key, found.entry)
        })
    }

    fn group_at(&self, offset: u64) -> io::Result<Option<Group>> {
        self.first_group(|base, _| base <= offset, |group| group.last() < offset)
    }

    fn group_since(&self, timestamp: u64) -> io::Result<Option<Group>> {
        let before = |_, time| time < timestamp;
        self.first_group(before, |group| group.timestamp < timestamp)
    }

    fn offsets_of_id(&self, hash: u64) -> io::Result<Vec<u64>> {
        let wanted = hash.to_be_bytes();
        let mut offsets = Vec::new();
        // Equal hashes may stand in several blocks.
        let mut block = self.ids.seek(|key| key < &wanted[..]);
        while self
            .ids
            .first_key(block)
            .is_some_and(|key| key <= &wanted[..])
        {
            let mut entries = self.ids.block(&*self.file, block)?;
            while entries.remaining() >= 16 {
                let (found, offset) = (entries.get_u64_le(), entries.get_u64_le());
                if found == hash {
                    offsets.push(offset);
                }
            }
            block += 1;
        }
        Ok(offsets)
    }

    fn dedupe_uses(&self) -> io::Result<Vec<DedupeUse>> {
        let fence = Fence::read(&*self.file, self.start, self.dedupe)?;
        let mut uses = Vec::new();
        for block in 0..fence.len() {
            let mut entries = fence.block(&*self.file, block)?;
            while entries.remaining() >= 48 {
                let (offset, timestamp) = (entries.get_u64_le(), entries.get_u64_le());
                let mut key = DedupeKey {
                    publisher_id: [0; 16],
                    content: [0; 16],
                };
                entries.copy_to_slice(&mut key.publisher_id);
                entries.copy_to_slice(&mut key.content);
                uses.push(DedupeUse {
                    offset,
                    timestamp,
                    key,
                });
            }
        }
        Ok(uses)
    }

    fn damaged(&self) -> Vec<Stretch> {
        self.damaged.clone()
    }

    fn unwritten(&self, _sequence: u64) -> Option<Vec<u8>> {
        None
    }

    fn file_bytes(&self) -> u64 {
        self.file.len_bytes().unwrap_or_default()
    }
}

fn take_group(mut entry: &[u8]) -> Group {
    Group {
        base: entry.get_u64_le(),
        at: entry.get_u64_le(),
        timestamp: entry.get_u64_le(),
        count: entry.get_u32_le(),
        length: entry.get_u32_le(),
    }
}

fn take_key(entries: &mut Bytes) -> Option<(Bytes, Found)> {
    let length = usize::from(entries.try_get_u16_le().ok()?);
    if entries.remaining() < length + 40 {
        return None;
    }
    let key = entries.split_to(length);
    let place = (entries.get_u64_le(), entries.get_u64_le());
    let entry = KeyEntry {
        count: entries.get_u64_le() as u32,
        first: entries.get_u64_le(),
        last: entries.get_u64_le(),
    };
    Some((key, Found { entry, place }))
}

fn take_varint(bytes: &mut Bytes) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = bytes.try_get_u8().ok()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
