//! Every single bit of a record, of a segment's header and of an index file, flipped in a copy of a
//! whole log: each is detected, nothing corrupt is served, the rest is there, nothing is deleted.

use std::ops::Range;
use std::sync::Arc;

use tidings_core::audience::Key;
use tidings_core::event::Event;
use tidings_core::gap::GapReason;
use tidings_core::id::EventId;
use tidings_core::port::{EventStore, PageItem, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_log::limits::SEGMENT_BYTES_MIN;
use tidings_log::{DamageFound, Damaged, EmbeddedLog, KeeperMode, Options};

use crate::copy_disk::{CopyDisk, Files};
use crate::support::{Bench, append, draft, query, scope};

/// The first page of a segment or an index file.
const HEADER_BYTES: usize = 4096;

/// From here on such a page of the sample holds nothing but zeros.
const PADDED_FROM: usize = 256;

/// Events of each opening of the sample.
const PER_SEGMENT: u64 = 4;

/// A log of `a` and `b` in turn: two sealed segments with index files, and the newest one.
struct Sample {
    bench: Bench,
    files: Files,
    events: Vec<Arc<Event>>,
    lineage: Vec<(String, u64)>,
}

impl Sample {
    fn new() -> Self {
        let mut sample = Self {
            bench: Bench::new(),
            files: Files::new(),
            events: Vec::new(),
            lineage: Vec::new(),
        };
        let disk = CopyDisk::default();
        for segment in 0..3 {
            let log = sample.open(&disk);
            for place in 1..=PER_SEGMENT {
                let offset = segment * PER_SEGMENT + place;
                let id = format!("id{offset}");
                let group = vec![draft(&[topic(offset)], Some(&id), &format!("\"{offset}\""))];
                append(&log, group).expect("appended");
                sample.bench.clock.pass(1);
            }
            log.retain_now();
            sample.events = all(&log)
                .into_iter()
                .map(|item| match item {
                    PageItem::Event(event) => event,
                    PageItem::Hole(hole) => panic!("a sound log has no holes: {hole:?}"),
                })
                .collect();
            sample.lineage = lineage(&log);
        }
        sample.files = disk.contents();
        sample.files.retain(|name, _| !name.ends_with("tmp"));
        assert_eq!(
            (sample.named("seg").len(), sample.named("idx").len()),
            (3, 2)
        );
        for name in sample.files.keys() {
            let page = &sample.files[name][PADDED_FROM..HEADER_BYTES];
            assert!(page.iter().all(|byte| *byte == 0), "`{name}`");
        }
        assert_eq!(sample.events.len() as u64, 3 * PER_SEGMENT);
        sample
    }

    fn open(&self, disk: &CopyDisk) -> EmbeddedLog {
        let options = Options {
            disk: Arc::new(disk.clone()),
            segment_bytes: SEGMENT_BYTES_MIN,
            keeper: KeeperMode::OnRequest,
            ..self.bench.options()
        };
        EmbeddedLog::open(&options).expect("opens")
    }

    fn named(&self, ending: &str) -> Vec<String> {
        let names = self.files.keys();
        names
            .filter(|name| name.ends_with(ending))
            .cloned()
            .collect()
    }

    /// The place of a record in its segment.
    fn record(&self, segment: &str, number: usize) -> Range<usize> {
        let bytes = &self.files[segment];
        let length = |at: usize| {
            let length = u32::from_le_bytes(bytes[at + 8..at + 12].try_into().expect("four"));
            length as usize
        };
        let mut at = HEADER_BYTES;
        for _ in 0..number {
            at += length(at);
        }
        at..at + length(at)
    }

    /// Opens the log once for every bit of these bytes of a file, with that bit flipped.
    fn with_every_bit_flipped(
        &self,
        files: &Files,
        name: &str,
        bytes: Range<usize>,
        check: impl Fn(&EmbeddedLog, &CopyDisk, usize),
    ) {
        let mut copy = files.clone();
        for bit in bytes.start * 8..bytes.end * 8 {
            let flip = |copy: &mut Files| {
                copy.get_mut(name).expect("the file")[bit / 8] ^= 1 << (bit % 8);
            };
            flip(&mut copy);
            let disk = CopyDisk::of(&copy);
            let log = self.open(&disk);
            check(&log, &disk, bit);
            log.retain_now();
            log.close();
            drop(log);
            for (kept, content) in &copy {
                // What is rebuilt from records may be replaced; records are never touched.
                let is_as_it_was = kept.ends_with("idx") || disk.holds(kept, content);
                assert!(is_as_it_was, "bit {bit}: `{kept}` was changed or deleted");
            }
            flip(&mut copy);
        }
    }

    /// What a reader of everything gets.
    fn expected(&self, hit: Option<u64>) -> Vec<PageItem> {
        let events = self.events.iter();
        let expected = events.map(|event| match event.position.offset {
            offset if Some(offset.0) == hit => hole(offset.0),
            _ => PageItem::Event(Arc::clone(event)),
        });
        expected.collect()
    }

    /// Every way of reading gives exactly what was written, less what is damaged.
    fn serves_all_but(&self, log: &EmbeddedLog, hit: Option<u64>, bit: usize) {
        let intact = |event: &&Arc<Event>| Some(event.position.offset.0) != hit;
        assert_eq!(all(log), self.expected(hit), "bit {bit}");
        for (key, other) in [("a", "b"), ("b", "a")] {
            let of_key = |event: &&Arc<Event>| topic(event.position.offset.0) == key;
            let mut left: Vec<_> = self.events.iter().filter(of_key).filter(intact).collect();
            let found = read(log, &scope(&[key]));
            let is_hit = hit.is_some_and(|hit| topic(hit) == key);
            let found_events = found.iter().filter_map(|item| match item {
                PageItem::Event(event) => Some(event),
                PageItem::Hole(_) => None,
            });
            assert_eq!(
                found_events.collect::<Vec<_>>(),
                left,
                "bit {bit}, not `{other}`"
            );
            if is_hit {
                assert!(
                    found.contains(&hole(hit.expect("hit"))),
                    "bit {bit}: `{key}` is told"
                );
            }
            let newest = log.newest_per_key(&query(&scope(&[key]), 0), log.end());
            let newest = newest.expect("read").events;
            assert_eq!(
                newest,
                [Arc::clone(left.pop().expect("an event"))],
                "bit {bit}"
            );
            let extent = log.extent(&Key::parse(key).expect("key")).expect("read");
            let first = self
                .events
                .iter()
                .find(of_key)
                .map(|event| event.position.offset);
            assert_eq!(extent.map(|extent| extent.earliest), first, "bit {bit}");
        }
        for event in &self.events {
            let offset = event.position.offset;
            let expected = intact(&event).then_some(event);
            let id = EventId::parse(&format!("id{}", offset.0)).expect("id");
            let found = log.by_id(&Scope::Everything, &id).expect("read");
            assert_eq!(found.as_ref(), expected, "bit {bit}: by id");
            let found = log.at(&Scope::Everything, offset).expect("read");
            assert_eq!(found.as_ref(), expected, "bit {bit}: by place");
            let before = log.before_time(event.timestamp).expect("read").0;
            // Without an index nobody knows how young a damaged event was: it may come along.
            let comes_along = hit == Some(offset.0 - 1) && before == offset.0 - 2;
            assert!(
                before == offset.0 - 1 || comes_along,
                "bit {bit}: by time, {before}"
            );
        }
    }
}

/// The first offset of a segment.
fn first_of(segment: &str) -> u64 {
    segment[..20].parse().expect("an offset")
}

fn is_padding(bit: usize) -> bool {
    (PADDED_FROM..HEADER_BYTES).contains(&(bit / 8))
}

fn topic(offset: u64) -> &'static str {
    if offset.is_multiple_of(2) { "b" } else { "a" }
}

