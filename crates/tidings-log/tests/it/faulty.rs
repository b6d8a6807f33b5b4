//! A disk that fails where it is told to, and counts that it did.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use tidings_log::disk::{Disk, DiskFile, DiskLock, RealDisk, Space};

/// What can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Create,
    Write,
    Sync,
    Rename,
    SyncDir,
}

#[derive(Debug, Default)]
struct Plan {
    fail: Option<(Call, io::ErrorKind)>,
    /// Whether a failing write leaves its first half behind.
    tears: bool,
    stalls: bool,
    is_stalled: bool,
    used_percent: u64,
    /// Bytes of one percent of the file system.
    percent_bytes: u64,
    /// Writes of more bytes than this find no space.
    room_bytes: Option<usize>,
}

/// State shared by the disk and its files.
#[derive(Debug, Default)]
pub(crate) struct Control {
    plan: Mutex<Plan>,
    changed: Condvar,
    pub(crate) injected: AtomicU64,
    largest_write: AtomicUsize,
    largest_read: AtomicUsize,
}

impl Control {
    /// From now on, calls of this kind fail.
    pub(crate) fn fail(&self, call: Call, kind: io::ErrorKind) {
        self.plan.lock().expect("plan").fail = Some((call, kind));
    }

    /// A failing write leaves half of it on the disk.
    pub(crate) fn tear(&self) {
        self.plan.lock().expect("plan").tears = true;
    }

    /// Everything works again.
    pub(crate) fn heal(&self) {
        *self.plan.lock().expect("plan") = Plan::default();
        self.changed.notify_all();
    }

    /// Syncs wait no longer; what else was planned stays.
    pub(crate) fn release(&self) {
        self.plan.lock().expect("plan").stalls = false;
        self.changed.notify_all();
    }

    /// Syncs wait until `release` or `heal`.
    pub(crate) fn stall(&self) {
        self.plan.lock().expect("plan").stalls = true;
    }

    /// Waits until a sync waits.
    pub(crate) fn until_stalled(&self) {
        let plan = self.plan.lock().expect("plan");
        drop(
            self.changed
                .wait_while(plan, |plan| !plan.is_stalled)
                .expect("plan"),
        );
    }

    /// Says that the file system is used to this share.
    pub(crate) fn use_space(&self, percent: u64) {
        self.plan.lock().expect("plan").used_percent = percent;
    }

    /// Says that the file system has terabytes.
    pub(crate) fn enlarge(&self) {
        self.resize(1 << 36);
    }

    /// Says what one percent of the file system is.
    pub(crate) fn resize(&self, percent_bytes: u64) {
        self.plan.lock().expect("plan").percent_bytes = percent_bytes;
    }

    /// From now on, writes of more bytes than this find no space.
    pub(crate) fn leave_room(&self, bytes: usize) {
        self.plan.lock().expect("plan").room_bytes = Some(bytes);
    }

    /// Bytes of the largest read of a segment that was made on this disk, since the last such question.
    pub(crate) fn largest_read(&self) -> usize {
        self.largest_read.swap(0, Ordering::SeqCst)
    }

    pub(crate) fn injected(&self) -> u64 {
        self.injected.load(Ordering::SeqCst)
    }

    /// Bytes of the largest write of something that is not zeros.
    pub(crate) fn largest_write(&self) -> usize {
        self.largest_write.load(Ordering::SeqCst)
    }

    fn check(&self, call: Call) -> io::Result<()> {
        let plan = self.plan.lock().expect("plan");
        match plan.fail {
            Some((failing, kind)) if failing == call => {
                self.injected.fetch_add(1, Ordering::SeqCst);
                Err(kind.into())
            }
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct FaultyDisk {
    pub(crate) control: Arc<Control>,
}

#[derive(Debug)]
struct FaultyFile {
    file: Arc<dyn DiskFile>,
    control: Arc<Control>,
}

impl Disk for FaultyDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        RealDisk.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(dir)
    }

    fn create(&self, path: &Path, zeros: u64) -> io::Result<Arc<dyn DiskFile>> {
        self.control.check(Call::Create)?;
        let file = RealDisk.create(path, zeros)?;
        let control = Arc::clone(&self.control);
        Ok(Arc::new(FaultyFile { file, control }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        RealDisk.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.control.check(Call::Rename)?;
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.control.check(Call::SyncDir)?;
        RealDisk.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>> {
        RealDisk.lock(path)
    }

    fn space(&self, _dir: &Path) -> io::Result<Space> {
        let plan = self.control.plan.lock().expect("plan");
        let percent = plan.percent_bytes.max(10_000);
        Ok(Space {
            total: 100 * percent,
            available: percent * (100 - plan.used_percent),
        })
    }
}

impl DiskFile for FaultyFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let largest = &self.control.largest_read;
        largest.fetch_max(buffer.len(), Ordering::SeqCst);
        self.file.read_at(buffer, at)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        // Overwriting what is there with zeros needs no space.
        if bytes.iter().all(|byte| *byte == 0) {
            return self.file.write_at(bytes, at);
        }
        let largest = &self.control.largest_write;
        largest.fetch_max(bytes.len(), Ordering::SeqCst);
        let room = self.control.plan.lock().expect("plan").room_bytes;
        if room.is_some_and(|room| bytes.len() > room) {
            self.control.injected.fetch_add(1, Ordering::SeqCst);
            return Err(io::ErrorKind::StorageFull.into());
        }
        let checked = self.control.check(Call::Write);
        if checked.is_ok() {
            return self.file.write_at(bytes, at);
        }
        if self.control.plan.lock().expect("plan").tears {
            self.file.write_at(&bytes[..bytes.len() / 2], at)?;
        }
        checked
    }

    fn sync_data(&self) -> io::Result<()> {
        self.control.check(Call::Sync)?;
        let mut plan = self.control.plan.lock().expect("plan");
        if plan.stalls {
            plan.is_stalled = true;
            self.control.changed.notify_all();
            plan = self
                .control
                .changed
                .wait_while(plan, |plan| plan.stalls)
                .expect("plan");
        }
        drop(plan);
        self.file.sync_data()
    }

    fn len_bytes(&self) -> io::Result<u64> {
        self.file.len_bytes()
    }
}
