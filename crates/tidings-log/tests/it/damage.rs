//! Flipped bits: detected, never served, never spread, nothing deleted.

use std::fs;
use std::path::{Path, PathBuf};

use tidings_core::audience::Key;
use tidings_core::gap::GapReason;
use tidings_core::id::EventId;
use tidings_core::port::{EventStore, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_log::{Damaged, EmbeddedLog};

use crate::support::{
    Bench, Read, append, append_each, draft, events, files, offsets, query, read_all, scope, text,
};

/// A log of `a` and `b` in turn, in several segments with index files, and what it holds.
fn sample(bench: &Bench) -> Vec<Read> {
    let log = bench.open();
    for number in 0..60 {
        for (key, place) in [("a", 1), ("b", 2)] {
            let id = format!("id{}", number * 2 + place);
            let data = format!("{key}{number:0700}");
            append(&log, vec![draft(&[key], Some(&id), &data)]).expect("appended");
            bench.clock.pass(1);
        }
    }
    log.retain_now();
    log.close();
    let log = bench.open();
    log.retain_now();
    read_all(&log, &Scope::Everything, 0)
}

fn copy_to(from: &Path, to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("removed");
    }
    fs::create_dir(to).expect("made");
    for entry in fs::read_dir(from).expect("directory") {
        let entry = entry.expect("entry");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("copy");
    }
}

fn flip(path: &Path, byte: usize, bit: usize) {
    let mut bytes = fs::read(path).expect("read");
    bytes[byte] ^= 1 << bit;
    fs::write(path, bytes).expect("write");
}

/// The place of the n-th record in a segment, and its length.
fn record(path: &Path, number: usize) -> (usize, usize) {
    let bytes = fs::read(path).expect("read");
    let mut at = 4096;
    for _ in 0..number {
        at += u32::from_le_bytes(bytes[at + 8..at + 12].try_into().expect("four")) as usize;
    }
    let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().expect("four"));
    (at, length as usize)
}

/// Everything but what one record holds, with a hole in its place.
fn without(all: &[Read], offset: u64) -> Vec<Read> {
    all.iter()
        .map(|one| match one {
            Read::Event(at, _) if *at == offset => Read::Hole(offset, "damaged"),
            other => other.clone(),
        })
        .collect()
}

#[test]
fn d4_flipped_bits_of_a_record_are_a_hole_there_and_nowhere_else() {
    let bench = Bench::new();
    let all = sample(&bench);
    let broken = bench.dir.path().join("broken");
    let segment = files(&bench.path(), "seg")[1].clone();
    let name = segment.file_name().expect("name").to_owned();
    let (at, length) = record(&segment, 2);
    let first: u64 = name.to_string_lossy()[..20].parse().expect("offset");
    let hit = first + 2;
    let (topic, other) = if hit % 2 == 1 { ("a", "b") } else { ("b", "a") };
    copy_to(&bench.path(), &broken);
    for bit in (0..length * 8).step_by(7) {
        // The same bit twice is no change: each round damages exactly one bit.
        flip(&broken.join(&name), at + bit / 8, bit % 8);
        let log = EmbeddedLog::open(&bench.options_in(&broken)).expect("opens");
        assert_eq!(
            read_all(&log, &Scope::Everything, 0),
            without(&all, hit),
            "bit {bit}"
        );
        let found = read_all(&log, &scope(&[topic]), 0);
        assert!(found.contains(&Read::Hole(hit, "damaged")));
        assert_eq!(offsets(&found).len(), 59);
        let found = read_all(&log, &scope(&[other]), 0);
        assert_eq!(found.len(), 60, "the other topic has no hole");
        let hole = log
            .removed_after(&scope(&[topic]), Offset(0))
            .expect("read");
        let hole = hole.map(|hole| (hole.through.0, hole.reason));
        assert_eq!(hole, Some((hit, GapReason::Damaged)));
        assert_eq!(
            log.removed_after(&scope(&[other]), Offset(0))
                .expect("read"),
            None
        );
        log.close();
        drop(log);
        flip(&broken.join(&name), at + bit / 8, bit % 8);
    }
}

#[test]
fn d4_a_snapshot_falls_back_on_what_is_readable_or_fails() {
    let bench = Bench::new();
    let all = sample(&bench);
    let end = Offset(all.len() as u64);
    let segments = files(&bench.path(), "seg");
    let newest = |log: &EmbeddedLog, after: u64, through: u64| {
        let mut query = query(&scope(&["a", "b"]), after);
        query.events_max = 1;
        let found = log.newest_per_key(&query, Offset(through));
        found.map(|found| found.events[0].position.offset.0)
    };
    let first: u64 = segments[1].file_name().expect("name").to_string_lossy()[..20]
        .parse()
        .expect("offset");
    let (hit, through) = (first + 3, first + 4);
    let broken = bench.dir.path().join("broken");
    for ask_the_second_slice_first in [false, true] {
        copy_to(&bench.path(), &broken);
        let name = segments[1].file_name().expect("name");
        let (at, length) = record(&segments[1], 3);
        flip(&broken.join(name), at + length - 20, 0);
        let log = EmbeddedLog::open(&bench.options_in(&broken)).expect("opens");
        assert_eq!(newest(&log, 0, end.0).expect("read"), end.0 - 1);
        if ask_the_second_slice_first {
            // Its key's turn was over when the damage was met: it may not be left out.
            newest(&log, hit - 1, hit).expect_err("the snapshot is not what it was");
        }
        assert_eq!(newest(&log, 0, through).expect("read"), hit - 2);
        assert_eq!(newest(&log, hit - 2, through).expect("read"), through);
    }
}

