//! Every limit of the log is reached once.

use tidings_core::event_type::{EventType, TypeFilter, TypeGlob};
use tidings_core::limits::{
    COMMIT_QUEUE_BYTES_MAX, COMMIT_QUEUE_WAIT_MS_MAX, DEDUPE_IDS_DEFAULT, DEDUPE_WINDOW_MS_DEFAULT,
    GROUP_BYTES_MAX,
};
use tidings_core::port::{AppendError, EventStore, PageItem, Sequencer};
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::scope::Scope;
use tidings_log::limits::{
    LINEAGE_EPOCHS_MAX, PATTERN_KEYS_MAX, READ_SEGMENTS_MAX, READ_WALK_BYTES_MAX,
    REMOVED_INDEX_BYTES_MAX, REMOVED_INDEXES_MAX, SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_FIRST,
    SEGMENT_BYTES_MIN, SEGMENTS_PER_BYTE_LIMIT,
};
use tidings_log::{EmbeddedLog, KeeperMode, Options};

use crate::support::{
    Bench, Read, append, append_each, draft, files, offsets, query, read_all, scope,
};

#[test]
fn a_group_beyond_the_limit_is_refused_and_one_at_the_limit_is_taken() {
    let bench = Bench::new();
    let log = bench.open();
    let overhead = 64 + 20 + 4 + 5 + 3;
    let largest = "x".repeat(GROUP_BYTES_MAX - overhead);
    append(&log, vec![draft(&["a"], None, &largest)]).expect("at the limit");
    let refused = append(&log, vec![draft(&["a"], None, &(largest + "x"))]);
    let actual = GROUP_BYTES_MAX + 8;
    let max = GROUP_BYTES_MAX;
    assert_eq!(refused, Err(AppendError::TooLarge { actual, max }));
    append_each(&log, &["a"], ["2".to_owned()]);
    assert_eq!(offsets(&read_all(&log, &Scope::Everything, 0)), [1, 2]);
    log.close();
    assert_eq!(offsets(&read_all(&bench.open(), &scope(&["a"]), 0)), [1, 2]);
}

#[test]
fn a_page_ends_by_events_and_by_bytes_and_the_next_one_goes_on() {
    let bench = Bench::new();
    let log = bench.open();
    append_each(&log, &["a"], (0..50).map(|n| format!("{n:0100}")));
    for scope in [Scope::Everything, scope(&["a"]), scope(&["*"])] {
        let mut query = query(&scope, 0);
        query.events_max = 7;
        let page = log.read(&query).expect("a page");
        assert_eq!(
            (page.items.len(), page.considered, page.more),
            (7, Offset(7), true)
        );
        query.events_max = 100;
        query.bytes_max = 1_000;
        let page = log.read(&query).expect("a page");
        assert_eq!((page.items.len(), page.more), (10, true));
        query.after = Offset(40);
        let page = log.read(&query).expect("a page");
        assert_eq!((page.considered, page.more), (Offset(50), false));
        query.after = Offset(60);
        let page = log.read(&query).expect("a page");
        assert_eq!(
            (page.items.len(), page.considered, page.more),
            (0, Offset(60), false)
        );
    }
}

#[test]
fn one_call_looks_into_so_many_segments_and_says_that_there_is_more() {
    let bench = Bench::new();
    let options = Options {
        segment_bytes: 16 * 1024,
        ..bench.options()
    };
    let log = EmbeddedLog::open(&options).expect("opens");
    append_each(
        &log,
        &["a"],
        (0..READ_SEGMENTS_MAX + 10).map(|_| "x".repeat(15_000)),
    );
    let page = log.read(&query(&scope(&["quiet"]), 0)).expect("a page");
    assert!(page.items.is_empty() && page.more);
    assert_eq!(page.considered.0, READ_SEGMENTS_MAX as u64);
    assert_eq!(read_all(&log, &scope(&["quiet"]), 0), []);
}

#[test]
fn one_call_walks_through_so_many_bytes_and_says_that_there_is_more() {
    let bench = Bench::new();
    let options = Options {
        segment_bytes: 64 * 1024 * 1024,
        ..bench.options()
    };
    let log = EmbeddedLog::open(&options).expect("opens");
    let large = "x".repeat(1024 * 1024);
    append_each(&log, &["a"], (0..40).map(|_| large.clone()));
    let mut query = query(&scope(&["a"]), 0);
    query.types = TypeFilter::new(vec![TypeGlob::parse("other").expect("glob")]).expect("few");
    let page = log.read(&query).expect("a page");
    assert!(page.items.is_empty() && page.more);
    let walked = page.considered.0 * 1024 * 1024;
    assert!(
        (READ_WALK_BYTES_MAX..READ_WALK_BYTES_MAX * 2).contains(&walked),
        "{walked}"
    );
}

