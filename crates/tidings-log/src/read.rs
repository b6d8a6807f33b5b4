//! Reading forward: events of a scope, and holes where some are gone or may be.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tidings_core::event::Event;
use tidings_core::gap::GapReason;
use tidings_core::port::{Page, Query, ReadError};
use tidings_core::position::{Epoch, Offset, Position};
use tidings_core::scope::passes;
use tidings_core::time::Timestamp;

use crate::disk::DiskFile;
use crate::floors::Floors;
use crate::index::{Index, Stretch};
use crate::limits::{PATTERN_KEYS_MAX, READ_SEGMENTS_MAX, READ_WALK_BYTES_MAX};
use crate::matcher::{Matcher, Sight};
use crate::page::PageBuilder;
use crate::postings;
use crate::record::{RawEvent, RecordHeader};
use crate::segment::{Records, Segment};
use crate::shared::Shared;
use crate::walk::Walk;

/// With more than one event in this many matching, walking is cheaper than looking each one up.
const DENSE_SHARE: u64 = 8;

/// What one call of a read carries along.
struct Reading<'a> {
    query: &'a Query,
    matcher: Matcher,
    floors: Arc<Floors>,
    /// Nothing behind the committed end is shown.
    end: u64,
    page: PageBuilder,
    /// Bytes of records that this call has looked at.
    walked: u64,
}

pub(crate) fn unreadable(error: &io::Error) -> ReadError {
    ReadError(error.to_string().into())
}

/// Reads forward.
pub(crate) fn read(shared: &Shared, query: &Query) -> Result<Page, ReadError> {
    // The end before the list: the list holds at least everything up to that end.
    let end = shared.end();
    let inventory = shared.inventory();
    let mut reading = Reading {
        query,
        matcher: Matcher::new(&query.scope),
        floors: shared.floors(),
        end,
        page: PageBuilder::new(query),
        walked: 0,
    };
    let forgotten = inventory.forgotten_through.min(end);
    reading.page.hole(forgotten, GapReason::Retention);
    let segments = inventory.after(reading.page.considered());
    for segment in segments.iter().take(READ_SEGMENTS_MAX) {
        if reading.is_over() {
            break;
        }
        let done = reading
            .segment(segment)
            .map_err(|error| unreadable(&error))?;
        if !done {
            break;
        }
        reading.page.consider(segment.summary().last.min(end));
    }
    Ok(reading.page.finish(end))
}

