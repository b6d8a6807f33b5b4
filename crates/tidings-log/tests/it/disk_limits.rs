//! Limits of what the log does with its disk: when it is short of space, how it finds out that there is
//! some again, how much it reads at once.

use std::io::ErrorKind;
use std::sync::Arc;

use tidings_core::limits::GROUP_EVENTS_MAX;
use tidings_core::port::{AppendError, Health, Sequencer};
use tidings_core::scope::Scope;
use tidings_log::limits::{
    DISK_SPARE_BYTES, DISK_USED_PERCENT_MAX, PATTERN_KEYS_MAX, PROBE_BYTES, READ_BLOCK_BYTES,
    RETRY_AFTER_MS, SEGMENT_BYTES_FIRST,
};
use tidings_log::{EmbeddedLog, KeeperMode, Options};

use crate::faulty::{Call, Control, FaultyDisk};
use crate::support::{Bench, append, append_each, draft, offsets, read_all, scope};

/// A log whose keeper works when it is asked to.
fn open(bench: &Bench, segment_bytes: u64) -> (EmbeddedLog, Arc<Control>) {
    let disk = FaultyDisk::default();
    let control = Arc::clone(&disk.control);
    control.enlarge();
    let options = Options {
        disk: Arc::new(disk),
        segment_bytes,
        keeper: KeeperMode::OnRequest,
        ..bench.options()
    };
    (EmbeddedLog::open(&options).expect("opens"), control)
}

#[test]
fn d5_retention_begins_early_above_a_share_and_below_a_spare_of_the_disk() {
    // Two percent of the disk are the spare.
    let percent = DISK_SPARE_BYTES / 2;
    for (used, percent_bytes, goes) in [
        (DISK_USED_PERCENT_MAX, 0, false),
        (DISK_USED_PERCENT_MAX + 1, 0, true),
        (98, percent, false),
        (98, percent - 1, true),
    ] {
        let bench = Bench::new();
        let (log, control) = open(&bench, 32 * 1024);
        append_each(&log, &["a"], (0..100).map(|n| format!("{n:01000}")));
        control.use_space(used);
        control.resize(percent_bytes);
        log.retain_now();
        let kept = offsets(&read_all(&log, &scope(&["a"]), 0)).len();
        assert_eq!(kept < 100, goes, "{used} % of {percent_bytes} each");
    }
}

#[test]
fn d5_a_full_disk_has_space_again_when_so_much_can_be_written() {
    let bench = Bench::new();
    let (log, control) = open(&bench, SEGMENT_BYTES_FIRST);
    control.leave_room(PROBE_BYTES - 1);
    let large = "x".repeat(2 * PROBE_BYTES);
    let refused = append(&log, vec![draft(&["a"], None, &large)]);
    assert_eq!(refused, Err(AppendError::Full));
    let before = control.injected();
    log.retain_now();
    assert!(control.injected() > before, "it has tried");
    assert_eq!(log.health(), Health::Full);
    control.leave_room(PROBE_BYTES);
    log.retain_now();
    assert_eq!(log.health(), Health::Writable);
}

#[test]
fn a_next_segment_that_cannot_be_made_puts_publishers_off() {
    let bench = Bench::new();
    let (log, control) = open(&bench, 32 * 1024);
    control.fail(Call::Create, ErrorKind::PermissionDenied);
    let mut refusals = (0..100).filter_map(|number| {
        append(&log, vec![draft(&["a"], None, &format!("{number:01000}"))]).err()
    });
    let retry_after_ms = RETRY_AFTER_MS;
    assert_eq!(refusals.next(), Some(AppendError::Busy { retry_after_ms }));
    assert!(control.injected() > 0);
    control.heal();
    append_each(&log, &["a"], ["on".to_owned()]);
}

#[test]
fn walking_reads_blocks_of_one_size() {
    let bench = Bench::new();
    let (log, control) = open(&bench, SEGMENT_BYTES_FIRST);
    append_each(&log, &["a"], (0..1_000).map(|n| format!("{n:01000}")));
    control.largest_read();
    assert_eq!(read_all(&log, &Scope::Everything, 0).len(), 1_000);
    assert_eq!(control.largest_read(), READ_BLOCK_BYTES);
}

#[test]
fn walking_reads_on_by_a_block_where_a_record_goes_beyond_one() {
    let bench = Bench::new();
    let (log, control) = open(&bench, SEGMENT_BYTES_FIRST);
    // Amid the second of these a block ends.
    let data = "x".repeat(READ_BLOCK_BYTES * 2 / 3);
    append_each(&log, &["a"], (0..3).map(|_| data.clone()));
    control.largest_read();
    assert_eq!(read_all(&log, &Scope::Everything, 0).len(), 3);
    assert_eq!(control.largest_read(), READ_BLOCK_BYTES);
}

/// Bytes of the largest read for a pattern of so many keys, each with one event among many others.
fn largest_read(keys: usize) -> usize {
    const KEYS: usize = 100;
    let bench = Bench::new();
    let (log, control) = open(&bench, SEGMENT_BYTES_FIRST);
    for batch in 0..keys / KEYS {
        let group = (0..KEYS).map(|n| draft(&[&format!("many/{batch}-{n}")], None, "x"));
        append(&log, group.collect()).expect("appended");
        // Enough of them that the events of the pattern are few.
        let group = (0..GROUP_EVENTS_MAX - KEYS).map(|n| draft(&["other"], None, &n.to_string()));
        append(&log, group.collect()).expect("appended");
    }
    control.largest_read();
    let found = read_all(&log, &scope(&["many/*"]), 0);
    assert_eq!(found.len(), keys / KEYS * KEYS);
    control.largest_read()
}

#[test]
fn a_pattern_is_looked_up_up_to_so_many_keys_and_walked_beyond() {
    assert!(largest_read(PATTERN_KEYS_MAX) < READ_BLOCK_BYTES);
    assert_eq!(largest_read(PATTERN_KEYS_MAX + 100), READ_BLOCK_BYTES);
}
