//! Files of the simulated disk: what is seen, what is durable, and the writes between them.

use std::io;

use tidings_log::disk::DiskFile;

use super::{Fault, SimDisk, Turn, bad_sync, no_space, power_is_off};
use crate::sim_disk::crash::{Tear, survive};

/// One file, whatever names it has.
#[derive(Debug, Clone)]
pub(super) struct FileState {
    /// The name it was made with, for the trace.
    pub(super) name: String,
    /// What the running program sees.
    pub(super) content: Vec<u8>,
    /// What is there for certain after the power went.
    pub(super) durable: Vec<u8>,
    /// What was written since the last sync, in order.
    pub(super) writes: Vec<Write>,
}

#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) at: u64,
    pub(super) bytes: Vec<u8>,
}

impl FileState {
    pub(super) fn zeros(name: String, length: u64, synced: bool) -> Self {
        let content = vec![0; length as usize];
        Self {
            name,
            durable: if synced { content.clone() } else { Vec::new() },
            content,
            writes: Vec::new(),
        }
    }

    /// The file as the next process finds it if nothing of it is pending.
    pub(super) fn settled(name: String, content: Vec<u8>) -> Self {
        Self {
            name,
            durable: content.clone(),
            content,
            writes: Vec::new(),
        }
    }

    fn write(&mut self, bytes: &[u8], at: u64) {
        put(&mut self.content, bytes, at);
        self.writes.push(Write {
            at,
            bytes: bytes.to_vec(),
        });
    }

    fn sync(&mut self) {
        // Of a synced file nothing but the writes can differ, and a failed sync may have cleared
        // those without making them durable: only what is still pending goes to the disk.
        for write in std::mem::take(&mut self.writes) {
            put(&mut self.durable, &write.bytes, write.at);
        }
    }
}

/// Writes into a content, making it longer if needed.
pub(super) fn put(content: &mut Vec<u8>, bytes: &[u8], at: u64) {
    let (start, end) = (at as usize, at as usize + bytes.len());
    if content.len() < end {
        content.resize(end, 0);
    }
    content[start..end].copy_from_slice(bytes);
}

/// An open file.
#[derive(Debug)]
pub(super) struct SimFile {
    disk: SimDisk,
    file: u64,
    writable: bool,
}

impl SimFile {
    pub(super) fn new(disk: SimDisk, file: u64, writable: bool) -> Self {
        Self {
            disk,
            file,
            writable,
        }
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let content = &state.files[&self.file].content;
        let rest = content.get(at as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        assert!(self.writable, "a file opened for reading is not written");
        let mut state = self.disk.state();
        let what = format!("{} {at}+{}", state.files[&self.file].name, bytes.len());
        let turn = state.begin("write", &what);
        if turn == Turn::Dead {
            return Err(power_is_off());
        }
        let length = state.files[&self.file].content.len() as u64;
        if state.fault == Some(Fault::NoSpace) && at + bytes.len() as u64 > length {
            state.counters.refused_for_space += 1;
            // Part of it may be there all the same.
            let written = state.random.below(bytes.len() as u64) as usize;
            if let Some(file) = state.files.get_mut(&self.file) {
                file.write(&bytes[..written], at);
            }
            return Err(no_space());
        }
        if let Some(file) = state.files.get_mut(&self.file) {
            file.write(bytes, at);
        }
        if turn == Turn::Dying {
            return Err(power_is_off());
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut guard = self.disk.state();
        let state = &mut *guard;
        let name = state.files[&self.file].name.clone();
        let turn = state.begin("sync", &name);
        if turn == Turn::Dead {
            return Err(power_is_off());
        }
        let Some(file) = state.files.get_mut(&self.file) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if state.fault == Some(Fault::SyncFails) {
            state.fault = None;
            state.counters.failed_syncs += 1;
            let tear = Tear::any(&mut state.random);
            file.durable = survive(file, tear, &mut state.random, &mut state.counters);
            file.writes.clear();
            return Err(bad_sync());
        }
        if turn == Turn::Dying {
            // Done, but nobody will hear of it.
            file.sync();
            return Err(power_is_off());
        }
        file.sync();
        Ok(())
    }

    fn len_bytes(&self) -> io::Result<u64> {
        let state = self.disk.state();
        Ok(state.files[&self.file].content.len() as u64)
    }
}
