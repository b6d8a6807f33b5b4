//! What survives when the power goes, or the process is killed.

use super::directory::{Change, Directory};
use super::file::{FileState, put};
use super::{Counters, SimDisk, State};
use crate::sim_random::Random;

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The machine loses power: what was not synced may be lost.
    Power,
    /// The process is killed: the operating system still has everything, and syncs nothing.
    Process,
}

/// How the unsynced writes of one file come out of a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tear {
    /// None is kept.
    Nothing,
    /// All are kept.
    Everything,
    /// Each is kept or lost whole.
    Writes,
    /// All up to a sector in the middle of one.
    Prefix(usize),
    /// Each sector of each is kept, in so many of a hundred cases, or lost.
    Sectors(usize, u64),
}

const SECTOR_BYTES: [usize; 2] = [512, 4096];

impl Tear {
    pub(super) fn any(random: &mut Random) -> Self {
        let sector_bytes = *random.pick(&SECTOR_BYTES);
        match random.below(10) {
            0 => Self::Nothing,
            1 => Self::Everything,
            2 => Self::Writes,
            3..=5 => Self::Prefix(sector_bytes),
            _ => Self::Sectors(sector_bytes, *random.pick(&[20, 50, 80, 90])),
        }
    }
}

/// The durable content of a file after its unsynced writes came out like this.
pub(super) fn survive(
    file: &FileState,
    tear: Tear,
    random: &mut Random,
    counters: &mut Counters,
) -> Vec<u8> {
    let mut content = file.durable.clone();
    let mut lost_before = false;
    // For a prefix: the sectors that are still kept.
    let sectors = |bytes: usize, size: usize| bytes.div_ceil(size) as u64 + 1;
    let all_sectors: u64 = match tear {
        Tear::Prefix(size) => file
            .writes
            .iter()
            .map(|w| sectors(w.bytes.len(), size))
            .sum(),
        Tear::Nothing | Tear::Everything | Tear::Writes | Tear::Sectors(..) => 0,
    };
    let mut kept_sectors = if all_sectors > 0 {
        random.below(all_sectors)
    } else {
        0
    };
    for write in &file.writes {
        let size = match tear {
            Tear::Prefix(size) | Tear::Sectors(size, _) => size,
            Tear::Nothing | Tear::Everything | Tear::Writes => usize::MAX,
        };
        let (mut kept, mut lost) = (0_u32, 0_u32);
        for (at, piece) in pieces(write.at, &write.bytes, size) {
            let keep = match tear {
                Tear::Nothing => false,
                Tear::Everything => true,
                Tear::Writes => random.percent(50),
                Tear::Sectors(_, kept) => random.percent(kept),
                Tear::Prefix(_) => {
                    let keep = kept_sectors > 0;
                    kept_sectors = kept_sectors.saturating_sub(1);
                    keep
                }
            };
            if keep {
                put(&mut content, piece, at);
                kept += 1;
                counters.reordered_sectors += u64::from(lost_before);
            } else {
                lost += 1;
                lost_before = true;
            }
        }
        match (kept, lost) {
            (0, _) => counters.lost_writes += 1,
            (_, 0) => {}
            (_, _) => counters.torn_writes += 1,
        }
    }
    content
}

/// A write cut where sectors of the disk begin.
fn pieces(at: u64, bytes: &[u8], sector_bytes: usize) -> Vec<(u64, &[u8])> {
    let mut pieces = Vec::new();
    let (mut at, mut rest) = (at, bytes);
    while !rest.is_empty() {
        let room = match sector_bytes {
            usize::MAX => rest.len(),
            size => size - (at as usize % size),
        };
        let (piece, after) = rest.split_at(room.min(rest.len()));
        pieces.push((at, piece));
        at += piece.len() as u64;
        rest = after;
    }
    pieces
}

/// Which names a directory has after a loss of power.
fn surviving_names(
    directory: &Directory,
    random: &mut Random,
    counters: &mut Counters,
) -> Directory {
    let mut names = directory.durable.clone();
    // A journal keeps the first changes; without one, any of them may reach the disk.
    let journal = random.percent(50);
    let kept_first = random.below(directory.changes.len() as u64 + 1) as usize;
    for (index, change) in directory.changes.iter().enumerate() {
        let kept = if journal {
            index < kept_first
        } else {
            random.percent(50)
        };
        if kept {
            change.apply(&mut names);
        } else {
            counters.lost_names += 1;
        }
    }
    Directory {
        durable: names.clone(),
        names,
        changes: Vec::new(),
    }
}

impl SimDisk {
    /// The disk that the next process finds. What still has the old one finds its power off.
    pub(crate) fn crash(&self, loss: Loss) -> Self {
        let mut old = self.state();
        old.is_off = true;
        let mut random = old.random.fork();
        let mut counters = old.counters;
        counters.crashes += 1;
        let mut trace = std::mem::take(&mut old.trace);
        trace.push(format!("crash {loss:?}"));
        let (mut directories, mut files) = (old.directories.clone(), old.files.clone());
        if loss == Loss::Power {
            for directory in directories.values_mut() {
                *directory = surviving_names(directory, &mut random, &mut counters);
            }
            for file in files.values_mut() {
                let tear = Tear::any(&mut random);
                let content = survive(file, tear, &mut random, &mut counters);
                *file = FileState::settled(file.name.clone(), content);
            }
        }
        let named = |file: &u64| {
            directories.values().any(|directory: &Directory| {
                let pending = directory.changes.iter().any(|change| match change {
                    Change::Link(_, other) | Change::Rename(_, _, other) => other == file,
                    Change::Unlink(_) => false,
                });
                pending
                    || directory.names.values().any(|other| other == file)
                    || directory.durable.values().any(|other| other == file)
            })
        };
        files.retain(|file, _| named(file));
        Self::with(State {
            random,
            directories,
            files,
            next_file: old.next_file,
            locked: std::collections::BTreeSet::new(),
            calls: 0,
            power_goes_at: None,
            is_off: false,
            fault: None,
            counters,
            trace,
        })
    }
}
