//! Taking in committed events: matching them to selectors and waking their members.

use std::sync::Arc;

use crate::delivery::Sink;
use crate::position::Offset;
use crate::scope::passes;
use crate::shard::Shard;
use crate::shard::connection::{ConnectionKey, Pace, Queued};
use crate::shard::window::Framed;

/// A stretch of the commit feed.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The newest offset before the stretch.
    pub after: Offset,
    /// The events in log order.
    pub events: Arc<[Arc<Framed>]>,
    /// The process keeps nothing up to here in memory any more.
    pub evict_through: Offset,
}

impl Batch {
    /// The newest offset through which the stretch reaches.
    pub fn end(&self) -> Offset {
        self.events
            .last()
            .map_or(self.after, |event| event.offset())
    }
}

impl<S: Sink> Shard<S> {
    /// Takes in a batch. `matched` gets, for each event, how many connections it matched; it stays
    /// shorter than the batch if the shard has to read the store first.
    pub fn take_in(&mut self, batch: &Batch, matched: &mut Vec<u64>) {
        self.window_evict(batch.evict_through);
        if batch.after > self.head {
            // Part of the feed was dropped because the inbox was full: the log has it.
            self.miss(batch);
        } else {
            self.take_events(&batch.events, matched);
        }
    }

    pub(super) fn take_events(&mut self, events: &[Arc<Framed>], matched: &mut Vec<u64>) {
        self.memo.clear();
        let evicted_through = self.window.evicted_through();
        let mut selectors = std::mem::take(&mut self.selected);
        let batch = events.last().map_or(0, |event| event.offset().0);
        for framed in events {
            if framed.offset() <= self.head {
                // Read from the store before; it was not counted then, nor is it now.
                continue;
            }
            let in_window = framed.offset() > evicted_through;
            self.selectors
                .matching(&framed.event().content.audience, &mut selectors);
            let count = self.match_one(framed, &selectors, batch, in_window, evicted_through);
            matched.push(count);
            if in_window {
                self.window.push(framed.clone());
            }
            self.head = framed.offset();
        }
        self.selected = selectors;
        self.selectors.sweep(evicted_through);
    }

    /// Notes an event at its selectors and wakes their members; returns how many it matches.
    fn match_one(
        &mut self,
        framed: &Framed,
        selectors: &[u32],
        batch: u64,
        in_window: bool,
        evicted_through: Offset,
    ) -> u64 {
        let alone = selectors.len() == 1;
        let mut count = 0;
        for id in selectors {
            self.selectors.forget(*id, evicted_through);
            let Some(entry) = self.selectors.get_mut(*id) else {
                continue;
            };
            entry.note(framed.offset(), in_window);
            let members = entry.members.len();
            // The common case, one selector and no filters, costs a step per member and batch,
            // not per member and event: woken members find all of the batch.
            let plain = alone && entry.filtered == 0;
            let woken = if framed.is_urgent() {
                &mut entry.woken_urgently_for
            } else {
                &mut entry.woken_for
            };
            if plain && std::mem::replace(woken, batch) == batch {
                return members as u64;
            }
            for place in 0..members {
                count += self.wake(*id, place, framed);
            }
        }
        count
    }

    /// Puts one member into the ready ring if the event passes its filter; returns 1 unless the
    /// event was counted for it before.
    fn wake(&mut self, selector: u32, place: usize, framed: &Framed) -> u64 {
        let Some(slot) = self
            .selectors
            .get(selector)
            .and_then(|entry| entry.members.get(place).copied())
        else {
            return 0;
        };
        let Some(connection) = self.connections.get_mut(slot as usize) else {
            return 0;
        };
        let key = connection.key;
        if connection.counted_for == framed.offset() || !passes(&connection.types, framed.event()) {
            return 0;
        }
        connection.counted_for = framed.offset();
        if framed.is_urgent() {
            self.enqueue_urgently(key);
        } else {
            self.has_news = true;
            self.enqueue(key);
        }
        1
    }

    /// Puts a connection into the ready ring, once, if it can be served at all; before all that wait
    /// there, if it is in a hurry.
    pub(super) fn enqueue(&mut self, key: ConnectionKey) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        if connection.reading || !connection.sink.is_free() {
            return;
        }
        match (connection.pace, connection.queued) {
            (Pace::Hurried, Queued::No) => {
                connection.queued = Queued::Urgent;
                self.urgent.push_back(key);
            }
            (Pace::Hurried, Queued::Ready | Queued::Passed) => {
                connection.queued = Queued::Both;
                self.urgent.push_back(key);
            }
            (Pace::Patient, Queued::No) => {
                connection.queued = Queued::Ready;
                self.ready.push_back(key);
            }
            (Pace::Patient, Queued::Passed) => connection.queued = Queued::Ready,
            (_, Queued::Urgent | Queued::Both) | (Pace::Patient, Queued::Ready) => {}
        }
    }

    /// Lets a connection go first from here until it is caught up, whatever its sink does meanwhile.
    fn enqueue_urgently(&mut self, key: ConnectionKey) {
        if let Some(connection) = self.connection(key) {
            connection.pace = Pace::Hurried;
            self.enqueue(key);
        }
    }

    fn window_evict(&mut self, through: Offset) {
        if through > self.window.evicted_through() {
            self.memo.clear();
            self.window.evict(through);
            self.missed.evict(through);
        }
    }
}
