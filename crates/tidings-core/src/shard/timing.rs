//! What connections are told because time passes: signs of life, and the end of a credential.

use crate::delivery::{Sink, Taken};
use crate::limits::{REAUTH_NOTICE_MS, SENDS_PER_TURN_MAX};
use crate::port::Control;
use crate::shard::connection::{ConnectionKey, Mode, NO_DEADLINE};
use crate::shard::spread::Jitter;
use crate::shard::turn::VISITS_PER_TURN_MAX;
use crate::shard::{Now, Shard, close, pack};
use crate::time::Moment;

/// How soon to look again when a deadline found the sink full.
const BUSY_RETRY_MS: u64 = 500;

/// Fewer outdated deadlines are not looked for.
const OUTDATED_MIN: usize = 256;

/// After how long a stream is given a sign of life: up to an eighth early, each connection at its own
/// time, so that those that heard the last event together are not all due together.
fn early(key: ConnectionKey, heartbeat_ms: u32) -> u64 {
    let heartbeat_ms = u64::from(heartbeat_ms);
    heartbeat_ms - Jitter(key.to_bits()).below(heartbeat_ms / 8)
}

/// How many steady signs of life were due since a connection was opened, and how far they are apart.
fn beat(opened_at: Moment, now: Now, key: ConnectionKey, heartbeat_ms: u32) -> (u64, u64) {
    let every_ms = early(key, heartbeat_ms);
    (now.moment.ms_since(opened_at) / every_ms, every_ms)
}

impl<S: Sink> Shard<S> {
    /// Deals with deadlines that have come up, at most a turn's share of them: after an event for
    /// everybody, everybody's next sign of life is due at the same time.
    pub(super) fn meet_deadlines(&mut self, now: Now) {
        let until = self.totals.deliveries + SENDS_PER_TURN_MAX as u64;
        for _ in 0..VISITS_PER_TURN_MAX {
            if self.totals.deliveries >= until {
                return;
            }
            let Some((at, key)) = self.deadlines.due(now.moment) else {
                return;
            };
            if self
                .connection(key)
                .is_some_and(|connection| connection.deadline == at)
            {
                self.on_deadline(key, now);
            }
        }
    }

    /// Sets the connection's next deadline.
    pub(super) fn arm(&mut self, key: ConnectionKey, now: Now) {
        let slow_reader_ms = self.options.slow_reader_ms;
        let Some(connection) = self.connection(key) else {
            return;
        };
        let rhythm = match connection.mode {
            // What it was given and does not take is a sign of life that nobody hears.
            Mode::Stream { .. } if !connection.sink.is_free() => {
                connection.last_delivery.plus_ms(slow_reader_ms)
            }
            Mode::Stream { heartbeat, .. } if heartbeat.is_steady => {
                let (beat, every_ms) = beat(connection.opened_at, now, key, heartbeat.every_ms);
                let is_due = beat as u8 != connection.beat;
                let next = beat + u64::from(!is_due);
                connection.opened_at.plus_ms(next * every_ms)
            }
            Mode::Stream { heartbeat, .. } => connection
                .last_delivery
                .plus_ms(early(key, heartbeat.every_ms)),
            Mode::Page { wait_ms, .. } => connection.opened_at.plus_ms(u64::from(wait_ms)),
        };
        // What is overdue waits for the sink or a reader thread: no deadline lies in the past.
        let rhythm = if rhythm > now.moment {
            rhythm
        } else {
            now.moment.plus_ms(BUSY_RETRY_MS)
        };
        // Whoever is to go already, as soon as the sink has room, needs no further reason but one that
        // gives it less time.
        let is_told = connection.has_farewell();
        let is_dismissed = connection.cut_at().is_some();
        // By the clock as it goes now: if it is set back, it will be looked at again.
        let expiry = connection.expires_at().filter(|_| !is_dismissed).map(|at| {
            let at = now.moment.plus_ms(at.since(now.wall).as_millis() as u64);
            if connection.reauth_told || connection.is_page() || is_told {
                at
            } else {
                // Announced in time, or soon if it is late for that; never later than the end.
                Moment(at.0.saturating_sub(REAUTH_NOTICE_MS))
                    .max(now.moment.plus_ms(BUSY_RETRY_MS))
                    .min(at)
            }
        });
        let leave_at = connection.leave_at().filter(|_| !is_told);
        let others = [expiry, leave_at, connection.cut_at()];
        let next = others.into_iter().flatten().chain([rhythm]).min();
        // One that comes up too early is looked at and set again; so nothing is set per delivery.
        if let Some(at) = next.filter(|at| connection.deadline > *at) {
            connection.deadline = at;
            self.deadlines.set(at, key);
            self.forget_outdated();
        }
    }

