//! Looking up single events: by id, place and time; what is held of a key; and what is gone.

use std::io;
use std::sync::Arc;

use tidings_core::audience::Key;
use tidings_core::event::Event;
use tidings_core::gap::{GapReason, Hole};
use tidings_core::id::EventId;
use tidings_core::port::{Bounds, Extent};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_core::time::Timestamp;

use crate::floors::Floors;
use crate::index::{Stretch, hash_id};
use crate::matcher::{Matcher, Sight};
use crate::postings;
use crate::read::{decode, fetch, removed_through};
use crate::segment::{Records, Segment};
use crate::shared::Shared;

/// The event at an offset of a segment, if the scope may see it.
fn visible(
    segment: &Segment,
    matcher: &Matcher,
    floors: &Floors,
    offset: u64,
) -> io::Result<Option<Event>> {
    let Records::Held(file) = &segment.records else {
        return Ok(None);
    };
    let Some((header, bytes)) = fetch(segment, &**file, offset)? else {
        return Ok(None);
    };
    Ok(header.event(&bytes, offset).and_then(|raw| {
        let seen = matcher.sight(raw.keys(), offset, floors) == Sight::Visible;
        seen.then(|| decode(&header, offset, &raw, &bytes))
            .flatten()
    }))
}

pub(crate) fn by_id(
    shared: &Shared,
    scope: &Scope,
    id: &EventId,
) -> io::Result<Option<Arc<Event>>> {
    let inventory = shared.inventory();
    let newest_first = inventory.segments.iter().rev();
    find_by_id(shared, scope, id, newest_first, |offsets| offsets.reverse())
}

pub(crate) fn first_by_id(
    shared: &Shared,
    scope: &Scope,
    id: &EventId,
) -> io::Result<Option<Arc<Event>>> {
    let inventory = shared.inventory();
    find_by_id(shared, scope, id, inventory.segments.iter(), |_| {})
}

/// The first event with an id, in this order of segments and, within each, of offsets.
fn find_by_id<'a>(
    shared: &Shared,
    scope: &Scope,
    id: &EventId,
    segments: impl Iterator<Item = &'a Arc<Segment>>,
    order: impl Fn(&mut Vec<u64>),
) -> io::Result<Option<Arc<Event>>> {
    let end = shared.end();
    let (matcher, floors) = (Matcher::new(scope), shared.floors());
    let hash = hash_id(shared.log_id, id.as_str());
    for segment in segments.filter(|segment| segment.is_held()) {
        let mut offsets = segment.ask(|index| index.offsets_of_id(hash))?;
        order(&mut offsets);
        for offset in offsets.into_iter().filter(|offset| *offset <= end) {
            let event = visible(segment, &matcher, &floors, offset)?;
            if let Some(event) = event.filter(|event| event.content.id.as_ref() == Some(id)) {
                return Ok(Some(Arc::new(event)));
            }
        }
    }
    Ok(None)
}

pub(crate) fn at(shared: &Shared, scope: &Scope, offset: Offset) -> io::Result<Option<Arc<Event>>> {
    if offset.0 == 0 || offset.0 > shared.end() {
        return Ok(None);
    }
    let inventory = shared.inventory();
    let Some(segment) = inventory.after(offset.0 - 1).first() else {
        return Ok(None);
    };
    let (matcher, floors) = (Matcher::new(scope), shared.floors());
    Ok(visible(segment, &matcher, &floors, offset.0)?.map(Arc::new))
}

pub(crate) fn before_time(shared: &Shared, time: Timestamp) -> io::Result<Offset> {
    let end = shared.end();
    let inventory = shared.inventory();
    // The last unreadable stretch before the place, over the ends of segments. Nobody knows the time
    // of its events.
    let mut undated: Option<Stretch> = None;
    let mut place = end + 1;
    for segment in &inventory.segments {
        if matches!(segment.records, Records::Removed) {
            continue;
        }
        let found = if segment.is_held() && segment.summary().newest >= time.0 {
            segment.ask(|index| index.group_since(time.0))?
        } else {
            None
        };
        let before = found.map_or(u64::MAX, |group| group.base);
        for stretch in segment.index().damaged() {
            if stretch.through < before {
                let from = undated.filter(|earlier| earlier.through + 1 == stretch.from);
                undated = Some(Stretch {
                    from: from.map_or(stretch.from, |earlier| earlier.from),
                    ..stretch
                });
            }
        }
        if let Some(group) = found {
            place = group.base;
            break;
        }
    }
    let adjacent = undated.filter(|stretch| stretch.through + 1 == place);
    let place = adjacent.map_or(place, |stretch| stretch.from);
    Ok(Offset((place - 1).min(end)))
}

