//! One reader of the played world: what it asked for, its socket, and what has become of it.

use std::cell::RefCell;
use std::rc::Rc;

use tidings_core::coding::Coding;
use tidings_core::limits::DISMISSAL_WAIT_MS_MAX;
use tidings_core::shard::{Cause, ConnectionId, ConnectionKey, Now};
use tidings_core::time::{Moment, Timestamp};

use super::super::SocketSink;
use super::log::Log;
use super::model::{Plan, Told, follow};
use super::peer::{Peer, Wire};
use super::plain::{Decoded, decode};
use crate::chunk::Framing;

pub(super) const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";

/// What is left of a connection on the hub's side.
#[derive(Debug)]
pub(super) enum Stage {
    Open,
    /// It has ended; its last word is on its way.
    Ending(SocketSink<Wire>, Moment),
    Ended,
}

#[derive(Debug)]
pub(super) struct Reader {
    pub(super) key: ConnectionKey,
    pub(super) id: ConnectionId,
    pub(super) plan: Plan,
    pub(super) framing: Framing,
    pub(super) coding: Coding,
    pub(super) expires_at: Option<Timestamp>,
    /// The number of its credential.
    pub(super) credential: usize,
    /// When it lost the right to read otherwise.
    pub(super) dismissed_at: Option<Moment>,
    pub(super) peer: Rc<RefCell<Peer>>,
    pub(super) is_attached: bool,
    pub(super) stage: Stage,
    pub(super) cause: Option<Cause>,
    /// Whether all that it was given has left.
    pub(super) is_sent: bool,
    /// Whether it may have been given up.
    pub(super) is_cut: bool,
    /// An event that it is to get as soon as it can take something.
    pub(super) owed: Option<u64>,
    /// Since when it has taken nothing of what waits, and what it had by then.
    pub(super) stuck: Option<(Moment, usize)>,
    /// When it last got something, and what it had by then.
    pub(super) heard: (Moment, usize),
}

impl Reader {
    /// Notes whether it has got something.
    pub(super) fn listen(&mut self, now: Moment) {
        let had = self.peer.borrow().received.len();
        if had > self.heard.1 {
            self.heard = (now, had);
        }
    }

    /// How long it has had no right to read.
    pub(super) fn dismissed_ms(&self, now: Now) -> Option<u64> {
        let expired = self.expires_at.filter(|at| *at <= now.wall);
        let expired_ms = expired.map(|at| now.wall.0 - at.0);
        let dismissed_ms = self.dismissed_at.map(|at| now.moment.ms_since(at));
        expired_ms.max(dismissed_ms)
    }

    /// Whether it has had its time to hear that.
    pub(super) fn may_be_cut(&self, now: Now) -> bool {
        self.dismissed_ms(now)
            .is_some_and(|ms| ms >= DISMISSAL_WAIT_MS_MAX)
    }

    /// Why its connection has ended.
    pub(super) fn cause(&self) -> Option<&'static str> {
        self.cause.map(Cause::as_str)
    }

    pub(super) fn decoded(&self) -> Decoded {
        decode(
            &self.peer.borrow().received,
            HEAD,
            self.framing,
            self.coding,
        )
    }

    /// How far it has been told; its stream must be right as far as it goes.
    pub(super) fn told(&self, log: &Log) -> (Told, bool) {
        let decoded = self.decoded();
        let is_whole = decoded.is_whole;
        match follow(log, &self.plan, &decoded) {
            Ok(told) => (told, is_whole),
            Err(wrong) => panic!("{wrong}: {:?} {:?} {decoded:?}", self.plan, self.cause),
        }
    }
}
