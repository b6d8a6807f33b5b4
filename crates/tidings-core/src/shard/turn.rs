//! One turn of a shard: deadlines, a share for replays, then the ready ring, each within a budget.

use bytes::Bytes;

use crate::coding::Coding;
use crate::delivery::{Delivery, Sink, Taken};
use crate::limits::SENDS_PER_TURN_MAX;
use crate::position::{Offset, Position};
use crate::shard::connection::{ConnectionKey, Mode, Pace};
use crate::shard::gather::{CONSIDERED_PER_TURN_MAX, Source};
use crate::shard::pack::Block;
use crate::shard::small::Coarse;
use crate::shard::{Now, Shard, close};

/// Connections looked at in one turn. Looking at one that has nothing to send is cheap, not free.
pub(super) const VISITS_PER_TURN_MAX: usize = SENDS_PER_TURN_MAX * 4;

/// Of a turn's sends, visits and positions, what the ready ring has at least, however much is urgent. It has them
/// in one stretch, so that those who stand at the same place are served together.
const READY_SENDS_MIN: usize = SENDS_PER_TURN_MAX / 8;
const READY_VISITS_MIN: usize = VISITS_PER_TURN_MAX / 8;
const READY_CONSIDERED_MIN: u64 = CONSIDERED_PER_TURN_MAX / 8;

impl<S: Sink> Shard<S> {
    /// Does a bounded amount of what can be done now. Returns whether there is more; the thread
    /// takes in new events before it comes back.
    pub fn turn(&mut self, now: Now) -> bool {
        self.meet_deadlines(now);
        self.judge_some(now);
        self.serve_answers(now);
        let rests = self.rests(now);
        let until = self.totals.deliveries + SENDS_PER_TURN_MAX as u64;
        let considered_until = self.memo.considered() + CONSIDERED_PER_TURN_MAX;
        for visit in 0..VISITS_PER_TURN_MAX {
            if self.totals.deliveries >= until || self.memo.considered() >= considered_until {
                break;
            }
            let is_late = self.totals.deliveries + READY_SENDS_MIN as u64 >= until
                || visit + READY_VISITS_MIN >= VISITS_PER_TURN_MAX
                || self.memo.considered() + READY_CONSIDERED_MIN >= considered_until;
            let is_their_turn = is_late && !rests && !self.ready.is_empty();
            if !is_their_turn && let Some(key) = self.urgent.pop_front() {
                if let Some(connection) = self.connection(key) {
                    connection.queued.comes_up_urgently();
                    self.serve(key, now);
                }
            } else if !rests && let Some(key) = self.ready.pop_front() {
                let connection = self.connection(key);
                if connection.is_some_and(|connection| connection.queued.comes_up_ready()) {
                    self.serve(key, now);
                }
            } else {
                break;
            }
        }
        if self.ready.is_empty() {
            self.rests_until = None;
            self.has_news = false;
        }
        let overdue = self.deadlines.next().is_some_and(|at| at <= now.moment);
        let waits =
            !self.urgent.is_empty() || !self.answers.is_empty() || self.judgement.is_pending();
        overdue || waits || (!rests && !self.ready.is_empty())
    }

    /// Whether the ready ring rests, so that what comes in the next moments shares its writes. It does
    /// so for news alone: whoever reads what lies behind it has enough to share.
    fn rests(&mut self, now: Now) -> bool {
        let linger_ms = self.options.linger_ms;
        if linger_ms == 0 || !self.has_news || self.ready.is_empty() {
            return false;
        }
        let until = self
            .rests_until
            .get_or_insert_with(|| now.moment.plus_ms(linger_ms));
        now.moment < *until
    }

    /// A reader took a part of what waits for it.
    pub fn progressed(&mut self, key: ConnectionKey, now: Now) {
        if let Some(connection) = self.connection(key) {
            connection.last_delivery = now.moment;
        }
    }

