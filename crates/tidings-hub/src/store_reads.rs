//! What reader threads read: pages and snapshots as bytes for connections, events for shards.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tidings_core::event_type::TypeFilter;
use tidings_core::limits::{SEND_BYTES_MAX, STORE_READ_BYTES_MAX, STORE_READ_EVENTS_MAX};
use tidings_core::port::{PageItem, Query, ReadError};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_core::shard::{
    CaughtUp, Framed, ReadRequest, ReplayFailed, Replayed, Snapshot, SnapshotRequest, encode_page,
};

use crate::options::Ports;

/// Reads forward for connections.
pub(crate) fn replay(ports: &Ports, request: &ReadRequest) -> Result<Replayed, ReplayFailed> {
    let query = Query {
        scope: request.scope.clone(),
        types: request.types.clone(),
        after: request.after,
        events_max: request.page_events_max.unwrap_or(STORE_READ_EVENTS_MAX),
        // What a stream has not taken yet is kept for it: no more than one send.
        bytes_max: match request.page_events_max {
            Some(_) => STORE_READ_BYTES_MAX,
            None => SEND_BYTES_MAX,
        },
    };
    attempt(|| {
        let page = ports.store.read(&query)?;
        let lineage = ports.sequencer.lineage();
        Ok(encode_page(
            &page,
            request,
            &lineage,
            ports.encoder.as_ref(),
            ports.coder.as_ref(),
        ))
    })
}

/// Reads a slice of the newest events of each key for a connection.
pub(crate) fn snapshot(ports: &Ports, request: &SnapshotRequest) -> Result<Snapshot, ReplayFailed> {
    let query = Query {
        scope: request.scope.clone(),
        types: request.types.clone(),
        after: request.after,
        events_max: request.page_events_max.unwrap_or(STORE_READ_EVENTS_MAX),
        // Larger than the sends of a replay, because every slice looks at every key.
        bytes_max: STORE_READ_BYTES_MAX,
    };
    attempt(|| {
        let slice = ports.store.newest_per_key(&query, request.through)?;
        let mut out = Vec::new();
        for event in &slice.events {
            ports.encoder.event(request.shape, event, None, &mut out);
        }
        Ok(Snapshot {
            text: out,
            events: slice.events.len(),
            considered: slice.considered,
            more: slice.more,
        })
    })
}

/// Reads everything after an offset for a shard that missed it in its feed.
pub(crate) fn missed(ports: &Ports, after: Offset) -> Result<CaughtUp, ReplayFailed> {
    let query = Query {
        scope: Scope::Everything,
        types: TypeFilter::default(),
        after,
        events_max: STORE_READ_EVENTS_MAX,
        bytes_max: STORE_READ_BYTES_MAX,
    };
    let page = attempt(|| ports.store.read(&query))?;
    let mut found = CaughtUp {
        events: Vec::with_capacity(page.items.len()),
        hole_through: None,
        considered: page.considered,
    };
    for item in page.items {
        match item {
            PageItem::Event(event) => found.events.push(Arc::new(Framed::new(event))),
            PageItem::Hole(hole) => found.hole_through = Some(hole.through),
        }
    }
    Ok(found)
}

/// Reads, and says no if that fails. A panic over one record must not end the thread, on which all
/// other readers depend, nor leave anybody waiting for an answer.
pub(crate) fn attempt<T>(read: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReplayFailed> {
    let Ok(outcome) = catch_unwind(AssertUnwindSafe(read)) else {
        tracing::error!("a read of the log panicked");
        return Err(ReplayFailed);
    };
    outcome.map_err(|error| {
        tracing::error!(cause = %error, "the log could not be read");
        ReplayFailed
    })
}
