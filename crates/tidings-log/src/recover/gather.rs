//! Going through what lies in the directory, oldest first, up to the proven end.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use bytes::Bytes;

use super::directory::{Directory, IndexOnDisk, SegmentOnDisk};
use super::io_error;
use crate::header::{Seal, tag};
use crate::index::{Index, Stretch};
use crate::options::{DamageFound, Damaged, OpenError, Options, RecoveryReport};
use crate::record::RecordHeader;
use crate::scan::{self, Found, Known};
use crate::segment::{FileName, Records, SEGMENT_ENDING, Segment, path};

/// What has been gathered of the old segments.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) epochs: Vec<(u64, u64)>,
    pub(super) newest: u64,
    /// The committed end, the tail not included.
    pub(super) proven: u64,
    pub(super) tail: Vec<(RecordHeader, Bytes)>,
    pub(super) sealed: Option<Seal>,
    /// Index files from before a time of which nothing is known.
    pub(super) forgotten: Vec<String>,
    /// Segments without any record, which need not stay.
    pub(super) empty: Vec<PathBuf>,
    pub(super) report: RecoveryReport,
}

/// Goes through all old segments and surviving indexes in order.
pub(super) fn gather(
    found: Directory,
    options: &Options,
    log_id: u64,
    gathered: &mut Gathered,
) -> Result<(), OpenError> {
    let mut indexes = found.indexes.into_iter().peekable();
    let seals: Vec<Seal> = found
        .segments
        .iter()
        .filter_map(|segment| segment.header.as_ref()?.0.sealed)
        .collect();
    let firsts: Vec<u64> = found.segments.iter().map(|one| one.name.first).collect();
    for (place, segment) in found.segments.iter().enumerate() {
        while let Some(index) = indexes.next_if(|index| index.name < segment.name) {
            gathered.removed(index, &options.dir, log_id);
        }
        let index = indexes.next_if(|index| index.name == segment.name);
        gathered.lost_until(segment.name.first, &options.dir);
        let seal = seals
            .iter()
            .find(|seal| seal.sequence == segment.name.sequence);
        gathered.segment(segment, index, firsts.get(place + 1), seal, options, log_id)?;
    }
    for index in indexes {
        gathered.removed(index, &options.dir, log_id);
    }
    Ok(())
}

impl Gathered {
    /// Takes in an index whose segment is gone.
    fn removed(&mut self, on_disk: IndexOnDisk, dir: &Path, log_id: u64) {
        let Some(index) = on_disk.index else { return };
        let summary = index.summary();
        if !index.belongs_to(log_id, on_disk.name.sequence) {
            return;
        }
        self.lost_until(summary.first, dir);
        self.proven = summary.last;
        self.newest = self.newest.max(summary.newest);
        self.segments.push(Arc::new(Segment::new(
            log_id,
            on_disk.name.sequence,
            on_disk.name.stem(),
            Records::Removed,
            Arc::new(index),
        )));
    }

    /// Notes that the offsets up to here have vanished.
    fn lost_until(&mut self, first: u64, dir: &Path) {
        let stretch = Stretch {
            from: self.proven + 1,
            through: first.saturating_sub(1),
        };
        self.proven = stretch.through;
        if stretch.from > stretch.through {
            return;
        }
        if !self.segments.iter().any(|segment| segment.is_held()) {
            // Older than all records, so retention has removed it, and nothing before it can be
            // told apart any more.
            let removed = self.segments.drain(..);
            self.forgotten.extend(removed.map(|one| one.stem.clone()));
            return;
        }
        self.segments.push(Arc::new(Segment::lost(stretch)));
        self.report.damage.push(DamageFound {
            file: dir.to_owned(),
            at_byte: 0,
            what: Damaged::Missing {
                first: stretch.from,
                last: stretch.through,
            },
        });
    }

