//! All whose tokens count: the hub itself, and foreign issuers, each with its policy.

mod name;
mod policy;
mod preset;
mod setup;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use tidings_core::credential::{Credential, CredentialId};
use tidings_core::port::{AuthFailure, Clock, PublishedKeys};
use tidings_core::time::Timestamp;

use crate::claims::Claims;
use crate::fetch::Fetch;
use crate::jwks::{KeySet, Source};
use crate::jwt::{Compact, JwtAuthenticator};
use crate::provider::Proven;

pub use name::{IssuerName, IssuerNameFault};
pub use policy::{Keys, Policy, Requirement, StreamLife};
pub use preset::{Preset, PresetFault, PresetInput};
pub use setup::{PolicyFault, SetupError};

/// Verifies tokens of all issuers.
///
/// The `iss` of a token chooses the policy, by comparing it to the letter with what the settings say.
/// Until the signature has been checked, that is all it does: no address is built from it, and no key
/// is looked up outside of the chosen issuer.
///
/// No verified token is remembered. Verifying takes 2 µs with the hub's own secret, 17 µs by RS256, 35
/// by `EdDSA` and 57 by ES256 (the example `verification_cost`, on one core of a small server), which is
/// little beside opening a stream, and what is not remembered cannot outlive a withdrawn key or a
/// changed policy.
pub struct Issuers {
    own: Option<JwtAuthenticator>,
    foreign: Vec<Issuer>,
    by_text: HashMap<String, usize>,
}

struct Issuer {
    policy: Policy,
    keys: Held,
}

enum Held {
    Published(Source),
    Known(KeySet),
}

impl Issuers {
    /// The hub's own secrets, if it has any, and these issuers. Nothing is fetched yet.
    pub fn new(
        own: Option<JwtAuthenticator>,
        policies: Vec<Policy>,
        fetch: &Arc<dyn Fetch>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        setup::check_together(&policies)?;
        let names: Vec<IssuerName> = policies.iter().map(|policy| policy.name.clone()).collect();
        let mut issuers = Vec::new();
        let mut by_text = HashMap::new();
        for mut policy in policies {
            let keys = match (policy.prepare(), &policy.keys) {
                (Ok(None), Keys::Published(address)) => Held::Published(Source::new(
                    policy.name.clone(),
                    address.clone(),
                    policy.algorithms.clone(),
                    Arc::clone(fetch),
                    Arc::clone(clock),
                )),
                (Ok(keys), _) => Held::Known(keys.unwrap_or_else(|| KeySet::new(Vec::new()))),
                (Err(fault), _) => {
                    let issuer = policy.name;
                    return Err(SetupError::Policy { issuer, fault });
                }
            };
            by_text.insert(policy.issuer.clone(), issuers.len());
            let others = names.iter().filter(|name| **name != policy.name);
            policy.others.extend(others.cloned());
            issuers.push(Issuer { policy, keys });
        }
        Ok(Self {
            own,
            foreign: issuers,
            by_text,
        })
    }

    /// The same with the key sets that these others have fetched already, of the issuers that have not
    /// changed: an issuer that is down meanwhile is not missed.
    #[must_use]
    pub fn following(mut self, previous: &Self) -> Self {
        for issuer in &mut self.foreign {
            if let Held::Published(source) = &mut issuer.keys {
                let published = previous
                    .foreign
                    .iter()
                    .filter_map(|other| match &other.keys {
                        Held::Published(source) => Some(source),
                        Held::Known(_) => None,
                    });
                if let Some(kept) = { published }.find(|other| source.asks_as(other)) {
                    *source = kept.clone();
                }
            }
        }
        self
    }

    /// Checks one token against a time. Runs inside a tokio runtime if an issuer publishes its keys.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on later calls: a fetch that it began goes on for others.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Proven, AuthFailure> {
        let token = Compact::parse(token)?;
        let issuer = token.issuer()?.and_then(|text| self.by_text.get(text));
        match issuer.and_then(|index| self.foreign.get(*index)) {
            Some(issuer) => issuer.verify(token, now).await,
            None => match &self.own {
                Some(own) => own.check(token, now),
                None => Err(AuthFailure::NotTrusted),
            },
        }
    }
}

impl Issuers {
    /// What is known of the keys of those issuers that publish them.
    pub fn published_keys(&self) -> Vec<PublishedKeys> {
        let published = self.foreign.iter().filter_map(|issuer| match &issuer.keys {
            Held::Published(source) => Some(PublishedKeys {
                issuer: issuer.policy.name.shared(),
                standing: source.standing(),
            }),
            Held::Known(_) => None,
        });
        published.collect()
    }
}

impl Issuer {
    async fn verify(&self, token: Compact<'_>, now: Timestamp) -> Result<Proven, AuthFailure> {
        if !self.policy.algorithms.contains(&token.algorithm) {
            return Err(AuthFailure::NotTrusted);
        }
        match &self.keys {
            Held::Published(source) => source.check(&token).await?,
            Held::Known(keys) if keys.accepts(&token) => {}
            Held::Known(_) => return Err(AuthFailure::NotTrusted),
        }
        let policy = &self.policy;
        policy.types.check(token.kind.as_deref())?;
        let claims = Claims::read_as(&token.claims, &policy.layout)?;
        claims.check_times(policy.leeway, now)?;
        policy.check(&token.claims)?;
        let issuer = policy.name.shared();
        Ok(Proven {
            subject: Some(policy.name.subject(
                claims.subject,
                &policy.layout.subject,
                policy.qualify,
                &policy.others,
            )?),
            roles: claims.roles,
            grants: claims.grants,
            claims: Arc::new(token.claims),
            issuer: Some(Arc::clone(&issuer)),
            expires_at: Some(policy.stream_life.end(claims.expires_at, now)),
            credential: Credential {
                id: claims.token_id.map(|id| CredentialId::Token { issuer, id }),
                issued_at: claims.issued_at,
                ..Credential::default()
            },
            ..Proven::default()
        })
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuers")
            .field("own", &self.own)
            .field("foreign", &self.foreign)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: &dyn fmt::Debug = match &self.keys {
            Held::Published(source) => source,
            Held::Known(keys) => keys,
        };
        f.debug_struct("Issuer")
            .field("policy", &self.policy)
            .field("keys", keys)
            .finish_non_exhaustive()
    }
}