fn hole(offset: u64) -> PageItem {
    PageItem::Hole(tidings_core::gap::Hole {
        through: Offset(offset),
        reason: GapReason::Damaged,
    })
}

fn read(log: &EmbeddedLog, scope: &Scope) -> Vec<PageItem> {
    let page = log.read(&query(scope, 0)).expect("a page");
    assert!(!page.more, "the sample fits on a page");
    page.items
}

fn all(log: &EmbeddedLog) -> Vec<PageItem> {
    read(log, &Scope::Everything)
}

fn lineage(log: &EmbeddedLog) -> Vec<(String, u64)> {
    let lineage = log.lineage();
    let epochs = lineage.epochs().iter();
    epochs
        .map(|(epoch, first)| (format!("{epoch:?}"), first.0))
        .collect()
}

#[test]
fn d4_every_bit_of_a_record_with_an_index_is_detected_when_it_is_read() {
    let sample = Sample::new();
    let segment = sample.named("seg")[1].clone();
    let hit = first_of(&segment) + 1;
    let record = sample.record(&segment, 1);
    sample.with_every_bit_flipped(&sample.files, &segment, record, |log, _, bit| {
        assert_eq!(
            log.recovered().damage,
            [],
            "the index answers for it so far"
        );
        sample.serves_all_but(log, Some(hit), bit);
        let told = |key| log.removed_after(&scope(&[key]), Offset(0)).expect("read");
        assert_eq!(told(topic(hit)).map(|hole| hole.through), Some(Offset(hit)));
        assert_eq!(told(topic(hit + 1)), None, "the other topic lost nothing");
    });
}