    /// Lets go of outdated deadlines once they are most of all: those of pages that are answered at
    /// once would stay for as long as each might have waited.
    fn forget_outdated(&mut self) {
        if self.deadlines.len() < OUTDATED_MIN + 4 * self.connections.len() {
            return;
        }
        let connections = &self.connections;
        self.deadlines.retain(|at, key| {
            connections
                .get(key.slot())
                .is_some_and(|connection| connection.key == key && connection.deadline == at)
        });
    }

    fn on_deadline(&mut self, key: ConnectionKey, now: Now) {
        let slow_reader_ms = self.options.slow_reader_ms;
        let Some(connection) = self.connection(key) else {
            return;
        };
        connection.deadline = NO_DEADLINE;
        let is_told = connection.has_farewell();
        if connection.cut_at().is_some_and(|at| at <= now.moment) {
            self.dismiss_now(key, now);
            return;
        }
        if !is_told && connection.leave_at().is_some_and(|at| at <= now.moment) {
            connection.seldom().leave_at = None;
            self.leave_now(key, now);
            // It may have no room to hear it, and is not waited for longer than anybody else.
            self.arm(key, now);
            return;
        }
        // The wall clock may have been set back or slewed: then it is looked at again when it will
        // have got there.
        if connection.cut_at().is_none() && connection.expires_at <= now.wall {
            self.dismiss(key, close::credential_expired(), now);
            return;
        }
        if connection.is_page() {
            self.enqueue(key);
        } else if connection.is_slow(now.moment, slow_reader_ms) {
            self.cut_short(key, close::slow_reader(), now);
            return;
        } else {
            self.say_reauth(key, now);
            self.say_ping(key, now);
        }
        self.arm(key, now);
    }

    fn say_reauth(&mut self, key: ConnectionKey, now: Now) {
        let encoder = self.options.encoder.clone();
        let Some(connection) = self.connection(key) else {
            return;
        };
        let Some(expires_at) = connection.expires_at() else {
            return;
        };
        let near = expires_at.since(now.wall).as_millis() as u64 <= REAUTH_NOTICE_MS;
        if connection.reauth_told || !near || !connection.sink.is_free() || connection.reading {
            return;
        }
        let Some(voice) = connection.voice() else {
            return;
        };
        connection.reauth_told = true;
        let mut text = Vec::new();
        encoder.control(voice, &Control::Reauth { expires_at }, &mut text);
        let (coding, cursor) = (connection.coding, connection.cursor);
        let block = pack::one(self.options.coder.as_ref(), coding, text);
        let _: Taken = self.hand_over(key, block, 0, cursor, now);
    }

    /// A sign of life, unless something was delivered a moment ago or waits to be.
    pub(super) fn say_ping(&mut self, key: ConnectionKey, now: Now) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        let Mode::Stream { heartbeat, .. } = connection.mode else {
            return;
        };
        let (beat, every_ms) = beat(connection.opened_at, now, key, heartbeat.every_ms);
        let due = if heartbeat.is_steady {
            beat as u8 != connection.beat
        } else {
            now.moment.ms_since(connection.last_delivery) >= every_ms
        };
        if due
            && self.ping_now(key, now)
            && let Some(connection) = self.connection(key)
        {
            connection.beat = beat as u8;
        }
    }

    /// A sign of life, due or not, unless something waits to be delivered. Whether it was given.
    pub(super) fn ping_now(&mut self, key: ConnectionKey, now: Now) -> bool {
        let encoder = self.options.encoder.clone();
        let head = self.head;
        let Some(connection) = self.connection(key) else {
            return false;
        };
        let busy = !connection.sink.is_free()
            || connection.reading
            || connection.snapshot_after().is_some();
        let Some(voice) = connection.voice().filter(|_| !busy) else {
            return false;
        };
        let (coding, cursor) = (connection.coding, connection.cursor);
        // The head may be told only if nothing up to it waits for this connection.
        let told = if self.nothing_waits(key) {
            head.max(cursor)
        } else {
            cursor
        };
        let control = Control::Ping {
            cursor: self.options.lineage.position(told),
            time: now.wall,
        };
        let mut text = Vec::new();
        encoder.control(voice, &control, &mut text);
        let block = pack::one(self.options.coder.as_ref(), coding, text);
        if let Some(connection) = self.connection(key) {
            connection.cursor = told;
        }
        self.hand_over(key, block, 0, told, now) != Taken::Gone
    }

    /// Whether a connection has been given everything up to the shard's head.
    pub(super) fn nothing_waits(&mut self, key: ConnectionKey) -> bool {
        let evicted_through = self.window.evicted_through();
        let Some(connection) = self
            .connections
            .get_mut(key.slot())
            .filter(|c| c.key == key && c.snapshot_after().is_none())
        else {
            return false;
        };
        let cursor = connection.cursor;
        connection.memberships.iter().all(|(id, _)| {
            self.selectors
                .is_complete_after(*id, cursor, evicted_through)
                && self
                    .selectors
                    .get(*id)
                    .is_some_and(|entry| entry.first_after(cursor).is_none())
        })
    }
}
