//! The outbox: committed groups on their way to the feed and to their publishers, in log order.
//!
//! There is no thread of its own. Whoever puts something in and finds nobody delivering delivers
//! until the outbox is empty. Feeds and replies are called without any lock held, so that a reply
//! may append, and a slow feed stops nobody from appending or reading.

use std::collections::VecDeque;
use std::sync::Arc;

use tidings_core::event::Event;
use tidings_core::limits::{COMMIT_QUEUE_BYTES_MAX, STORE_READ_EVENTS_MAX};
use tidings_core::port::{AppendError, AppendReply, Appended, CommitFeed};

use super::MemoryLog;

/// One thing to deliver.
pub(super) enum Delivery {
    /// A group: its new events to the feed, then the outcome to its publisher.
    Group {
        events: Vec<Arc<Event>>,
        outcome: Result<Vec<Appended>, AppendError>,
        reply: AppendReply,
        size_bytes: usize,
    },
    /// A new feed with what it has to catch up.
    Tail {
        feed: Box<dyn CommitFeed>,
        backlog: Vec<Arc<Event>>,
    },
}

/// What waits for delivery, and the feed while nobody delivers.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Delivery>,
    /// Of the waiting deliveries and the one under way.
    size_bytes: usize,
    feed: Option<Box<dyn CommitFeed>>,
    feed_is_taken: bool,
    delivering: bool,
}

impl Outbox {
    /// Whether a group of so many bytes may wait.
    pub(super) fn has_room(&self, size_bytes: usize) -> bool {
        self.size_bytes + size_bytes <= COMMIT_QUEUE_BYTES_MAX
    }

    /// Bytes of what waits.
    pub(super) fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    pub(super) fn push(&mut self, delivery: Delivery) {
        self.size_bytes += delivery.size_bytes();
        self.waiting.push_back(delivery);
    }

    /// Claims the place of the one feed; false if it is taken.
    pub(super) fn take_feed_place(&mut self) -> bool {
        !std::mem::replace(&mut self.feed_is_taken, true)
    }
}

impl Delivery {
    fn size_bytes(&self) -> usize {
        match self {
            Self::Group { size_bytes, .. } => *size_bytes,
            Self::Tail { .. } => 0,
        }
    }
}

/// The turn of the one who delivers. Dropped early, by a panic of a feed or a reply, it lets the
/// next one go on.
struct Turn<'a> {
    log: &'a MemoryLog,
    feed: Option<Box<dyn CommitFeed>>,
    under_way_bytes: usize,
    over: bool,
}

impl MemoryLog {
    /// Delivers until nothing waits, unless somebody else does so already.
    pub(super) fn deliver(&self) {
        let Some(mut turn) = Turn::begin(self) else {
            return;
        };
        while let Some(delivery) = turn.next() {
            turn.deliver(delivery);
        }
    }
}

impl<'a> Turn<'a> {
    fn begin(log: &'a MemoryLog) -> Option<Self> {
        let mut writer = log.writer();
        if std::mem::replace(&mut writer.outbox.delivering, true) {
            return None;
        }
        Some(Self {
            log,
            feed: writer.outbox.feed.take(),
            under_way_bytes: 0,
            over: false,
        })
    }

    /// The next delivery. When there is none the turn is over, decided under the same lock under
    /// which others decide whether they need to deliver.
    fn next(&mut self) -> Option<Delivery> {
        let mut writer = self.log.writer();
        let outbox = &mut writer.outbox;
        outbox.size_bytes -= std::mem::take(&mut self.under_way_bytes);
        let delivery = outbox.waiting.pop_front();
        if let Some(delivery) = &delivery {
            self.under_way_bytes = delivery.size_bytes();
        } else {
            outbox.feed = self.feed.take();
            outbox.delivering = false;
            self.over = true;
        }
        delivery
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Group {
                events,
                outcome,
                reply,
                ..
            } => {
                if let Some(feed) = &mut self.feed
                    && !events.is_empty()
                {
                    feed.committed(&events);
                }
                reply(outcome);
            }
            Delivery::Tail { mut feed, backlog } => {
                for batch in backlog.chunks(STORE_READ_EVENTS_MAX) {
                    feed.committed(batch);
                }
                self.feed = Some(feed);
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.over {
            let mut writer = self.log.writer();
            writer.outbox.size_bytes -= self.under_way_bytes;
            writer.outbox.feed = self.feed.take();
            writer.outbox.delivering = false;
        }
    }
}
