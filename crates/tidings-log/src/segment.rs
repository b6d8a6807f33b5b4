//! Segments as the readers see them, and the list of all of them.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::Bytes;

use crate::disk::DiskFile;
use crate::header;
use crate::index::{Group, Index, Stretch, Summary, Table};
use crate::preamble::PAGE_BYTES;
use crate::record::RecordHeader;
use crate::scan::{self, Known};

/// What is left of a segment.
#[derive(Debug, Clone)]
pub(crate) enum Records {
    /// All of it, in this file.
    Held(Arc<dyn DiskFile>),
    /// The index alone: retention has removed the records.
    Removed,
    /// Neither records nor index: the file has vanished.
    Lost(Stretch),
}

/// One segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) log_id: u64,
    pub(crate) sequence: u64,
    /// The file name without its ending.
    pub(crate) stem: String,
    pub(crate) records: Records,
    index: RwLock<Arc<dyn Index>>,
    /// Stretches that readers have found to be unreadable since the opening: first and last offset,
    /// neighbours merged.
    found_damaged: Mutex<BTreeMap<u64, u64>>,
}

impl Segment {
    pub(crate) fn new(
        log_id: u64,
        sequence: u64,
        stem: String,
        records: Records,
        index: Arc<dyn Index>,
    ) -> Self {
        Self {
            log_id,
            sequence,
            stem,
            records,
            index: RwLock::new(index),
            found_damaged: Mutex::default(),
        }
    }

    /// A stretch of which nothing is left.
    pub(crate) fn lost(stretch: Stretch) -> Self {
        let mut table = Table::new(0, stretch.from, 0);
        table.add_damage(stretch.through);
        let index = Arc::new(RwLock::new(table));
        Self::new(0, 0, String::new(), Records::Lost(stretch), index)
    }

    /// The segment after its records were removed.
    pub(crate) fn without_records(&self) -> Self {
        let stem = self.stem.clone();
        Self::new(
            self.log_id,
            self.sequence,
            stem,
            Records::Removed,
            self.index(),
        )
    }

    pub(crate) fn index(&self) -> Arc<dyn Index> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&index)
    }

    /// Asks the index. If its file turns out to be damaged, a table made from the records takes its
    /// place, of which the keeper makes a new file, and is asked again.
    pub(crate) fn ask<T>(&self, question: impl Fn(&dyn Index) -> io::Result<T>) -> io::Result<T> {
        match (question(&*self.index()), &self.records) {
            (Err(_), Records::Held(file)) => {
                self.rebuild_index(&**file)?;
                question(&*self.index())
            }
            (answer, _) => answer,
        }
    }

    fn rebuild_index(&self, file: &dyn DiskFile) -> io::Result<()> {
        let summary = self.summary();
        let bytes = scan::load(file, Some(summary.end_bytes))?;
        let known = Known {
            log_id: self.log_id,
            tag: self.tag(),
            first: summary.first,
            start_bytes: PAGE_BYTES as u64,
            proven: summary.last,
            sealed: true,
        };
        let table = scan::scan(&bytes, &known).table;
        self.set_index(Arc::new(RwLock::new(table)));
        Ok(())
    }

    /// Puts the index file in the place of the table.
    pub(crate) fn set_index(&self, index: Arc<dyn Index>) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = index;
    }

    pub(crate) fn summary(&self) -> Summary {
        self.index().summary()
    }

    pub(crate) fn is_held(&self) -> bool {
        matches!(self.records, Records::Held(_))
    }

    /// Bytes of the segment's files.
    pub(crate) fn file_bytes(&self) -> u64 {
        let records = match &self.records {
            Records::Held(file) => file.len_bytes().unwrap_or_default(),
            Records::Removed | Records::Lost(_) => 0,
        };
        records + self.index().file_bytes()
    }

    pub(crate) fn tag(&self) -> u64 {
        header::tag(self.log_id, self.sequence)
    }

    /// Reads and checks one record; none if it is not what was written.
    pub(crate) fn read_group(
        &self,
        file: &dyn DiskFile,
        group: &Group,
    ) -> io::Result<Option<(RecordHeader, Bytes)>> {
        let mut bytes = vec![0; group.length as usize];
        let read = file.read_at(&mut bytes, group.at)?;
        bytes.truncate(read);
        let header = RecordHeader::parse(&bytes, self.tag());
        let header = header.filter(|header| header.base == group.base);
        Ok(header.map(|header| (header, Bytes::from(bytes))))
    }

    fn lock_damaged(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        self.found_damaged
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers that a record is unreadable, for questions that do not read records.
    pub(crate) fn note_damage(&self, stretch: Stretch) {
        let mut found = self.lock_damaged();
        let Stretch {
            mut from,
            mut through,
        } = stretch;
        // Whatever begins before its end and ends after its beginning, or touches it, is one stretch.
        while let Some((&other, &end)) = found.range(..=through.saturating_add(1)).next_back() {
            if end.saturating_add(1) < from {
                break;
            }
            found.remove(&other);
            from = from.min(other);
            through = through.max(end);
        }
        found.insert(from, through);
    }

    /// Records that readers found to be unreadable, by rising offset.
    pub(crate) fn found_damaged(&self) -> Vec<Stretch> {
        let found = self.lock_damaged();
        let stretches = found.iter();
        stretches
            .map(|(&from, &through)| Stretch { from, through })
            .collect()
    }
}

