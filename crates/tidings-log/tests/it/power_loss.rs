//! Losing power between any two calls, over several generations.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidings_core::lineage::Standing;
use tidings_core::port::{EventStore, Sequencer};
use tidings_core::position::{Offset, Position};
use tidings_core::scope::Scope;
use tidings_log::{EmbeddedLog, Options, Retention};

use crate::sim_disk::{Loss, SimDisk};
use crate::sim_random::Random;
use crate::support::{Bench, Read, append_later, draft, read_all};

/// What is known from outside, over all generations.
#[derive(Default)]
struct Oracle {
    /// Acknowledged or seen by a reader: must never disappear.
    told: BTreeMap<u64, String>,
    /// Cursors that were handed out.
    cursors: Vec<Position>,
    /// Which group each event was appended with, by its text.
    groups: BTreeMap<String, Vec<String>>,
    published: u64,
}

const SEEDS: u64 = 50;
const GENERATIONS: u64 = 4;

#[test]
fn d2_power_loss_between_any_two_calls_loses_nothing_that_was_told() {
    let mut losses = 0;
    for seed in 1..=SEEDS {
        losses += run(seed);
    }
    assert!(
        losses > SEEDS * GENERATIONS / 2,
        "the power did go: {losses}"
    );
}

/// One life of a disk; answers how often its power went.
fn run(seed: u64) -> u64 {
    let bench = Bench::new();
    let mut dice = Random::new(seed);
    let mut disk = SimDisk::new(dice.fork());
    let mut oracle = Oracle::default();
    let mut losses = 0;
    let events = seed.is_multiple_of(3).then_some(40);
    for generation in 0..GENERATIONS {
        let options = Options {
            disk: Arc::new(disk.clone()),
            segment_bytes: 16 * 1024,
            retention: Retention {
                events,
                ..Retention::default()
            },
            ..bench.options()
        };
        disk.power_goes_in(1 + dice.below(150));
        if let Ok(log) = EmbeddedLog::open(&options) {
            let context = format!("seed {seed}, generation {generation}");
            oracle.check(&log, &context);
            while !disk.is_off() && dice.below(80) > 0 {
                oracle.step(&log, &mut dice);
            }
            oracle.see(&log);
        }
        losses += u64::from(disk.is_off());
        disk = disk.crash(Loss::Power);
    }
    let options = Options {
        disk: Arc::new(disk),
        ..bench.options()
    };
    let log = EmbeddedLog::open(&options).expect("with power it opens");
    oracle.check(&log, &format!("seed {seed}, at the end"));
    losses
}

impl Oracle {
    fn step(&mut self, log: &EmbeddedLog, dice: &mut Random) {
        match dice.below(6) {
            0 => log.retain_now(),
            1 => self.see(log),
            _ => self.publish(log, dice),
        }
    }

    /// Some groups at once, so that they share writes.
    fn publish(&mut self, log: &EmbeddedLog, dice: &mut Random) {
        let mut waiting = Vec::new();
        for _ in 0..=dice.below(4) {
            let mut texts = Vec::new();
            for _ in 0..=dice.below(3) {
                self.published += 1;
                let size = dice.below(1_500) as usize;
                texts.push(format!("{}-{}", self.published, "x".repeat(size)));
            }
            for text in &texts {
                self.groups.insert(text.clone(), texts.clone());
            }
            let group = texts.iter().map(|text| draft(&["a"], None, text));
            waiting.push((append_later(log, group.collect()), texts));
        }
        for (outcome, texts) in waiting {
            let Ok(appended) = outcome.recv().expect("an outcome") else {
                continue;
            };
            for (one, text) in appended.iter().zip(texts) {
                self.told.insert(one.position.offset.0, text);
                self.cursors.push(one.position);
            }
        }
    }

    /// Whatever a reader sees stays.
    fn see(&mut self, log: &EmbeddedLog) {
        for one in read_all(log, &Scope::Everything, log.bounds().before_earliest.0) {
            if let Read::Event(offset, text) = one {
                self.told.insert(offset, text);
            }
        }
    }

    fn check(&mut self, log: &EmbeddedLog, context: &str) {
        let damage = &log.recovered().damage;
        assert!(damage.is_empty(), "{context}: {damage:?}");
        let from = log.bounds().before_earliest.0;
        let mut held = BTreeMap::new();
        let mut next = from + 1;
        for one in read_all(log, &Scope::Everything, from) {
            let Read::Event(offset, text) = one else {
                panic!("{context}: a hole in what is held: {one:?}");
            };
            assert_eq!(offset, next, "{context}");
            next += 1;
            held.insert(offset, text);
        }
        for (offset, text) in self.told.range(from + 1..) {
            assert_eq!(held.get(offset), Some(text), "{context}: offset {offset}");
        }
        for cursor in &self.cursors {
            let standing = log.lineage().standing(*cursor, log.end());
            assert_eq!(
                standing,
                Standing::Good(cursor.offset),
                "{context}: {cursor}"
            );
        }
        // Groups are whole, but for the one that the oldest segment may begin within.
        for (offset, text) in &held {
            let group = &self.groups[text];
            let place = group.iter().position(|one| one == text).expect("its group") as u64;
            for (distance, other) in group.iter().enumerate() {
                let there = offset - place + distance as u64;
                assert_eq!(
                    held.get(&there),
                    Some(other),
                    "{context}: group at {offset}"
                );
            }
        }
        assert_eq!(log.end(), Offset(next - 1), "{context}");
        self.told.extend(held);
    }
}
