//! Catching up: a shard that missed part of its feed reads the store until it meets the feed again.
//!
//! The feed goes on meanwhile. Its batches wait here, as far as the window reaches, so that reading
//! has to get only to the first of them and ends however much is published.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::delivery::Sink;
use crate::limits::SHARD_FEED_BATCHES_MAX;
use crate::position::Offset;
use crate::shard::window::Framed;
use crate::shard::{Action, Batch, Shard};

/// What the store had for a shard that missed part of its feed.
#[derive(Debug)]
pub struct CaughtUp {
    /// The events after the shard's head.
    pub events: Vec<Arc<Framed>>,
    /// The end of the last stretch among them that could not be read.
    pub hole_through: Option<Offset>,
    /// Everything up to here has been considered; the shard asks again if it has missed more.
    pub considered: Offset,
}

/// What a shard has missed, and what came after it.
#[derive(Debug, Default)]
pub(super) struct Missed {
    /// The end of the newest batch that could not be taken in; none while the shard is in step.
    through: Option<Offset>,
    /// The latest batches, each beginning where the one before it ends.
    since: VecDeque<Batch>,
}

impl Missed {
    fn note(&mut self, batch: &Batch) {
        let follows = self
            .since
            .back()
            .is_some_and(|last| last.end() == batch.after);
        if !follows || self.since.len() >= SHARD_FEED_BATCHES_MAX {
            // The store has them as well.
            self.since.clear();
        }
        self.since.push_back(batch.clone());
        self.through = self.through.max(Some(batch.end()));
    }

    /// Lets go of batches that the window has let go of.
    pub(super) fn evict(&mut self, through: Offset) {
        while self
            .since
            .front()
            .is_some_and(|batch| batch.end() <= through)
        {
            self.since.pop_front();
        }
    }

    /// The next batch, if it follows on the head.
    fn next(&mut self, head: Offset) -> Option<Batch> {
        self.since.front().filter(|batch| batch.after <= head)?;
        self.since.pop_front()
    }
}

impl<S: Sink> Shard<S> {
    /// Notes a batch before which something is missing, and begins to read the store.
    pub(super) fn miss(&mut self, batch: &Batch) {
        if self.missed.through.is_none() {
            self.totals.overflows += 1;
            self.actions.push(Action::CatchUp(self.head));
        }
        self.missed.note(batch);
    }

    /// Takes in what the store had in place of the missed part, and what came since if that follows
    /// on it.
    pub fn caught_up(&mut self, found: &CaughtUp) {
        if let Some(through) = found.hole_through {
            // Readers have to meet the hole in the log and be told.
            self.selectors.distrust(through);
            self.wake_all();
        }
        self.take_events(&found.events, &mut Vec::new());
        self.head = self.head.max(found.considered);
        while let Some(batch) = self.missed.next(self.head) {
            self.take_events(&batch.events, &mut Vec::new());
        }
        if self.missed.through > Some(self.head) {
            self.actions.push(Action::CatchUp(self.head));
        } else {
            self.missed = Missed::default();
        }
    }

    fn wake_all(&mut self) {
        let keys: Vec<_> = self.connections.iter().map(|c| c.key).collect();
        for key in keys {
            self.enqueue(key);
        }
    }
}
