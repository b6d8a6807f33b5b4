//! The committer: one thread that gives groups their places, writes, syncs, and only then tells.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use tidings_core::event::{Draft, Event};
use tidings_core::limits::COMMIT_BATCH_BYTES_MAX;
use tidings_core::port::{AppendError, AppendReply, Appended};
use tidings_core::position::{Offset, Position};
use tidings_core::time::Timestamp;

use crate::active::{Active, Spare, WriteFault};
use crate::dedupe::{DedupeWindow, Known};
use crate::header::SegmentHeader;
use crate::limits::RETRY_AFTER_MS;
use crate::queue::{Queued, Shut};
use crate::record::RecordHeader;
use crate::shared::Shared;

/// The committer's own state; lives on its thread.
#[derive(Debug)]
pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) active: Active,
    pub(crate) dedupe: DedupeWindow,
    /// Timestamp of the newest event; none may be older.
    pub(crate) last_timestamp: Timestamp,
}

/// A group with its outcome, if the write succeeds.
struct Planned {
    outcome: Result<Vec<Appended>, AppendError>,
    /// Whether the outcome stands however the write ends.
    is_settled: bool,
    reply: AppendReply,
}

/// One write: records and what becomes visible with them.
#[derive(Default)]
struct Batch {
    records: Vec<u8>,
    /// Headers with their place in `records`.
    headers: Vec<(RecordHeader, usize)>,
    events: Vec<Arc<Event>>,
    planned: Vec<Planned>,
}

