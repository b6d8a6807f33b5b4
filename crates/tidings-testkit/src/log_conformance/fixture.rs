//! What an adapter provides to be tested, and the shorthand that the duties are written in.

use std::sync::Arc;
use std::time::Duration;

use tidings_core::event::{Draft, Event};
use tidings_core::gap::Hole;
use tidings_core::pattern::Pattern;
use tidings_core::port::{Appended, EventStore, Page, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;

use crate::append::{self, Outcome, PendingOutcome};
use crate::clock::ManualClock;
use crate::draft::group;
use crate::reading::{events_of, holes_of, query, read_to_the_end};

/// How the log of one test is to be set.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// How long an id is remembered.
    pub dedupe_window: Duration,
    /// How many ids are remembered.
    pub dedupe_ids_max: usize,
    /// How long an event is kept; for ever, if none.
    pub retention_age: Option<Duration>,
    /// Shorter lives for the topics of a pattern.
    pub rules: Vec<(Pattern, Duration)>,
}

impl Default for LogOptions {
    /// Ten minutes of ids, and events for ever.
    fn default() -> Self {
        Self {
            dedupe_window: Duration::from_secs(600),
            dedupe_ids_max: 10_000,
            retention_age: None,
            rules: Vec::new(),
        }
    }
}

/// A log to test: one sequencer with the store that holds what it commits.
pub trait LogUnderTest: Sized {
    /// A new, empty log that reads this clock and no other.
    fn open(options: &LogOptions, clock: Arc<ManualClock>) -> Self;

    /// Its sequencer.
    fn sequencer(&self) -> Arc<dyn Sequencer>;

    /// Its store.
    fn store(&self) -> Arc<dyn EventStore>;

    /// Makes what has been appended so far removable without what comes later. A log that removes
    /// in larger pieces ends its current piece; one that removes event by event does nothing. The
    /// suite holds no sequencer or store of the log while it calls this.
    fn seal(&mut self);

    /// Removes what has outlived its time, before it returns. Other than here and in an append nothing
    /// is removed while a test is running, so that it can compare reads with what it expects.
    fn run_retention(&mut self);
}

/// A log that outlives its process.
pub trait DurableLogUnderTest: LogUnderTest {
    /// Closes the log and opens it again, as after an orderly end of the process.
    #[must_use]
    fn reopen(self) -> Self;
}

/// A log with its clock, and short words for what the duties do with it.
#[derive(Debug)]
pub struct Fixture<L> {
    /// The log.
    pub log: L,
    /// The clock that it reads.
    pub clock: Arc<ManualClock>,
}

impl<L: LogUnderTest> Fixture<L> {
    /// A new log with the default options.
    pub fn new() -> Self {
        Self::with(&LogOptions::default())
    }

    /// A new log with these options.
    pub fn with(options: &LogOptions) -> Self {
        let clock = Arc::new(ManualClock::default());
        Self {
            log: L::open(options, Arc::clone(&clock)),
            clock,
        }
    }

    /// Appends a group, waits, and expects it to be committed.
    pub fn append<D: Into<Draft>>(&self, drafts: impl IntoIterator<Item = D>) -> Vec<Appended> {
        self.try_append(drafts).expect("the group is committed")
    }

    /// Appends one event and gives its offset.
    pub fn append_one(&self, draft: impl Into<Draft>) -> Offset {
        let appended = self.append([draft.into()]);
        let [one] = appended.as_slice() else {
            panic!("one draft has one answer: {appended:?}");
        };
        one.position.offset
    }

    /// Appends a group and waits for whatever comes of it.
    pub fn try_append<D: Into<Draft>>(&self, drafts: impl IntoIterator<Item = D>) -> Outcome {
        append::append(&*self.log.sequencer(), group(drafts))
    }

    /// Appends a group and goes on.
    pub fn submit<D: Into<Draft>>(&self, drafts: impl IntoIterator<Item = D>) -> PendingOutcome {
        append::submit(&*self.log.sequencer(), group(drafts))
    }

    /// Everything that a scope has after an offset.
    pub fn page(&self, scope: Scope, after: u64) -> Page {
        read_to_the_end(&*self.log.store(), &query(scope, Offset(after)))
    }

    /// The events among it.
    pub fn events(&self, scope: Scope, after: u64) -> Vec<Arc<Event>> {
        events_of(&self.page(scope, after))
    }

    /// Every event of the log.
    pub fn all(&self) -> Vec<Arc<Event>> {
        self.events(Scope::Everything, 0)
    }

    /// The holes that a scope has after an offset.
    pub fn holes(&self, scope: Scope, after: u64) -> Vec<Hole> {
        holes_of(&self.page(scope, after))
    }

    /// The newest committed offset.
    pub fn end(&self) -> Offset {
        self.log.sequencer().end()
    }

    /// Lets time pass.
    pub fn advance_minutes(&self, minutes: u64) {
        self.clock.advance(Duration::from_secs(60 * minutes));
    }
}

impl<L: LogUnderTest> Default for Fixture<L> {
    fn default() -> Self {
        Self::new()
    }
}
