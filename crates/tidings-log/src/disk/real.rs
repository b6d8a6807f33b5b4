//! The operating system's files.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::{Disk, DiskFile, DiskLock, Space};

/// One write of zeros.
const ZEROS_BYTES: usize = 128 * 1024;

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

#[derive(Debug)]
struct RealFile(File);

#[derive(Debug)]
struct RealLock(#[expect(dead_code, reason = "the lock lasts as long as the open file")] File);

impl DiskLock for RealLock {}

// === impl RealDisk ===

impl Disk for RealDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        std::fs::create_dir_all(dir)?;
        // The new directory's own name is an entry of its parent.
        match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => self.sync_dir(parent),
            _ => self.sync_dir(Path::new(".")),
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            // A name that is not UTF-8 is none of the log's.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, path: &Path, zeros: u64) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        let block = vec![0_u8; ZEROS_BYTES.min(zeros as usize)];
        let mut at = 0;
        while at < zeros {
            let length = (zeros - at).min(ZEROS_BYTES as u64) as usize;
            file.write_all_at(block.get(..length).unwrap_or(&block), at)?;
            at += length as u64;
        }
        file.sync_all()?;
        Ok(Arc::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(File::open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(RealLock(file))),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn space(&self, dir: &Path) -> io::Result<Space> {
        let found = rustix::fs::statvfs(dir)?;
        Ok(Space {
            total: found.f_blocks.saturating_mul(found.f_frsize),
            available: found.f_bavail.saturating_mul(found.f_frsize),
        })
    }
}

// === impl RealFile ===

impl DiskFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read_at(rest, at + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, at)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_file_holds_zeros_and_a_second_creation_is_refused() {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("file");
        let file = RealDisk.create(&path, 3 * 1024 * 1024 + 7).expect("create");
        assert_eq!(file.len_bytes().expect("length"), 3 * 1024 * 1024 + 7);
        file.write_at(b"abc", 5).expect("write");
        let mut read = [1_u8; 10];
        assert_eq!(file.read_at(&mut read, 0).expect("read"), 10);
        assert_eq!(&read, b"\0\0\0\0\0abc\0\0");
        let again = RealDisk.create(&path, 1).expect_err("exists");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn d15_a_lock_is_refused_while_it_is_held() {
        let dir = tempfile::tempdir().expect("directory");
        let path = dir.path().join("LOCK");
        let held = RealDisk.lock(&path).expect("lock");
        let refused = RealDisk.lock(&path).expect_err("held");
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        drop(held);
        assert!(RealDisk.lock(&path).is_ok());
    }

    #[test]
    fn space_is_told() {
        let dir = tempfile::tempdir().expect("directory");
        let space = RealDisk.space(dir.path()).expect("space");
        assert!(space.total >= space.available && space.total > 0);
    }
}
