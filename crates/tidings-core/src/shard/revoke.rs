//! Revocation on live connections: every holder is held against the revocations in force, when it
//! comes and whenever they change.

use std::sync::Arc;

use crate::delivery::Sink;
use crate::limits::{DISMISSALS_PER_TURN_MAX, HOLDERS_PER_TURN_MAX};
use crate::revocation::Revocations;
use crate::shard::connection::ConnectionKey;
use crate::shard::{Now, Shard, close};

/// The revocations in force, and how far the connections have been held against them.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    pub(super) revocations: Arc<Revocations>,
    /// The next slot to be looked at, while a round is under way.
    next: Option<usize>,
    /// The revocations have changed since the round began, so another one follows. A round always
    /// ends: however fast changes come, nobody waits for longer than two.
    again: bool,
}

impl Judgement {
    /// Whether a round is under way.
    pub(super) fn is_pending(&self) -> bool {
        self.next.is_some()
    }
}

impl<S: Sink> Shard<S> {
    /// From here on these revocations are in force. Connections whose holder is concerned end in the
    /// next turns, a bounded share in each; those that come later end at once.
    pub fn revoke(&mut self, revocations: Arc<Revocations>) {
        let judgement = &mut self.judgement;
        judgement.revocations = revocations;
        if judgement.next.is_some() {
            judgement.again = true;
        } else if !judgement.revocations.is_empty() {
            judgement.next = Some(0);
        }
    }

    /// Holds a turn's share of the connections against the revocations.
    pub(super) fn judge_some(&mut self, now: Now) {
        let until = self.totals.closed + DISMISSALS_PER_TURN_MAX as u64;
        for _ in 0..HOLDERS_PER_TURN_MAX {
            let Some(slot) = self.judgement.next else {
                return;
            };
            if slot >= self.connections.places() {
                let again = std::mem::take(&mut self.judgement.again);
                self.judgement.next = again.then_some(0);
                return;
            }
            self.judgement.next = Some(slot + 1);
            let Some(key) = self.connections.get(slot).map(|connection| connection.key) else {
                continue;
            };
            self.judge(key, now);
            if self.totals.closed >= until {
                return;
            }
        }
    }

    /// Ends a connection if a revocation concerns its holder.
    pub(super) fn judge(&mut self, key: ConnectionKey, now: Now) {
        let Some(connection) = self.connections.get(key.slot()) else {
            return;
        };
        let is_revoked = self
            .judgement
            .revocations
            .concern(&connection.holder, now.wall);
        if is_revoked {
            self.dismiss(key, close::credential_revoked(), now);
        }
    }
}