#[test]
fn a_pattern_of_very_many_keys_is_read_by_walking() {
    let bench = Bench::new();
    let options = Options {
        segment_bytes: SEGMENT_BYTES_FIRST,
        ..bench.options()
    };
    let log = EmbeddedLog::open(&options).expect("opens");
    let many = PATTERN_KEYS_MAX + 100;
    for batch in 0..=many / 100 {
        let group = (0..100).map(|n| draft(&[&format!("many/{batch}-{n}")], None, "x"));
        append(&log, group.collect()).expect("appended");
        let group = (0..900).map(|n| draft(&["other"], None, &n.to_string()));
        append(&log, group.collect()).expect("appended");
    }
    let found = offsets(&read_all(&log, &scope(&["many/*"]), 0));
    assert_eq!(found.len(), (many / 100 + 1) * 100);
    assert!(found.iter().all(|offset| (offset - 1) % 1_000 < 100));
}

#[test]
fn the_history_forgets_the_oldest_epochs_and_empty_ones_first() {
    let bench = Bench::new();
    let log = bench.open();
    append_each(&log, &["a"], ["1".to_owned()]);
    let first = log.lineage().current();
    drop(log);
    for _ in 0..LINEAGE_EPOCHS_MAX + 5 {
        drop(bench.open());
    }
    let log = bench.open();
    let lineage = log.lineage();
    assert_eq!(lineage.epochs().len(), LINEAGE_EPOCHS_MAX);
    assert_eq!(lineage.epochs()[0], (first, Offset(1)));
    assert_eq!(lineage.position(Offset(1)).epoch, first);
    assert!(files(&bench.path(), "seg").len() <= 3);
}

#[test]
fn type_filters_pass_critical_events() {
    let bench = Bench::new();
    let log = bench.open();
    let mut group = Vec::new();
    for (event_type, priority) in [
        ("x.one", Priority::Normal),
        ("y.two", Priority::Normal),
        ("y.three", Priority::Critical),
    ] {
        let mut one = draft(&["a"], None, "1");
        one.content.event_type = EventType::parse(event_type).expect("type");
        one.content.priority = priority;
        group.push(one);
    }
    append(&log, group).expect("appended");
    let mut query = query(&scope(&["a"]), 0);
    query.types = TypeFilter::new(vec![TypeGlob::parse("x.*").expect("glob")]).expect("few");
    let page = log.read(&query).expect("a page");
    let read = page.items.iter().map(|item| match item {
        PageItem::Event(event) => event.position.offset.0,
        PageItem::Hole(_) => 0,
    });
    assert_eq!(read.collect::<Vec<_>>(), [1, 3]);
    let newest = log.newest_per_key(&query, Offset(2)).expect("read").events;
    assert_eq!(newest.len(), 1);
    assert_eq!(newest[0].position.offset, Offset(1));
}

#[test]
fn segments_grow_from_a_small_first_one() {
    let bench = Bench::new();
    let options = Options {
        segment_bytes: SEGMENT_BYTES_DEFAULT,
        ..bench.options()
    };
    let log = EmbeddedLog::open(&options).expect("opens");
    let large = "x".repeat(1024 * 1024);
    append_each(&log, &["a"], (0..4).map(|_| large.clone()));
    let sizes = files(&bench.path(), "seg");
    let sizes = sizes
        .iter()
        .map(|path| std::fs::metadata(path).expect("a segment").len());
    assert_eq!(
        sizes.collect::<Vec<_>>(),
        [SEGMENT_BYTES_FIRST, SEGMENT_BYTES_FIRST * 2]
    );
}

