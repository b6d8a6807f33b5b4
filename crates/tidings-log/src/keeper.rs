//! The keeper: the thread that does what must not hold up commits.
//!
//! It writes index files, makes the next segment's file ahead of need, applies retention, and notices
//! when there is space again.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidings_core::port::Health;

use crate::active::{Spare, remove_quietly};
use crate::committer::next_capacity;
use crate::disk::Disk;
use crate::index::IndexFile;
use crate::limits::{
    FLOORS_INTERVAL_MS, KEEPER_TICK_MS, PIECE_BYTES, PIECE_PAUSE_MS, PROBE_BYTES, SPARE_HURRY_US,
};
use crate::retention;
use crate::segment::{INDEX_ENDING, Records, Segment, UNFINISHED_ENDING, path};
use crate::shared::Shared;

/// How much the keeper yields to whoever commits, delivers and answers, on the scale of `nice`.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Works until the log is closed.
pub(crate) fn run(shared: &Shared) {
    // Sorting an index and writing zeros take tens of milliseconds that nobody waits for. On Linux
    // the priority is that of the calling thread. Without it the keeper works as well.
    #[cfg(target_os = "linux")]
    let _: Result<(), rustix::io::Errno> = rustix::process::setpriority_process(None, NICENESS);
    while shared.keeper.wait(Duration::from_millis(KEEPER_TICK_MS)) {
        round(shared, FLOORS_INTERVAL_MS);
    }
}

/// Does everything that is to be done now. Floors by size are worked out again if they are older than
/// this and anything has come since.
pub(crate) fn round(shared: &Shared, floors_ms: u64) {
    // One at a time: a test may ask for a round while the thread is at one.
    let mut turn = shared.keeper_turn();
    // A disk that has failed once is left as it is.
    if matches!(shared.health(), Health::Poisoned(_)) {
        return;
    }
    write_indexes(shared);
    // The end first: what it counts had come by `now`.
    let (end, now) = (shared.end(), shared.clock.moment());
    let by_size = turn
        .floors
        .is_none_or(|(then, through)| through != end && now.ms_since(then) >= floors_ms);
    retention::apply(shared, by_size);
    if by_size {
        turn.floors = Some((now, end));
    }
    prepare_spare(shared);
}

/// Gives every sealed segment its index file. What fails is tried again in the next round; until then
/// the table in memory serves.
fn write_indexes(shared: &Shared) {
    let inventory = shared.inventory();
    let Some((_active, sealed)) = inventory.segments.split_last() else {
        return;
    };
    for segment in sealed {
        write_index(shared, segment).unwrap_or_default();
    }
}

/// Writes the index file of a sealed segment, if it has none.
pub(crate) fn write_index(shared: &Shared, segment: &Segment) -> io::Result<()> {
    if matches!(segment.records, Records::Lost(_)) {
        return Ok(());
    }
    let Some(bytes) = segment.index().unwritten(segment.sequence) else {
        return Ok(());
    };
    let index = write_file(shared, &segment.stem, &bytes)?;
    segment.set_index(Arc::new(index));
    Ok(())
}

/// Writes an index file, piece by piece: a commit that comes meanwhile waits behind no more than a piece.
fn write_file(shared: &Shared, stem: &str, bytes: &[u8]) -> io::Result<IndexFile> {
    let (disk, dir) = (&*shared.disk, shared.dir.as_path());
    let unfinished = path(dir, stem, UNFINISHED_ENDING);
    let finished = path(dir, stem, INDEX_ENDING);
    let written = disk.create(&unfinished, 0).and_then(|file| {
        let mut at = 0;
        for piece in bytes.chunks(PIECE_BYTES) {
            if at > 0 {
                // An index that is complete spares the next opening a scan, so it is not given up.
                shared.keeper.pause(Duration::from_millis(PIECE_PAUSE_MS));
            }
            file.write_at(piece, at)?;
            file.sync_data()?;
            at += piece.len() as u64;
        }
        disk.rename(&unfinished, &finished)?;
        disk.sync_dir(dir)?;
        Ok(file)
    });
    match written {
        Ok(file) => IndexFile::open(file)
            .map_err(|_| io::Error::other("an index file is not what was just written")),
        Err(error) => {
            remove_quietly(disk, &unfinished);
            Err(error)
        }
    }
}

/// Has a file ready for the next segment, so that rolling over does not wait for zeros.
fn prepare_spare(shared: &Shared) {
    let is_full = shared.health() == Health::Full;
    if shared.spare().is_none() {
        let inventory = shared.inventory();
        let current = inventory
            .segments
            .last()
            .map_or(0, |active| active.file_bytes());
        let bytes = next_capacity(current, shared.segment_bytes);
        let mut pause = |there: u64| leave_disk(shared, there, bytes);
        match Spare::create_slowly(&*shared.disk, &shared.dir, bytes, &mut pause) {
            Ok(spare) => *shared.spare() = Some(spare),
            // The committer makes one when it needs one, and says what it finds.
            Err(_) => return,
        }
    }
    if is_full && probe(&*shared.disk, &shared.dir).is_ok() {
        shared.set_full(false);
    }
}

/// Leaves the disk to commits for a while: a long one, as long as the next segment grows twice as fast as
/// the active one fills up.
fn leave_disk(shared: &Shared, there: u64, bytes: u64) -> io::Result<()> {
    let inventory = shared.inventory();
    let (used, capacity) = inventory.segments.last().map_or((0, 0), |active| {
        (active.summary().end_bytes, active.file_bytes())
    });
    let is_ahead =
        u128::from(there) * u128::from(capacity) > 2 * u128::from(used) * u128::from(bytes);
    drop(inventory);
    let time = if is_ahead {
        Duration::from_millis(PIECE_PAUSE_MS)
    } else {
        Duration::from_micros(SPARE_HURRY_US)
    };
    // A log that is being closed needs no further segment.
    if shared.keeper.pause(time) {
        Ok(())
    } else {
        Err(io::ErrorKind::Interrupted.into())
    }
}

/// Finds out whether there is space, for bytes and for names, by using some.
fn probe(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let made = path(dir, "probe", UNFINISHED_ENDING);
    let renamed = path(dir, "probed", UNFINISHED_ENDING);
    let written = disk.create(&made, 0).and_then(|file| {
        file.write_at(&vec![0xff; PROBE_BYTES], 0)?;
        file.sync_data()?;
        disk.rename(&made, &renamed)
    });
    remove_quietly(disk, if written.is_ok() { &renamed } else { &made });
    written
}
