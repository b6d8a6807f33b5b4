//! One simulated history of a log: generations of work, each ended by an accident or in good order.
//!
//! Everything follows from the seed. The world calls the log from one thread and waits for each
//! answer; the keeper works when it is asked to. So the calls that reach the disk have one order, and
//! a seed is one history. With the keeper on its own thread its calls come between the others as they
//! may, and a seed is many similar histories.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tidings_core::event::{Draft, Event};
use tidings_core::port::{Clock, EventStore, Health, Sequencer};
use tidings_core::position::Offset;
use tidings_log::{EmbeddedLog, KeeperMode, Options, Retention};
use tidings_testkit::PATIENCE_S;
use tidings_testkit::append::{Outcome, PendingOutcome, submit};
use tidings_testkit::clock::ManualClock;
use tidings_testkit::draft::{data_of_bytes, draft};
use tidings_testkit::recording_feed::Recording;

use crate::sim_disk::{Counters, Fault, Loss, SimDisk};
use crate::sim_oracle::{AGE, DEDUPE_WINDOW, Oracle};
use crate::sim_random::Random;

const TOPICS: [&str; 7] = ["a", "a/b", "a/c", "b/c", "quiet", "@user/u1", "@all"];
const SCOPES: [&[&str]; 8] = [
    &["a"],
    &["a/**"],
    &["**"],
    &["*/c", "@all"],
    &["quiet"],
    &["never"],
    &["@user/u1", "a/b"],
    &["b/*", "quiet"],
];
/// The smallest there are, so that a history rolls over, seals and removes many of them.
const SEGMENT_BYTES: u64 = 16 * 1024;

/// Fewer than a history has, more than a segment.
const EVENTS_MAX: u64 = 120;

/// What happens to an opening.
#[derive(Debug, Clone, Copy)]
enum Accident {
    /// At this call.
    PowerGoes(u64),
    Fault(Fault),
}

/// How long a history is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) generations: u32,
    pub(crate) steps: u32,
    pub(crate) keeper: KeeperMode,
}

/// What a history came to.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Story {
    pub(crate) counters: Counters,
    pub(crate) events: u64,
    pub(crate) recovered_unanswered: u64,
    pub(crate) vanished_groups: u64,
    pub(crate) holes: u64,
    pub(crate) failed_openings: u64,
    pub(crate) duplicates: u64,
    /// Of all that the disk was asked and all that publishers were answered.
    pub(crate) fingerprint: u64,
}

struct World {
    random: Random,
    keeper: KeeperMode,
    clock: Arc<ManualClock>,
    disk: SimDisk,
    oracle: Oracle,
    story: Story,
    answers: DefaultHasher,
    /// Makes each draft different from all others.
    drafts: u64,
    /// Drafts with an id that were published or refused, to be published again.
    with_ids: Vec<Draft>,
}

/// Lives through the history of a seed.
pub(crate) fn live(seed: u64, extent: Extent) -> Story {
    let mut random = Random::new(seed);
    let disk = SimDisk::new(random.fork());
    let mut world = World {
        random,
        keeper: extent.keeper,
        clock: Arc::new(ManualClock::default()),
        disk,
        // In every other history there is one more reason to remove events.
        oracle: Oracle::new(seed.is_multiple_of(2).then_some(EVENTS_MAX)),
        story: Story::default(),
        answers: DefaultHasher::new(),
        drafts: 0,
        with_ids: Vec::new(),
    };
    for _ in 0..extent.generations {
        world.generation(extent.steps);
    }
    // Whatever the last accident was, the log opens once more and owes all that it owed.
    drop(world.open(false));
    world.end()
}