#[test]
fn d4_a_reader_of_much_and_a_reader_of_little_are_told_the_same() {
    let bench = Bench::new();
    let log = bench.open();
    // One group of many topics, so that one of them is sparse and all together are dense.
    let keys: Vec<String> = (0..60).map(|number| format!("k/{number}")).collect();
    for _ in 0..2 {
        let group = keys.iter().map(|key| draft(&[key], None, &"x".repeat(300)));
        append(&log, group.collect()).expect("appended");
    }
    log.close();
    let segment = files(&bench.path(), "seg").remove(0);
    let log = bench.open();
    log.retain_now();
    log.close();
    let (at, length) = record(&segment, 0);
    flip(&segment, at + length / 2, 0);
    let log = bench.open();
    for (selectors, last) in [
        (&["k/7"][..], 8),
        (&["k/*"][..], 60),
        (&["k/7", "k/3"][..], 8),
    ] {
        let found = read_all(&log, &scope(selectors), 0);
        assert_eq!(found[0], Read::Hole(last, "damaged"), "{selectors:?}");
        let told = log
            .removed_after(&scope(selectors), Offset(0))
            .expect("read");
        assert_eq!(
            told.map(|hole| hole.through),
            Some(Offset(last)),
            "{selectors:?}"
        );
    }
    assert_eq!(read_all(&log, &scope(&["quiet"]), 0), []);
    assert_eq!(offsets(&read_all(&log, &scope(&["k/7"]), 0)), [68]);
}

#[test]
fn d4_damage_without_an_index_is_found_by_the_opening_and_named() {
    let bench = Bench::new();
    let all = sample(&bench);
    let broken = bench.dir.path().join("broken");
    let segment = files(&bench.path(), "seg")[1].clone();
    let name = segment.file_name().expect("name").to_owned();
    let (at, length) = record(&segment, 2);
    let first: u64 = name.to_string_lossy()[..20].parse().expect("offset");
    for byte in (0..length).step_by(11) {
        copy_to(&bench.path(), &broken);
        for index in files(&broken, "idx") {
            fs::remove_file(index).expect("removed");
        }
        flip(&broken.join(&name), at + byte, byte % 8);
        let log = EmbeddedLog::open(&bench.options_in(&broken)).expect("opens");
        let damage = &log.recovered().damage;
        assert_eq!(damage.len(), 1, "byte {byte}");
        assert_eq!(damage[0].file, broken.join(&name));
        assert_eq!(damage[0].at_byte, at as u64);
        let hit = first + 2;
        assert_eq!(
            damage[0].what,
            Damaged::Events {
                first: hit,
                last: hit
            }
        );
        assert_eq!(read_all(&log, &Scope::Everything, 0), without(&all, hit));
        // Which topic it was can no longer be proven, so both are told; nothing else is lost.
        for topic in ["a", "b"] {
            let found = read_all(&log, &scope(&[topic]), 0);
            assert!(found.contains(&Read::Hole(hit, "damaged")));
        }
        assert!(broken.join(&name).exists());
        append_each(&log, &["a"], ["on".to_owned()]);
        assert_eq!(log.end(), Offset(121));
        log.close();
    }
}

#[test]
fn d4_damage_in_the_newest_segment_keeps_its_offsets() {
    let bench = Bench::new();
    let log = bench.open();
    append_each(&log, &["a"], (1..=10).map(|n| n.to_string()));
    log.close();
    let segment = files(&bench.path(), "seg").pop().expect("a segment");
    let (at, length) = record(&segment, 4);
    flip(&segment, at + length / 2, 3);
    let log = bench.open();
    let found = read_all(&log, &Scope::Everything, 0);
    assert_eq!(found[4], Read::Hole(5, "damaged"));
    assert_eq!(offsets(&found), [1, 2, 3, 4, 6, 7, 8, 9, 10]);
    append_each(&log, &["a"], ["11".to_owned()]);
    assert_eq!(log.end(), Offset(11));
    log.close();
    let log = bench.open();
    assert_eq!(
        read_all(&log, &Scope::Everything, 0)[4],
        Read::Hole(5, "damaged")
    );
}

