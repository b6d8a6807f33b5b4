//! Gathering: the events after a cursor as bytes, shared by all who stand at the same place.

use bytes::Bytes;

use crate::event_type::TypeFilter;
use crate::limits::SEND_BYTES_MAX;
use crate::port::{Encoder, Shape};
use crate::position::Offset;
use crate::scope::passes;
use crate::shard::connection::Connection;
use crate::shard::selectors::SelectorTable;
use crate::shard::window::Window;

/// Positions looked at in one gathering, so that a filter that lets little pass cannot hold a turn.
const CONSIDERED_MAX: usize = 4_096;

/// Positions after which a turn ends: a few milliseconds of matching event types.
pub(super) const CONSIDERED_PER_TURN_MAX: u64 = 16 * CONSIDERED_MAX as u64;

/// What lies after a cursor.
#[derive(Debug, Clone)]
pub(super) struct Gathered {
    pub(super) bytes: Bytes,
    pub(super) events: usize,
    /// The last offset that was considered.
    pub(super) through: Offset,
    /// Whether there is more after it now.
    pub(super) more: bool,
}

/// Where a gathering begins and what shapes it; equal places give equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Place {
    /// The selectors that have something after the cursor, each with its first position there.
    from: Vec<(u32, Offset)>,
    types: TypeFilter,
    shape: Option<Shape>,
    events_max: usize,
}

/// The latest gathering, for the next reader in the same place. Void once a batch is taken in or a
/// selector may have changed its number.
#[derive(Debug, Default)]
pub(super) struct GatherMemo {
    latest: Option<(Place, Gathered)>,
    /// How many positions have been looked at since the shard began.
    considered: u64,
}

impl GatherMemo {
    pub(super) fn clear(&mut self) {
        self.latest = None;
    }

    pub(super) fn considered(&self) -> u64 {
        self.considered
    }

    /// The events after a connection's cursor, or none if there is nothing to consider.
    pub(super) fn gather<S>(
        &mut self,
        connection: &Connection<S>,
        selectors: &SelectorTable,
        window: &Window,
        head: Offset,
        encoder: &dyn Encoder,
    ) -> Option<Gathered> {
        let from: Vec<(u32, Offset)> = connection
            .memberships
            .iter()
            .filter_map(|(id, _)| Some((*id, selectors.get(*id)?.first_after(connection.cursor)?)))
            .collect();
        if from.is_empty() {
            return None;
        }
        let place = Place {
            from,
            types: connection.types.clone(),
            shape: Some(connection.shape),
            events_max: connection.events_max(),
        };
        if let Some((known, gathered)) = &self.latest
            && *known == place
        {
            return Some(gathered.clone());
        }
        let (gathered, considered) = collect(&place, connection, selectors, window, head, encoder);
        self.considered += considered as u64;
        self.latest = Some((place, gathered.clone()));
        Some(gathered)
    }
}

fn collect<S>(
    place: &Place,
    connection: &Connection<S>,
    selectors: &SelectorTable,
    window: &Window,
    head: Offset,
    encoder: &dyn Encoder,
) -> (Gathered, usize) {
    let mut parts: Vec<Bytes> = Vec::new();
    let mut size = 0;
    let mut through = connection.cursor;
    let mut more = false;
    let mut considered = 0;
    for offset in merged(place, connection.cursor, selectors) {
        let full = parts.len() >= place.events_max || size >= SEND_BYTES_MAX;
        if full || considered >= CONSIDERED_MAX {
            more = true;
            break;
        }
        considered += 1;
        through = offset;
        // The caller has dropped the positions whose events have left the window.
        let Some(framed) = window.get(offset) else {
            continue;
        };
        if passes(&connection.types, framed.event()) {
            let frame = framed.frame(connection.shape, encoder);
            size += frame.len();
            parts.push(frame);
        }
    }
    let events = parts.len();
    let bytes = match parts.pop() {
        None => Bytes::new(),
        // One event is handed over as it lies in the window.
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            let mut all = Vec::with_capacity(size);
            for part in &parts {
                all.extend_from_slice(part);
            }
            all.extend_from_slice(&last);
            Bytes::from(all)
        }
    };
    let gathered = Gathered {
        bytes,
        events,
        through: if more { through } else { head },
        more,
    };
    (gathered, considered)
}

/// The positions of all contributing selectors in order, each once.
fn merged(
    place: &Place,
    cursor: Offset,
    selectors: &SelectorTable,
) -> impl Iterator<Item = Offset> {
    let mut sources: Vec<_> = place
        .from
        .iter()
        .filter_map(|(id, _)| Some(selectors.get(*id)?.after(cursor).peekable()))
        .collect();
    std::iter::from_fn(move || {
        let next = sources
            .iter_mut()
            .filter_map(|source| source.peek().copied())
            .min()?;
        for source in &mut sources {
            if source.peek() == Some(&next) {
                source.next();
            }
        }
        Some(next)
    })
}
