//! A disk in memory that holds copies of a log's files, and says what became of them.
//!
//! It opens a damaged copy a hundred thousand times in the time of a test, which files of the
//! operating system do not.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use tidings_log::disk::{Disk, DiskFile, DiskLock, Space};

/// Names and contents.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

#[derive(Debug, Default)]
struct CopiedFile(Mutex<Vec<u8>>);

/// A directory of its own. Clones are the same directory.
#[derive(Debug, Clone, Default)]
pub(crate) struct CopyDisk {
    files: Arc<Mutex<BTreeMap<String, Arc<CopiedFile>>>>,
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str());
    name.expect("a name").to_owned()
}

// === impl CopiedFile ===

impl CopiedFile {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().expect("bytes")
    }
}

impl DiskFile for CopiedFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let bytes = self.bytes();
        let rest = bytes.get(at as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, written: &[u8], at: u64) -> io::Result<()> {
        let mut bytes = self.bytes();
        let (start, end) = (at as usize, at as usize + written.len());
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[start..end].copy_from_slice(written);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.bytes().len() as u64)
    }
}

// === impl CopyDisk ===

impl CopyDisk {
    /// A directory with copies of these files.
    pub(crate) fn of(files: &Files) -> Self {
        let copies = files.iter().map(|(name, bytes)| {
            (
                name.clone(),
                Arc::new(CopiedFile(Mutex::new(bytes.clone()))),
            )
        });
        Self {
            files: Arc::new(Mutex::new(copies.collect())),
        }
    }

    /// What is there now.
    pub(crate) fn contents(&self) -> Files {
        let files = self.files();
        let copies = files.iter();
        copies
            .map(|(name, file)| (name.clone(), file.bytes().clone()))
            .collect()
    }

    /// Whether a file is there with exactly this content.
    pub(crate) fn holds(&self, name: &str, content: &[u8]) -> bool {
        let files = self.files();
        files.get(name).is_some_and(|file| *file.bytes() == content)
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<String, Arc<CopiedFile>>> {
        self.files.lock().expect("files")
    }
}

impl Disk for CopyDisk {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _dir: &Path) -> io::Result<Vec<String>> {
        Ok(self.files().keys().cloned().collect())
    }

    fn create(&self, path: &Path, zeros: u64) -> io::Result<Arc<dyn DiskFile>> {
        let file = Arc::new(CopiedFile(Mutex::new(vec![0; zeros as usize])));
        let before = self.files().insert(name_of(path), Arc::clone(&file));
        assert!(before.is_none(), "a new file has a new name");
        Ok(file)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let found = self.files().get(&name_of(path)).cloned();
        Ok(found.ok_or(io::ErrorKind::NotFound)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut files = self.files();
        let file = files.remove(&name_of(from));
        files.insert(name_of(to), file.ok_or(io::ErrorKind::NotFound)?);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = self.files().remove(&name_of(path));
        removed
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, _path: &Path) -> io::Result<Box<dyn DiskLock>> {
        Ok(Box::new(Unlocked))
    }

    fn space(&self, _dir: &Path) -> io::Result<Space> {
        Ok(Space {
            total: 1 << 40,
            available: 1 << 40,
        })
    }
}

/// Nobody else knows this directory.
#[derive(Debug)]
struct Unlocked;

impl DiskLock for Unlocked {}
