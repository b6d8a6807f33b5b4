//! The one seam through which the log touches files.
//!
//! All calls block and run on the log's own threads or on reader threads. [`RealDisk`] is the
//! operating system; tests put a simulated disk in its place that loses, reorders and tears what was
//! not synced, or a faulty one that refuses at a chosen call.

mod real;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use real::RealDisk;

/// A directory tree with the durability rules of POSIX: contents of a file are durable after its
/// `sync_data`, and names after `sync_dir` of their directory.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Makes a directory and its parents, durably. No error if it exists.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// The names of the files of a directory, in any order.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes a new file of this many written zeros and syncs its contents and its length, so that
    /// later writes inside it change no metadata. The name is durable only after `sync_dir`.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is such a file. After any other error the file may exist, of any
    /// length; the caller removes it.
    fn create(&self, path: &Path, zeros: u64) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;

    /// Gives a file another name, replacing what had it. Atomic; durable after `sync_dir`.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file's name; open files stay readable. Durable after `sync_dir`.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes creations, renames and removals of a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Locks a file against other processes and other openers of this one, making it if needed.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if somebody else has it; never waits.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>>;

    /// The space of the file system that holds a directory.
    fn space(&self, dir: &Path) -> io::Result<Space>;
}

/// An open file, read and written at positions. Shared by threads.
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Fills the buffer from a position on; fewer bytes only where the file ends.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;

    /// Writes all bytes at a position, making the file longer if needed. After an error any part of
    /// them may have been written.
    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()>;

    /// Makes everything written so far durable. After an error nothing is known of any of it.
    fn sync_data(&self) -> io::Result<()>;

    /// The file's length in bytes.
    fn len_bytes(&self) -> io::Result<u64>;
}

/// A held lock; dropping it releases.
pub trait DiskLock: Send + Sync + fmt::Debug {}

/// Space of a file system in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// All there is.
    pub total: u64,
    /// What an unprivileged process may still use.
    pub available: u64,
}
