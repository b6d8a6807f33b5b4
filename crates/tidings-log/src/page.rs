//! Putting a page together: events and holes in log order, within its budgets.

use std::sync::Arc;

use tidings_core::event::Event;
use tidings_core::gap::{GapReason, Hole};
use tidings_core::port::{Page, PageItem, Query};
use tidings_core::position::Offset;

/// A page in the making.
#[derive(Debug)]
pub(crate) struct PageBuilder {
    items: Vec<PageItem>,
    events_max: usize,
    bytes_max: usize,
    bytes: usize,
    considered: u64,
    is_full: bool,
}

impl PageBuilder {
    pub(crate) fn new(query: &Query) -> Self {
        Self {
            items: Vec::new(),
            // A page that may hold nothing would never get anywhere.
            events_max: query.events_max.max(1),
            bytes_max: query.bytes_max,
            bytes: 0,
            considered: query.after.0,
            is_full: false,
        }
    }

    /// Whether nothing more fits.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Everything up to here has been considered.
    pub(crate) fn considered(&self) -> u64 {
        self.considered
    }

    /// Notes that everything up to here has been considered, unless the page was full before.
    pub(crate) fn consider(&mut self, through: u64) {
        if !self.is_full {
            self.considered = self.considered.max(through);
        }
    }

    /// Adds an event.
    pub(crate) fn event(&mut self, event: Event) {
        if self.is_full {
            return;
        }
        self.considered = event.position.offset.0;
        self.bytes += event.content.size_bytes();
        self.items.push(PageItem::Event(Arc::new(event)));
        self.is_full = self.items.len() >= self.events_max || self.bytes >= self.bytes_max;
    }

    /// Adds a hole through an offset, or makes the last one longer.
    pub(crate) fn hole(&mut self, through: u64, reason: GapReason) {
        if self.is_full || through <= self.considered {
            return;
        }
        let hole = Hole {
            through: Offset(through),
            reason,
        };
        match self.items.last_mut() {
            Some(PageItem::Hole(last)) if last.reason == reason => *last = hole,
            // The place for the next event is kept, so a hole never ends a page of its own accord.
            _ => self.items.push(PageItem::Hole(hole)),
        }
        self.considered = through;
        self.is_full = self.items.len() >= self.events_max;
    }

    /// The page, when the committed end is this.
    pub(crate) fn finish(self, end: u64) -> Page {
        Page {
            items: self.items,
            considered: Offset(self.considered),
            more: self.considered < end,
        }
    }
}
