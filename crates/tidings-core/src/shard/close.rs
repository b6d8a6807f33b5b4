//! Ending connections: by themselves, with a farewell, or all of them spread over time.

use crate::delivery::{Delivery, Sink, Taken};
use crate::limits::DISMISSAL_WAIT_MS_MAX;
use crate::port::{Control, Farewell};
use crate::shard::connection::{ConnectionId, ConnectionKey};
use crate::shard::spread::Jitter;
use crate::shard::{Action, Now, Outline, Shard, pack};

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The reader went away.
    Left,
    /// The page was answered.
    Answered,
    /// It was told to go, with this code.
    Told(&'static str),
}

impl Cause {
    /// Every cause as a word: the codes of farewells among them.
    pub const WORDS: [&str; 9] = [
        "left",
        "answered",
        "drain",
        "slow_reader",
        LOG_FAILED,
        "credential_expired",
        "credential_revoked",
        "not_granted",
        "disconnected",
    ];

    /// The cause as a word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Answered => "answered",
            Self::Told(code) => code,
        }
    }

    /// Its place among all words.
    fn place(self) -> usize {
        let word = self.as_str();
        let place = Self::WORDS.iter().position(|known| *known == word);
        debug_assert!(place.is_some(), "`{word}` is no cause");
        place.unwrap_or_default()
    }
}

/// How many connections ended for each cause, in the order of [`Cause::WORDS`].
pub type Closes = [u64; Cause::WORDS.len()];

/// A connection that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Which.
    pub id: ConnectionId,
    /// Whose it was, and what it read.
    pub outline: Outline,
    /// Whether it was a page, which ends with its answer.
    pub is_page: bool,
    /// Why.
    pub cause: Cause,
    /// How long it was open.
    pub open_ms: u64,
    /// Events that it was given.
    pub events: u64,
    /// Bytes that it was given, its last word not counted.
    pub bytes: u64,
}

/// How a shard asks its connections to move away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrainPlan {
    /// Over how long the farewells are spread.
    pub spread_ms: u64,
    /// When readers should come back, after their farewell.
    pub retry_after_ms: u64,
}

impl<S: Sink> Shard<S> {
    /// The reader of a connection is gone.
    pub fn left(&mut self, key: ConnectionKey, now: Now) {
        self.remove(key, Cause::Left, now);
    }