impl Committer {
    /// Works until the queue is shut and empty.
    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        while let Some(groups) = shared.queue.take(COMMIT_BATCH_BYTES_MAX) {
            let bytes = groups.iter().map(Queued::record_bytes).sum();
            if shared.queue.is_shut() == Some(Shut::Poisoned) {
                shared.queue.done(bytes);
                for group in groups {
                    (group.reply)(Err(AppendError::NotWritable));
                }
                continue;
            }
            let (planned, written) = self.commit(groups);
            // Before the replies: whoever is told may publish again at once.
            shared.queue.done(bytes);
            answer(planned, &written);
        }
    }

    /// Writes one batch; answers its groups and whether they are committed.
    fn commit(&mut self, groups: Vec<Queued>) -> (Vec<Planned>, Result<(), AppendError>) {
        let bytes: usize = groups.iter().map(Queued::record_bytes).sum();
        // Rolling over comes first, because records know their segment.
        if (self.active.is_full_for(bytes as u64) || self.is_active_old())
            && let Err(fault) = self.roll_over()
        {
            let planned = groups.into_iter().map(unplanned).collect();
            return (planned, Err(self.refuse(fault, false)));
        }
        let mut batch = self.plan(groups);
        let written = if batch.records.is_empty() {
            Ok(())
        } else {
            self.write(&batch)
        };
        let planned = std::mem::take(&mut batch.planned);
        (planned, written)
    }

    /// Whether the active segment holds events that are to go by age, which they can only do with
    /// their segment.
    fn is_active_old(&self) -> bool {
        self.shared.retention.age_ms.is_some_and(|age| {
            let oldest = self.active.oldest();
            let now = self.shared.clock.for_ages().0;
            oldest.is_some_and(|oldest| oldest.saturating_add(age) < now)
        })
    }

    fn write(&mut self, batch: &Batch) -> Result<(), AppendError> {
        let begun = Instant::now();
        let written = self.active.write(&batch.records);
        let took = begun.elapsed().as_micros() as u64;
        let at = match written {
            Ok(at) => {
                self.shared.commit_times.note(took);
                at
            }
            Err(fault) => {
                self.dedupe.roll_back();
                return Err(self.refuse(fault, true));
            }
        };
        let mut end = self.shared.end();
        {
            let table = &self.active.table;
            let mut table = table.write().unwrap_or_else(PoisonError::into_inner);
            for (header, start) in &batch.headers {
                let record = batch.records.get(*start..).unwrap_or_default();
                table.add(header, at + *start as u64, record);
                end = header.last();
            }
        }
        self.shared.set_end(end);
        self.shared.set_full(false);
        self.dedupe.commit(Offset(end));
        let mut feed = self
            .shared
            .feed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        feed.committed(&batch.events);
        Ok(())
    }

    /// What the groups of a failed write are told.
    fn refuse(&mut self, fault: WriteFault, handed_over: bool) -> AppendError {
        match fault {
            WriteFault::Full => {
                self.shared.set_full(true);
                self.shared.keeper.raise();
                AppendError::Full
            }
            WriteFault::Refused(_) => AppendError::Busy {
                retry_after_ms: RETRY_AFTER_MS,
            },
            WriteFault::Broken(error) => {
                self.shared
                    .poison(format!("writing a segment failed: {error}"));
                if handed_over {
                    AppendError::OutcomeUnknown
                } else {
                    AppendError::NotWritable
                }
            }
        }
    }

    /// Gives every group its outcome and every new event its place.
    fn plan(&mut self, groups: Vec<Queued>) -> Batch {
        let used_at = self.shared.clock.steady();
        self.dedupe.expire(used_at);
        let timestamp = self.shared.clock.wall().max(self.last_timestamp);
        self.last_timestamp = timestamp;
        let write = self.active.next_write();
        let mut batch = Batch::default();
        let mut next = self.shared.end() + 1;
        for group in groups {
            let template = RecordHeader {
                length: 0,
                count: 0,
                tag: self.active.segment.tag(),
                base: next,
                synced_end: self.shared.end(),
                timestamp: timestamp.0,
                write,
                epoch: self.shared.lineage.current().bits(),
            };
            next += self.plan_group(group, template, used_at, &mut batch);
        }
        batch
    }

    /// Plans one group; answers how many events it adds.
    fn plan_group(
        &mut self,
        group: Queued,
        template: RecordHeader,
        used_at: Timestamp,
        batch: &mut Batch,
    ) -> u64 {
        let Queued {
            drafts,
            bytes,
            ends,
            reply,
        } = group;
        if let Some((index, position, is_settled)) = self.find_reused(&drafts) {
            batch.planned.push(Planned {
                outcome: Err(AppendError::IdReused { index, position }),
                is_settled,
                reply,
            });
            return 0;
        }
        let timestamp = Timestamp(template.timestamp);
        let mut outcome = Vec::with_capacity(drafts.len());
        let mut fresh = Vec::with_capacity(drafts.len());
        let mut is_settled = true;
        let mut offset = template.base;
        let mut start = 0;
        for (draft, end) in drafts.into_iter().zip(ends) {
            let encoded = bytes.get(start..end).unwrap_or_default();
            start = end;
            let position = Position {
                epoch: self.shared.lineage.current(),
                offset: Offset(offset),
            };
            let known = draft
                .dedupe
                .map_or(Known::New, |key| self.dedupe.look_up(&key));
            let (position, timestamp, duplicate) = match known {
                Known::Committed(first, time) => (first, time, true),
                Known::Pending(first, time) => {
                    is_settled = false;
                    (first, time, true)
                }
                // Reuse was looked for above, and nothing was added to the window since.
                Known::New | Known::Reused(_) => {
                    is_settled = false;
                    if let Some(key) = &draft.dedupe {
                        self.dedupe.insert(key, position, timestamp, used_at);
                    }
                    fresh.push(encoded);
                    batch.events.push(Arc::new(Event {
                        position,
                        timestamp,
                        content: draft.content,
                    }));
                    offset += 1;
                    (position, timestamp, false)
                }
            };
            outcome.push(Appended {
                position,
                timestamp,
                duplicate,
            });
        }
        if !fresh.is_empty() {
            let place = batch.records.len();
            let header = RecordHeader {
                count: fresh.len() as u32,
                ..template
            };
            let header = header.encode(fresh, &mut batch.records);
            batch.headers.push((header, place));
        }
        batch.planned.push(Planned {
            outcome: Ok(outcome),
            is_settled,
            reply,
        });
        offset - template.base
    }

    /// The first draft whose id stands for other content, in the window or earlier in the group;
    /// and whether that is so however this write ends.
    fn find_reused(&self, drafts: &[Draft]) -> Option<(usize, Option<Position>, bool)> {
        let mut earlier: HashMap<[u8; 16], [u8; 16]> = HashMap::new();
        for (index, draft) in drafts.iter().enumerate() {
            let Some(key) = draft.dedupe else { continue };
            if let Known::Reused(position) = self.dedupe.look_up(&key) {
                let committed = position.offset.0 <= self.shared.end();
                return Some((index, Some(position), committed));
            }
            let before = earlier.insert(key.publisher_id, key.content);
            if before.is_some_and(|content| content != key.content) {
                // The first one has no place, since the group is refused as a whole.
                return Some((index, None, true));
            }
        }
        None
    }

    /// Seals the active segment and begins the next one.
    fn roll_over(&mut self) -> Result<(), WriteFault> {
        let shared = Arc::clone(&self.shared);
        let sequence = self.active.header.sequence + 1;
        let bytes = next_capacity(self.active.capacity(), shared.segment_bytes);
        // The keeper's, unless it has not had the time to make one.
        let ready = shared.spare().take();
        let make = || Spare::create(&*shared.disk, &shared.dir, bytes);
        let spare = ready.map_or_else(make, Ok);
        let spare = spare.map_err(|error| {
            if crate::active::is_full(&error) {
                WriteFault::Full
            } else {
                WriteFault::Refused(error)
            }
        })?;
        let end = shared.end();
        let header = SegmentHeader {
            log_id: shared.log_id,
            sequence,
            first: end + 1,
            synced_end: end,
            last_timestamp: self.last_timestamp.0,
            sealed: Some(self.active.seal()),
            lineage: (*shared.lineage).clone(),
        };
        self.active = Active::make(&*shared.disk, &shared.dir, header, spare, &[])?;
        let segment = Arc::clone(&self.active.segment);
        shared.change_inventory(|inventory| inventory.segments.push(segment));
        shared.keeper.raise();
        Ok(())
    }
}

/// The size of the segment after one of this size.
pub(crate) fn next_capacity(current: u64, full: u64) -> u64 {
    current.saturating_mul(2).min(full)
}

fn unplanned(group: Queued) -> Planned {
    Planned {
        outcome: Ok(Vec::new()),
        is_settled: false,
        reply: group.reply,
    }
}

fn answer(planned: Vec<Planned>, written: &Result<(), AppendError>) {
    for group in planned {
        match written {
            Err(error) if !group.is_settled => (group.reply)(Err(error.clone())),
            _ => (group.reply)(group.outcome),
        }
    }
}
