//! The file of a journal: opened for its owner only, locked, replaced whole.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::JournalError;
use crate::limits::{JOURNAL_BYTES_MAX, JOURNAL_LOCK_RETRY_MS, JOURNAL_LOCK_WAIT_MS_MAX};

const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;
const EVERYBODY: u32 = 0o007;

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Id {
    device: u64,
    inode: u64,
}

/// Whether to wait for another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Briefly,
    Never,
}

impl Id {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|metadata| Self::from(&metadata))
    }
}

impl From<&Metadata> for Id {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    move |cause| JournalError::Io {
        doing,
        path: path.to_owned(),
        cause,
    }
}

/// The file that is at a path, and its length.
pub(super) fn look(path: &Path) -> Result<Option<(Id, u64)>, JournalError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some((Id::from(&metadata), metadata.len()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("look at", path)(error)),
    }
}

/// Whether a file is the one at a path.
pub(super) fn is_at(file: &File, path: &Path) -> Result<bool, JournalError> {
    let there = look(path)?;
    let id = Id::of(file).map_err(failed("look at", path))?;
    Ok(there.map(|(id, _)| id) == Some(id))
}

/// Opens a file that is there.
pub(super) fn open(path: &Path) -> Result<(File, Id), JournalError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .map_err(failed("open", path))?;
    let metadata = file.metadata().map_err(failed("look at", path))?;
    refuse_exposed(path, &metadata, FILE_MODE)?;
    if let Some(parent) = path.parent() {
        let metadata = fs::metadata(parent).map_err(failed("look at", parent))?;
        refuse_exposed(parent, &metadata, DIRECTORY_MODE)?;
    }
    Ok((file, Id::from(&metadata)))
}

/// Opens a file, which is made with its directory if it is not there.
pub(super) fn open_or_make(path: &Path) -> Result<(File, Id), JournalError> {
    if let Some(directory) = path.parent() {
        make_directory(directory)?;
    }
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path);
    match made {
        Ok(file) => adopt(&file, path)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed("make", path)(error)),
    }
    open(path)
}

fn make_directory(directory: &Path) -> Result<(), JournalError> {
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent).map_err(failed("make", parent))?;
    }
    match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
        Ok(()) => {
            let file = File::open(directory).map_err(failed("open", directory))?;
            adopt(&file, directory)?;
            sync_directory(directory)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed("make", directory)(error)),
    }
}

/// Gives what was made to the owner of the directory that it is in: a command that an administrator
/// runs must not lock the hub out of its own files.
fn adopt(file: &File, path: &Path) -> Result<(), JournalError> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    let owner = fs::metadata(parent).map_err(failed("look at", parent))?;
    let made = file.metadata().map_err(failed("look at", path))?;
    if owner.uid() == made.uid() {
        return Ok(());
    }
    fchown(file, Some(owner.uid()), Some(owner.gid())).map_err(failed("give to its user", path))
}

fn refuse_exposed(path: &Path, metadata: &Metadata, wanted: u32) -> Result<(), JournalError> {
    if metadata.permissions().mode() & EVERYBODY == 0 {
        return Ok(());
    }
    Err(JournalError::Exposed {
        path: path.to_owned(),
        wanted,
    })
}

/// Gives a lock back.
pub(super) fn unlock(file: &File, path: &Path) -> Result<(), JournalError> {
    file.unlock().map_err(failed("unlock", path))
}

/// Waits until nobody else reads or writes a file.
pub(super) fn lock(file: &File, path: &Path) -> Result<(), JournalError> {
    lock_by(path, Wait::Briefly, || file.try_lock())
}

/// Waits until nobody writes a file.
pub(super) fn lock_shared(file: &File, path: &Path, wait: Wait) -> Result<(), JournalError> {
    lock_by(path, wait, || file.try_lock_shared())
}

fn lock_by(
    path: &Path,
    wait: Wait,
    attempt: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), JournalError> {
    let started = Instant::now();
    let patience = Duration::from_millis(JOURNAL_LOCK_WAIT_MS_MAX);
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(failed("lock", path)(error)),
            Err(TryLockError::WouldBlock) => {}
        }
        if wait == Wait::Never || started.elapsed() >= patience {
            return Err(JournalError::Locked(path.to_owned()));
        }
        thread::sleep(Duration::from_millis(JOURNAL_LOCK_RETRY_MS));
    }
}

/// Makes sure that the name of a file cannot be lost.
pub(super) fn sync_directory(path: &Path) -> Result<(), JournalError> {
    let Some(directory) = path.parent() else {
        return Ok(());
    };
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed("sync", directory))
}

/// Puts a file with these bytes in the place of another, which the caller has locked. The new one is
/// locked too before anybody can find it.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<File, JournalError> {
    if bytes.len() as u64 > JOURNAL_BYTES_MAX {
        return Err(JournalError::Full(path.to_owned()));
    }
    let aside = path.with_extension("jsonl.new");
    // One that was left there by a writer that died would keep its permissions.
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(failed("remove", &aside)(error));
        }
        _ => {}
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(&aside)
        .map_err(failed("make", &aside))?;
    adopt(&file, &aside)?;
    lock(&file, &aside)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(failed("write to", &aside))?;
    fs::rename(&aside, path).map_err(failed("rename", &aside))?;
    sync_directory(path)?;
    Ok(file)
}