impl World {
    fn generation(&mut self, steps: u32) {
        let log = self.open(true);
        let recording = Recording::default();
        let start = self.oracle.end();
        let tailed = log.tail(start, recording.feed());
        tailed.expect("a fresh log has no feed");
        if self.random.percent(85) {
            // Counted in calls of the disk; a step makes two or three, and more on a roll-over.
            let calls = 1 + self.random.below(u64::from(steps) * 3);
            self.disk.power_goes_in(calls);
        }
        for _ in 0..steps {
            self.step(&log);
            self.check_feed(&recording, start);
            let poisoned = matches!(log.health(), Health::Poisoned(_));
            if self.disk.is_off() || (poisoned && self.random.percent(30)) {
                break;
            }
        }
        if self.disk.fault() == Some(Fault::NoSpace) {
            self.oracle.note_unproven(log.bounds().before_earliest);
        }
        if self.disk.is_off() {
            drop(log);
            let killed = self.random.percent(25);
            self.crash(if killed { Loss::Process } else { Loss::Power });
            return;
        }
        let loss = match self.random.below(10) {
            0..=1 => None,
            2..=3 => Some(Loss::Process),
            _ => Some(Loss::Power),
        };
        // The process ends at once: what it would do while closing never reaches the disk.
        let next = loss.map(|loss| self.disk.crash(loss));
        drop(log);
        match next {
            Some(next) => self.disk = next,
            None => self.disk.power_stays(),
        }
    }

    /// Opens the log, through accidents of its own if those may happen.
    fn open(&mut self, accidents: bool) -> EmbeddedLog {
        for attempt in 0.. {
            let accident = match self.random.below(100) {
                _ if !accidents || attempt >= 3 => None,
                0..30 => Some(Accident::PowerGoes(1 + self.random.below(8))),
                30..40 => Some(Accident::Fault(Fault::NoSpace)),
                40..50 => Some(Accident::Fault(Fault::SyncFails)),
                _ => None,
            };
            self.disk.set_fault(None);
            match accident {
                Some(Accident::PowerGoes(calls)) => self.disk.power_goes_in(calls),
                Some(Accident::Fault(fault)) => self.disk.set_fault(Some(fault)),
                None => {}
            }
            match EmbeddedLog::open(&self.options()) {
                Ok(log) if !self.disk.is_off() => {
                    self.disk.power_stays();
                    self.disk.set_fault(None);
                    let now = self.clock.now();
                    self.oracle.check_opened(&log, &log, now);
                    let damage = &log.recovered().damage;
                    assert_eq!(damage, &[], "a loss of power damages nothing");
                    return log;
                }
                Ok(log) => drop(log),
                Err(error) => assert!(accident.is_some(), "the log does not open: {error}"),
            }
            self.story.failed_openings += 1;
            if self.disk.is_off() {
                self.crash(Loss::Power);
            }
        }
        unreachable!("the fourth attempt meets no accident")
    }

    fn options(&mut self) -> Options {
        let bits = Mutex::new(self.random.fork());
        let random = move || bits.lock().unwrap_or_else(PoisonError::into_inner).bits();
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Options {
            disk: Arc::new(self.disk.clone()),
            segment_bytes: SEGMENT_BYTES,
            dedupe_window_ms: DEDUPE_WINDOW.as_millis() as u64,
            retention: Retention {
                age_ms: Some(AGE.as_millis() as u64),
                events: self.oracle.events_max(),
                ..Retention::default()
            },
            keeper: self.keeper,
            ..Options::new(Path::new("data"), clock, Arc::new(random))
        }
    }

    fn crash(&mut self, loss: Loss) {
        self.disk = self.disk.crash(loss);
    }

    fn step(&mut self, log: &EmbeddedLog) {
        if self.disk.fault() == Some(Fault::NoSpace) {
            self.oracle.note_unproven(log.bounds().before_earliest);
            if self.random.percent(15) {
                self.disk.set_fault(None);
                return log.retain_now();
            }
        }
        match self.random.below(100) {
            0..40 => {
                let group = self.group();
                self.publish(log, vec![group]);
            }
            40..65 => {
                let groups = 2 + self.random.below(4);
                let burst = (0..groups).map(|_| self.group()).collect();
                self.publish(log, burst);
            }
            65..75 => self.read(log),
            75..79 => {
                let now = self.clock.now();
                self.oracle.check_nothing_else_is_visible(log, now);
            }
            79..90 => {
                let seconds = *self.random.pick(&[1, 20, 61, 400, 1_900, 2_500]);
                self.clock.advance(Duration::from_secs(seconds));
            }
            90..97 => log.retain_now(),
            97 => self.disk.set_fault(Some(Fault::SyncFails)),
            _ => self.disk.set_fault(Some(Fault::NoSpace)),
        }
    }