    /// Takes in a segment; `next_first` is where the next one begins, if there is a next one.
    fn segment(
        &mut self,
        on_disk: &SegmentOnDisk,
        index: Option<IndexOnDisk>,
        next_first: Option<&u64>,
        seal: Option<&Seal>,
        options: &Options,
        log_id: u64,
    ) -> Result<(), OpenError> {
        let name = on_disk.name;
        let file_path = path(&options.dir, &name.stem(), SEGMENT_ENDING);
        if on_disk.header.is_none() {
            self.report.damage.push(DamageFound {
                file: file_path.clone(),
                at_byte: 0,
                what: Damaged::Header,
            });
        }
        if let (Some(index), Some(_)) = (index.and_then(|index| index.index), next_first)
            && index.belongs_to(log_id, name.sequence)
        {
            self.indexed(on_disk, Arc::new(index), log_id);
            return Ok(());
        }
        let found = scan_segment(on_disk, next_first, seal, log_id)
            .map_err(io_error("reading", &file_path))?;
        self.scanned(on_disk, found, next_first.is_some(), log_id, file_path);
        Ok(())
    }

    fn indexed(&mut self, on_disk: &SegmentOnDisk, index: Arc<dyn Index>, log_id: u64) {
        let summary = index.summary();
        self.report.segments += 1;
        for stretch in index.damaged() {
            let before = index.group_at(stretch.from.saturating_sub(1));
            let before = before
                .ok()
                .flatten()
                .filter(|group| group.base < stretch.from);
            self.report.damage.push(DamageFound {
                file: on_disk.path.clone(),
                at_byte: before.map_or(0, |group| group.at + u64::from(group.length)),
                what: Damaged::Events {
                    first: stretch.from,
                    last: stretch.through,
                },
            });
        }
        self.add(on_disk, index, log_id);
        self.sealed = Some(Seal {
            sequence: on_disk.name.sequence,
            end_bytes: summary.end_bytes,
            last: summary.last,
        });
    }

    fn scanned(
        &mut self,
        on_disk: &SegmentOnDisk,
        found: Found,
        is_sealed: bool,
        log_id: u64,
        file_path: PathBuf,
    ) {
        self.newest = self.newest.max(found.newest());
        self.report.scanned_bytes += found.scanned_bytes;
        self.report.dropped_bytes += found.dropped_bytes;
        self.report
            .damage
            .extend(found.damage.iter().map(|damage| DamageFound {
                file: file_path.clone(),
                at_byte: damage.at,
                what: Damaged::Events {
                    first: damage.stretch.from,
                    last: damage.stretch.through,
                },
            }));
        self.epochs.extend(&found.epochs);
        let kept = found.tail.iter().map(|(header, _)| u64::from(header.count));
        self.report.kept_events += kept.sum::<u64>();
        self.tail = found.tail;
        let summary = found.table.summary();
        let holds_nothing = summary.last < summary.first;
        if holds_nothing && on_disk.header.is_some() && found.dropped_bytes == 0 {
            // Its header has told all that it had to tell, and the next one repeats it.
            self.empty.push(file_path);
            self.proven = summary.last;
            return;
        }
        self.report.segments += 1;
        if is_sealed {
            self.report.indexes_rebuilt += 1;
        }
        self.sealed = Some(Seal {
            sequence: on_disk.name.sequence,
            end_bytes: summary.end_bytes,
            last: summary.last,
        });
        self.add(on_disk, Arc::new(RwLock::new(found.table)), log_id);
    }

    fn add(&mut self, on_disk: &SegmentOnDisk, index: Arc<dyn Index>, log_id: u64) {
        let summary = index.summary();
        self.newest = self.newest.max(summary.newest);
        self.proven = summary.last;
        self.segments.push(Arc::new(Segment::new(
            log_id,
            on_disk.name.sequence,
            on_disk.name.stem(),
            Records::Held(Arc::clone(&on_disk.file)),
            index,
        )));
    }
}

fn scan_segment(
    on_disk: &SegmentOnDisk,
    next_first: Option<&u64>,
    seal: Option<&Seal>,
    log_id: u64,
) -> io::Result<Found> {
    let FileName { first, sequence } = on_disk.name;
    let end_bytes = seal.map(|seal| seal.end_bytes);
    let bytes = scan::load(&*on_disk.file, end_bytes)?;
    let header = on_disk.header.as_ref();
    let told = header.map_or(0, |(header, _)| header.synced_end);
    let sealed_last = next_first.map(|first| first.saturating_sub(1));
    let known = Known {
        log_id,
        tag: tag(log_id, sequence),
        first,
        start_bytes: header.map_or(0, |(_, start)| *start),
        proven: sealed_last.unwrap_or(told).max(first.saturating_sub(1)),
        sealed: next_first.is_some(),
    };
    Ok(scan::scan(&bytes, &known))
}
