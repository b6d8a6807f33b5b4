//! A disk in memory that forgets what was not synced when its power goes.
//!
//! Every file has a content that the running program sees, a durable content, and the writes between
//! the two; every directory likewise has names, durable names, and changes between them. Calls that
//! change something are counted; at a chosen one the power goes, after which everything fails but
//! reading open files, which might as well have happened just before. [`SimDisk::crash`] makes the
//! disk that the next process finds.

mod crash;
mod directory;
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidings_log::disk::{Disk, DiskFile, DiskLock, Space};

use crate::sim_random::Random;
pub(crate) use crash::Loss;
use directory::{Change, Directory};
use file::{FileState, SimFile};

/// What happened so far, to prove that it did. Kept across crashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) crashes: u64,
    /// Crashes in the middle of a call.
    pub(crate) crashes_in_calls: u64,
    /// Writes of which a crash kept some sectors and lost others.
    pub(crate) torn_writes: u64,
    /// Writes that a crash lost whole.
    pub(crate) lost_writes: u64,
    /// Sectors that a crash kept although it lost an earlier one of the same file.
    pub(crate) reordered_sectors: u64,
    /// Changes of directories that a crash undid.
    pub(crate) lost_names: u64,
    pub(crate) failed_syncs: u64,
    pub(crate) refused_for_space: u64,
}

/// A fault to be injected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The next sync of a file fails; what it should have made durable may be lost, and later syncs
    /// do not try again.
    SyncFails,
    /// Nothing new can be allocated until further notice: creations fail, half done.
    NoSpace,
}

/// The size of the disk, of which half is always free: a lack of space is a quota's, not the disk's.
const TOTAL_BYTES: u64 = 1 << 30;

/// A simulated disk. Clones are the same disk.
#[derive(Debug, Clone)]
pub(crate) struct SimDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    random: Random,
    directories: BTreeMap<PathBuf, Directory>,
    files: BTreeMap<u64, FileState>,
    next_file: u64,
    locked: BTreeSet<PathBuf>,
    calls: u64,
    power_goes_at: Option<u64>,
    is_off: bool,
    fault: Option<Fault>,
    counters: Counters,
    trace: Vec<String>,
}

/// Whether a call is to be done, and whether the power goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Do it.
    Whole,
    /// The power goes: do it, or part of it, but answer nobody.
    Dying,
    /// The power goes before it.
    Dead,
}

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

fn no_space() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

fn bad_sync() -> io::Error {
    io::Error::other("an injected fault of the device")
}

fn split(path: &Path) -> (PathBuf, String) {
    let dir = path.parent().unwrap_or_else(|| Path::new(""));
    let name = path.file_name().and_then(|name| name.to_str());
    (dir.to_owned(), name.unwrap_or_default().to_owned())
}

// === impl SimDisk ===

impl SimDisk {
    /// An empty disk whose accidents follow from this generator.
    pub(crate) fn new(random: Random) -> Self {
        Self::with(State {
            random,
            directories: BTreeMap::new(),
            files: BTreeMap::new(),
            next_file: 0,
            locked: BTreeSet::new(),
            calls: 0,
            power_goes_at: None,
            is_off: false,
            fault: None,
            counters: Counters::default(),
            trace: Vec::new(),
        })
    }