pub(crate) fn extent(shared: &Shared, key: &Key) -> io::Result<Option<Extent>> {
    let (key, end) = (key.to_string(), shared.end());
    let floor = shared.floors().of(&key);
    let mut extent: Option<Extent> = None;
    for segment in &shared.inventory().segments {
        if !segment.is_held() {
            continue;
        }
        let entry = segment.ask(|index| index.key(&key))?;
        let Some(entry) = entry.filter(|entry| entry.last > floor) else {
            continue;
        };
        let postings = if entry.first <= floor || entry.last > end {
            segment.ask(|index| index.postings(&key, floor))?
        } else {
            Vec::new()
        };
        let mut committed = postings.iter().filter(|one| one.offset <= end);
        let head = committed.next_back().map_or(entry.last, |one| one.offset);
        let earliest = postings.first().map_or(entry.first, |one| one.offset);
        if head <= end {
            extent = Some(Extent {
                earliest: extent.map_or(Offset(earliest), |extent| extent.earliest),
                head: Offset(head),
            });
        }
    }
    Ok(extent)
}

pub(crate) fn bounds(shared: &Shared) -> Bounds {
    let end = shared.end();
    let inventory = shared.inventory();
    let mut held = inventory.segments.iter().filter(|one| one.is_held());
    let first = held
        .next()
        .map_or(end + 1, |segment| segment.summary().first);
    Bounds {
        before_earliest: Offset(first.saturating_sub(1).min(end)),
        end: Offset(end),
    }
}

pub(crate) fn removed_after(
    shared: &Shared,
    scope: &Scope,
    after: Offset,
) -> io::Result<Option<Hole>> {
    let (matcher, floors) = (Matcher::new(scope), shared.floors());
    let inventory = shared.inventory();
    let hole = |through: u64, reason| Hole {
        through: Offset(through),
        reason,
    };
    for segment in inventory.after(after.0).iter().rev() {
        let found = match &segment.records {
            Records::Lost(stretch) => Some(hole(stretch.through, GapReason::Damaged)),
            Records::Removed => removed_through(segment, &matcher, after.0)
                .map(|through| hole(through, GapReason::Retention)),
            Records::Held(_) => {
                let damaged = damaged_through(segment, &matcher, after.0)?;
                let hidden = hidden_through(segment, &matcher, &floors, after.0)?;
                let damaged = damaged.map(|through| hole(through, GapReason::Damaged));
                let hidden = hidden.map(|through| hole(through, GapReason::Retention));
                let both = damaged.into_iter().chain(hidden);
                both.max_by_key(|hole| hole.through)
            }
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    let forgotten = inventory.forgotten_through;
    let is_after = forgotten > after.0;
    Ok(is_after.then(|| hole(forgotten, GapReason::Retention)))
}

fn damaged_through(segment: &Segment, matcher: &Matcher, after: u64) -> io::Result<Option<u64>> {
    let mut known = segment.index().damaged();
    known.extend(segment.found_damaged());
    // The last one that matters is enough.
    known.sort_unstable_by_key(|stretch| std::cmp::Reverse(stretch.through));
    for stretch in known.iter().take_while(|stretch| stretch.through > after) {
        let stretch = Stretch {
            from: stretch.from.max(after + 1),
            ..*stretch
        };
        let last = segment.ask(|index| matcher.last_possible_in(index, stretch))?;
        if last.is_some() {
            return Ok(last);
        }
    }
    Ok(None)
}

fn hidden_through(
    segment: &Segment,
    matcher: &Matcher,
    floors: &Floors,
    after: u64,
) -> io::Result<Option<u64>> {
    if floors.is_empty() {
        return Ok(None);
    }
    let found = segment.ask(|index| postings::of(index, matcher, after, floors))?;
    let hidden = found.iter().rev().find(|one| !one.is_visible);
    Ok(hidden.map(|one| one.offset))
}