/// All segments at one time, removed ones with a surviving index included.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inventory {
    /// Nothing is known of what was removed up to here.
    pub(crate) forgotten_through: u64,
    /// By rising offset; the last one is the active one.
    pub(crate) segments: Vec<Arc<Segment>>,
}

impl Inventory {
    /// The segments that may hold offsets after this one.
    pub(crate) fn after(&self, offset: u64) -> &[Arc<Segment>] {
        let start = self
            .segments
            .partition_point(|segment| segment.summary().last <= offset);
        self.segments.get(start..).unwrap_or_default()
    }
}

/// The first offset and the number of a segment, as its file name says them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileName {
    pub(crate) first: u64,
    pub(crate) sequence: u64,
}

/// The ending of segments.
pub(crate) const SEGMENT_ENDING: &str = "seg";
/// The ending of index files.
pub(crate) const INDEX_ENDING: &str = "idx";
/// The ending of what is not finished; removed on the next opening.
pub(crate) const UNFINISHED_ENDING: &str = "tmp";

impl FileName {
    /// The name without ending; names sort as offsets do.
    pub(crate) fn stem(self) -> String {
        format!("{:020}-{:08}", self.first, self.sequence)
    }

    /// Reads a file name with this ending.
    pub(crate) fn parse(name: &str, ending: &str) -> Option<Self> {
        let stem = name.strip_suffix(ending)?.strip_suffix('.')?;
        let (first, sequence) = stem.split_once('-')?;
        let found = Self {
            first: first.parse().ok()?,
            sequence: sequence.parse().ok()?,
        };
        (found.stem() == stem).then_some(found)
    }
}

/// A file of the log's directory.
pub(crate) fn path(dir: &std::path::Path, stem: &str, ending: &str) -> PathBuf {
    dir.join(format!("{stem}.{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_neighbours_become_one_stretch() {
        let segment = Segment::lost(Stretch {
            from: 1,
            through: 100,
        });
        for (from, through) in [
            (5, 5),
            (9, 12),
            (6, 6),
            (20, 30),
            (7, 8),
            (25, 26),
            (40, 41),
        ] {
            segment.note_damage(Stretch { from, through });
        }
        let found = segment.found_damaged();
        let found: Vec<_> = found.iter().map(|one| (one.from, one.through)).collect();
        assert_eq!(found, [(5, 12), (20, 30), (40, 41)]);
    }

    #[test]
    fn file_names_sort_as_offsets_do() {
        let name = FileName {
            first: 123,
            sequence: 7,
        };
        assert_eq!(name.stem(), "00000000000000000123-00000007");
        assert_eq!(
            FileName::parse(&format!("{}.seg", name.stem()), "seg"),
            Some(name)
        );
        for bad in [
            "123-7.seg",
            "00000000000000000123-00000007.idx",
            "a.seg",
            "LOCK",
            "",
        ] {
            assert_eq!(FileName::parse(bad, "seg"), None, "{bad}");
        }
    }
}