    fn with(state: State) -> Self {
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Lets the power go at the so-many-th changing call from now, the first being 1.
    pub(crate) fn power_goes_in(&self, calls: u64) {
        let mut state = self.state();
        state.power_goes_at = Some(state.calls + calls);
    }

    /// Takes that back.
    pub(crate) fn power_stays(&self) {
        self.state().power_goes_at = None;
    }

    pub(crate) fn is_off(&self) -> bool {
        self.state().is_off
    }

    /// Injects a fault, or ends one that lasts.
    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    pub(crate) fn fault(&self) -> Option<Fault> {
        self.state().fault
    }

    pub(crate) fn counters(&self) -> Counters {
        self.state().counters
    }

    /// All changing calls since the disk was made, crashes included.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.state().trace.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a changing call.
    fn begin(&mut self, call: &str, path: &str) -> Turn {
        if self.is_off {
            return Turn::Dead;
        }
        self.calls += 1;
        // The numbers of spare files count over the whole process, not over one history.
        let unnumbered = match path.strip_prefix("next-") {
            Some(rest) => rest.trim_start_matches(char::is_numeric),
            None => path,
        };
        self.trace.push(format!("{call} {unnumbered}"));
        if self.power_goes_at != Some(self.calls) {
            return Turn::Whole;
        }
        self.is_off = true;
        self.counters.crashes_in_calls += 1;
        if self.random.percent(50) {
            Turn::Dying
        } else {
            Turn::Dead
        }
    }

    fn directory(&mut self, dir: &Path) -> io::Result<&mut Directory> {
        let found = self.directories.get_mut(dir);
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn find(&mut self, path: &Path) -> io::Result<u64> {
        let (dir, name) = split(path);
        let found = self.directory(&dir)?.names.get(&name).copied();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Changes a directory unless the power went before.
    fn change(&mut self, turn: Turn, dir: &Path, change: Change) -> io::Result<()> {
        if turn == Turn::Dead {
            return Err(power_is_off());
        }
        self.directory(dir)?.change(change);
        if turn == Turn::Dying {
            return Err(power_is_off());
        }
        Ok(())
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        if state.is_off {
            return Err(power_is_off());
        }
        state.directories.entry(dir.to_owned()).or_default();
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        if state.is_off {
            return Err(power_is_off());
        }
        Ok(state.directory(dir)?.names.keys().cloned().collect())
    }

    fn create(&self, path: &Path, zeros: u64) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        let (dir, name) = split(path);
        if state.directory(&dir)?.names.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let turn = state.begin("create", &format!("{name} {zeros}"));
        let fault = state.fault;
        let length = match turn {
            Turn::Whole if fault.is_none() => zeros,
            Turn::Whole | Turn::Dying => state.random.below(zeros + 1),
            Turn::Dead => return Err(power_is_off()),
        };
        state.next_file += 1;
        let file = state.next_file;
        let synced = turn == Turn::Whole && fault.is_none();
        let content = FileState::zeros(name.clone(), length, synced);
        state.files.insert(file, content);
        state.change(turn, &dir, Change::Link(name, file))?;
        match fault {
            Some(Fault::NoSpace) => {
                state.counters.refused_for_space += 1;
                return Err(no_space());
            }
            Some(Fault::SyncFails) => {
                state.fault = None;
                state.counters.failed_syncs += 1;
                return Err(bad_sync());
            }
            None => {}
        }
        drop(state);
        Ok(Arc::new(SimFile::new(self.clone(), file, true)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        if state.is_off {
            return Err(power_is_off());
        }
        let file = state.find(path)?;
        drop(state);
        Ok(Arc::new(SimFile::new(self.clone(), file, false)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let (dir, old) = split(from);
        let (same, new) = split(to);
        assert_eq!(dir, same, "the log renames within one directory");
        let file = state.find(from)?;
        let turn = state.begin("rename", &format!("{old} {new}"));
        state.change(turn, &dir, Change::Rename(old, new, file))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let (dir, name) = split(path);
        state.find(path)?;
        let turn = state.begin("remove", &name);
        state.change(turn, &dir, Change::Unlink(name))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        let turn = state.begin("sync_dir", "");
        if turn == Turn::Dead {
            return Err(power_is_off());
        }
        let directory = state.directory(dir)?;
        directory.durable = directory.names.clone();
        directory.changes.clear();
        if turn == Turn::Dying {
            return Err(power_is_off());
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn DiskLock>> {
        let mut state = self.state();
        if state.is_off {
            return Err(power_is_off());
        }
        if !state.locked.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock(self.clone(), path.to_owned())))
    }

    fn space(&self, _dir: &Path) -> io::Result<Space> {
        if self.is_off() {
            return Err(power_is_off());
        }
        Ok(Space {
            total: TOTAL_BYTES,
            available: TOTAL_BYTES / 2,
        })
    }
}

#[derive(Debug)]
struct SimLock(SimDisk, PathBuf);

impl DiskLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.0.state().locked.remove(&self.1);
    }
}
