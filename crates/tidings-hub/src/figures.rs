//! Figures: what the hub counts of itself.

use std::sync::atomic::{AtomicU64, Ordering};

use tidings_core::distribution::Counted;
use tidings_core::shard::{Cause, Closes, Opens, ShardTotals, Transport};
use tidings_core::start::Replay;

/// Totals since the hub began, and a few present values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events committed for publishers of this hub.
    pub events_published: u64,
    /// Bytes of these events.
    pub bytes_published: u64,
    /// Repeats that were answered with the first publish.
    pub events_duplicate: u64,
    /// Publishes that were refused or failed.
    pub publishes_refused: u64,
    /// Events handed to connections, once for each.
    pub events_delivered: u64,
    /// Bytes handed to connections.
    pub bytes_delivered: u64,
    /// Deliveries, each of one or more events.
    pub deliveries: u64,
    /// Reads of the store for readers behind the window.
    pub store_reads: u64,
    /// Reads that were wanted and spared because another reader's read answered them too.
    pub store_reads_shared: u64,
    /// Times that a shard fell behind the commit feed and read the store.
    pub feed_overflows: u64,
    /// Connections opened; each page is one.
    pub connections_opened: u64,
    /// Connections closed.
    pub connections_closed: u64,
    /// Of those opened, how many of each transport and by what of the past they get.
    pub opens: Opens,
    /// Of those closed, how many for each cause.
    pub closes: Closes,
    /// Connections that were not let in because a limit of connections was reached.
    pub connections_refused: u64,
    /// Connections open now.
    pub connections: u64,
    /// Sockets that shards write to themselves.
    pub sockets: u64,
    /// The newest committed offset.
    pub end_offset: u64,
    /// Events and topics whose readers somebody waits for.
    pub waits: u64,
    /// How long commits took, in microseconds.
    pub commit_times: Counted,
    /// Events of each read of the log for connections that were behind.
    pub replayed: Counted,
}

/// One shard's totals, written by its thread and read by whoever asks.
#[derive(Debug, Default)]
pub(crate) struct ShardFigures {
    events_delivered: AtomicU64,
    bytes_delivered: AtomicU64,
    deliveries: AtomicU64,
    opened: AtomicU64,
    closed: AtomicU64,
    overflows: AtomicU64,
    closes: [AtomicU64; Cause::WORDS.len()],
    opens: [[AtomicU64; Replay::ALL.len()]; Transport::ALL.len()],
}

impl ShardFigures {
    pub(crate) fn set(&self, totals: ShardTotals) {
        for (cell, value) in [
            (&self.events_delivered, totals.events_delivered),
            (&self.bytes_delivered, totals.bytes_delivered),
            (&self.deliveries, totals.deliveries),
            (&self.opened, totals.opened),
            (&self.closed, totals.closed),
            (&self.overflows, totals.overflows),
        ] {
            cell.store(value, Ordering::Relaxed);
        }
        let opens = self.opens.as_flattened().iter();
        let (opens, closes) = (opens.zip(totals.opens.as_flattened()), self.closes.iter());
        for (cell, value) in opens.chain(closes.zip(&totals.closes)) {
            cell.store(*value, Ordering::Relaxed);
        }
    }

    pub(crate) fn add_to(&self, figures: &mut Figures) {
        for (sum, cell) in [
            (&mut figures.events_delivered, &self.events_delivered),
            (&mut figures.bytes_delivered, &self.bytes_delivered),
            (&mut figures.deliveries, &self.deliveries),
            (&mut figures.connections_opened, &self.opened),
            (&mut figures.connections_closed, &self.closed),
            (&mut figures.feed_overflows, &self.overflows),
        ] {
            *sum += cell.load(Ordering::Relaxed);
        }
        let opens = figures.opens.as_flattened_mut().iter_mut();
        let opens = opens.zip(self.opens.as_flattened());
        for (sum, cell) in opens.chain(figures.closes.iter_mut().zip(&self.closes)) {
            *sum += cell.load(Ordering::Relaxed);
        }
    }
}

/// What publishers did.
#[derive(Debug, Default)]
pub(crate) struct PublishFigures {
    pub(crate) published: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) duplicate: AtomicU64,
    pub(crate) refused: AtomicU64,
}
