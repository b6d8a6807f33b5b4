//! The index of a segment in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use super::{DedupeUse, Group, Index, KeyEntry, KeyVisitor, Posting, Stretch, Summary, hash_id};
use crate::record::RecordHeader;

/// The index of a segment in memory: of the active one, and of one whose file is not written yet.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(super) log_id: u64,
    pub(super) summary: Summary,
    pub(super) groups: Vec<Group>,
    pub(super) keys: BTreeMap<Box<str>, Vec<Posting>>,
    /// Hash and offset.
    pub(super) ids: BTreeSet<(u64, u64)>,
    pub(super) dedupe: Vec<DedupeUse>,
    pub(super) damaged: Vec<Stretch>,
}

impl Table {
    /// Of a segment without records, which would begin at `start_bytes` of the file.
    pub(crate) fn new(log_id: u64, first: u64, start_bytes: u64) -> Self {
        Self {
            log_id,
            summary: Summary {
                first,
                last: first.saturating_sub(1),
                end_bytes: start_bytes,
                newest: 0,
                events: 0,
            },
            groups: Vec::new(),
            keys: BTreeMap::new(),
            ids: BTreeSet::new(),
            dedupe: Vec::new(),
            damaged: Vec::new(),
        }
    }

    /// Takes in the record that stands at this place of the file.
    pub(crate) fn add(&mut self, header: &RecordHeader, at: u64, record: &[u8]) {
        self.groups.push(Group {
            base: header.base,
            count: header.count,
            at,
            length: header.length,
            timestamp: header.timestamp,
        });
        self.summary.last = header.last();
        self.summary.end_bytes = at + u64::from(header.length);
        self.summary.newest = self.summary.newest.max(header.timestamp);
        self.summary.events += u64::from(header.count);
        for (offset, event) in header.events(record) {
            let posting = Posting {
                offset,
                bytes: event.size_bytes(),
            };
            for key in event.keys() {
                match self.keys.get_mut(key) {
                    Some(postings) => postings.push(posting),
                    None => {
                        self.keys.insert(key.into(), vec![posting]);
                    }
                }
            }
            if let Some(id) = event.id() {
                self.ids.insert((hash_id(self.log_id, id), offset));
            }
            if let Some(key) = event.dedupe() {
                self.dedupe.push(DedupeUse {
                    offset,
                    timestamp: header.timestamp,
                    key,
                });
            }
        }
    }

    /// Notes that everything up to here was committed and cannot be read.
    pub(crate) fn add_damage(&mut self, through: u64) {
        self.damaged.push(Stretch {
            from: self.summary.last + 1,
            through,
        });
        self.summary.last = through;
    }

    pub(crate) fn summary(&self) -> Summary {
        self.summary
    }

    /// The timestamp of the oldest event.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.groups.first().map(|group| group.timestamp)
    }

    fn entry(postings: &[Posting]) -> Option<KeyEntry> {
        Some(KeyEntry {
            count: postings.len() as u32,
            first: postings.first()?.offset,
            last: postings.last()?.offset,
        })
    }
}

/// A panic while the lock is held leaves a table that is at worst ahead of the committed end, which
/// readers check anyway.
fn read(table: &RwLock<Table>) -> std::sync::RwLockReadGuard<'_, Table> {
    table.read().unwrap_or_else(PoisonError::into_inner)
}

impl Index for RwLock<Table> {
    fn summary(&self) -> Summary {
        read(self).summary
    }

    fn key(&self, key: &str) -> io::Result<Option<KeyEntry>> {
        let table = read(self);
        Ok(table.keys.get(key).and_then(|found| Table::entry(found)))
    }

    fn postings(&self, key: &str, after: u64) -> io::Result<Vec<Posting>> {
        let table = read(self);
        let found = table.keys.get(key).map_or(&[][..], Vec::as_slice);
        let start = found.partition_point(|posting| posting.offset <= after);
        Ok(found.get(start..).unwrap_or_default().to_vec())
    }

    fn visit_keys(&self, prefix: &str, visit: &mut KeyVisitor<'_>) -> io::Result<()> {
        let table = read(self);
        let range = (Bound::Included(prefix), Bound::Unbounded);
        for (key, postings) in table.keys.range::<str, _>(range) {
            let Some(entry) = Table::entry(postings).filter(|_| key.starts_with(prefix)) else {
                break;
            };
            if !visit(key, entry) {
                break;
            }
        }
        Ok(())
    }

    fn group_at(&self, offset: u64) -> io::Result<Option<Group>> {
        let table = read(self);
        let place = table.groups.partition_point(|group| group.last() < offset);
        Ok(table.groups.get(place).copied())
    }

    fn group_since(&self, timestamp: u64) -> io::Result<Option<Group>> {
        let table = read(self);
        let before = |group: &Group| group.timestamp < timestamp;
        let place = table.groups.partition_point(before);
        Ok(table.groups.get(place).copied())
    }

    fn offsets_of_id(&self, hash: u64) -> io::Result<Vec<u64>> {
        let table = read(self);
        let range = table.ids.range((hash, 0)..=(hash, u64::MAX));
        Ok(range.map(|(_, offset)| *offset).collect())
    }

    fn dedupe_uses(&self) -> io::Result<Vec<DedupeUse>> {
        Ok(read(self).dedupe.clone())
    }

    fn damaged(&self) -> Vec<Stretch> {
        read(self).damaged.clone()
    }

    fn unwritten(&self, sequence: u64) -> Option<Vec<u8>> {
        Some(read(self).to_file(sequence))
    }

    fn file_bytes(&self) -> u64 {
        0
    }
}
