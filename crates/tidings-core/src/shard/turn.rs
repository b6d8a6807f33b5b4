//! One turn of a shard: deadlines, a share for replays, then the ready ring within its budget.

use bytes::Bytes;

use crate::delivery::{Delivery, Sink};
use crate::limits::{REAUTH_NOTICE_MS, SENDS_PER_TURN_MAX};
use crate::port::Control;
use crate::position::Offset;
use crate::shard::connection::{ConnectionKey, Mode};
use crate::shard::{Now, Shard, close};
use crate::time::Moment;

/// Connections looked at in one turn. Looking at one that has nothing to send is cheap, not free.
const VISITS_PER_TURN_MAX: usize = SENDS_PER_TURN_MAX * 4;

/// How soon to look again when a deadline found the sink full.
const BUSY_RETRY_MS: u64 = 500;

impl<S: Sink> Shard<S> {
    /// Does a bounded amount of what can be done now. Returns whether there is more; the thread
    /// takes in new events before it comes back.
    pub fn turn(&mut self, now: Now) -> bool {
        while let Some((at, key)) = self.deadlines.due(now.moment) {
            if self
                .connection(key)
                .is_some_and(|connection| connection.deadline == Some(at))
            {
                self.on_deadline(key, now);
            }
        }
        self.serve_answers(now);
        let until = self.totals.deliveries + SENDS_PER_TURN_MAX as u64;
        for _ in 0..VISITS_PER_TURN_MAX {
            if self.totals.deliveries >= until {
                break;
            }
            let Some(key) = self.ready.pop_front() else {
                break;
            };
            self.serve(key, now);
        }
        !self.ready.is_empty() || !self.answers.is_empty()
    }

