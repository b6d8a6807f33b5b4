//! The mailbox sink: room for one delivery between a shard and a task that writes it out.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tidings_core::delivery::{Delivery, Sink};
use tidings_core::pattern::Pattern;
use tidings_core::shard::Registered;

use crate::admission::Admission;
use crate::inbox::Inbox;

#[derive(Debug, Default)]
struct Slot {
    delivery: Option<Delivery>,
    reader: Option<Waker>,
    /// The shard has let go of its end.
    closed: bool,
}

#[derive(Debug, Default)]
struct Mailbox(Mutex<Slot>);

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shard's end.
#[derive(Debug)]
pub(crate) struct MailboxSink(Arc<Mailbox>);

/// The reader's end, before its shard knows it.
#[derive(Debug)]
pub(crate) struct Unregistered(Arc<Mailbox>);

/// Both ends of an empty mailbox.
pub(crate) fn mailbox() -> (MailboxSink, Unregistered) {
    let shared = Arc::new(Mailbox::default());
    (MailboxSink(shared.clone()), Unregistered(shared))
}

impl Sink for MailboxSink {
    fn is_free(&self) -> bool {
        self.0.lock().delivery.is_none()
    }

    fn deliver(&mut self, delivery: Delivery) {
        let mut slot = self.0.lock();
        slot.delivery = Some(delivery);
        let reader = slot.reader.take();
        drop(slot);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl Drop for MailboxSink {
    fn drop(&mut self) {
        let mut slot = self.0.lock();
        slot.closed = true;
        let reader = slot.reader.take();
        drop(slot);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

/// A connection's share in the load of a shard, from when the shard is chosen.
#[derive(Debug)]
pub(crate) struct Seat(Arc<Inbox>);

impl Seat {
    pub(crate) fn take(inbox: &Arc<Inbox>) -> Self {
        inbox.load.fetch_add(1, Ordering::Relaxed);
        Self(inbox.clone())
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.0
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.load.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A registered connection. Tells the shard that its reader is gone, whenever and wherever it is
/// dropped: also on the way to a reader that no longer waits for it.
#[derive(Debug)]
pub(crate) struct Registration {
    seat: Seat,
    registered: Registered,
}

impl Registration {
    pub(crate) fn new(seat: Seat, registered: Registered) -> Self {
        Self { seat, registered }
    }

    fn drained(&self) {
        self.seat.inbox().drained(self.registered.key);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.seat.inbox().left(self.registered.key);
    }
}

/// The reading end of one connection. Dropping it closes the connection.
#[derive(Debug)]
pub struct Reader {
    mailbox: Arc<Mailbox>,
    registration: Registration,
    narrowed: Option<Vec<Pattern>>,
    finished: bool,
    /// Counts against the limits of connections for as long as it lives.
    _admission: Admission,
}

impl Reader {
    pub(crate) fn new(
        end: Unregistered,
        registration: Registration,
        narrowed: Option<Vec<Pattern>>,
        admission: Admission,
    ) -> Self {
        Self {
            mailbox: end.0,
            registration,
            narrowed,
            finished: false,
            _admission: admission,
        }
    }

    /// The connection's public id.
    pub fn connection_id(&self) -> &str {
        &self.registration.registered.id
    }

    /// The granted part of what was asked, if it is less.
    pub fn narrowed(&self) -> Option<&[Pattern]> {
        self.narrowed.as_deref()
    }

    /// Takes the next delivery; none after the last, or if the hub has stopped.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        if self.finished {
            return Poll::Ready(None);
        }
        let mut slot = self.mailbox.lock();
        if let Some(delivery) = slot.delivery.take() {
            drop(slot);
            if delivery.last {
                self.finished = true;
            } else {
                self.registration.drained();
            }
            return Poll::Ready(Some(delivery));
        }
        if slot.closed {
            drop(slot);
            self.finished = true;
            return Poll::Ready(None);
        }
        match &mut slot.reader {
            Some(known) => known.clone_from(context.waker()),
            unknown => *unknown = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Waits for the next delivery; none after the last, or if the hub has stopped.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped: a delivery is taken only when it is returned.
    pub async fn next(&mut self) -> Option<Delivery> {
        poll_fn(|context| self.poll_next(context)).await
    }
}
