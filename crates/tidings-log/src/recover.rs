//! Opening a log: find out what is there, prove what is committed, begin a new segment and epoch.
//!
//! Nothing that exists is changed. The new segment takes the tail of the last one with it, and its
//! header says where every older one ended.

mod directory;

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use tidings_core::lineage::Lineage;
use tidings_core::position::{Epoch, Offset};

use crate::active::{Active, Spare, WriteFault, remove_quietly};
use crate::disk::DiskLock;
use crate::header::{Seal, SegmentHeader, tag};
use crate::index::{Index, Stretch};
use crate::limits::{LINEAGE_EPOCHS_MAX, REMOVED_INDEXES_MAX, SEGMENT_BYTES_FIRST};
use crate::options::{DamageFound, Damaged, OpenError, Options, RecoveryReport};
use crate::record::RecordHeader;
use crate::scan::{self, Found, Known};
use crate::segment::{FileName, INDEX_ENDING, Inventory, Records, SEGMENT_ENDING, Segment, path};

use directory::{Directory, IndexOnDisk, SegmentOnDisk};

/// A log that is ready to be used.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) lock: Box<dyn DiskLock>,
    pub(crate) log_id: u64,
    pub(crate) lineage: Lineage,
    pub(crate) inventory: Inventory,
    pub(crate) active: Active,
    pub(crate) end: u64,
    pub(crate) last_timestamp: u64,
    pub(crate) report: RecoveryReport,
}

/// What has been gathered of the old segments.
#[derive(Default)]
struct Gathered {
    segments: Vec<Arc<Segment>>,
    epochs: Vec<(u64, u64)>,
    newest: u64,
    /// The committed end, the tail not included.
    proven: u64,
    tail: Vec<(RecordHeader, bytes::Bytes)>,
    sealed: Option<Seal>,
    /// Segments without any record, which need not stay.
    empty: Vec<PathBuf>,
    report: RecoveryReport,
}

pub(crate) fn io_error(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(std::io::Error) -> OpenError {
    let path = path.to_owned();
    move |error| OpenError::Io {
        action,
        path,
        error,
    }
}

/// Opens the log of a directory.
pub(crate) fn recover(options: &Options) -> Result<Recovered, OpenError> {
    let (disk, dir) = (&*options.disk, options.dir.as_path());
    disk.create_dir(dir).map_err(io_error("making", dir))?;
    let lock_path = dir.join("LOCK");
    let lock = disk.lock(&lock_path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::WouldBlock {
            OpenError::InUse { dir: dir.into() }
        } else {
            io_error("locking", &lock_path)(error)
        }
    })?;
    let found = Directory::read(disk, dir)?;
    for unfinished in &found.unfinished {
        remove_quietly(disk, unfinished);
    }
    let log_id = found.log_id(dir)?.unwrap_or_else(|| (options.random)() | 1);
    let newest_header = found.newest_header().cloned();
    let mut gathered = Gathered::default();
    if let Some(header) = &newest_header {
        gathered.newest = header.last_timestamp;
    }
    let sequence = found.last_sequence() + 1;
    gather(found, options, log_id, &mut gathered)?;
    let tail_end = gathered.tail.last().map(|(header, _)| header.last());
    let end = tail_end.unwrap_or(gathered.proven);
    let epoch = Epoch::from_bits((options.random)());
    let known = newest_header.as_ref().map(|header| &header.lineage);
    let lineage = lineage(known, &gathered.epochs, epoch, end + 1);
    let header = SegmentHeader {
        log_id,
        sequence,
        first: gathered.proven + 1,
        synced_end: end,
        last_timestamp: gathered.newest,
        sealed: gathered.sealed,
        lineage: lineage.clone(),
    };
    let active = first_active(options, header, &gathered)?;
    for empty in &gathered.empty {
        remove_quietly(disk, empty);
    }
    gathered.segments.push(Arc::clone(&active.segment));
    let (inventory, forgotten) = inventory(gathered.segments);
    for stem in forgotten {
        remove_quietly(disk, &path(dir, &stem, INDEX_ENDING));
    }
    Ok(Recovered {
        lock,
        log_id,
        lineage,
        inventory,
        active,
        end,
        last_timestamp: gathered.newest,
        report: gathered.report,
    })
}

fn first_active(
    options: &Options,
    header: SegmentHeader,
    gathered: &Gathered,
) -> Result<Active, OpenError> {
    let (disk, dir) = (&*options.disk, options.dir.as_path());
    let bytes = SEGMENT_BYTES_FIRST.min(options.segment_bytes);
    let spare = Spare::create(disk, dir, bytes);
    let spare = spare.map_err(io_error("making a segment in", dir))?;
    Active::make(disk, dir, header, spare, &gathered.tail).map_err(|fault| {
        let error = match fault {
            WriteFault::Full => std::io::ErrorKind::StorageFull.into(),
            WriteFault::Refused(error) | WriteFault::Broken(error) => error,
        };
        io_error("making a segment in", dir)(error)
    })
}

/// Goes through all old segments and surviving indexes in order.
fn gather(
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

    /// Notes that the offsets up to here have vanished, unless they are older than all that is left.
    fn lost_until(&mut self, first: u64, dir: &Path) {
        let stretch = Stretch {
            from: self.proven + 1,
            through: first.saturating_sub(1),
        };
        if !self.segments.is_empty() && stretch.from <= stretch.through {
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
        self.proven = first.saturating_sub(1);
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
            self.report.damage.push(DamageFound {
                file: on_disk.path.clone(),
                at_byte: 0,
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
) -> std::io::Result<Found> {
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

/// The history: what the newest header says, what records say beyond it, and the new epoch.
fn lineage(known: Option<&Lineage>, found: &[(u64, u64)], epoch: Epoch, first: u64) -> Lineage {
    let mut epochs = known.map_or_else(Vec::new, |known| known.epochs().to_vec());
    for (bits, base) in found {
        let found = Epoch::from_bits(*bits);
        let newest = epochs
            .last()
            .map_or(0, |(_, first): &(Epoch, Offset)| first.0);
        if epochs.iter().all(|(known, _)| *known != found) && *base >= newest {
            epochs.push((found, Offset(*base)));
        }
    }
    epochs.push((epoch, Offset(first)));
    while epochs.len() > LINEAGE_EPOCHS_MAX {
        // An epoch that stayed empty has named nothing but the place before it.
        let empty = epochs.windows(2).position(|pair| pair[0].1 == pair[1].1);
        epochs.remove(empty.unwrap_or(0));
    }
    Lineage::new(epochs).expect("first offsets rise by construction")
}

/// The list of segments, and the stems of index files beyond the horizon.
fn inventory(mut segments: Vec<Arc<Segment>>) -> (Inventory, Vec<String>) {
    let first_held = segments.iter().position(|segment| segment.is_held());
    let removed = first_held.unwrap_or(segments.len());
    let excess = removed.saturating_sub(REMOVED_INDEXES_MAX);
    let forgotten: Vec<String> = segments
        .drain(..excess)
        .map(|segment| segment.stem.clone())
        .collect();
    let first = segments
        .first()
        .map_or(1, |segment| segment.summary().first);
    let inventory = Inventory {
        forgotten_through: first.saturating_sub(1),
        segments,
    };
    (inventory, forgotten)
}
