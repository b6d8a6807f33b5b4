//! How a log is opened, and what can stand in the way.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tidings_core::limits::{
    COMMIT_QUEUE_BYTES_MAX, COMMIT_QUEUE_WAIT_MS_MAX, DEDUPE_IDS_DEFAULT, DEDUPE_WINDOW_MS_DEFAULT,
};
use tidings_core::port::Clock;

use crate::disk::{Disk, RealDisk};
use crate::limits::{REMOVED_INDEX_BYTES_MAX, SEGMENT_BYTES_DEFAULT};
use crate::retention::Retention;

/// Where random bits come from: the log's name and its epochs.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Who does what must not hold up commits: index files, the next segment, retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeeperMode {
    /// A thread of the log, from time to time and when there is need.
    #[default]
    Thread,
    /// Whoever calls [`retain_now`](crate::EmbeddedLog::retain_now). For programs that need every
    /// call of the disk at a certain place, such as a simulation.
    OnRequest,
}

/// How a log is opened.
#[derive(Clone)]
pub struct Options {
    /// The directory, made if it is missing. Nothing else may write there.
    pub dir: PathBuf,
    /// Through what files are reached.
    pub disk: Arc<dyn Disk>,
    /// Both kinds of time.
    pub clock: Arc<dyn Clock>,
    /// Must not repeat itself from one opening to the next.
    pub random: Random,
    /// Size of a full segment.
    pub segment_bytes: u64,
    /// How long publishers' ids are remembered.
    pub dedupe_window_ms: u64,
    /// How many of them.
    pub dedupe_ids_max: usize,
    /// What is kept.
    pub retention: Retention,
    /// Bytes of the index files of removed segments; with a byte limit on the log, no more than a
    /// share of that.
    pub removed_index_bytes_max: u64,
    /// Who does the work behind the commits.
    pub keeper: KeeperMode,
    /// Bytes that wait for the disk before publishers are refused.
    pub queue_bytes_max: usize,
    /// How long one write may take before publishers are refused.
    pub queue_wait_ms_max: u64,
}

impl Options {
    /// The defaults, on the operating system's files.
    pub fn new(dir: impl Into<PathBuf>, clock: Arc<dyn Clock>, random: Random) -> Self {
        Self {
            dir: dir.into(),
            disk: Arc::new(RealDisk),
            clock,
            random,
            segment_bytes: SEGMENT_BYTES_DEFAULT,
            dedupe_window_ms: DEDUPE_WINDOW_MS_DEFAULT,
            dedupe_ids_max: DEDUPE_IDS_DEFAULT,
            retention: Retention::default(),
            removed_index_bytes_max: REMOVED_INDEX_BYTES_MAX,
            keeper: KeeperMode::default(),
            queue_bytes_max: COMMIT_QUEUE_BYTES_MAX,
            queue_wait_ms_max: COMMIT_QUEUE_WAIT_MS_MAX,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("dir", &self.dir)
            .field("segment_bytes", &self.segment_bytes)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}

/// Why a log was not opened. Nothing has been changed, unless writing itself failed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Somebody else has it open.
    #[error(
        "the log is in use by another process: `{}`\nhint: stop the other one, or use another \
         directory with `--data-dir`", dir.display()
    )]
    InUse {
        /// The log's directory.
        dir: PathBuf,
    },
    /// A newer program has written to it.
    #[error(
        "the file `{}` has the log format {version}, and this program knows formats up to {known}\n\
         hint: run the program that wrote it, or a newer one", file.display()
    )]
    Newer {
        /// The first such file.
        file: PathBuf,
        /// Its format.
        version: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// Segments of different logs lie in one directory.
    #[error("the file `{}` belongs to another log\nhint: move it away", file.display())]
    Foreign {
        /// The first such file.
        file: PathBuf,
    },
    /// The setting makes no sense.
    #[error("segments of {bytes} bytes are too small; the least is {min}")]
    SegmentsTooSmall {
        /// What was asked for.
        bytes: u64,
        /// The least.
        min: u64,
    },
    /// A file could not be read or written.
    #[error(
        "the log could not be opened: {action} `{}`: {error}\nhint: this user must be able to \
         write there; `--data-dir` names another directory", path.display()
    )]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What came of it.
        error: io::Error,
    },
}

/// What an opening found. For the operator's log, and for a doctor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Segments with records, the new one not counted.
    pub segments: usize,
    /// Bytes of records that had to be read.
    pub scanned_bytes: u64,
    /// Index files that had to be built anew.
    pub indexes_rebuilt: usize,
    /// Events of an unfinished write that turned out to be whole, and are kept.
    pub kept_events: u64,
    /// Bytes of an unfinished write that are lost. Nobody was told that they were kept.
    pub dropped_bytes: u64,
    /// What is unreadable. It stays where it is.
    pub damage: Vec<DamageFound>,
}

/// One unreadable place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamageFound {
    /// The file.
    pub file: PathBuf,
    /// Where in the file.
    pub at_byte: u64,
    /// What is wrong with it.
    pub what: Damaged,
}

/// What is unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damaged {
    /// A segment's header; its records are read all the same.
    Header,
    /// Events from the first through the last of these offsets.
    Events {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// A segment is missing: events from the first through the last of these offsets.
    Missing {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
}