    /// Ends a connection with a last word, as soon as its sink has room for it.
    pub(super) fn bid_farewell(&mut self, key: ConnectionKey, farewell: Farewell, now: Now) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        connection.seldom().farewell = Some(farewell);
        // What is being read for it is for nobody: a disk that hangs keeps no connection open.
        if connection.sink.is_free() {
            self.say_farewell(key, now);
        }
    }

    /// Ends a connection that may read no longer: with a last word if its reader takes that soon,
    /// however slowly it takes what was sent before. The first such word is the one that is said.
    pub(super) fn dismiss(&mut self, key: ConnectionKey, farewell: Farewell, now: Now) {
        let Some(connection) = self.connection(key).filter(|c| c.cut_at().is_none()) else {
            return;
        };
        connection.seldom().cut_at = Some(now.moment.plus_ms(DISMISSAL_WAIT_MS_MAX));
        self.bid_farewell(key, farewell, now);
        self.arm(key, now);
    }

    /// Ends a connection that has been told so and had its time to hear it.
    pub(super) fn dismiss_now(&mut self, key: ConnectionKey, now: Now) {
        let Some(connection) = self.connection(key) else {
            return;
        };
        if connection.sink.is_free() {
            self.say_farewell(key, now);
        } else {
            self.cut_short(key, slow_reader(), now);
        }
    }

    /// Asks all connections to move away, each at its own time.
    pub fn drain(&mut self, plan: DrainPlan, now: Now) {
        self.drain = Some(plan);
        let mut jitter = Jitter(self.options.seed);
        let keys: Vec<ConnectionKey> = self.connections.iter().map(|c| c.key).collect();
        for key in keys {
            let leave_at = now.moment.plus_ms(jitter.below(plan.spread_ms));
            if let Some(connection) = self.connection(key) {
                connection.seldom().leave_at = Some(leave_at);
            }
            self.arm(key, now);
        }
    }

    /// Says the farewell of a drain to one connection.
    pub(super) fn leave_now(&mut self, key: ConnectionKey, now: Now) {
        let Some(plan) = self.drain else { return };
        let mut jitter = Jitter(self.options.seed ^ key.slot() as u64 ^ now.moment.0);
        let farewell = Farewell {
            code: "drain",
            reason: "the hub is shutting down".to_owned(),
            retry_after_ms: Some(plan.retry_after_ms),
            spread_ms: plan.spread_ms,
            retry_ms: Some(plan.retry_after_ms + jitter.below(plan.spread_ms)),
        };
        self.bid_farewell(key, farewell, now);
    }

    /// Hands over the last word and forgets the connection. The sink has room.
    pub(super) fn say_farewell(&mut self, key: ConnectionKey, now: Now) {
        let encoder = self.options.encoder.clone();
        let coder = self.options.coder.clone();
        let lineage = self.options.lineage.clone();
        let Some(connection) = self.connection(key) else {
            return;
        };
        let Some(farewell) = connection.take_farewell() else {
            return;
        };
        let code = farewell.code;
        let cursor = lineage.position(connection.cursor);
        let told = connection.snapshot_after().is_none().then_some(cursor);
        if connection.is_page() && (told.is_none() || code == LOG_FAILED) {
            // An empty page would say that there is nothing to read.
            self.remove(key, Cause::Told(code), now);
            return;
        }
        let mut text = Vec::new();
        if let Some(voice) = connection.voice() {
            let bye = Control::Bye {
                cursor: told,
                farewell,
            };
            encoder.control(voice, &bye, &mut text);
        }
        let gap = connection.take_gap();
        let bytes = pack::last(
            coder.as_ref(),
            connection.coding,
            text,
            connection.check_sum,
        );
        // Whether it is heard is between the sink and its peer: the connection ends here.
        let _: Taken = connection.sink.deliver(Delivery {
            bytes,
            events: 0,
            cursor,
            gap,
            more: false,
            last: true,
        });
        self.totals.deliveries += 1;
        self.remove(key, Cause::Told(code), now);
    }

    /// Ends a connection whose reader takes nothing, with a last word behind what waits for it: this
    /// one, unless it was to hear another.
    pub(super) fn cut_short(&mut self, key: ConnectionKey, farewell: Farewell, now: Now) {
        let encoder = self.options.encoder.clone();
        let coder = self.options.coder.clone();
        let lineage = self.options.lineage.clone();
        let Some(connection) = self.connection(key) else {
            return;
        };
        let owed = connection.take_farewell();
        let farewell = owed.unwrap_or(farewell);
        let code = farewell.code;
        // What waits belongs to what the cursor tells: this is said behind it, or not at all.
        let bye = Control::Bye {
            cursor: connection
                .snapshot_after()
                .is_none()
                .then(|| lineage.position(connection.cursor)),
            farewell,
        };
        let mut text = Vec::new();
        if let Some(voice) = connection.voice() {
            encoder.control(voice, &bye, &mut text);
        }
        let bytes = pack::last(
            coder.as_ref(),
            connection.coding,
            text,
            connection.check_sum,
        );
        connection.sink.cut_short(bytes);
        self.remove(key, Cause::Told(code), now);
    }

    pub(super) fn remove(&mut self, key: ConnectionKey, cause: Cause, now: Now) {
        if self.connection(key).is_none() {
            return;
        }
        self.memo.clear();
        self.watch_goes(key);
        let Some(connection) = self.connections.remove(key.slot()) else {
            return;
        };
        let outline = self.outline_of(&connection);
        let filtered = !connection.types.is_everything();
        for (selector, place) in &connection.memberships {
            self.leave_selector(*selector, *place, filtered);
        }
        self.totals.closed += 1;
        if let Some(count) = self.totals.closes.get_mut(cause.place()) {
            *count += 1;
        }
        let open_ms = now.moment.ms_since(connection.opened_at);
        let closed = Closed {
            id: self.id(key, connection.random),
            outline,
            is_page: connection.is_page(),
            cause,
            open_ms,
            events: connection.given.events(),
            bytes: connection.given.bytes(),
        };
        self.actions.push(Action::Closed(closed, connection.sink));
    }

    /// Gives up a place among the members of a selector, and tells whoever gets it.
    pub(super) fn leave_selector(&mut self, selector: u32, place: u32, filtered: bool) {
        let Some(moved) = self.selectors.leave(selector, place, filtered) else {
            return;
        };
        let Some(moved) = self.connections.get_mut(moved as usize) else {
            return;
        };
        for membership in &mut moved.memberships {
            if membership.0 == selector {
                membership.1 = place;
            }
        }
    }
}

/// How soon a reader that took nothing comes back.
const SLOW_READER_RETRY_MS: u64 = 1_000;

pub(super) fn slow_reader() -> Farewell {
    Farewell {
        code: "slow_reader",
        reason: "the reader did not take what was sent to it".to_owned(),
        retry_after_ms: Some(SLOW_READER_RETRY_MS),
        spread_ms: SLOW_READER_RETRY_MS,
        retry_ms: Some(SLOW_READER_RETRY_MS),
    }
}

/// Code of the farewell of those for whom the log could not be read.
const LOG_FAILED: &str = "log_failed";

/// How soon a reader comes back after the log could not be read.
const READ_FAILED_RETRY_MS: u64 = 5_000;

pub(super) fn read_failed() -> Farewell {
    Farewell {
        code: LOG_FAILED,
        reason: "the log could not be read".to_owned(),
        retry_after_ms: Some(READ_FAILED_RETRY_MS),
        spread_ms: READ_FAILED_RETRY_MS,
        retry_ms: Some(READ_FAILED_RETRY_MS),
    }
}

pub(super) fn credential_expired() -> Farewell {
    Farewell {
        code: "credential_expired",
        reason: "the credential behind the stream has ended".to_owned(),
        retry_after_ms: Some(0),
        spread_ms: 0,
        retry_ms: None,
    }
}

pub(super) fn credential_revoked() -> Farewell {
    Farewell {
        code: "credential_revoked",
        reason: "the credential behind the stream counts no longer".to_owned(),
        ..for_good()
    }
}

pub(super) fn not_granted() -> Farewell {
    Farewell {
        code: "not_granted",
        reason: "the renewed credential allows reading none of the topics".to_owned(),
        ..for_good()
    }
}

/// Whoever is told this does not come back by itself: it would end the same way.
pub(super) fn for_good() -> Farewell {
    Farewell {
        code: "",
        reason: String::new(),
        retry_after_ms: None,
        spread_ms: 0,
        retry_ms: None,
    }
}
