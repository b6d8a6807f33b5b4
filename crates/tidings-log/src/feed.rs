//! The commit feed: everything committed, in order, each event exactly once.

use std::fmt;
use std::sync::{Arc, PoisonError};

use tidings_core::event::Event;
use tidings_core::port::{CommitFeed, Page, PageItem, Query, TailError};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;

use crate::limits::{FEED_PAGE_BYTES, FEED_PAGE_EVENTS};
use crate::read;
use crate::shared::Shared;

/// Where the one feed of a log is plugged in.
#[derive(Default)]
pub(crate) enum FeedSlot {
    /// Nobody is there.
    #[default]
    Free,
    /// Somebody is catching up and will be there.
    Taken,
    /// This one gets everything after the offset.
    Fed(Box<dyn CommitFeed>, Offset),
}

impl fmt::Debug for FeedSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("Free"),
            Self::Taken => f.write_str("Taken"),
            Self::Fed(_, through) => f.debug_tuple("Fed").field(through).finish(),
        }
    }
}

impl FeedSlot {
    /// Hands over what was just committed and is readable already.
    pub(crate) fn committed(&mut self, events: &[Arc<Event>]) {
        let Self::Fed(feed, through) = self else {
            return;
        };
        // Somebody who caught up a moment ago has read some of them from the store.
        let start = events.partition_point(|event| event.position.offset <= *through);
        let fresh = events.get(start..).unwrap_or_default();
        if let Some(last) = fresh.last() {
            *through = last.position.offset;
            feed.committed(fresh);
        }
    }
}

/// Plugs a feed in after it has caught up.
pub(crate) fn tail(
    shared: &Shared,
    after: Offset,
    mut feed: Box<dyn CommitFeed>,
) -> Result<(), TailError> {
    let lock = || shared.feed.lock().unwrap_or_else(PoisonError::into_inner);
    {
        let mut slot = lock();
        if !matches!(*slot, FeedSlot::Free) {
            return Err(TailError::Taken);
        }
        *slot = FeedSlot::Taken;
    }
    let mut through = after;
    // The bulk is read while commits go on, the rest while the feed's place is held.
    let caught_up = catch_up(shared, &mut through, &mut *feed);
    let mut slot = lock();
    match caught_up.and_then(|()| catch_up(shared, &mut through, &mut *feed)) {
        Ok(()) => {
            *slot = FeedSlot::Fed(feed, through);
            Ok(())
        }
        Err(error) => {
            *slot = FeedSlot::Free;
            Err(error)
        }
    }
}

fn catch_up(
    shared: &Shared,
    through: &mut Offset,
    feed: &mut dyn CommitFeed,
) -> Result<(), TailError> {
    loop {
        let query = Query {
            scope: Scope::Everything,
            types: tidings_core::event_type::TypeFilter::default(),
            after: *through,
            events_max: FEED_PAGE_EVENTS,
            bytes_max: FEED_PAGE_BYTES,
        };
        let Page {
            items,
            considered,
            more,
        } = read::read(shared, &query)?;
        let events: Vec<Arc<Event>> = items
            .into_iter()
            .filter_map(|item| match item {
                PageItem::Event(event) => Some(event),
                PageItem::Hole(_) => None,
            })
            .collect();
        if !events.is_empty() {
            feed.committed(&events);
        }
        *through = considered;
        if !more {
            return Ok(());
        }
    }
}
