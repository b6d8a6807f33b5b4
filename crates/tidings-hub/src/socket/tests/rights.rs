//! What readers of the played world may read changes: credentials are renewed, revoked and ended.

use tidings_core::audience::Subject;
use tidings_core::credential::{Credential, CredentialId};
use tidings_core::holder::Holder;
use tidings_core::revocation::{Revocation, Revocations, Revoked};
use tidings_core::scope::passes;
use tidings_core::shard::{DisconnectReason, Rescope, RescopeRefused};
use tidings_core::subscription::Authorised;
use tidings_core::time::Timestamp;

use super::log::{all, filter, scope};
use super::model::Phase;
use super::reader::Stage;
use super::world::World;

/// How many credentials there are.
pub(super) const CREDENTIALS: usize = 5;

/// By what a reader goes on.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) credential: usize,
    pub(super) expires_in_ms: Option<u64>,
    pub(super) is_granted: bool,
}

fn name(credential: usize) -> CredentialId {
    CredentialId::parse(&format!("key:{credential}")).expect("a name")
}

/// Everybody's subject is the same; credentials differ.
pub(super) fn holder(credential: usize) -> Holder {
    let credential = Credential {
        id: Some(name(credential)),
        ..Credential::default()
    };
    Holder::new(Subject::parse("reader").ok(), &credential)
}

impl World {
    /// A reader reads something else from now on, by a renewed credential.
    pub(super) fn rescope(
        &mut self,
        index: usize,
        patterns: &[&str],
        types: Option<&[&str]>,
        terms: &Terms,
    ) {
        let Some(reader) = self.readers.get_mut(index) else {
            return;
        };
        let holder = holder(terms.credential);
        let Some(asked_before) = self.shard.asked(reader.id, holder.subject()) else {
            // It is gone, or has been told to go.
            return;
        };
        let expires_at = terms.expires_in_ms;
        let expires_at = expires_at.map(|ms| Timestamp(self.now.wall.0 + ms));
        let types = types.map_or_else(|| reader.plan.now().types.clone(), filter);
        let rescope = Rescope {
            holder,
            expires_at,
            asked_before,
            asked: all(types.clone()),
            authorised: terms.is_granted.then(|| Authorised {
                scope: scope(patterns),
                narrowed: None,
            }),
        };
        let rescoped = match self.shard.rescope(reader.id, rescope, self.now) {
            Ok(rescoped) => rescoped,
            Err(RescopeRefused::Revoked) => {
                assert!(self.revoked.contains(&terms.credential));
                return;
            }
            Err(refused) => {
                assert_eq!(refused, RescopeRefused::NotGranted);
                assert!(!terms.is_granted);
                reader.dismissed_at.get_or_insert(self.now.moment);
                return;
            }
        };
        assert!(terms.is_granted && !self.revoked.contains(&terms.credential));
        let phase = Phase {
            after: rescoped.cursor.offset,
            scope: scope(patterns),
            types,
        };
        reader.owed = reader.owed.filter(|owed| {
            let event = &self.log.events[*owed as usize - 1];
            let is_old = *owed <= phase.after.0;
            is_old || (phase.scope.matches(&event.content.audience) && passes(&phase.types, event))
        });
        reader.plan.phases.push(phase);
        reader.expires_at = expires_at;
        reader.credential = terms.credential;
        // If its old credential was revoked or had ended a moment ago, it came in time.
        reader.dismissed_at = None;
        self.changes += 1;
        self.changes_amid_reads += usize::from(self.reading.contains(&reader.key));
    }

    /// These credentials, and no others, count no longer.
    pub(super) fn revoke(&mut self, credentials: Vec<usize>) {
        let entries = credentials.iter().map(|credential| Revocation {
            what: Revoked::Credential(name(*credential)),
            at: self.now.wall,
            until: Timestamp(u64::MAX),
            issued_before: None,
        });
        self.shard.revoke(Revocations::new(entries).into());
        self.revoked = credentials;
        // Whoever renews before the shard has looked comes in time; so it looks now.
        self.run();
        for reader in &mut self.readers {
            let is_revoked = self.revoked.contains(&reader.credential);
            if is_revoked && matches!(reader.stage, Stage::Open) {
                reader.dismissed_at.get_or_insert(self.now.moment);
            }
        }
    }

    /// An operator tells a reader to go.
    pub(super) fn disconnect(&mut self, index: usize) {
        let Some(reader) = self.readers.get_mut(index) else {
            return;
        };
        let reason = DisconnectReason::parse("enough").expect("a reason");
        let found = self.shard.disconnect(reader.id, &reason, self.now);
        // One that has gone by itself may not have been noticed yet.
        assert!(found || self.shard.sink(reader.key).is_none());
        if found {
            reader.dismissed_at.get_or_insert(self.now.moment);
        }
    }
}
