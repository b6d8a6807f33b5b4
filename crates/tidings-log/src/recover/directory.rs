//! What lies in the log's directory, before anything is changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::io_error;
use crate::disk::{Disk, DiskFile};
use crate::header::SegmentHeader;
use crate::index::{IndexFault, IndexFile};
use crate::options::OpenError;
use crate::preamble::{FORMAT_VERSION, PreambleFault};
use crate::scan;
use crate::segment::{FileName, INDEX_ENDING, SEGMENT_ENDING, UNFINISHED_ENDING};

/// A segment's file.
#[derive(Debug)]
pub(super) struct SegmentOnDisk {
    pub(super) name: FileName,
    pub(super) path: PathBuf,
    pub(super) file: Arc<dyn DiskFile>,
    /// Header and where the records begin; none if it is damaged.
    pub(super) header: Option<(SegmentHeader, u64)>,
}

/// An index file.
#[derive(Debug)]
pub(super) struct IndexOnDisk {
    pub(super) name: FileName,
    /// None if it is damaged.
    pub(super) index: Option<IndexFile>,
}

/// Everything in the directory, in order.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) segments: Vec<SegmentOnDisk>,
    pub(super) indexes: Vec<IndexOnDisk>,
    pub(super) unfinished: Vec<PathBuf>,
}

impl Directory {
    /// Reads all headers. Refuses if any file is of a newer format.
    pub(super) fn read(disk: &dyn Disk, dir: &Path) -> Result<Self, OpenError> {
        let mut found = Self::default();
        for name in disk.list(dir).map_err(io_error("listing", dir))? {
            let path = dir.join(&name);
            if let Some(name) = FileName::parse(&name, SEGMENT_ENDING) {
                found.segments.push(open_segment(disk, name, path)?);
            } else if let Some(name) = FileName::parse(&name, INDEX_ENDING) {
                found.indexes.push(open_index(disk, name, &path)?);
            } else if path
                .extension()
                .is_some_and(|ending| ending == UNFINISHED_ENDING)
            {
                found.unfinished.push(path);
            }
        }
        found.segments.sort_by_key(|segment| segment.name);
        found.indexes.sort_by_key(|index| index.name);
        Ok(found)
    }

    /// The log's name, from any header; else from any record. None if there is neither.
    pub(super) fn log_id(&self, dir: &Path) -> Result<Option<u64>, OpenError> {
        let mut log_id = None;
        for segment in &self.segments {
            let Some((header, _)) = &segment.header else {
                continue;
            };
            if *log_id.get_or_insert(header.log_id) != header.log_id {
                return Err(OpenError::Foreign {
                    file: segment.path.clone(),
                });
            }
        }
        if log_id.is_some() {
            return Ok(log_id);
        }
        for segment in &self.segments {
            let bytes = scan::load(&*segment.file, None).map_err(io_error("reading", dir))?;
            if let Some(tag) = scan::first_tag(&bytes) {
                let sequence = segment.name.sequence;
                return Ok(Some(tag.wrapping_sub(sequence).rotate_right(17)));
            }
        }
        Ok(None)
    }

    /// The newest header that is readable.
    pub(super) fn newest_header(&self) -> Option<&SegmentHeader> {
        let headers = self.segments.iter().rev();
        headers
            .filter_map(|segment| segment.header.as_ref())
            .map(|(header, _)| header)
            .next()
    }

    /// The highest number of a segment that is known.
    pub(super) fn last_sequence(&self) -> u64 {
        let segments = self.segments.iter().map(|segment| segment.name.sequence);
        let indexes = self.indexes.iter().map(|index| index.name.sequence);
        segments.chain(indexes).max().unwrap_or(0)
    }
}

fn open_segment(
    disk: &dyn Disk,
    name: FileName,
    path: PathBuf,
) -> Result<SegmentOnDisk, OpenError> {
    let file = disk.open(&path).map_err(io_error("opening", &path))?;
    let header = match SegmentHeader::read(&*file) {
        Ok(read) => Some(read),
        Err(PreambleFault::Damaged) => None,
        Err(PreambleFault::Newer(version)) => return Err(newer(path, version)),
        Err(PreambleFault::Io(error)) => return Err(io_error("reading", &path)(error)),
    };
    // A header that says something else than the name of its file is not this segment's.
    let header =
        header.filter(|(header, _)| header.first == name.first && header.sequence == name.sequence);
    Ok(SegmentOnDisk {
        name,
        path,
        file,
        header,
    })
}

fn open_index(disk: &dyn Disk, name: FileName, path: &Path) -> Result<IndexOnDisk, OpenError> {
    let file = disk.open(path).map_err(io_error("opening", path))?;
    match IndexFile::open(file) {
        Ok(index) => Ok(IndexOnDisk {
            name,
            index: Some(index),
        }),
        Err(IndexFault::Unusable) => Ok(IndexOnDisk { name, index: None }),
        Err(IndexFault::Newer(version)) => Err(newer(path.to_owned(), version)),
    }
}

fn newer(file: PathBuf, version: u32) -> OpenError {
    OpenError::Newer {
        file,
        version,
        known: FORMAT_VERSION,
    }
}