    /// The sink of a connection has room again.
    pub fn drained(&mut self, key: ConnectionKey, now: Now) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        connection.greeted = true;
        if connection.farewell.is_some() {
            self.say_farewell(key, now);
        } else {
            self.enqueue(key);
        }
    }

    /// Gives one connection what waits for it.
    fn serve(&mut self, key: ConnectionKey, now: Now) {
        let Some(connection) = self
            .connections
            .get_mut(key.slot())
            .filter(|c| c.key == key)
        else {
            return;
        };
        connection.queued = false;
        if !connection.sink.is_free() || connection.reading {
            return;
        }
        if connection.farewell.is_some() {
            self.say_farewell(key, now);
            return;
        }
        if connection.snapshot_due {
            self.ask_snapshot(key);
            return;
        }
        let cursor = connection.cursor;
        let evicted_through = self.window.evicted_through();
        let complete = connection.memberships.iter().all(|(id, _)| {
            self.selectors
                .is_complete_after(*id, cursor, evicted_through)
        });
        if !complete {
            self.ask_store(key);
            return;
        }
        let gathered = self.memo.gather(
            connection,
            &self.selectors,
            &self.window,
            self.head,
            self.options.encoder.as_ref(),
        );
        let Some(gathered) = gathered else {
            connection.cursor = self.head.max(cursor);
            self.conclude_page(key, now);
            return;
        };
        connection.cursor = gathered.through;
        if gathered.events == 0 {
            if gathered.more {
                self.enqueue(key);
            } else {
                self.conclude_page(key, now);
            }
        } else if connection.is_page() {
            let (events, through) = (gathered.events, gathered.through);
            self.answer_page(key, gathered.bytes, events, through, gathered.more, now);
        } else {
            self.hand_over(key, gathered.bytes, gathered.events, gathered.through, now);
        }
    }

    /// Answers a page that is caught up and either has a gap to tell or may not wait any longer.
    fn conclude_page(&mut self, key: ConnectionKey, now: Now) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        let Mode::Page { wait_ms, .. } = connection.mode else {
            return;
        };
        let waited = now.moment.ms_since(connection.opened_at) >= wait_ms;
        if waited || connection.gap.is_some() {
            let cursor = connection.cursor;
            self.answer_page(key, Bytes::new(), 0, cursor, false, now);
        }
    }

    /// Hands bytes to a stream's sink.
    pub(super) fn hand_over(
        &mut self,
        key: ConnectionKey,
        bytes: Bytes,
        events: usize,
        through: Offset,
        now: Now,
    ) {
        let cursor = self.options.lineage.position(through);
        self.totals.deliveries += 1;
        self.totals.events_delivered += events as u64;
        self.totals.bytes_delivered += bytes.len() as u64;
        let Some(connection) = self.connection(key) else {
            return;
        };
        connection.last_delivery = now.moment;
        if events > 0 {
            connection.last_event = now.moment;
        }
        let delivery = Delivery {
            bytes,
            events,
            cursor,
            gap: None,
            more: false,
            last: false,
        };
        connection.sink.deliver(delivery);
    }

    /// Hands a page its answer, which ends the connection.
    pub(super) fn answer_page(
        &mut self,
        key: ConnectionKey,
        bytes: Bytes,
        events: usize,
        through: Offset,
        more: bool,
        now: Now,
    ) {
        let cursor = self.options.lineage.position(through);
        self.totals.deliveries += 1;
        self.totals.events_delivered += events as u64;
        self.totals.bytes_delivered += bytes.len() as u64;
        let Some(connection) = self.connection(key) else {
            return;
        };
        let gap = connection.gap.take();
        connection.sink.deliver(Delivery {
            bytes,
            events,
            cursor,
            gap,
            more,
            last: true,
        });
        self.remove(key, close::Cause::Answered, now);
    }

    /// Sets the connection's next deadline.
    pub(super) fn arm(&mut self, key: ConnectionKey, now: Now) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        let rhythm = match connection.mode {
            Mode::Stream { heartbeat_ms } => connection.last_delivery.plus_ms(heartbeat_ms),
            Mode::Page { wait_ms, .. } => connection.opened_at.plus_ms(wait_ms),
        };
        // What is overdue waits for the sink or a reader thread: no deadline lies in the past.
        let rhythm = if rhythm > now.moment {
            rhythm
        } else {
            now.moment.plus_ms(BUSY_RETRY_MS)
        };
        let expiry = connection.expiry.map(|(_, at)| {
            if connection.reauth_told || connection.is_page() {
                at
            } else {
                Moment(at.0.saturating_sub(REAUTH_NOTICE_MS)).max(now.moment.plus_ms(BUSY_RETRY_MS))
            }
        });
        let next = [Some(rhythm), expiry, connection.leave_at]
            .into_iter()
            .flatten()
            .min();
        if let Some(at) = next.filter(|at| connection.deadline != Some(*at)) {
            connection.deadline = Some(at);
            self.deadlines.set(at, key);
        }
    }

    fn on_deadline(&mut self, key: ConnectionKey, now: Now) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        connection.deadline = None;
        if connection.leave_at.is_some_and(|at| at <= now.moment) {
            connection.leave_at = None;
            self.leave_now(key, now);
            return;
        }
        if let Some((expires_at, moment)) = &mut connection.expiry {
            if *expires_at <= now.wall {
                self.bid_farewell(key, close::credential_expired(), now);
                return;
            }
            // The wall clock was set back or slewed: look again when it will have got there.
            *moment = now
                .moment
                .plus_ms(expires_at.since(now.wall).as_millis() as u64);
        }
        if connection.is_page() {
            self.enqueue(key);
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
        let Some((expires_at, _)) = connection.expiry else {
            return;
        };
        let near = expires_at.since(now.wall).as_millis() as u64 <= REAUTH_NOTICE_MS;
        if connection.reauth_told || !near || !connection.sink.is_free() || connection.reading {
            return;
        }
        connection.reauth_told = true;
        let mut text = Vec::new();
        encoder.control(connection.shape, &Control::Reauth { expires_at }, &mut text);
        let cursor = connection.cursor;
        self.hand_over(key, Bytes::from(text), 0, cursor, now);
    }

    /// A sign of life, unless something was delivered a moment ago or waits to be.
    fn say_ping(&mut self, key: ConnectionKey, now: Now) {
        let encoder = self.options.encoder.clone();
        let head = self.head;
        let Some(connection) = self.connections.get(key.slot()).filter(|c| c.key == key) else {
            return;
        };
        let Mode::Stream { heartbeat_ms } = connection.mode else {
            return;
        };
        let quiet = now.moment.ms_since(connection.last_delivery) >= heartbeat_ms;
        let busy = !connection.sink.is_free() || connection.reading || connection.snapshot_due;
        if !quiet || busy {
            return;
        }
        // The head may be told only if nothing up to it waits for this connection.
        let (cursor, evicted_through) = (connection.cursor, self.window.evicted_through());
        let nothing_waits = connection.memberships.iter().all(|(id, _)| {
            self.selectors
                .is_complete_after(*id, cursor, evicted_through)
                && self
                    .selectors
                    .get(*id)
                    .is_some_and(|entry| entry.first_after(cursor).is_none())
        });
        let told = if nothing_waits {
            head.max(connection.cursor)
        } else {
            connection.cursor
        };
        let control = Control::Ping {
            cursor: self.options.lineage.position(told),
            time: now.wall,
        };
        let mut text = Vec::new();
        encoder.control(connection.shape, &control, &mut text);
        if let Some(connection) = self.connection(key) {
            connection.cursor = told;
        }
        self.hand_over(key, Bytes::from(text), 0, told, now);
    }
}
