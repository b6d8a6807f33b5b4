//! The commit feed: from the sequencer, in log order, to every shard; and what the window keeps.

use std::collections::VecDeque;
use std::sync::Arc;

use tidings_core::event::Event;
use tidings_core::port::CommitFeed;
use tidings_core::position::Offset;
use tidings_core::shard::{Batch, Framed};

use crate::health::WindowFigures;
use crate::inbox::Inbox;
use crate::limits::WINDOW_EVENT_OVERHEAD_BYTES;
use crate::tally::{Tallies, Tally};

/// What the process keeps in memory of the log's end.
#[derive(Debug)]
pub(crate) struct WindowBudget {
    pub(crate) events_max: usize,
    pub(crate) bytes_max: usize,
    kept: VecDeque<(Offset, usize)>,
    bytes: usize,
    evicted_through: Offset,
    figures: Arc<WindowFigures>,
}

impl WindowBudget {
    pub(crate) fn new(
        events_max: usize,
        bytes_max: usize,
        end: Offset,
        figures: Arc<WindowFigures>,
    ) -> Self {
        Self {
            figures,
            events_max,
            bytes_max,
            kept: VecDeque::new(),
            bytes: 0,
            evicted_through: end,
        }
    }

    fn take_in(&mut self, events: &[Arc<Event>]) {
        for event in events {
            // The event itself, and about as much again for its text.
            let bytes = event.content.size_bytes() * 2 + WINDOW_EVENT_OVERHEAD_BYTES;
            self.kept.push_back((event.position.offset, bytes));
            self.bytes += bytes;
        }
        while self.kept.len() > self.events_max || self.bytes > self.bytes_max {
            let Some((offset, bytes)) = self.kept.pop_front() else {
                break;
            };
            self.bytes -= bytes;
            self.evicted_through = offset;
        }
        self.figures.set(self.kept.len(), self.bytes);
    }
}

/// Hands every committed batch to every shard.
pub(crate) struct Feed {
    pub(crate) inboxes: Vec<Arc<Inbox>>,
    pub(crate) tallies: Arc<Tallies>,
    pub(crate) budget: WindowBudget,
    pub(crate) end: Offset,
}

impl CommitFeed for Feed {
    fn committed(&mut self, events: &[Arc<Event>]) {
        let Some(last) = events.last() else { return };
        self.budget.take_in(events);
        let bytes = events.iter().map(|event| event.content.size_bytes()).sum();
        let offsets = events.iter().map(|event| event.position.offset).collect();
        let tally = Arc::new(Tally::new(offsets, self.inboxes.len()));
        let batch = Batch {
            after: self.end,
            events: events
                .iter()
                .map(|event| Arc::new(Framed::new(event.clone())))
                .collect(),
            evict_through: self.budget.evicted_through,
        };
        self.end = last.position.offset;
        self.tallies.push(tally.clone());
        for inbox in &self.inboxes {
            inbox.feed(batch.clone(), bytes, tally.clone());
        }
    }
}