impl Reading<'_> {
    fn is_over(&self) -> bool {
        let considered = self.page.considered();
        self.page.is_full() || considered >= self.end || self.walked >= READ_WALK_BYTES_MAX
    }

    /// Reads one segment; answers whether all of it has been considered.
    fn segment(&mut self, segment: &Segment) -> io::Result<bool> {
        match &segment.records {
            Records::Lost(stretch) => {
                self.page
                    .hole(stretch.through.min(self.end), GapReason::Damaged);
                Ok(true)
            }
            Records::Removed => {
                self.removed(segment);
                Ok(true)
            }
            Records::Held(file) => self.held(segment, &**file),
        }
    }

    fn removed(&mut self, segment: &Segment) {
        let through = removed_through(segment, &self.matcher, self.page.considered());
        if let Some(through) = through {
            self.page.hole(through, GapReason::Retention);
        }
    }

    fn held(&mut self, segment: &Segment, file: &dyn DiskFile) -> io::Result<bool> {
        let after = self.page.considered();
        let found = segment.ask(|index| match self.sparse_keys(index, after)? {
            Some(keys) => postings::merge(index, &keys, after, &self.floors).map(Some),
            None => Ok(None),
        })?;
        match found {
            Some(found) => self.look_up(segment, file, &found),
            None => self.walk(segment, file),
        }
    }

    /// The keys of the scope in a segment, if they are few enough to look their events up.
    fn sparse_keys(&self, index: &dyn Index, after: u64) -> io::Result<Option<Vec<String>>> {
        if self.matcher.is_everything() {
            return Ok(None);
        }
        let dense = index.summary().events / DENSE_SHARE;
        let (mut keys, mut count, mut few) = (Vec::new(), 0, true);
        self.matcher.visit_keys(index, after, &mut |key, entry| {
            keys.push(key.to_owned());
            count += u64::from(entry.count);
            few = keys.len() <= PATTERN_KEYS_MAX && count <= dense.max(1);
            few
        })?;
        Ok(few.then_some(keys))
    }

    /// Reads events one by one where the index says they are.
    fn look_up(
        &mut self,
        segment: &Segment,
        file: &dyn DiskFile,
        found: &[postings::Match],
    ) -> io::Result<bool> {
        let mut damaged = segment.index().damaged().into_iter().peekable();
        let mut group: Option<(RecordHeader, Bytes)> = None;
        let end = self.end;
        for one in found.iter().filter(|one| one.offset <= end) {
            while let Some(stretch) = damaged.next_if(|stretch| stretch.through < one.offset) {
                self.page.hole(stretch.through, GapReason::Damaged);
            }
            if self.is_over() {
                return Ok(false);
            }
            if !one.is_visible {
                self.page.hole(one.offset, GapReason::Retention);
                continue;
            }
            let holds = |(header, _): &(RecordHeader, Bytes)| {
                (header.base..=header.last()).contains(&one.offset)
            };
            if !group.as_ref().is_some_and(holds) {
                group = fetch(segment, file, one.offset)?;
            }
            let Some((header, bytes)) = &group else {
                self.page.hole(one.offset, GapReason::Damaged);
                continue;
            };
            self.walked += u64::from(one.bytes);
            let raw = header.event(bytes, one.offset);
            match raw.and_then(|raw| decode(header, one.offset, &raw, bytes)) {
                Some(event) => self.offer(event),
                None => self.page.hole(one.offset, GapReason::Damaged),
            }
        }
        for stretch in damaged {
            self.page
                .hole(stretch.through.min(self.end), GapReason::Damaged);
        }
        Ok(!self.page.is_full())
    }

    /// Reads records one after the other.
    fn walk(&mut self, segment: &Segment, file: &dyn DiskFile) -> io::Result<bool> {
        let summary = segment.summary();
        let after = self.page.considered();
        let start = segment.ask(|index| index.group_at(after + 1))?;
        let start = start.map_or(summary.end_bytes, |group| group.at);
        let mut next = after.max(summary.first.saturating_sub(1)) + 1;
        let mut walk = Walk::new(file, segment.tag(), start, summary.end_bytes);
        let walked_before = self.walked;
        while let Some((header, bytes)) = walk.next_record()? {
            if header.last() < next {
                continue;
            }
            self.missing(segment, next, header.base.saturating_sub(1))?;
            for (offset, raw) in header.events(&bytes) {
                if offset > self.end || self.page.is_full() {
                    return Ok(false);
                }
                if offset < next {
                    continue;
                }
                match self.matcher.sight(raw.keys(), offset, &self.floors) {
                    Sight::Foreign => {}
                    Sight::Hidden => self.page.hole(offset, GapReason::Retention),
                    Sight::Visible => match decode(&header, offset, &raw, &bytes) {
                        Some(event) => self.offer(event),
                        None => self.page.hole(offset, GapReason::Damaged),
                    },
                }
                self.page.consider(offset);
            }
            next = header.last() + 1;
            self.walked = walked_before + (walk.at() - start);
            if self.is_over() {
                return Ok(!self.page.is_full() && next > summary.last.min(self.end));
            }
        }
        self.missing(segment, next, summary.last.min(self.end))?;
        Ok(!self.page.is_full())
    }

    /// Deals with offsets that should have come and did not.
    fn missing(&mut self, segment: &Segment, from: u64, through: u64) -> io::Result<()> {
        if from <= through {
            let stretch = Stretch { from, through };
            segment.note_damage(stretch);
            let last = segment.ask(|index| self.matcher.last_possible_in(index, stretch))?;
            if let Some(last) = last {
                self.page.hole(last, GapReason::Damaged);
            }
        }
        Ok(())
    }

    fn offer(&mut self, event: Event) {
        let offset = event.position.offset.0;
        if passes(&self.query.types, &event) {
            self.page.event(event);
        }
        self.page.consider(offset);
    }
}

/// The last offset after `after` up to which events of a scope are gone with a removed segment, or
/// may be.
pub(crate) fn removed_through(segment: &Segment, matcher: &Matcher, after: u64) -> Option<u64> {
    let index = segment.index();
    let last = index.summary().last;
    if last <= after {
        return None;
    }
    if matcher.is_everything() {
        return Some(last);
    }
    let damaged = index.damaged().last().map(|stretch| stretch.through);
    let damaged = damaged.filter(|through| *through > after);
    match matcher.last_in(&*index, after) {
        Ok(found) => found.max(damaged),
        // Without its index nothing can be proven of it.
        Err(_) => Some(last),
    }
}

/// Reads the record that holds an offset; none if it is unreadable, which is remembered.
pub(crate) fn fetch(
    segment: &Segment,
    file: &dyn DiskFile,
    offset: u64,
) -> io::Result<Option<(RecordHeader, Bytes)>> {
    let group = segment.ask(|index| index.group_at(offset))?;
    let Some(group) = group.filter(|group| group.base <= offset) else {
        return Ok(None);
    };
    let read = segment.read_group(file, &group)?;
    if read.is_none() {
        segment.note_damage(Stretch {
            from: group.base,
            through: group.last(),
        });
    }
    Ok(read)
}

/// The event at an offset of a record.
pub(crate) fn decode(
    header: &RecordHeader,
    offset: u64,
    raw: &RawEvent<'_>,
    block: &Bytes,
) -> Option<Event> {
    let position = Position {
        epoch: Epoch::from_bits(header.epoch),
        offset: Offset(offset),
    };
    raw.decode(block, position, Timestamp(header.timestamp))
}
