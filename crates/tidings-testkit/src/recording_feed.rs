//! A commit feed that remembers everything, and lets a test wait for it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidings_core::event::Event;
use tidings_core::port::CommitFeed;
use tidings_core::position::Offset;

use crate::PATIENCE_S;

/// What a feed was given so far. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    batches: Mutex<Vec<Vec<Arc<Event>>>>,
    grown: Condvar,
}

#[derive(Debug)]
struct RecordingFeed(Recording);

impl CommitFeed for RecordingFeed {
    fn committed(&mut self, events: &[Arc<Event>]) {
        self.0.lock().push(events.to_vec());
        self.0.shared.grown.notify_all();
    }
}

impl Recording {
    /// A feed that records here.
    pub fn feed(&self) -> Box<dyn CommitFeed> {
        Box::new(RecordingFeed(self.clone()))
    }

    /// The calls so far, each with its events.
    pub fn batches(&self) -> Vec<Vec<Arc<Event>>> {
        self.lock().clone()
    }

    /// The events so far.
    pub fn events(&self) -> Vec<Arc<Event>> {
        self.lock().concat()
    }

    /// Their offsets.
    pub fn offsets(&self) -> Vec<Offset> {
        let events = self.events();
        events.iter().map(|event| event.position.offset).collect()
    }

    /// Whether an offset has been fed.
    pub fn holds(&self, offset: Offset) -> bool {
        self.lock()
            .iter()
            .flatten()
            .any(|event| event.position.offset == offset)
    }

    /// Waits until so many events have come, and gives all that have. Panics if they do not come
    /// in time.
    pub fn wait_for(&self, count: usize) -> Vec<Arc<Event>> {
        let too_few = |batches: &mut Vec<Vec<Arc<Event>>>| {
            batches.iter().map(Vec::len).sum::<usize>() < count
        };
        let (batches, timeout) = self
            .shared
            .grown
            .wait_timeout_while(self.lock(), Duration::from_secs(PATIENCE_S), too_few)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(
            !timeout.timed_out(),
            "{count} events should have been fed, but {} were",
            batches.iter().map(Vec::len).sum::<usize>()
        );
        batches.concat()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Vec<Arc<Event>>>> {
        let batches = self.shared.batches.lock();
        batches.unwrap_or_else(PoisonError::into_inner)
    }
}
