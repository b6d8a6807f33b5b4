//! What goes, what stays, and who is told.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tidings_core::gap::{GapReason, Hole};
use tidings_core::port::{EventStore, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_log::limits::REMOVED_INDEXES_MAX;
use tidings_log::{EmbeddedLog, KeeperMode, Options, Retention, RetentionRule};

use crate::faulty::{Call, Control, FaultyDisk};
use crate::support::{Bench, Read, append_each, files, offsets, read_all, scope};

fn open(bench: &Bench, retention: Retention) -> EmbeddedLog {
    let options = Options {
        retention,
        ..bench.options()
    };
    EmbeddedLog::open(&options).expect("opens")
}

fn fill(log: &EmbeddedLog, key: &str, count: u64) {
    append_each(log, &[key], (0..count).map(|n| format!("{n:01000}")));
}

fn hole(through: u64) -> Hole {
    Hole {
        through: Offset(through),
        reason: GapReason::Retention,
    }
}

#[test]
fn d9_old_events_go_by_count_and_only_readers_of_theirs_are_told() {
    let bench = Bench::new();
    let keep = || Retention {
        events: Some(100),
        ..Retention::default()
    };
    let mut log = open(&bench, keep());
    append_each(&log, &["quiet"], ["1".to_owned()]);
    fill(&log, "busy", 300);
    append_each(&log, &["later"], ["x".to_owned()]);
    log.retain_now();
    // Also when the log is opened again, with the removed segments' indexes alone.
    for _ in 0..2 {
        let first = log.bounds().before_earliest.0;
        assert!(first > 150 && first < 202, "{first}");
        let quiet = read_all(&log, &scope(&["quiet"]), 0);
        assert_eq!(quiet, [Read::Hole(1, "retention")]);
        assert_eq!(read_all(&log, &scope(&["quiet"]), 1), []);
        assert_eq!(read_all(&log, &scope(&["nobody", "none/**"]), 0), []);
        assert_eq!(offsets(&read_all(&log, &scope(&["later"]), 0)), [302]);
        assert_eq!(
            read_all(&log, &scope(&["later"]), 0).len(),
            1,
            "no false gap"
        );
        let busy = read_all(&log, &scope(&["busy/**"]), 5);
        assert_eq!(busy[0], Read::Hole(first, "retention"));
        assert_eq!(offsets(&busy), (first + 1..=301).collect::<Vec<_>>());
        assert_eq!(
            read_all(&log, &Scope::Everything, 0)[0],
            Read::Hole(first, "retention")
        );
        let removed = |selectors: &[&str], after| {
            log.removed_after(&scope(selectors), Offset(after))
                .expect("read")
        };
        assert_eq!(removed(&["quiet"], 0), Some(hole(1)));
        assert_eq!(removed(&["quiet"], 1), None);
        assert_eq!(removed(&["later", "nobody"], 0), None);
        assert_eq!(removed(&["busy"], 0), Some(hole(first)));
        assert_eq!(removed(&["busy"], first), None);
        log.close();
        log = open(&bench, keep());
    }
}

#[test]
fn d9_disk_use_stays_within_the_limit_and_one_segment() {
    let bench = Bench::new();
    let limit = 600_000;
    let keep = Retention {
        bytes: Some(limit),
        ..Retention::default()
    };
    let log = open(&bench, keep);
    for _ in 0..30 {
        fill(&log, "a", 60);
        log.retain_now();
        let used: u64 = std::fs::read_dir(bench.path())
            .expect("directory")
            .map(|entry| {
                entry
                    .expect("entry")
                    .metadata()
                    .map_or(0, |found| found.len())
            })
            .sum();
        assert!(used <= limit + 40_000, "{used}");
    }
    assert_eq!(log.end(), Offset(1_800));
    let mut indexes = files(&bench.path(), "idx");
    indexes.retain(|path| !path.with_extension("seg").exists());
    let bytes = |path| std::fs::metadata(path).expect("index").len();
    let surviving: u64 = indexes.iter().map(bytes).sum();
    let share = limit * tidings_log::limits::REMOVED_INDEX_PERCENT_MAX / 100;
    assert!(surviving <= share && surviving > share / 2, "{surviving}");
    let gone = log.bounds().before_earliest;
    assert!(gone > Offset(1_000));
    // Of the segments, as much is kept as there is room for.
    let kept = (1_800 - gone.0) * 1_000;
    assert!(kept > limit * 4 / 10, "{kept}");
}

#[test]
fn d9_old_events_go_by_age() {
    let bench = Bench::new();
    let keep = Retention {
        age_ms: Some(1_000),
        ..Retention::default()
    };
    let log = open(&bench, keep);
    fill(&log, "a", 100);
    bench.clock.pass(900);
    fill(&log, "a", 100);
    log.retain_now();
    assert_eq!(log.bounds().before_earliest, Offset(0));
    bench.clock.pass(200);
    log.retain_now();
    let first = log.bounds().before_earliest.0;
    assert!((60..=100).contains(&first), "{first}");
}

#[test]
fn d9_the_last_events_of_a_quiet_log_go_by_age_too() {
    let bench = Bench::new();
    let keep = Retention {
        age_ms: Some(1_000),
        ..Retention::default()
    };
    let log = open(&bench, keep);
    fill(&log, "a", 3);
    bench.clock.pass(1_001);
    while log.bounds().before_earliest < Offset(3) {
        // The first round has the segment sealed by the committer, a later one removes it.
        log.retain_now();
        std::thread::yield_now();
    }
    assert_eq!(
        read_all(&log, &scope(&["a"]), 0),
        [Read::Hole(3, "retention")]
    );
    assert_eq!(log.end(), Offset(3));
    fill(&log, "a", 1);
    assert_eq!(offsets(&read_all(&log, &scope(&["a"]), 3)), [4]);
}

#[test]
fn d9_a_reader_of_the_oldest_data_gets_everything_or_is_told_while_retention_runs() {
    let bench = Bench::new();
    let keep = Retention {
        events: Some(200),
        ..Retention::default()
    };
    let log = open(&bench, keep);
    fill(&log, "a", 400);
    let done = Arc::new(AtomicBool::new(false));
    let writer = {
        let (log, done) = (log.clone(), Arc::clone(&done));
        std::thread::spawn(move || {
            for _ in 0..10 {
                fill(&log, "a", 60);
                log.retain_now();
            }
            done.store(true, Ordering::SeqCst);
        })
    };
    let mut rounds = 0;
    let mut holes = 0;
    while rounds == 0 || !done.load(Ordering::SeqCst) {
        let mut next = 1;
        for one in read_all(&log, &scope(&["a"]), 0) {
            match one {
                Read::Event(offset, _) => {
                    assert_eq!(offset, next, "nothing is skipped without a word");
                    next += 1;
                }
                Read::Hole(through, reason) => {
                    assert_eq!(reason, "retention");
                    holes += 1;
                    next = through + 1;
                }
            }
        }
        rounds += 1;
    }
    writer.join().expect("writer");
    assert!(holes > 0, "retention has removed something");
}

#[test]
fn d9_rules_hide_exactly_what_they_say_and_only_for_their_keys() {
    let bench = Bench::new();
    let rule = |selector: &str, events, bytes, age_ms| RetentionRule {
        selector: scope(&[selector]).selectors()[0].clone(),
        age_ms,
        bytes,
        events,
    };
    let rules = vec![
        rule("few/*", Some(3), None, None),
        rule("small", None, Some(2_200), None),
        rule("young", None, None, Some(1_000)),
    ];
    let keep = || Retention {
        rules: rules.clone(),
        ..Retention::default()
    };
    let mut log = open(&bench, keep());
    for _ in 0..5 {
        fill(&log, "few/1", 1);
        fill(&log, "few/2", 1);
        fill(&log, "small", 1);
        append_each(&log, &["few/1", "free"], ["both".to_owned()]);
        fill(&log, "young", 1);
        bench.clock.pass(300);
    }
    log.retain_now();
    for _ in 0..2 {
        let found = read_all(&log, &scope(&["few/**"]), 0);
        assert_eq!(found[0], Read::Hole(19, "retention"));
        // The newest three of 1, 2, 4 in each round of five.
        assert_eq!(offsets(&found), [21, 22, 24]);
        assert_eq!(offsets(&read_all(&log, &scope(&["small"]), 0)), [18, 23]);
        assert_eq!(
            offsets(&read_all(&log, &scope(&["young"]), 0)),
            [15, 20, 25]
        );
        assert_eq!(
            read_all(&log, &scope(&["free"]), 0).len(),
            5,
            "seen by its other key"
        );
        let hidden = log.at(&scope(&["few/1"]), Offset(4)).expect("read");
        assert_eq!(hidden, None);
        assert!(
            log.at(&scope(&["free"]), Offset(4))
                .expect("read")
                .is_some()
        );
        let removed = log.removed_after(&scope(&["small", "free"]), Offset(0));
        assert_eq!(removed.expect("read"), Some(hole(13)));
        let key = tidings_core::audience::Key::parse("small").expect("key");
        let extent = log.extent(&key).expect("read").expect("held");
        assert_eq!((extent.earliest, extent.head), (Offset(18), Offset(23)));
        let mixed = read_all(&log, &scope(&["small", "free"]), 0);
        let start = [Read::Hole(3, "retention"), Read::Event(4, "both".into())];
        assert_eq!(mixed[..2], start);
        log.close();
        log = open(&bench, keep());
    }
}

#[test]
fn a_removed_segment_whose_index_is_lost_is_the_horizon_and_not_damage() {
    let bench = Bench::new();
    let keep = || Retention {
        events: Some(50),
        ..Retention::default()
    };
    let log = open(&bench, keep());
    fill(&log, "a", 300);
    log.retain_now();
    let first = log.bounds().before_earliest.0;
    log.close();
    let removed = |path: &std::path::PathBuf| !path.with_extension("seg").exists();
    let mut indexes = files(&bench.path(), "idx");
    indexes.retain(removed);
    assert!(indexes.len() >= 4);
    std::fs::remove_file(&indexes[2]).expect("removed");
    let log = open(&bench, keep());
    assert!(log.recovered().damage.is_empty());
    let quiet = read_all(&log, &scope(&["quiet"]), 0);
    let [Read::Hole(forgotten, "retention")] = quiet[..] else {
        panic!("one hole: {quiet:?}");
    };
    assert!(forgotten < first, "the newer indexes still count");
    assert_eq!(read_all(&log, &scope(&["quiet"]), forgotten), []);
    assert!(!indexes[0].exists() && indexes[3].exists());
}

#[test]
fn beyond_the_horizon_nothing_is_proven() {
    let bench = Bench::new();
    let keep = Retention {
        events: Some(1),
        ..Retention::default()
    };
    let options = Options {
        segment_bytes: 16 * 1024,
        retention: keep,
        ..bench.options()
    };
    let log = EmbeddedLog::open(&options).expect("opens");
    // One event per segment: each is larger than what is left.
    let segments = REMOVED_INDEXES_MAX + 5;
    append_each(&log, &["a"], (0..segments).map(|_| "x".repeat(15_000)));
    log.retain_now();
    let mut removed = files(&bench.path(), "idx");
    removed.retain(|path| !path.with_extension("seg").exists());
    assert_eq!(removed.len(), REMOVED_INDEXES_MAX);
    let quiet = read_all(&log, &scope(&["quiet"]), 0);
    assert_eq!(quiet.len(), 1, "it cannot be proven");
    let Read::Hole(forgotten, "retention") = quiet[0] else {
        panic!("a hole: {quiet:?}");
    };
    assert!((1..=6).contains(&forgotten), "{forgotten}");
    assert_eq!(read_all(&log, &scope(&["quiet"]), forgotten), []);
    let removed = |after| {
        log.removed_after(&scope(&["quiet"]), Offset(after))
            .expect("read")
    };
    assert_eq!(removed(0), Some(hole(forgotten)));
    assert_eq!(removed(forgotten), None);
}

/// A log whose oldest segments are to go, on a disk that can fail; and how many are sealed.
fn with_segments_to_remove(bench: &Bench) -> (EmbeddedLog, Arc<Control>, usize) {
    let disk = FaultyDisk::default();
    let control = Arc::clone(&disk.control);
    let options = Options {
        disk: Arc::new(disk),
        // So that no index is written before the disk fails.
        keeper: KeeperMode::OnRequest,
        retention: Retention {
            events: Some(40),
            ..Retention::default()
        },
        ..bench.options()
    };
    let log = EmbeddedLog::open(&options).expect("opens");
    fill(&log, "busy", 150);
    let sealed = files(&bench.path(), "seg").len() - 1;
    assert!(sealed >= 3 && files(&bench.path(), "idx").is_empty());
    (log, control, sealed)
}

#[test]
fn d9_a_segment_stays_until_its_index_is_written() {
    for call in [
        Call::Create,
        Call::Write,
        Call::Sync,
        Call::Rename,
        Call::SyncDir,
    ] {
        let bench = Bench::new();
        let (log, control, sealed) = with_segments_to_remove(&bench);
        let segments = files(&bench.path(), "seg");
        control.fail(call, ErrorKind::Other);
        log.retain_now();
        // Once for each sealed segment, and once more for the one that was to go.
        let injected = control.injected();
        assert!(injected > sealed as u64, "{call:?}: {injected}");
        assert_eq!(files(&bench.path(), "seg"), segments, "{call:?}");
        assert_eq!(log.bounds().before_earliest, Offset::ZERO);
        assert_eq!(offsets(&read_all(&log, &scope(&["busy"]), 0)).len(), 150);
        control.heal();
        log.retain_now();
        let first = log.bounds().before_earliest.0;
        assert!(
            first > 50,
            "{call:?}: what had to go goes in the next round"
        );
        log.close();
        // A restart can prove that a quiet topic lost nothing.
        let log = bench.open();
        assert_eq!(log.bounds().before_earliest.0, first);
        assert_eq!(read_all(&log, &scope(&["quiet"]), 0), [], "{call:?}");
        let busy = read_all(&log, &scope(&["busy"]), 0);
        assert_eq!(busy[0], Read::Hole(first, "retention"));
    }
}

#[test]
fn d9_on_a_full_disk_a_segment_goes_without_an_index_file_and_makes_room() {
    let bench = Bench::new();
    let (log, control, sealed) = with_segments_to_remove(&bench);
    control.fail(Call::Create, ErrorKind::StorageFull);
    log.retain_now();
    assert!(control.injected() > sealed as u64);
    assert!(files(&bench.path(), "idx").is_empty());
    assert!(files(&bench.path(), "seg").len() <= sealed);
    let first = log.bounds().before_earliest.0;
    assert!(first > 50, "{first}");
    // What became of it is still known in memory.
    assert_eq!(read_all(&log, &scope(&["quiet"]), 0), []);
    let busy = read_all(&log, &scope(&["busy"]), 0);
    assert_eq!(busy[0], Read::Hole(first, "retention"));
}
