//! A disk in memory that loses power: what was not synced is dropped, reordered and torn.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use tidings_log::disk::{Disk, DiskFile, DiskLock, Space};

/// What a disk writes in one piece.
const SECTOR: usize = 512;

/// Small and fast, and the same on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

#[derive(Debug, Default, Clone)]
struct Contents {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// Writes since the last sync, sector by sector.
    pending: Vec<(usize, Vec<u8>)>,
}

type Names = BTreeMap<String, usize>;

#[derive(Debug, Default)]
struct State {
    contents: Vec<Contents>,
    names: Names,
    /// The names after each change since the last sync of the directory, the durable ones first.
    history: Vec<Names>,
    /// Calls that change something until the power goes.
    power: Option<u64>,
    is_locked: bool,
}

/// The disk; clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    number: usize,
}

#[derive(Debug)]
struct SimLock(SimDisk);

impl DiskLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.0.state().is_locked = false;
    }
}

fn name(path: &Path) -> String {
    let name = path.file_name().expect("a file name");
    name.to_string_lossy().into_owned()
}

fn put(bytes: &mut Vec<u8>, at: usize, part: &[u8]) {
    if bytes.len() < at + part.len() {
        bytes.resize(at + part.len(), 0);
    }
    bytes[at..at + part.len()].copy_from_slice(part);
}

impl SimDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("disk")
    }

    /// The power goes after so many calls.
    pub(crate) fn cut_power_after(&self, calls: u64) {
        self.state().power = Some(calls);
    }

    /// Whether the power has gone.
    pub(crate) fn is_dead(&self) -> bool {
        self.state().power == Some(0)
    }

    /// The disk as it is found after the power has gone.
    pub(crate) fn after_power_loss(&self, dice: &mut Dice) -> Self {
        let state = self.state();
        let survived = match state.history.len() {
            0 => state.names.clone(),
            changes => state.history[dice.below(changes as u64) as usize].clone(),
        };
        let contents = state.contents.iter().map(|old| {
            let mut bytes = old.durable.clone();
            for (at, sector) in &old.pending {
                if dice.below(2) == 0 {
                    put(&mut bytes, *at, sector);
                }
            }
            Contents {
                now: bytes.clone(),
                durable: bytes,
                pending: Vec::new(),
            }
        });
        Self(Arc::new(Mutex::new(State {
            contents: contents.collect(),
            names: survived,
            ..State::default()
        })))
    }
}

impl State {
    fn spend(&mut self) -> io::Result<()> {
        match &mut self.power {
            None => Ok(()),
            Some(0) => Err(io::Error::other("no power")),
            Some(left) => {
                *left -= 1;
                if *left == 0 {
                    Err(io::Error::other("no power"))
                } else {
                    Ok(())
                }
            }
        }
    }

    fn rename_names(&mut self, change: impl FnOnce(&mut Names)) {
        if self.history.is_empty() {
            self.history.push(self.names.clone());
        }
        change(&mut self.names);
        self.history.push(self.names.clone());
    }

    fn number(&self, path: &Path) -> io::Result<usize> {
        let number = self.names.get(&name(path)).copied();
        number.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        Ok(self.state().names.keys().cloned().collect())
    }

    fn create(&self, path: &Path, zeros: u64) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        state.spend()?;
        if state.names.contains_key(&name(path)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = state.contents.len();
        let zeros = vec![0; zeros as usize];
        state.contents.push(Contents {
            now: zeros.clone(),
            durable: zeros,
            pending: Vec::new(),
        });
        state.rename_names(|names| {
            names.insert(name(path), number);
        });
        let disk = self.clone();
        Ok(Arc::new(SimFile { disk, number }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let number = self.state().number(path)?;
        let disk = self.clone();
        Ok(Arc::new(SimFile { disk, number }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.spend()?;
        let number = state.number(from)?;
        state.rename_names(|names| {
            names.remove(&name(from));
            names.insert(name(to), number);
        });
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.spend()?;
        state.number(path)?;
        state.rename_names(|names| {
            names.remove(&name(path));
        });
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.spend()?;
        state.history.clear();
        Ok(())
    }

    fn lock(&self, _: &Path) -> io::Result<Box<dyn DiskLock>> {
        let mut state = self.state();
        if std::mem::replace(&mut state.is_locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock(self.clone())))
    }

    fn space(&self, _: &Path) -> io::Result<Space> {
        Ok(Space {
            total: u64::MAX,
            available: u64::MAX,
        })
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let bytes = &state.contents[self.number].now;
        let rest = bytes.get(at as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        // The power may go in the middle of a write: whatever was on its way is pending.
        let spent = state.spend();
        let contents = &mut state.contents[self.number];
        put(&mut contents.now, at as usize, bytes);
        let mut at = at as usize;
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = (SECTOR - at % SECTOR).min(rest.len());
            contents.pending.push((at, rest[..length].to_vec()));
            at += length;
            rest = &rest[length..];
        }
        spent
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.spend()?;
        let contents = &mut state.contents[self.number];
        contents.durable = contents.now.clone();
        contents.pending.clear();
        Ok(())
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.disk.state().contents[self.number].now.len() as u64)
    }
}