#[test]
fn a_byte_limit_makes_segments_a_small_part_of_it() {
    let largest = |limit: u64| {
        let bench = Bench::new();
        let mut options = Options {
            segment_bytes: SEGMENT_BYTES_FIRST,
            ..bench.options()
        };
        options.retention.bytes = Some(limit);
        let log = EmbeddedLog::open(&options).expect("opens");
        append_each(&log, &["a"], (0..40).map(|_| "x".repeat(5_000)));
        let bytes = |path| std::fs::metadata(path).expect("a segment").len();
        let segments = files(&bench.path(), "seg").into_iter().map(bytes);
        segments.max().expect("a segment")
    };
    let part = 64 * 1024;
    assert_eq!(largest(part * SEGMENTS_PER_BYTE_LIMIT), part);
    let least = SEGMENT_BYTES_MIN * SEGMENTS_PER_BYTE_LIMIT;
    assert_eq!(largest(least), SEGMENT_BYTES_MIN);
    assert_eq!(largest(least / 2), SEGMENT_BYTES_MIN, "none is smaller");
}

#[test]
fn an_opening_keeps_only_so_many_indexes_of_removed_segments() {
    let bench = Bench::new();
    let options = Options {
        segment_bytes: 16 * 1024,
        // It would forget what is too much a moment later.
        keeper: KeeperMode::OnRequest,
        ..bench.options()
    };
    let log = EmbeddedLog::open(&options).expect("opens");
    let removed = REMOVED_INDEXES_MAX + 3;
    append_each(&log, &["a"], (0..removed + 2).map(|_| "x".repeat(15_000)));
    log.retain_now();
    log.close();
    for segment in files(&bench.path(), "seg").iter().take(removed) {
        std::fs::remove_file(segment).expect("removed");
    }
    let log = EmbeddedLog::open(&options).expect("opens");
    let mut indexes = files(&bench.path(), "idx");
    indexes.retain(|path| !path.with_extension("seg").exists());
    assert_eq!(indexes.len(), REMOVED_INDEXES_MAX);
    let quiet = read_all(&log, &scope(&["quiet"]), 0);
    assert_eq!(quiet, [Read::Hole(3, "retention")], "it cannot be proven");
}

#[test]
fn indexes_of_removed_segments_take_so_many_bytes_and_the_oldest_are_forgotten() {
    let bench = Bench::new();
    let mut options = Options {
        segment_bytes: 16 * 1024,
        keeper: KeeperMode::OnRequest,
        ..bench.options()
    };
    options.retention.events = Some(1);
    let log = EmbeddedLog::open(&options).expect("opens");
    let removed_bytes = || -> Vec<u64> {
        let mut indexes = files(&bench.path(), "idx");
        indexes.retain(|path| !path.with_extension("seg").exists());
        let bytes = |path| std::fs::metadata(path).expect("an index").len();
        indexes.iter().map(bytes).collect()
    };
    append_each(&log, &["a"], (0..20).map(|_| "x".repeat(15_000)));
    log.retain_now();
    let before = removed_bytes();
    assert!(before.len() >= 15, "all are far below the default");
    assert_eq!(read_all(&log, &scope(&["quiet"]), 0), []);
    log.close();

    // Room for four of them, and then for a byte less.
    let four: u64 = before.iter().rev().take(4).sum();
    for (max, kept) in [(four, 4), (four - 1, 3)] {
        options.removed_index_bytes_max = max;
        let log = EmbeddedLog::open(&options).expect("opens");
        log.retain_now();
        let now = removed_bytes();
        // What was written last had a segment until now.
        let newer = now.len() - kept;
        assert!(newer <= 2, "{now:?} of {before:?}");
        assert!(now.iter().sum::<u64>() <= max);
        let quiet = read_all(&log, &scope(&["quiet"]), 0);
        assert!(
            matches!(quiet[..], [Read::Hole(forgotten, "retention")] if forgotten >= 10),
            "it cannot be proven: {quiet:?}"
        );
        log.close();
    }
}

#[test]
fn a_log_has_the_limits_of_the_hub_unless_it_is_told_others() {
    let given = Bench::new().options();
    let options = Options::new(given.dir, given.clock, given.random);
    assert_eq!(options.queue_bytes_max, COMMIT_QUEUE_BYTES_MAX);
    assert_eq!(options.queue_wait_ms_max, COMMIT_QUEUE_WAIT_MS_MAX);
    assert_eq!(options.dedupe_window_ms, DEDUPE_WINDOW_MS_DEFAULT);
    assert_eq!(options.dedupe_ids_max, DEDUPE_IDS_DEFAULT);
    assert_eq!(options.removed_index_bytes_max, REMOVED_INDEX_BYTES_MAX);
    assert_eq!(options.segment_bytes, SEGMENT_BYTES_DEFAULT);
}
