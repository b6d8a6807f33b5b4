//! The mailbox sink: room for one delivery between a shard and a task that writes it out.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tidings_core::delivery::{Delivery, Sink, Taken};
use tidings_core::pattern::Pattern;
use tidings_core::shard::ConnectionId;

use crate::admission::Admission;
use crate::seat::{Registration, Seat};

#[derive(Debug, Default)]
struct Slot {
    delivery: Option<Delivery>,
    reader: Option<Waker>,
    /// The shard has let go of its end.
    closed: bool,
    /// Counts against limits and load until the reader is gone, or is given up.
    tenancy: Option<Tenancy>,
}

#[derive(Debug)]
struct Tenancy {
    admission: Admission,
    _seat: Seat,
}

#[derive(Debug)]
struct Mailbox(Mutex<Slot>);

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The shard's end.
#[derive(Debug)]
pub(crate) struct MailboxSink(Arc<Mailbox>);

/// The reader's end. Its place is free when it is dropped, registered or not.
#[derive(Debug)]
pub(crate) struct ReadingEnd(Arc<Mailbox>);

/// Both ends of an empty mailbox.
pub(crate) fn mailbox(admission: Admission, seat: Seat) -> (MailboxSink, ReadingEnd) {
    let shared = Arc::new(Mailbox(Mutex::new(Slot {
        tenancy: Some(Tenancy {
            admission,
            _seat: seat,
        }),
        ..Slot::default()
    })));
    (MailboxSink(shared.clone()), ReadingEnd(shared))
}

impl MailboxSink {
    /// From where its reader comes, while it is there.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        let slot = self.0.lock();
        slot.tenancy
            .as_ref()
            .map(|tenancy| tenancy.admission.address())
    }
}

impl Sink for MailboxSink {
    fn is_free(&self) -> bool {
        self.0.lock().delivery.is_none()
    }

    fn deliver(&mut self, delivery: Delivery) -> Taken {
        let mut slot = self.0.lock();
        slot.delivery = Some(delivery);
        let reader = slot.reader.take();
        drop(slot);
        if let Some(reader) = reader {
            reader.wake();
        }
        Taken::Full
    }

    fn cut_short(&mut self, last: Bytes) {
        let mut slot = self.0.lock();
        if let Some(delivery) = &mut slot.delivery {
            delivery.bytes = [&delivery.bytes[..], &last[..]].concat().into();
            delivery.last = true;
        }
        // A reader that never looks again holds no place.
        let tenancy = slot.tenancy.take();
        drop(slot);
        drop(tenancy);
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

impl Drop for ReadingEnd {
    fn drop(&mut self) {
        let tenancy = self.0.lock().tenancy.take();
        drop(tenancy);
    }
}

/// The reading end of one connection. Dropping it closes the connection.
#[derive(Debug)]
pub struct Reader {
    end: ReadingEnd,
    registration: Registration,
    narrowed: Option<Vec<Pattern>>,
    finished: bool,
}

impl Reader {
    pub(crate) fn new(
        end: ReadingEnd,
        registration: Registration,
        narrowed: Option<Vec<Pattern>>,
    ) -> Self {
        Self {
            end,
            registration,
            narrowed,
            finished: false,
        }
    }

    /// The connection's public id.
    pub fn connection_id(&self) -> ConnectionId {
        self.registration.id()
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
        let mut slot = self.end.0.lock();
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