    fn group(&mut self) -> Vec<Draft> {
        let drafts = 1 + self.random.below(4);
        (0..drafts).map(|_| self.draft()).collect()
    }

    fn draft(&mut self) -> Draft {
        if !self.with_ids.is_empty() && self.random.percent(15) {
            let mut again = self.random.pick(&self.with_ids).clone();
            if self.random.percent(5)
                && let Some(key) = &mut again.dedupe
            {
                // The same id for something else.
                key.content[0] ^= 1;
            }
            return again;
        }
        self.drafts += 1;
        // `quiet` is: a topic in which little happens, of which little is lost.
        let topic = match self.random.below(60) {
            0 => "quiet",
            _ => *self
                .random
                .pick(&["a", "a/b", "a/c", "b/c", "@user/u1", "@all"]),
        };
        let size_bytes = *self.random.pick(&[10, 10, 100, 600, 3_000]);
        let data = format!("[{},{:?}]", self.drafts, data_of_bytes(size_bytes));
        let mut builder = draft(topic).data(data);
        if self.random.percent(20) {
            builder = builder.also(self.random.pick::<&str>(&TOPICS));
        }
        if self.random.percent(30) {
            builder = builder.id(&format!("id{}", self.drafts));
        }
        let built = builder.build();
        if built.dedupe.is_some() {
            self.with_ids.push(built.clone());
            if self.with_ids.len() > 40 {
                self.with_ids.remove(0);
            }
        }
        built
    }

    fn publish(&mut self, log: &EmbeddedLog, groups: Vec<Vec<Draft>>) {
        let outcomes = submit_burst(log, &groups);
        format!("{outcomes:?}").hash(&mut self.answers);
        let appended = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok());
        let duplicates = appended.flatten().filter(|one| one.duplicate).count();
        self.story.duplicates += duplicates as u64;
        let burst: Vec<_> = groups.into_iter().zip(outcomes).collect();
        self.oracle.check_outcomes(&burst, self.clock.now());
    }

    fn read(&mut self, log: &EmbeddedLog) {
        let selectors = *self.random.pick(&SCOPES);
        let choice = self.random.bits();
        let after = match self.oracle.any_told(choice) {
            Some(event) if self.random.percent(75) => event.position.offset,
            Some(_) | None => Offset::ZERO,
        };
        self.oracle.check_read(log, selectors, after);
        if let Some(event) = self.oracle.any_told(choice).cloned() {
            self.oracle.check_look_up(log, &event);
        }
    }

    fn check_feed(&self, recording: &Recording, after: Offset) {
        let told: Vec<Arc<Event>> = self.oracle.told_after(after).cloned().collect();
        assert_eq!(recording.events(), told, "fed is what was answered");
    }

    fn end(self) -> Story {
        let mut fingerprint = self.answers;
        self.disk.trace().hash(&mut fingerprint);
        Story {
            counters: self.disk.counters(),
            events: self.oracle.told_after(Offset::ZERO).count() as u64,
            recovered_unanswered: self.oracle.recovered_unanswered,
            vanished_groups: self.oracle.vanished_groups,
            holes: self.oracle.holes,
            fingerprint: fingerprint.finish(),
            ..self.story
        }
    }
}

/// Appends groups and waits for all answers. All but the first are queued by the reply of the first,
/// while the committer waits for that reply: so it finds all of them at once, and makes one write of
/// several groups.
fn submit_burst(log: &EmbeddedLog, groups: &[Vec<Draft>]) -> Vec<Outcome> {
    let Some((first, rest)) = groups.split_first() else {
        return Vec::new();
    };
    let (sender, answered) = mpsc::sync_channel(1);
    let (queue, rest) = (log.clone(), rest.to_vec());
    log.append(
        first.clone(),
        Box::new(move |outcome| {
            let submitted = rest.into_iter().map(|group| submit(&queue, group));
            let pending: Vec<PendingOutcome> = submitted.collect();
            drop(queue);
            sender.send((outcome, pending)).expect("the world waits");
        }),
    );
    let (first, pending) = answered
        .recv_timeout(Duration::from_secs(PATIENCE_S))
        .expect("the reply is called in time");
    let later = pending.into_iter().map(PendingOutcome::wait);
    std::iter::once(first).chain(later).collect()
}