    /// The sink of a connection has room again.
    pub fn drained(&mut self, key: ConnectionKey, now: Now) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        connection.greeted = true;
        connection.last_delivery = now.moment;
        if !connection.sink.is_free() {
            // The news was overtaken by another delivery, whose own will follow.
            return;
        }
        if connection.has_farewell() {
            self.say_farewell(key, now);
        } else {
            self.enqueue(key);
            // A sign of life may be due sooner than it would have been given up.
            self.arm(key, now);
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
        if !connection.sink.is_free() || connection.reading {
            return;
        }
        if connection.has_farewell() {
            self.say_farewell(key, now);
            return;
        }
        if let Some(after) = connection.snapshot_after() {
            self.ask_snapshot(key, after);
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
        let source = Source {
            selectors: &self.selectors,
            window: &self.window,
            head: self.head,
            encoder: self.options.encoder.as_ref(),
            coder: self.options.coder.as_ref(),
        };
        let gathered = self.memo.gather(connection, &source);
        let Some(gathered) = gathered else {
            connection.pace = Pace::Patient;
            connection.cursor = self.head.max(cursor);
            self.conclude_page(key, now);
            return;
        };
        connection.cursor = gathered.through;
        if !gathered.more {
            connection.pace = Pace::Patient;
        }
        if gathered.events == 0 {
            if gathered.more {
                self.enqueue(key);
            } else {
                self.conclude_page(key, now);
            }
        } else if connection.is_page() {
            let (events, through) = (gathered.events, gathered.through);
            self.answer_page(
                key,
                gathered.block.bytes,
                events,
                through,
                gathered.more,
                now,
            );
        } else {
            let (events, through) = (gathered.events, gathered.through);
            let taken = self.hand_over(key, gathered.block, events, through, now);
            if taken == Taken::Free && gathered.more {
                self.enqueue(key);
            }
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
        let waited = now.moment.ms_since(connection.opened_at) >= u64::from(wait_ms);
        if waited || connection.has_gap() {
            let cursor = connection.cursor;
            self.answer_page(key, Bytes::new(), 0, cursor, false, now);
        }
    }

    /// Counts a delivery, and names the position that it reaches.
    fn account(&mut self, bytes: &Bytes, events: usize, through: Offset) -> Position {
        self.totals.deliveries += 1;
        self.totals.events_delivered += events as u64;
        self.totals.bytes_delivered += bytes.len() as u64;
        self.options.lineage.position(through)
    }

    /// Hands bytes to a stream's sink. If it has room for more, it is the caller who knows whether
    /// there is more.
    pub(super) fn hand_over(
        &mut self,
        key: ConnectionKey,
        block: Block,
        events: usize,
        through: Offset,
        now: Now,
    ) -> Taken {
        let Block { bytes, check_sum } = block;
        let cursor = self.account(&bytes, events, through);
        let coder = &self.options.coder;
        let Some(connection) = self
            .connections
            .get_mut(key.slot())
            .filter(|c| c.key == key)
        else {
            return Taken::Gone;
        };
        if connection.coding != Coding::Identity {
            connection.check_sum = coder.join(connection.check_sum, check_sum);
        }
        connection.last_delivery = now.moment;
        connection.given.add(events, bytes.len());
        if events > 0 {
            connection.last_event = Coarse::at(now.moment);
        }
        let delivery = Delivery {
            bytes,
            events,
            cursor,
            gap: None,
            more: false,
            last: false,
        };
        let taken = connection.sink.deliver(delivery);
        match taken {
            Taken::Free => connection.greeted = true,
            Taken::Full => self.arm(key, now),
            Taken::Gone => self.remove(key, close::Cause::Left, now),
        }
        taken
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
        let cursor = self.account(&bytes, events, through);
        let Some(connection) = self.connection(key) else {
            return;
        };
        let gap = connection.take_gap();
        connection.given.add(events, bytes.len());
        // A page is answered once, whoever is there to hear it.
        let _: Taken = connection.sink.deliver(Delivery {
            bytes,
            events,
            cursor,
            gap,
            more,
            last: true,
        });
        self.remove(key, close::Cause::Answered, now);
    }
}
