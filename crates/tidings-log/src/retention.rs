//! What the log keeps, and for how long.

use std::io;
use std::sync::Arc;

use tidings_core::port::Volume;
use tidings_core::scope::{Scope, Selector};
use tidings_core::time::Timestamp;

use crate::active::{is_full, remove_quietly};
use crate::floors::Floors;
use crate::keeper;
use crate::limits::{
    DISK_SPARE_BYTES, DISK_USED_PERCENT_MAX, LOG_USED_PERCENT_MAX, REMOVED_INDEX_PERCENT_MAX,
    REMOVED_INDEXES_MAX,
};
use crate::look_up;
use crate::matcher::Matcher;
use crate::postings;
use crate::segment::{INDEX_ENDING, Inventory, SEGMENT_ENDING, Segment, path};
use crate::shared::Shared;

/// Limits of the log as a whole; whatever is reached first removes the oldest segment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events older than this may go.
    pub age_ms: Option<u64>,
    /// The log's files take no more than this, plus one segment.
    pub bytes: Option<u64>,
    /// Events beyond the newest so many may go.
    pub events: Option<u64>,
    /// What shortens this for some keys.
    pub rules: Vec<RetentionRule>,
}

/// A shorter life for the events of some keys. They are hidden one by one within seconds, and leave
/// the disk with their segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionRule {
    /// Which keys.
    pub selector: Selector,
    /// Hidden when older than this.
    pub age_ms: Option<u64>,
    /// The newest events of all selected keys that together stay within so many bytes are shown.
    pub bytes: Option<u64>,
    /// So many of the newest events of all selected keys are shown.
    pub events: Option<u64>,
}

/// Removes what is beyond the limits, and raises the floors; those by count and bytes, which cost
/// more to work out, only if `by_size`.
pub(crate) fn apply(shared: &Shared, by_size: bool) {
    forget(shared);
    while let Some(oldest) = removable(shared) {
        if remove(shared, &oldest).is_err() {
            break;
        }
        forget(shared);
    }
    end_old_segment(shared);
    raise_floors(shared, by_size);
}

/// Has the active segment sealed once all of it is to go by age, so that it can.
fn end_old_segment(shared: &Shared) {
    let inventory = shared.inventory();
    if let (Some(age), Some(active)) = (shared.retention.age_ms, inventory.segments.last()) {
        let summary = active.summary();
        let now = shared.clock.for_ages().0;
        if summary.events > 0 && summary.newest.saturating_add(age) < now {
            shared.queue.ask_to_roll_over();
        }
    }
}

/// The oldest segment, if some limit says that it must go. The active one always stays.
fn removable(shared: &Shared) -> Option<Arc<Segment>> {
    let inventory = shared.inventory();
    let (_active, sealed) = inventory.segments.split_last()?;
    let oldest = sealed.iter().find(|segment| segment.is_held())?;
    let limits = &shared.retention;
    let summary = oldest.summary();
    let now = shared.clock.for_ages().0;
    let too_old = limits
        .age_ms
        .is_some_and(|age| summary.newest.saturating_add(age) < now);
    let too_many = limits.events.is_some_and(|events| {
        let all = inventory
            .segments
            .iter()
            .filter(|segment| segment.is_held());
        let held: u64 = all.map(|segment| segment.summary().events).sum();
        held - summary.events >= events
    });
    let too_large = limits
        .bytes
        .is_some_and(|bytes| used_bytes(shared, &inventory) > share(bytes, LOG_USED_PERCENT_MAX));
    let goes = too_old || too_many || too_large || disk_is_short(shared);
    goes.then(|| Arc::clone(oldest))
}

/// How many events the log holds, and the bytes of its files.
pub(crate) fn volume(shared: &Shared) -> Volume {
    let inventory = shared.inventory();
    let held = inventory.segments.iter().filter(|one| one.is_held());
    Volume {
        events: held.map(|segment| segment.summary().events).sum(),
        bytes: used_bytes(shared, &inventory),
    }
}

/// Bytes of all files of the log.
fn used_bytes(shared: &Shared, inventory: &Inventory) -> u64 {
    let spare = shared.spare().as_ref().map_or(0, |spare| spare.bytes);
    let segments = inventory.segments.iter();
    segments.map(|segment| segment.file_bytes()).sum::<u64>() + spare
}

fn share(bytes: u64, percent: u64) -> u64 {
    (bytes / 100).saturating_mul(percent)
}

