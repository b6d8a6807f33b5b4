//! The segment that is being written, and making the next one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::disk::{Disk, DiskFile};
use crate::header::{Seal, SegmentHeader};
use crate::index::Table;
use crate::limits::PIECE_BYTES;
use crate::record::RecordHeader;
use crate::segment::{self, FileName, Records, SEGMENT_ENDING, Segment};

/// Why something was not written.
#[derive(Debug)]
pub(crate) enum WriteFault {
    /// There is no space; nothing of it is on disk.
    Full,
    /// The next segment could not be made for another reason that may pass; nothing is on disk.
    Refused(io::Error),
    /// Nothing more may be written. Whether it is on disk is unknown.
    Broken(io::Error),
}

impl WriteFault {
    /// For a failure that left nothing behind if it was for want of space.
    fn of(error: io::Error) -> Self {
        if is_full(&error) {
            Self::Full
        } else {
            Self::Broken(error)
        }
    }
}

/// Whether an error says that there is no space.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// Names spare files: the committer and the keeper may each make one at the same time.
static SPARES_MADE: AtomicU64 = AtomicU64::new(0);

/// A file of zeros that waits to become a segment.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(crate) path: PathBuf,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) bytes: u64,
}

impl Spare {
    /// Makes one at once.
    pub(crate) fn create(disk: &dyn Disk, dir: &Path, bytes: u64) -> io::Result<Self> {
        Self::create_slowly(disk, dir, bytes, &mut |_| Ok(()))
    }

    /// Makes one piece by piece, each synced before the next, so that a commit that comes meanwhile
    /// waits behind no more than a piece; `pause` is told how much is there, and may give up. Leaves
    /// nothing behind if it fails, and does not begin to fill up a disk that has too little space.
    pub(crate) fn create_slowly(
        disk: &dyn Disk,
        dir: &Path,
        bytes: u64,
        pause: &mut dyn FnMut(u64) -> io::Result<()>,
    ) -> io::Result<Self> {
        if disk.space(dir)?.available < bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let name = format!("next-{}", SPARES_MADE.fetch_add(1, Ordering::Relaxed));
        let path = segment::path(dir, &name, segment::UNFINISHED_ENDING);
        match zeros(disk, &path, bytes, pause) {
            Ok(file) => Ok(Self { path, file, bytes }),
            Err(error) => {
                remove_quietly(disk, &path);
                Err(error)
            }
        }
    }
}

fn zeros(
    disk: &dyn Disk,
    path: &Path,
    bytes: u64,
    pause: &mut dyn FnMut(u64) -> io::Result<()>,
) -> io::Result<Arc<dyn DiskFile>> {
    let mut there = bytes.min(PIECE_BYTES as u64);
    let file = disk.create(path, there)?;
    let piece = vec![0; PIECE_BYTES];
    while there < bytes {
        pause(there)?;
        let length = (bytes - there).min(PIECE_BYTES as u64);
        file.write_at(piece.get(..length as usize).unwrap_or(&piece), there)?;
        file.sync_data()?;
        there += length;
    }
    Ok(file)
}

/// Removes what nobody refers to; if that fails too, the next opening does it.
pub(crate) fn remove_quietly(disk: &dyn Disk, path: &Path) {
    drop(disk.remove(path));
}

/// The segment that is being written.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) header: SegmentHeader,
    pub(crate) segment: Arc<Segment>,
    pub(crate) table: Arc<RwLock<Table>>,
    file: Arc<dyn DiskFile>,
    /// Where the next write goes.
    at: u64,
    capacity: u64,
    write: u64,
}

impl Active {
    /// Makes a segment of a spare file: header and first records are durable before it has its name,
    /// and it has its name durably before this returns.
    pub(crate) fn make(
        disk: &dyn Disk,
        dir: &Path,
        header: SegmentHeader,
        spare: Spare,
        tail: &[(RecordHeader, bytes::Bytes)],
    ) -> Result<Self, WriteFault> {
        let mut bytes = header.encode();
        let start_bytes = bytes.len() as u64;
        let mut table = Table::new(header.log_id, header.first, start_bytes);
        for (record, whole) in tail {
            let at = bytes.len();
            let copied = RecordHeader {
                tag: header.tag(),
                write: 0,
                synced_end: header.synced_end,
                ..*record
            };
            let events = whole
                .get(crate::record::RECORD_HEADER_BYTES..)
                .unwrap_or_default();
            let copied = copied.encode([events], &mut bytes);
            table.add(&copied, at as u64, bytes.get(at..).unwrap_or_default());
        }
        let name = FileName {
            first: header.first,
            sequence: header.sequence,
        };
        let path = segment::path(dir, &name.stem(), SEGMENT_ENDING);
        let named = spare
            .file
            .write_at(&bytes, 0)
            .map_err(WriteFault::of)
            .and_then(|()| spare.file.sync_data().map_err(WriteFault::Broken))
            .and_then(|()| disk.rename(&spare.path, &path).map_err(WriteFault::of));
        if let Err(fault) = named {
            remove_quietly(disk, &spare.path);
            return Err(fault);
        }
        disk.sync_dir(dir).map_err(WriteFault::Broken)?;
        let table = Arc::new(RwLock::new(table));
        let records = Records::Held(Arc::clone(&spare.file));
        let segment = Arc::new(Segment::new(
            header.log_id,
            header.sequence,
            name.stem(),
            records,
            Arc::clone(&table) as _,
        ));
        Ok(Self {
            header,
            segment,
            table,
            file: spare.file,
            at: bytes.len() as u64,
            capacity: spare.bytes.max(bytes.len() as u64),
            write: 0,
        })
    }

    /// Whether a write of this size belongs into the next segment.
    pub(crate) fn is_full_for(&self, bytes: u64) -> bool {
        self.at + bytes > self.capacity && self.segment.summary().events > 0
    }

    /// The timestamp of the oldest event.
    pub(crate) fn oldest(&self) -> Option<u64> {
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.oldest()
    }

    /// The size of this segment's file.
    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Where this segment ends, for the header of the next one.
    pub(crate) fn seal(&self) -> Seal {
        Seal {
            sequence: self.header.sequence,
            end_bytes: self.at,
            last: self.segment.summary().last,
        }
    }

    /// The number of the next write.
    pub(crate) fn next_write(&mut self) -> u64 {
        self.write += 1;
        self.write
    }

    /// Writes records and makes them durable; answers where they begin.
    ///
    /// If there is no space, whatever part of them was written is overwritten with zeros, so that no
    /// later recovery takes it for committed; the next write goes to the same place.
    pub(crate) fn write(&mut self, records: &[u8]) -> Result<u64, WriteFault> {
        let at = self.at;
        match self.file.write_at(records, at) {
            Ok(()) => {}
            Err(error) if is_full(&error) => {
                self.neutralise(records.len() as u64)?;
                return Err(WriteFault::Full);
            }
            Err(error) => return Err(WriteFault::Broken(error)),
        }
        self.file.sync_data().map_err(WriteFault::Broken)?;
        self.at = at + records.len() as u64;
        Ok(at)
    }

    fn neutralise(&self, length: u64) -> Result<(), WriteFault> {
        let written_end = self.file.len_bytes().map_err(WriteFault::Broken)?;
        let length = length.min(written_end.saturating_sub(self.at));
        let zeros = vec![0; length as usize];
        let done = self.file.write_at(&zeros, self.at);
        done.and_then(|()| self.file.sync_data())
            .map_err(WriteFault::Broken)
    }
}
