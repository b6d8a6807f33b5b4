//! What an operator has done to many connections at once, slice by slice, like a survey.

use crate::audience::Subject;
use crate::delivery::Sink;
use crate::limits::{SURVEYED_PER_SLICE_MAX, WORDS_PER_SLICE_MAX};
use crate::shard::connection::{ConnectionId, ConnectionKey};
use crate::shard::{ConnectionState, DisconnectReason, Now, Shard, close};

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sweep {
    /// Streams that have room for it are given a sign of life now, each in its own voice: whoever is
    /// not there any more is found out so much the sooner.
    Ping,
    /// Those that are stale end now, with `slow_reader`.
    EndStale,
    /// Those of a subject end, for a reason that they are told.
    Disconnect(Subject, DisconnectReason),
}

/// What a slice has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// To how many.
    pub done: u64,
    /// How many it was meant for that had no room for it.
    pub passed_over: u64,
    /// Where the next slice begins, if there is one.
    pub next: Option<u32>,
}

impl<S: Sink> Shard<S> {
    /// Does it to the next connections from a slot on, as many as a slice may.
    pub fn sweep(&mut self, sweep: &Sweep, from: u32, now: Now) -> Swept {
        let mut swept = Swept::default();
        let (from, places) = (from as usize, self.connections.places());
        let end = places.min(from.saturating_add(SURVEYED_PER_SLICE_MAX));
        let mut slot = from;
        while slot < end && swept.done < WORDS_PER_SLICE_MAX as u64 {
            let key = self.connections.get(slot).map(|connection| connection.key);
            slot += 1;
            let Some(key) = key else { continue };
            match self.sweep_one(key, sweep, now) {
                Some(true) => swept.done += 1,
                Some(false) => swept.passed_over += 1,
                None => {}
            }
        }
        swept.next = (slot < places).then_some(slot as u32);
        swept
    }

    /// Gives the stream of a public name a sign of life now. Whether it had room for it; none if there
    /// is no such stream.
    pub fn ping(&mut self, id: ConnectionId, now: Now) -> Option<bool> {
        let key = self.find(id)?;
        self.sweep_one(key, &Sweep::Ping, now)
    }

    /// Whether it was done to one; none if it is not meant.
    fn sweep_one(&mut self, key: ConnectionKey, sweep: &Sweep, now: Now) -> Option<bool> {
        let connection = self.connections.get(key.slot())?;
        let state = self.state(connection, now.moment);
        match sweep {
            Sweep::Ping => {
                let is_meant = !connection.is_page() && state != ConnectionState::Disconnecting;
                is_meant.then(|| self.ping_now(key, now))
            }
            Sweep::EndStale => (state == ConnectionState::Stale).then(|| {
                self.cut_short(key, close::slow_reader(), now);
                true
            }),
            Sweep::Disconnect(subject, reason) => {
                let is_meant = connection.holder.is(Some(subject)) && connection.cut_at().is_none();
                is_meant.then(|| {
                    self.dismiss(key, reason.farewell(), now);
                    true
                })
            }
        }
    }
}
