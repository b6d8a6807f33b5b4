//! A crash in the middle of a write: the unfinished part goes, everything proven stays.

use std::fs::{self, OpenOptions};
use std::path::Path;

use tidings_core::port::{EventStore, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_log::EmbeddedLog;

use crate::support::{
    Bench, append, append_each, directory, draft, events, files, offsets, read_all,
};

/// A copy of the log with the newest segment changed.
fn changed_copy(from: &Path, change: impl FnOnce(&mut Vec<u8>)) -> tempfile::TempDir {
    let copy = directory();
    for entry in fs::read_dir(from).expect("directory") {
        let entry = entry.expect("entry");
        fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("copy");
    }
    let last = files(copy.path(), "seg").pop().expect("a segment");
    let mut bytes = fs::read(&last).expect("read");
    change(&mut bytes);
    fs::write(&last, bytes).expect("write");
    copy
}

/// Where the records of the newest segment end.
fn written_end(dir: &Path) -> usize {
    let last = files(dir, "seg").pop().expect("a segment");
    let bytes = fs::read(last).expect("read");
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}

#[test]
fn d3_truncating_the_tail_at_every_byte_recovers_the_longest_valid_prefix() {
    let bench = Bench::new();
    let log = bench.open();
    append_each(
        &log,
        &["a"],
        (1..=70).map(|n| format!("{n}-{}", "x".repeat(n % 5))),
    );
    log.close();
    let end = written_end(&bench.path());
    let start = 4096;
    let (mut fewest, mut opened) = (u64::MAX, 0);
    for length in (start..=end).rev() {
        let copy = changed_copy(&bench.path(), |bytes| bytes.truncate(length));
        let log = EmbeddedLog::open(&bench.options_in(copy.path())).expect("opens");
        let found = offsets(&read_all(&log, &Scope::Everything, 0));
        let last = log.end().0;
        assert_eq!(found, (1..=last).collect::<Vec<_>>(), "at byte {length}");
        // Every record is about a hundred bytes; a cut costs the record that it hits and no other.
        let whole = 70 * (length - start) / (end - start);
        assert!(
            last + 2 >= whole as u64 && last <= whole as u64 + 2,
            "at byte {length}"
        );
        assert!(log.recovered().damage.is_empty());
        assert!(last <= fewest);
        fewest = last;
        opened += 1;
        if last + 64 <= 70 {
            break;
        }
    }
    assert!(opened > 64 * 64, "the last 64 records were cut");
}

#[test]
fn d3_zeros_or_garbage_behind_the_last_record_are_dropped_and_reported() {
    let bench = Bench::new();
    let log = bench.open();
    append_each(&log, &["a"], (1..=5).map(|n| n.to_string()));
    log.close();
    let end = written_end(&bench.path());
    let copy = changed_copy(&bench.path(), |bytes| bytes[end + 8..end + 108].fill(0x5a));
    let log = EmbeddedLog::open(&bench.options_in(copy.path())).expect("opens");
    assert_eq!(
        offsets(&read_all(&log, &Scope::Everything, 0)),
        [1, 2, 3, 4, 5]
    );
    assert!(log.recovered().dropped_bytes >= 100);
    assert!(log.recovered().damage.is_empty());
}

#[test]
fn d2_an_unproven_tail_is_moved_to_the_new_segment_and_the_old_one_is_not_read_behind_it() {
    let bench = Bench::new();
    let log = bench.open();
    append_each(&log, &["a"], ["1".to_owned(), "2".to_owned()]);
    append(
        &log,
        vec![draft(&["a"], None, "3"), draft(&["b"], None, "4")],
    )
    .expect("appended");
    let shown = log.lineage().position(Offset(4));
    log.close();
    let log = bench.open();
    // The last group of an opening is not proven by a later one; it is kept all the same.
    assert_eq!(log.recovered().kept_events, 2);
    assert_eq!(
        log.lineage().position(Offset(4)),
        shown,
        "old cursors stay good"
    );
    log.close();
    // Whatever happens to the old copy of the tail does not matter any more.
    let segments = files(&bench.path(), "seg");
    let old = segments.first().expect("the old segment");
    let mut bytes = fs::read(old).expect("read");
    let tail = bytes
        .windows(2)
        .rposition(|pair| pair == [0xff, b'T'])
        .expect("a record");
    bytes[tail..tail + 80].fill(0);
    fs::write(old, bytes).expect("write");
    let log = bench.open();
    let found = events(&read_all(&log, &Scope::Everything, 0));
    let expected: Vec<_> = (1..=4).map(|n: u64| (n, n.to_string())).collect();
    assert_eq!(found, expected);
    assert!(log.recovered().damage.is_empty());
}

#[test]
fn openings_without_events_leave_one_segment_and_keep_the_history() {
    let bench = Bench::new();
    let log = bench.open();
    append_each(&log, &["a"], ["1".to_owned(), "2".to_owned()]);
    drop(log);
    for _ in 0..5 {
        drop(bench.open());
    }
    let log = bench.open();
    assert!(files(&bench.path(), "seg").len() <= 3);
    assert_eq!(log.lineage().epochs().len(), 7);
    assert_eq!(offsets(&read_all(&log, &Scope::Everything, 0)), [1, 2]);
    assert_eq!(log.bounds().before_earliest, Offset(0));
}

#[test]
fn an_opening_never_changes_a_segment_that_exists() {
    let bench = Bench::new();
    let mut before = Vec::new();
    for round in 0..4 {
        let log = bench.open();
        append_each(&log, &["a"], (0..40).map(|n| format!("{round}-{n:0900}")));
        log.close();
        for (path, bytes) in &before {
            assert_eq!(&fs::read(path).expect("still there"), bytes);
        }
        before = files(&bench.path(), "seg")
            .into_iter()
            .map(|path| (path.clone(), fs::read(path).expect("read")))
            .collect();
    }
    // The files are not writable for the log in any other way than by making new ones.
    for (path, _) in &before {
        let read_only = OpenOptions::new().read(true).open(path);
        assert!(read_only.is_ok());
    }
    let log = bench.open();
    assert_eq!(
        offsets(&read_all(&log, &Scope::Everything, 0)),
        (1..=160).collect::<Vec<_>>()
    );
}