#[test]
fn d4_every_bit_of_a_record_without_an_index_is_detected_by_the_opening() {
    let sample = Sample::new();
    let segments = sample.named("seg");
    let mut without = sample.files.clone();
    without.retain(|name, _| !name.ends_with("idx"));
    // In a sealed segment, and in the newest one.
    for (place, files) in [(1, &without), (2, &sample.files)] {
        let segment = &segments[place];
        let hit = first_of(segment) + 1;
        let record = sample.record(segment, 1);
        let at_byte = record.start as u64;
        sample.with_every_bit_flipped(files, segment, record, |log, _, bit| {
            let damage = DamageFound {
                file: sample.bench.path().join(segment),
                at_byte,
                what: Damaged::Events {
                    first: hit,
                    last: hit,
                },
            };
            assert_eq!(log.recovered().damage, [damage], "bit {bit}");
            sample.serves_all_but(log, Some(hit), bit);
        });
    }
}

#[test]
fn d4_every_bit_of_a_header_is_detected_and_costs_nothing() {
    let sample = Sample::new();
    // All of a sealed segment's page; of the newest one what is not padding, under the same checksum.
    for (place, header) in [(1, 0..HEADER_BYTES), (2, 0..PADDED_FROM)] {
        let segment = sample.named("seg")[place].clone();
        sample.with_every_bit_flipped(&sample.files, &segment, header, |log, _, bit| {
            let damage = DamageFound {
                file: sample.bench.path().join(&segment),
                at_byte: 0,
                what: Damaged::Header,
            };
            assert_eq!(log.recovered().damage, [damage], "bit {bit}");
            let mut epochs = lineage(log);
            epochs.pop();
            assert_eq!(epochs, sample.lineage, "bit {bit}: cursors stay good");
            assert_eq!(all(log), sample.expected(None), "bit {bit}");
            if !is_padding(bit) {
                sample.serves_all_but(log, None, bit);
            }
        });
    }
}

#[test]
fn d4_every_bit_of_an_index_file_is_detected_and_the_file_is_built_anew() {
    let sample = Sample::new();
    let index = sample.named("idx")[1].clone();
    let intact = &sample.files[&index];
    let bytes = 0..intact.len();
    sample.with_every_bit_flipped(&sample.files, &index, bytes, |log, disk, bit| {
        assert_eq!(log.recovered().damage, [], "bit {bit}: no event is lost");
        assert_eq!(all(log), sample.expected(None), "bit {bit}");
        if is_padding(bit) {
            assert_eq!(
                log.recovered().indexes_rebuilt,
                1,
                "bit {bit} was not detected"
            );
            return;
        }
        sample.serves_all_but(log, None, bit);
        for event in &sample.events {
            let id = event.content.id.as_ref().expect("each has one");
            let text = String::from_utf8(event.content.data.to_vec()).expect("text");
            let key = topic(event.position.offset.0);
            let again = append(log, vec![draft(&[key], Some(id.as_str()), &text)]);
            let again = again.expect("known").remove(0);
            assert!(
                again.duplicate && again.position == event.position,
                "bit {bit}"
            );
            // Nothing but the postings of a key can tell what was its newest event then.
            let newest = log.newest_per_key(&query(&scope(&[key]), 0), event.position.offset);
            assert_eq!(
                newest.expect("read").events,
                [Arc::clone(event)],
                "bit {bit}"
            );
        }
        assert!(!disk.holds(&index, intact));
        log.retain_now();
        assert!(disk.holds(&index, intact), "bit {bit} was not detected");
    });
}
