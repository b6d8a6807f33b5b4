//! The window: recent events, each encoded once per frame shape for all connections of the process.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::event::Event;
use crate::port::{Encoder, Shape};
use crate::position::Offset;
use crate::priority::Priority;

/// A committed event with its text per frame shape, each written by the first shard that needs it.
#[derive(Debug)]
pub struct Framed {
    event: Arc<Event>,
    frames: [OnceLock<Bytes>; Shape::COUNT_MAX],
}

impl Framed {
    /// An event without any text yet.
    pub fn new(event: Arc<Event>) -> Self {
        Self {
            event,
            frames: [const { OnceLock::new() }; Shape::COUNT_MAX],
        }
    }

    /// The event.
    pub fn event(&self) -> &Arc<Event> {
        &self.event
    }

    /// The offset of the event.
    pub fn offset(&self) -> Offset {
        self.event.position.offset
    }

    /// Whether nothing may hold it back.
    pub fn is_urgent(&self) -> bool {
        self.event.content.priority >= Priority::High
    }

    /// The event's text in a shape, shared by all who ask.
    pub fn frame(&self, shape: Shape, encoder: &dyn Encoder) -> Bytes {
        let encode = || {
            let mut out = Vec::with_capacity(self.event.content.size_bytes() + 256);
            encoder.event(shape, &self.event, Some(self.event.position), &mut out);
            out.shrink_to_fit();
            Bytes::from(out)
        };
        match self.frames.get(usize::from(shape.0)) {
            Some(slot) => slot.get_or_init(encode).clone(),
            None => encode(),
        }
    }
}

/// One shard's view of the window: the process decides what is evicted, the events are shared.
#[derive(Debug)]
pub(super) struct Window {
    events: VecDeque<Arc<Framed>>,
    /// Every event up to here is in the log only.
    evicted_through: Offset,
}

impl Window {
    pub(super) fn new(head: Offset) -> Self {
        Self {
            events: VecDeque::new(),
            evicted_through: head,
        }
    }

    pub(super) fn evicted_through(&self) -> Offset {
        self.evicted_through
    }

    /// Adds the newest event.
    pub(super) fn push(&mut self, event: Arc<Framed>) {
        self.events.push_back(event);
    }

    /// Lets go of everything up to an offset.
    pub(super) fn evict(&mut self, through: Offset) {
        while self
            .events
            .front()
            .is_some_and(|event| event.offset() <= through)
        {
            self.events.pop_front();
        }
        self.evicted_through = self.evicted_through.max(through);
    }

    /// The event at an offset, if it is in the window.
    pub(super) fn get(&self, offset: Offset) -> Option<&Arc<Framed>> {
        let first = self.events.front()?.offset();
        // Offsets of one log are dense nearly everywhere, so the first guess nearly always hits.
        let guess = offset.0.checked_sub(first.0)? as usize;
        if let Some(event) = self
            .events
            .get(guess)
            .filter(|event| event.offset() == offset)
        {
            return Some(event);
        }
        let at = self
            .events
            .binary_search_by_key(&offset, |event| event.offset())
            .ok()?;
        self.events.get(at)
    }
}
