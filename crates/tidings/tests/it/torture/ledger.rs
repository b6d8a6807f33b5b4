//! What must hold, written down as it happens.
//!
//! Each publisher numbers its events and begins the next one only after the last one's answer, so a
//! reader of its topic must see 0, 1, 2, ... of it, whatever was killed in between: a number that is
//! skipped is an event lost, one that comes again is an event repeated. An event has one offset for
//! ever: its publisher and all its readers, before and after any kill, must be told the same.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use tokio::sync::Notify;

/// Complaints that are kept; the first ones tell.
const COMPLAINTS_MAX: usize = 20;

/// An event of the torture: who published it, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) publisher: usize,
    pub(crate) number: u64,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}-n{}", self.publisher, self.number)
    }
}

/// What happened in all rounds so far.
#[derive(Debug)]
pub(crate) struct Ledger {
    round: AtomicUsize,
    answered: AtomicU64,
    answered_before_round: AtomicU64,
    answered_to: Vec<AtomicU64>,
    one_more: Notify,
    /// Publishes of each round that the kill left without an answer.
    unanswered: Vec<AtomicU64>,
    /// Of those, the ones that turned out to be in the log when they were repeated.
    committed_unanswered: AtomicU64,
    repeated: AtomicU64,
    seen: AtomicU64,
    resumed: AtomicU64,
    offsets: Mutex<HashMap<Name, u64>>,
    complaints: Mutex<Vec<String>>,
}

/// Figures of a run.
#[derive(Debug)]
pub(crate) struct Summary {
    /// Rounds whose kill left a publish unanswered: the fault happened.
    pub(crate) rounds_hit: usize,
    answered: u64,
    unanswered: u64,
    committed_unanswered: u64,
    repeated: u64,
    seen: u64,
    resumed: u64,
}

impl Ledger {
    pub(crate) fn new(rounds: usize, publishers: usize) -> Arc<Self> {
        Arc::new(Self {
            round: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            answered_before_round: AtomicU64::new(0),
            answered_to: (0..publishers).map(|_| AtomicU64::new(0)).collect(),
            one_more: Notify::new(),
            unanswered: (0..rounds).map(|_| AtomicU64::new(0)).collect(),
            committed_unanswered: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            offsets: Mutex::default(),
            complaints: Mutex::default(),
        })
    }

    pub(crate) fn begin_round(&self, round: usize) {
        self.round.store(round, Ordering::SeqCst);
        self.answered_before_round
            .store(self.answered.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    /// Waits until this round has had so many answers.
    pub(crate) async fn answers(&self, wanted: u64) {
        loop {
            let notified = self.one_more.notified();
            let before = self.answered_before_round.load(Ordering::SeqCst);
            if self.answered.load(Ordering::SeqCst) >= before + wanted {
                return;
            }
            notified.await;
        }
    }

    /// A publish was answered with this offset.
    pub(crate) fn note_answer(&self, event: Name, offset: u64, duplicate: bool) {
        self.note_offset(event, offset, "its publisher");
        if duplicate {
            self.committed_unanswered.fetch_add(1, Ordering::SeqCst);
        }
        if let Some(count) = self.answered_to.get(event.publisher) {
            count.fetch_add(1, Ordering::SeqCst);
        }
        self.answered.fetch_add(1, Ordering::SeqCst);
        self.one_more.notify_waiters();
    }

    /// An answered publish was repeated, and answered with this offset.
    pub(crate) fn note_repeat(&self, event: Name, offset: u64) {
        self.repeated.fetch_add(1, Ordering::Relaxed);
        self.note_offset(event, offset, "its publisher, who repeats it,");
    }

    /// How many publishes of this publisher were answered.
    pub(crate) fn answered_to(&self, publisher: usize) -> u64 {
        self.answered_to
            .get(publisher)
            .map_or(0, |count| count.load(Ordering::SeqCst))
    }

    /// A publish was sent, and its connection ended before the answer.
    pub(crate) fn note_unanswered(&self) {
        if let Some(round) = self.unanswered.get(self.round.load(Ordering::SeqCst)) {
            round.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A reader was shown this event at this offset.
    pub(crate) fn note_seen(&self, event: Name, offset: u64) {
        self.seen.fetch_add(1, Ordering::Relaxed);
        self.note_offset(event, offset, "a reader");
    }

    /// How often an event was seen, by whomever.
    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// A reader came back with the id of the last block it had.
    pub(crate) fn note_resumed(&self) {
        self.resumed.fetch_add(1, Ordering::Relaxed);
    }

    fn note_offset(&self, event: Name, offset: u64, whom: &str) {
        let mut offsets = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = *offsets.entry(event).or_insert(offset);
        drop(offsets);
        if known != offset {
            self.complain(format!(
                "{event} was at {known}, and {whom} is told {offset}"
            ));
        }
    }

    /// Something that must not be.
    pub(crate) fn complain(&self, complaint: String) {
        let mut complaints = self
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if complaints.len() < COMPLAINTS_MAX {
            complaints.push(complaint);
        }
    }

    /// Fails if there is any complaint.
    pub(crate) fn verdict(&self) -> Result<()> {
        let complaints = self
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if complaints.is_empty() {
            return Ok(());
        }
        bail!("the log broke its promise:\n{}", complaints.join("\n"))
    }

    pub(crate) fn summary(&self) -> Summary {
        let unanswered = || {
            self.unanswered
                .iter()
                .map(|round| round.load(Ordering::SeqCst))
        };
        Summary {
            rounds_hit: unanswered().filter(|count| *count > 0).count(),
            answered: self.answered.load(Ordering::SeqCst),
            unanswered: unanswered().sum(),
            committed_unanswered: self.committed_unanswered.load(Ordering::SeqCst),
            repeated: self.repeated.load(Ordering::SeqCst),
            seen: self.seen.load(Ordering::SeqCst),
            resumed: self.resumed.load(Ordering::SeqCst),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} publishes answered, {} cut off in {} rounds, {} of them committed all the same, \
             {} repeated on purpose, {} deliveries, {} resumptions",
            self.answered,
            self.unanswered,
            self.rounds_hit,
            self.committed_unanswered,
            self.repeated,
            self.seen,
            self.resumed
        )
    }
}
