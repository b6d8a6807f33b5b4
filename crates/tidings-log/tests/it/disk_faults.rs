//! Full disks, failed syncs and stalled syncs.

use std::io::ErrorKind;
use std::sync::Arc;

use tidings_core::limits::{COMMIT_BATCH_BYTES_MAX, COMMIT_QUEUE_WAIT_MS_MAX};
use tidings_core::port::{AppendError, Health, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_log::{EmbeddedLog, KeeperMode, Options};

use crate::faulty::{Call, Control, FaultyDisk};
use crate::support::{
    Bench, append, append_each, append_later, directory, draft, events, offsets, read_all, scope,
};

/// A log whose keeper works when it is asked to: on its own thread it would look at half a plan of the
/// disk's, and make and remove files while they are copied.
fn open(bench: &Bench) -> (EmbeddedLog, Arc<Control>) {
    let disk = FaultyDisk::default();
    let control = Arc::clone(&disk.control);
    let options = Options {
        disk: Arc::new(disk),
        keeper: KeeperMode::OnRequest,
        ..bench.options()
    };
    (EmbeddedLog::open(&options).expect("opens"), control)
}

/// Appends until something is refused; answers how many were taken.
fn fill(log: &EmbeddedLog) -> (u64, AppendError) {
    for number in 0.. {
        if let Err(error) = append(log, vec![draft(&["a"], None, &format!("{number:01000}"))]) {
            return (number, error);
        }
    }
    unreachable!("a segment is finite");
}

#[test]
fn d5_a_write_without_space_is_refused_and_leaves_nothing_behind() {
    let bench = Bench::new();
    let (log, control) = open(&bench);
    append_each(&log, &["a"], ["1".to_owned()]);
    control.fail(Call::Write, ErrorKind::StorageFull);
    control.tear();
    // Two groups that a later, shorter write must not bring back to life.
    let group = || vec![draft(&["a"], Some("x"), "refused"); 1];
    assert_eq!(append(&log, group()), Err(AppendError::Full));
    assert_eq!(append(&log, group()), Err(AppendError::Full));
    assert_eq!(control.injected(), 2);
    log.retain_now();
    assert!(control.injected() > 2, "the keeper tries in vain, too");
    assert_eq!(log.health(), Health::Full);
    assert_eq!(offsets(&read_all(&log, &Scope::Everything, 0)), [1]);
    // What was refused is not there after a crash at this point either.
    let copy = copy_of(&bench);
    let after_crash = EmbeddedLog::open(&bench.options_in(copy.path())).expect("opens");
    assert_eq!(offsets(&read_all(&after_crash, &Scope::Everything, 0)), [1]);
    control.heal();
    let appended = append(&log, group()).expect("there is space again");
    assert_eq!(appended[0].position.offset, Offset(2));
    assert!(!appended[0].duplicate);
    assert_eq!(log.health(), Health::Writable);
    drop(log);
    let found = read_all(&bench.open(), &Scope::Everything, 0);
    assert_eq!(events(&found), [(1, "1".into()), (2, "refused".into())]);
}

#[test]
fn d5_whole_records_of_a_refused_write_do_not_come_back() {
    let bench = Bench::new();
    let (log, control) = open(&bench);
    append_each(&log, &["a"], ["1".to_owned()]);
    // While one sync waits, two groups gather into the next write, of which the first half fits.
    control.stall();
    let first = append_later(&log, vec![draft(&["a"], None, "2")]);
    control.until_stalled();
    let second = append_later(&log, vec![draft(&["a"], None, "3")]);
    let third = append_later(&log, vec![draft(&["a"], None, "4")]);
    control.fail(Call::Write, ErrorKind::StorageFull);
    control.tear();
    control.release();
    assert!(first.recv().expect("outcome").is_ok());
    assert_eq!(second.recv().expect("outcome"), Err(AppendError::Full));
    assert_eq!(third.recv().expect("outcome"), Err(AppendError::Full));
    assert!(control.injected() > 0);
    let copy = copy_of(&bench);
    let after_crash = EmbeddedLog::open(&bench.options_in(copy.path())).expect("opens");
    assert_eq!(
        offsets(&read_all(&after_crash, &Scope::Everything, 0)),
        [1, 2]
    );
}

#[test]
fn d5_without_space_for_the_next_segment_publishing_waits_and_reading_goes_on() {
    for (call, kind) in [
        (Call::Create, ErrorKind::StorageFull),
        (Call::Rename, ErrorKind::StorageFull),
        (Call::Create, ErrorKind::QuotaExceeded),
    ] {
        let bench = Bench::new();
        let (log, control) = open(&bench);
        append_each(&log, &["a"], ["1".to_owned()]);
        control.fail(call, kind);
        let (taken, error) = fill(&log);
        assert_eq!(error, AppendError::Full, "{call:?}");
        assert!(control.injected() > 0);
        assert_eq!(
            offsets(&read_all(&log, &scope(&["a"]), 0)).len() as u64,
            taken + 1
        );
        assert_eq!(log.health(), Health::Full);
        log.retain_now();
        assert_eq!(log.health(), Health::Full, "nothing has changed");
        control.heal();
        log.retain_now();
        assert_eq!(log.health(), Health::Writable, "noticed without a publish");
        let appended = append(&log, vec![draft(&["a"], None, "on")]).expect("space again");
        assert_eq!(appended[0].position.offset, Offset(taken + 2));
        drop(log);
        let found = read_all(&bench.open(), &Scope::Everything, 0);
        assert_eq!(offsets(&found).len() as u64, taken + 2);
    }
}

#[test]
fn d5_a_log_on_a_disk_with_little_space_opens_with_a_small_segment() {
    let bench = Bench::new();
    append_each(&bench.open(), &["a"], ["1".to_owned()]);
    let disk = FaultyDisk::default();
    let control = Arc::clone(&disk.control);
    let options = Options {
        disk: Arc::new(disk),
        ..bench.options()
    };
    // Too little for a segment of 32 KiB, enough for one of 16.
    control.use_space(98);
    let log = EmbeddedLog::open(&options).expect("opens");
    append_each(&log, &["a"], ["2".to_owned()]);
    assert_eq!(offsets(&read_all(&log, &scope(&["a"]), 0)), [1, 2]);
    let (_, error) = fill(&log);
    assert_eq!(error, AppendError::Full);
    drop(log);
    control.use_space(100);
    assert!(EmbeddedLog::open(&options).is_err());
}

#[test]
fn d5_retention_begins_early_on_a_disk_that_is_nearly_full() {
    let bench = Bench::new();
    let (log, control) = open(&bench);
    append_each(&log, &["a"], (0..200).map(|n| format!("{n:01000}")));
    let before = offsets(&read_all(&log, &scope(&["a"]), 0)).len();
    log.retain_now();
    assert_eq!(offsets(&read_all(&log, &scope(&["a"]), 0)).len(), before);
    control.use_space(95);
    control.enlarge();
    log.retain_now();
    let kept = offsets(&read_all(&log, &scope(&["a"]), 0)).len();
    assert_eq!(kept, before, "a twentieth of a large disk is plenty");
    control.heal();
    control.use_space(95);
    log.retain_now();
    assert!(offsets(&read_all(&log, &scope(&["a"]), 0)).len() < before);
}

#[test]
fn d6_after_a_failed_sync_nothing_is_acknowledged_until_the_next_opening() {
    for kind in [ErrorKind::Other, ErrorKind::StorageFull] {
        let bench = Bench::new();
        let (log, control) = open(&bench);
        append_each(&log, &["a"], ["1".to_owned()]);
        control.fail(Call::Sync, kind);
        let unknown = append(&log, vec![draft(&["a"], None, "2")]);
        assert_eq!(unknown, Err(AppendError::OutcomeUnknown));
        assert_eq!(control.injected(), 1);
        control.heal();
        let refused = append(&log, vec![draft(&["a"], None, "3")]);
        assert_eq!(refused, Err(AppendError::NotWritable));
        assert!(matches!(log.health(), Health::Poisoned(_)));
        assert_eq!(offsets(&read_all(&log, &Scope::Everything, 0)), [1]);
        drop(log);
        let log = bench.open();
        assert_eq!(log.health(), Health::Writable);
        append_each(&log, &["a"], ["4".to_owned()]);
        let found = events(&read_all(&log, &Scope::Everything, 0));
        assert_eq!(found.first(), Some(&(1, "1".to_owned())));
        assert_eq!(found.last().map(|(_, text)| text.as_str()), Some("4"));
    }
}

#[test]
fn d6_groups_behind_a_failed_sync_are_not_written() {
    let bench = Bench::new();
    let (log, control) = open(&bench);
    control.stall();
    let first = append_later(&log, vec![draft(&["a"], None, "1")]);
    control.until_stalled();
    let second = append_later(&log, vec![draft(&["a"], None, "2")]);
    control.fail(Call::Write, ErrorKind::Other);
    control.release();
    assert!(first.recv().expect("outcome").is_ok());
    assert_eq!(
        second.recv().expect("outcome"),
        Err(AppendError::OutcomeUnknown)
    );
    assert_eq!(control.injected(), 1);
    assert_eq!(offsets(&read_all(&log, &Scope::Everything, 0)), [1]);
}

#[test]
fn d6_a_directory_that_cannot_be_synced_poisons_before_anything_is_written() {
    let bench = Bench::new();
    let (log, control) = open(&bench);
    control.fail(Call::SyncDir, ErrorKind::Other);
    let (taken, error) = fill(&log);
    assert_eq!(error, AppendError::NotWritable);
    assert!(control.injected() > 0 && matches!(log.health(), Health::Poisoned(_)));
    drop(log);
    let found = read_all(&bench.open(), &Scope::Everything, 0);
    assert_eq!(offsets(&found).len() as u64, taken);
}

#[test]
fn d7_what_gathers_while_a_sync_stalls_is_written_in_bounded_pieces() {
    let bench = Bench::new();
    let disk = FaultyDisk::default();
    let control = Arc::clone(&disk.control);
    let options = Options {
        disk: Arc::new(disk),
        segment_bytes: 64 * 1024 * 1024,
        ..bench.options()
    };
    control.enlarge();
    let log = EmbeddedLog::open(&options).expect("opens");
    let group_bytes = COMMIT_BATCH_BYTES_MAX / 5;
    let data = "x".repeat(group_bytes);
    control.stall();
    let first = append_later(&log, vec![draft(&["a"], None, "1")]);
    control.until_stalled();
    let gathered: Vec<_> = (0..12)
        .map(|_| append_later(&log, vec![draft(&["a"], None, &data)]))
        .collect();
    control.release();
    for outcome in [first].iter().chain(&gathered) {
        assert!(outcome.recv().expect("outcome").is_ok());
    }
    let largest = control.largest_write();
    let full = COMMIT_BATCH_BYTES_MAX - group_bytes * 2..=COMMIT_BATCH_BYTES_MAX;
    assert!(full.contains(&largest), "{largest}");
    // A group that is larger by itself is one record, and one write.
    let larger = "x".repeat(COMMIT_BATCH_BYTES_MAX * 2);
    append(&log, vec![draft(&["a"], None, &larger)]).expect("appended");
    assert!(control.largest_write() > COMMIT_BATCH_BYTES_MAX * 2);
    assert_eq!(log.end(), Offset(14));
}

#[test]
fn d7_while_a_sync_stalls_the_queue_is_bounded_in_bytes_and_in_time() {
    let bench = Bench::new();
    let disk = FaultyDisk::default();
    let control = Arc::clone(&disk.control);
    let options = Options {
        disk: Arc::new(disk),
        queue_bytes_max: 10_500,
        ..bench.options()
    };
    let log = EmbeddedLog::open(&options).expect("opens");
    let busy = Err(AppendError::Busy {
        retry_after_ms: tidings_log::limits::RETRY_AFTER_MS,
    });
    control.stall();
    let mut waiting = vec![append_later(&log, vec![draft(&["a"], None, "1")])];
    control.until_stalled();
    let big = "x".repeat(1_000);
    let refused = loop {
        let outcome = append_later(&log, vec![draft(&["a"], None, &big)]);
        match outcome.try_recv() {
            Ok(refused) => break refused,
            Err(_) => waiting.push(outcome),
        }
    };
    assert_eq!(refused, busy, "bytes");
    assert!((6..12).contains(&waiting.len()));
    let small = || vec![draft(&["a"], None, "s")];
    bench.clock.pass(COMMIT_QUEUE_WAIT_MS_MAX);
    waiting.push(append_later(&log, small()));
    bench.clock.pass(1);
    let backlog = log.backlog();
    assert_eq!(backlog.waiting_ms, COMMIT_QUEUE_WAIT_MS_MAX + 1);
    assert!((5_000..=10_500).contains(&backlog.bytes), "{backlog:?}");
    assert_eq!(append(&log, small()), busy, "time");
    assert_eq!(log.end(), Offset(0));
    assert!(read_all(&log, &Scope::Everything, 0).is_empty());
    control.heal();
    for outcome in &waiting {
        assert!(outcome.recv().expect("outcome").is_ok());
    }
    assert_eq!(log.end(), Offset(waiting.len() as u64));
    append(&log, small()).expect("not busy any more");
    assert_eq!(log.backlog().waiting_ms, 0);
}

/// The directory as a crash at this moment would leave it.
fn copy_of(bench: &Bench) -> tempfile::TempDir {
    let copy = directory();
    for entry in std::fs::read_dir(bench.path()).expect("directory") {
        let entry = entry.expect("entry");
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("copy");
    }
    copy
}