#[test]
fn d4_flipped_bits_of_a_header_are_detected_and_cost_no_event() {
    let bench = Bench::new();
    let all = sample(&bench);
    let broken = bench.dir.path().join("broken");
    let segments = files(&bench.path(), "seg");
    let name = segments[1].file_name().expect("name").to_owned();
    for bit in (0..200 * 8).step_by(13).chain([4000 * 8]) {
        copy_to(&bench.path(), &broken);
        flip(&broken.join(&name), bit / 8, bit % 8);
        let log = EmbeddedLog::open(&bench.options_in(&broken)).expect("opens");
        let damage = &log.recovered().damage;
        assert_eq!(damage.len(), 1, "bit {bit}");
        assert_eq!(damage[0].what, Damaged::Header);
        assert_eq!(read_all(&log, &Scope::Everything, 0), all);
        log.close();
    }
}

#[test]
fn d4_a_log_whose_only_header_is_damaged_is_read_by_its_records() {
    let bench = Bench::new();
    let log = bench.open();
    append_each(&log, &["a"], ["1".to_owned(), "2".to_owned()]);
    let epoch = log.lineage().current();
    log.close();
    flip(&files(&bench.path(), "seg")[0], 30, 1);
    let log = bench.open();
    assert_eq!(offsets(&read_all(&log, &Scope::Everything, 0)), [1, 2]);
    assert_eq!(log.lineage().epochs()[0], (epoch, Offset(1)));
    assert_eq!(log.recovered().damage.len(), 1);
}

#[test]
fn d4_flipped_bits_of_an_index_file_change_no_answer() {
    let bench = Bench::new();
    let all = sample(&bench);
    let indexes = files(&bench.path(), "idx");
    let name = indexes[1].file_name().expect("name").to_owned();
    let intact = fs::read(&indexes[1]).expect("read");
    let broken = bench.dir.path().join("broken");
    let id_less = read_all(&bench.open(), &scope(&["b"]), 0);
    for bit in (0..intact.len() * 8).step_by(401) {
        copy_to(&bench.path(), &broken);
        flip(&broken.join(&name), bit / 8, bit % 8);
        let log = EmbeddedLog::open(&bench.options_in(&broken)).expect("opens");
        assert_eq!(read_all(&log, &Scope::Everything, 0), all, "bit {bit}");
        assert_eq!(read_all(&log, &scope(&["b"]), 0), id_less, "bit {bit}");
        let at = log
            .at(&scope(&["b"]), Offset(40))
            .expect("read")
            .expect("held");
        assert_eq!(at.position.offset, Offset(40));
        assert_eq!(log.before_time(at.timestamp).expect("read"), Offset(39));
        let id = EventId::parse("id40").expect("id");
        let found = log
            .by_id(&Scope::Everything, &id)
            .expect("read")
            .expect("held");
        assert_eq!(found.position.offset, Offset(40));
        let extent = log.extent(&Key::parse("a").expect("key")).expect("read");
        assert_eq!(extent.map(|extent| extent.earliest), Some(Offset(1)));
        let newest = log.newest_per_key(&query(&scope(&["a"]), 0), Offset(40));
        let newest = newest.expect("read").events;
        assert_eq!(newest[0].position.offset, Offset(39));
        let again = append(&log, vec![draft(&["b"], Some("id40"), &text(&at))]);
        assert!(again.expect("known")[0].duplicate);
        log.retain_now();
        log.close();
        assert!(broken.join(&name).exists());
    }
}

#[test]
fn d4_a_damaged_index_file_is_built_anew() {
    let bench = Bench::new();
    let all = sample(&bench);
    let indexes: Vec<PathBuf> = files(&bench.path(), "idx");
    let intact: Vec<Vec<u8>> = indexes
        .iter()
        .map(|path| fs::read(path).expect("read"))
        .collect();
    flip(&indexes[0], 25, 0);
    fs::remove_file(&indexes[1]).expect("removed");
    let log = bench.open();
    assert_eq!(log.recovered().indexes_rebuilt, 2);
    log.retain_now();
    for (path, bytes) in indexes.iter().zip(&intact) {
        assert_eq!(&fs::read(path).expect("built"), bytes);
    }
    assert_eq!(events(&read_all(&log, &Scope::Everything, 0)), events(&all));
}

#[test]
fn a_segment_that_vanished_is_a_hole() {
    let bench = Bench::new();
    let all = sample(&bench);
    let segments = files(&bench.path(), "seg");
    let from: u64 = segments[1].file_name().expect("name").to_string_lossy()[..20]
        .parse()
        .expect("offset");
    let next: u64 = segments[2].file_name().expect("name").to_string_lossy()[..20]
        .parse()
        .expect("offset");
    fs::remove_file(&segments[1]).expect("removed");
    fs::remove_file(segments[1].with_extension("idx")).expect("removed");
    let log = bench.open();
    let found = read_all(&log, &Scope::Everything, 0);
    assert!(found.contains(&Read::Hole(next - 1, "damaged")));
    let id = EventId::parse("id1").expect("id");
    let oldest = log.by_id(&scope(&["a"]), &id).expect("read").expect("held");
    assert_eq!(oldest.position.offset, Offset(1));
    let missing = usize::try_from(next - from).expect("few");
    assert_eq!(offsets(&found).len() + missing, all.len());
    let what = Damaged::Missing {
        first: from,
        last: next - 1,
    };
    assert_eq!(log.recovered().damage[0].what, what);
}
