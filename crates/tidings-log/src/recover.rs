//! Opening a log: find out what is there, prove what is committed, begin a new segment and epoch.
//!
//! Nothing that exists is changed. The new segment takes the tail of the last one with it, and its
//! header says where every older one ended.

mod directory;
mod gather;

use std::path::Path;
use std::sync::Arc;

use tidings_core::lineage::Lineage;
use tidings_core::position::{Epoch, Offset};

use crate::active::{Active, Spare, WriteFault, is_full, remove_quietly};
use crate::disk::DiskLock;
use crate::header::SegmentHeader;
use crate::limits::{
    LINEAGE_EPOCHS_MAX, REMOVED_INDEXES_MAX, SEGMENT_BYTES_FIRST, SEGMENT_BYTES_MIN,
};
use crate::options::{OpenError, Options, RecoveryReport};
use crate::segment::{INDEX_ENDING, Inventory, Segment, path};

use directory::Directory;
use gather::{Gathered, gather};

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
    for stem in gathered.forgotten.into_iter().chain(forgotten) {
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
    // On a full disk a small one may still fit, so that what is there can be read and expire.
    let spare = Spare::create(disk, dir, bytes).or_else(|error| {
        let smaller = is_full(&error).then(|| Spare::create(disk, dir, SEGMENT_BYTES_MIN));
        smaller.unwrap_or(Err(error))
    });
    let spare = spare.map_err(io_error("making a segment in", dir))?;
    Active::make(disk, dir, header, spare, &gathered.tail).map_err(|fault| {
        let error = match fault {
            WriteFault::Full => std::io::ErrorKind::StorageFull.into(),
            WriteFault::Refused(error) | WriteFault::Broken(error) => error,
        };
        io_error("making a segment in", dir)(error)
    })
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
