//! The queue between publishers and the committer, bounded in bytes and in time.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tidings_core::event::Draft;
use tidings_core::port::{AppendError, AppendReply, Backlog};
use tidings_core::time::Moment;

use crate::limits::RETRY_AFTER_MS;
use crate::record::{RECORD_ALIGN, RECORD_HEADER_BYTES, encode_draft};

/// A group that waits for the committer.
pub(crate) struct Queued {
    /// The drafts, which become the committed events.
    pub(crate) drafts: Vec<Draft>,
    /// The drafts as a record holds them, one after the other.
    pub(crate) bytes: Vec<u8>,
    /// Where each draft ends in these bytes.
    pub(crate) ends: Vec<usize>,
    /// Who is told.
    pub(crate) reply: AppendReply,
}

impl Queued {
    /// Encodes a group, which is done on the publisher's thread to spare the committer.
    pub(crate) fn new(drafts: Vec<Draft>, reply: AppendReply) -> Self {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(drafts.len());
        for draft in &drafts {
            encode_draft(draft, &mut bytes);
            ends.push(bytes.len());
        }
        Self {
            drafts,
            bytes,
            ends,
            reply,
        }
    }

    /// Bytes of the record if none of the drafts is a duplicate.
    pub(crate) fn record_bytes(&self) -> usize {
        (RECORD_HEADER_BYTES + self.bytes.len()).next_multiple_of(RECORD_ALIGN)
    }
}

impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued")
            .field("drafts", &self.drafts.len())
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Why a queue takes nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shut {
    /// The log is being closed: what waits is still written.
    Closing,
    /// The log is poisoned: nothing is written any more.
    Poisoned,
}

#[derive(Debug, Default)]
struct State {
    /// Each with the time when it came.
    groups: VecDeque<(Moment, Queued)>,
    bytes: usize,
    /// When the oldest group came that is being written.
    in_flight_since: Option<Moment>,
    roll_over: bool,
    shut: Option<Shut>,
}

/// The queue between publishers and the committer.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    bytes_max: usize,
    wait_ms_max: u64,
}

impl Queue {
    pub(crate) fn new(bytes_max: usize, wait_ms_max: u64) -> Self {
        Self {
            state: Mutex::default(),
            filled: Condvar::new(),
            bytes_max,
            wait_ms_max,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a group, or gives its reply back with the reason.
    pub(crate) fn push(
        &self,
        group: Queued,
        now: Moment,
    ) -> Result<(), (AppendReply, AppendError)> {
        let bytes = group.record_bytes();
        let mut state = self.state();
        let waiting = state.groups.front().map(|(since, _)| *since);
        let oldest = state.in_flight_since.or(waiting);
        let stalled = oldest.is_some_and(|since| now.ms_since(since) > self.wait_ms_max);
        let refusal = if state.shut.is_some() {
            Some(AppendError::NotWritable)
        } else if stalled || (state.bytes > 0 && state.bytes + bytes > self.bytes_max) {
            Some(AppendError::Busy {
                retry_after_ms: RETRY_AFTER_MS,
            })
        } else {
            None
        };
        if let Some(refusal) = refusal {
            return Err((group.reply, refusal));
        }
        state.bytes += bytes;
        state.groups.push_back((now, group));
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for groups and takes as many as make up one write. No groups at all if rolling over was
    /// asked for; none once the queue is shut and empty.
    pub(crate) fn take(&self, batch_bytes_max: usize) -> Option<Vec<Queued>> {
        let mut state = self.state();
        while state.groups.is_empty() && !state.roll_over {
            if state.shut.is_some() {
                return None;
            }
            state = self
                .filled
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.roll_over = false;
        state.in_flight_since = state.groups.front().map(|(since, _)| *since);
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some((since, group)) = state.groups.pop_front() {
            bytes += group.record_bytes();
            if !batch.is_empty() && bytes > batch_bytes_max {
                state.groups.push_front((since, group));
                break;
            }
            batch.push(group);
        }
        Some(batch)
    }

    /// What waits.
    pub(crate) fn backlog(&self, now: Moment) -> Backlog {
        let state = self.state();
        let waiting = state.groups.front().map(|(since, _)| *since);
        let oldest = state.in_flight_since.or(waiting);
        Backlog {
            bytes: state.bytes as u64,
            waiting_ms: oldest.map_or(0, |since| now.ms_since(since)),
        }
    }

    /// Asks the committer to begin a new segment if the active one is old.
    pub(crate) fn ask_to_roll_over(&self) {
        self.state().roll_over = true;
        self.filled.notify_all();
    }

    /// The groups taken last have their answers; their bytes make room for others.
    pub(crate) fn done(&self, bytes: usize) {
        let mut state = self.state();
        state.bytes = state.bytes.saturating_sub(bytes);
        state.in_flight_since = None;
    }

    /// Takes nothing more; poison is not undone by closing.
    pub(crate) fn shut(&self, how: Shut) {
        let mut state = self.state();
        if state.shut != Some(Shut::Poisoned) {
            state.shut = Some(how);
        }
        drop(state);
        self.filled.notify_all();
    }

    /// Takes everything that waits, for nobody will write it.
    pub(crate) fn drain(&self) -> Vec<Queued> {
        let mut state = self.state();
        state.bytes = 0;
        state.groups.drain(..).map(|(_, group)| group).collect()
    }

    /// Whether and why nothing more is taken.
    pub(crate) fn is_shut(&self) -> Option<Shut> {
        self.state().shut
    }
}
