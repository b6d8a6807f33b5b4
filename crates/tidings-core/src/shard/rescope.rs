//! Giving a live connection another scope: with a renewed credential, or another subscription.
//!
//! The change takes effect at the connection's cursor. What lies up to it has been told by the old
//! scope, what lies after it is told by the new one; so nothing that both contain is lost or repeated,
//! and there is no other moment to agree about. A selector that is new to the shard knows nothing
//! before the shard's head, so what lies between cursor and head comes from the store, as it does for
//! a connection that begins behind it.

use crate::audience::{Key, Subject};
use crate::delivery::Sink;
use crate::holder::Holder;
use crate::pattern::Pattern;
use crate::position::Position;
use crate::scope::Selector;
use crate::shard::connection::{ConnectionId, ConnectionKey, NEVER_EXPIRES};
use crate::shard::open::kept;
use crate::shard::{Now, Shard, close};
use crate::subscription::{Authorised, Subscription};
use crate::time::Timestamp;

/// What a connection is to read from now on, and by whose credential.
#[derive(Debug, Clone)]
pub struct Rescope {
    /// Whose credential it is; only the holder may change what a connection reads.
    pub holder: Holder,
    /// When that credential ends.
    pub expires_at: Option<Timestamp>,
    /// What the connection was found to ask for when this was worked out.
    pub asked_before: Subscription,
    /// What it asks for from now on.
    pub asked: Subscription,
    /// What the credential grants of that; none if it grants nothing of it, which ends the connection.
    pub authorised: Option<Authorised>,
}

/// A connection reads something else from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rescoped {
    /// Up to here the stream has told what was read before, from here on it tells what is read now.
    pub cursor: Position,
}

/// Why a connection does not read anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RescopeRefused {
    /// There is no such stream, or it is another subject's.
    NotFound,
    /// What it asks for has changed since this was worked out.
    Outdated,
    /// The credential was revoked since it was proven.
    Revoked,
    /// Nothing is left to read; the connection ends.
    NotGranted,
}

impl<S: Sink> Shard<S> {
    /// What a subject's stream asks for; none if there is no such stream, or it is another's.
    pub fn asked(&self, id: ConnectionId, subject: Option<&Subject>) -> Option<Subscription> {
        let key = self.find_stream_of(id, subject)?;
        let connection = self.connections.get(key.slot())?;
        let scope = self.selectors.scope_of(&connection.memberships);
        let patterns = match connection.asked() {
            Some(asked) => asked.to_vec(),
            // All of it was granted: it is what is read.
            None => scope.selectors().iter().filter_map(pattern).collect(),
        };
        Some(Subscription {
            patterns,
            // Whoever is somebody hears of more than topics exactly if that was asked for.
            audience: scope.selectors().iter().any(|one| pattern(one).is_none()),
            types: connection.types.clone(),
        })
    }

    /// Changes what a stream reads, and by whose credential; or says why not.
    pub fn rescope(
        &mut self,
        id: ConnectionId,
        rescope: Rescope,
        now: Now,
    ) -> Result<Rescoped, RescopeRefused> {
        let subject = rescope.holder.subject();
        let key = self
            .find_stream_of(id, subject)
            .ok_or(RescopeRefused::NotFound)?;
        if self
            .judgement
            .revocations
            .concern(&rescope.holder, now.wall)
        {
            return Err(RescopeRefused::Revoked);
        }
        if self.asked(id, subject).as_ref() != Some(&rescope.asked_before) {
            return Err(RescopeRefused::Outdated);
        }
        let Some(authorised) = rescope.authorised else {
            self.dismiss(key, close::not_granted(), now);
            return Err(RescopeRefused::NotGranted);
        };
        self.move_up(key);
        let Subscription {
            patterns, types, ..
        } = rescope.asked;
        self.memo.clear();
        self.watch_goes(key);
        // Joined before the old ones are left, so that a selector of both keeps its positions.
        let joined = self.join(key, &authorised.scope, &types);
        let Some(connection) = self.connection(key) else {
            return Err(RescopeRefused::NotFound);
        };
        let left = std::mem::replace(&mut connection.memberships, joined);
        let ids =
            |memberships: &[(u32, u32)]| memberships.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        // A credential that is renewed again and again, and grants the same, holds up no replay.
        if connection.types != types || ids(&left) != ids(&connection.memberships) {
            connection.distrust_read();
        }
        let was_filtered = !connection.types.is_everything();
        connection.types = types;
        connection.keep_asked(kept(patterns, &authorised));
        connection.holder.renew(rescope.holder);
        connection.expires_at = rescope.expires_at.unwrap_or(NEVER_EXPIRES);
        connection.reauth_told = false;
        let cursor = connection.cursor;
        for (selector, place) in left {
            self.leave_selector(selector, place, was_filtered);
        }
        self.watch_comes(key);
        self.enqueue(key);
        self.arm(key, now);
        Ok(Rescoped {
            cursor: self.options.lineage.position(cursor),
        })
    }

    /// The stream of that name, if it is the subject's and has not been told to go.
    fn find_stream_of(&self, id: ConnectionId, subject: Option<&Subject>) -> Option<ConnectionKey> {
        let key = self.find(id)?;
        let connection = self.connections.get(key.slot())?;
        let is_there = !connection.is_page() && !connection.has_farewell();
        (is_there && connection.holder.is(subject)).then_some(key)
    }

    /// Moves a connection for which nothing waits to the shard's head. A quiet one may stand far
    /// behind it, and is not to be told the past of what it had not asked for then.
    fn move_up(&mut self, key: ConnectionKey) {
        let head = self.head;
        if self.nothing_waits(key)
            && let Some(connection) = self.connection(key)
        {
            connection.cursor = connection.cursor.max(head);
        }
    }
}

/// The pattern that a selector is, unless it selects by user, by role or everyone.
pub(super) fn pattern(selector: &Selector) -> Option<Pattern> {
    match selector {
        Selector::Key(Key::Topic(topic)) => Some(Pattern::exactly(topic)),
        Selector::Key(_) => None,
        Selector::Pattern(pattern) => Some(pattern.clone()),
    }
}