/// Whether the file system is so full that events go early, lest no new ones could come.
fn disk_is_short(shared: &Shared) -> bool {
    shared.disk.space(&shared.dir).is_ok_and(|space| {
        let used = space.total.saturating_sub(space.available);
        // On a large disk a small share is still plenty.
        space.available < DISK_SPARE_BYTES && used > share(space.total, DISK_USED_PERCENT_MAX)
    })
}

/// Removes a segment's records. Its index stays, to tell what they were about.
fn remove(shared: &Shared, segment: &Arc<Segment>) -> io::Result<()> {
    // On a full disk there may be no place for the index; then it lives in memory, and removing the
    // segment is the way out. After any other failure the segment stays for the next round: without
    // its index, a restart could not prove to readers of quiet topics that they lost nothing.
    match keeper::write_index(shared, segment) {
        Err(error) if !is_full(&error) => return Err(error),
        Ok(()) | Err(_) => {}
    }
    shared
        .disk
        .remove(&path(&shared.dir, &segment.stem, SEGMENT_ENDING))?;
    let index_only = Arc::new(segment.without_records());
    shared.change_inventory(|inventory| {
        for place in &mut inventory.segments {
            if place.sequence == segment.sequence && place.is_held() {
                *place = Arc::clone(&index_only);
            }
        }
    });
    shared.disk.sync_dir(&shared.dir)
}

/// Gives up the oldest index files beyond the horizon.
fn forget(shared: &Shared) {
    let inventory = shared.inventory();
    let all = inventory.segments.iter();
    let removed: Vec<_> = all.take_while(|one| !one.is_held()).collect();
    let most = shared.removed_index_bytes_max;
    let budget = shared.retention.bytes.map_or(most, |limit| {
        share(limit, REMOVED_INDEX_PERCENT_MAX).min(most)
    });
    let mut bytes = 0;
    let newest_first = removed.iter().rev().take(REMOVED_INDEXES_MAX);
    let kept = newest_first.take_while(|one| {
        bytes += one.file_bytes();
        bytes <= budget
    });
    let excess = removed.len() - kept.count();
    let Some(last) = excess.checked_sub(1).and_then(|last| removed.get(last)) else {
        return;
    };
    let through = last.summary().last;
    for segment in removed.iter().take(excess) {
        remove_quietly(
            &*shared.disk,
            &path(&shared.dir, &segment.stem, INDEX_ENDING),
        );
    }
    shared.change_inventory(|inventory| {
        inventory.segments.drain(..excess);
        inventory.forgotten_through = through;
    });
}

/// Works out the floor of every rule. Floors never fall.
pub(crate) fn raise_floors(shared: &Shared, by_size: bool) {
    if shared.retention.rules.is_empty() {
        return;
    }
    let before = shared.floors();
    let inventory = shared.inventory();
    let rules = shared.retention.rules.iter().map(|rule| {
        let mut floor = before.rule(&rule.selector).max(floor_by_age(shared, rule));
        if by_size {
            floor = floor.max(floor_by_size(&inventory, rule, shared.end()));
        }
        (rule.selector.clone(), floor)
    });
    shared.set_floors(Floors::new(rules.collect()));
}

fn floor_by_age(shared: &Shared, rule: &RetentionRule) -> u64 {
    rule.age_ms.map_or(0, |age| {
        let oldest = shared.clock.for_ages().0.saturating_sub(age);
        look_up::before_time(shared, Timestamp(oldest)).map_or(0, |offset| offset.0)
    })
}

/// The newest event of the rule's keys that no longer fits.
fn floor_by_size(inventory: &Inventory, rule: &RetentionRule, end: u64) -> u64 {
    if rule.bytes.is_none() && rule.events.is_none() {
        return 0;
    }
    let matcher = Matcher::new(&Scope::new(vec![rule.selector.clone()]));
    let (mut events, mut bytes) = (0, 0);
    let held = inventory.segments.iter().rev().filter(|one| one.is_held());
    for segment in held {
        let none = Floors::default();
        let Ok(found) = segment.ask(|index| postings::of(index, &matcher, 0, &none)) else {
            continue;
        };
        for one in found.iter().rev().filter(|one| one.offset <= end) {
            events += 1;
            bytes += u64::from(one.bytes);
            let too_many = rule.events.is_some_and(|max| events > max);
            if too_many || rule.bytes.is_some_and(|max| bytes > max) {
                return one.offset;
            }
        }
    }
    0
}
