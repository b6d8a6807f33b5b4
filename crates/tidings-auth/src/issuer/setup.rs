//! What is wrong with a policy, found when the hub starts.

use std::collections::HashSet;
use std::time::Duration;

use super::{IssuerName, Keys, Policy};
use crate::jwks::{Key, KeyFault, KeySet};
use crate::limits::{ISSUERS_MAX, KEYS_TRIED_MAX, LEEWAY_SECONDS_MAX, STREAM_SESSION_SECONDS_MAX};
use crate::secret::WeakSecret;

/// Why issuers cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// One of them.
    #[error("the issuer `{issuer}` cannot be used: {fault}")]
    Policy {
        /// Which.
        issuer: IssuerName,
        /// Why.
        fault: PolicyFault,
    },
    /// Two of one name.
    #[error("two issuers have the same name: `{0}`")]
    SameName(IssuerName),
    /// Two that a token could mean.
    #[error("two issuers have the same `iss`: `{0}` and `{1}`")]
    SameIssuer(IssuerName, IssuerName),
    /// Two whose users could be taken for each other.
    #[error(
        "the users of `{0}` and `{1}` could be taken for each other: at most one of several issuers \
         may leave its subjects unqualified"
    )]
    Unqualified(IssuerName, IssuerName),
    /// Too many of them.
    #[error("there are {0} issuers where at most {ISSUERS_MAX} are allowed")]
    TooMany(usize),
}

/// Why a policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// Nothing to compare `iss` with.
    #[error("its `iss` is empty")]
    Issuer,
    /// No algorithm.
    #[error("it lists no algorithm")]
    NoAlgorithm,
    /// Secrets beside public keys: whoever knows a public key could sign.
    #[error("it lists algorithms of shared secrets (`HS..`) beside those of public keys")]
    MixedAlgorithms,
    /// Keys of the other sort.
    #[error("its keys are not of the sort that its algorithms need")]
    OtherKeys,
    /// No key, or more than are tried for one token.
    #[error("it has {0} keys without a name (`kid`) where at most {KEYS_TRIED_MAX} are tried")]
    TooManyKeys(usize),
    /// No usable key.
    #[error("it has no key")]
    NoKey,
    /// One of its keys.
    #[error("its key number {number} cannot be used: {fault}")]
    Key {
        /// Counted from one.
        number: usize,
        /// Why.
        fault: KeyFault,
    },
    /// Its secret can be guessed, or is no secret.
    #[error(transparent)]
    Secret(#[from] WeakSecret),
    /// Its secret is something that everybody may know.
    #[error("its secret is a PEM text, perhaps a public key that belongs among the keys")]
    PemAsSecret,
    /// A leeway that would prolong stolen tokens.
    #[error("its leeway is longer than {LEEWAY_SECONDS_MAX} seconds: {0:?}")]
    Leeway(Duration),
    /// Streams that outlive any reason.
    #[error("its stream session is longer than {STREAM_SESSION_SECONDS_MAX} seconds: {0:?}")]
    Session(Duration),
}

impl Policy {
    /// Checks what can be known before the first token.
    pub fn check_setup(&self) -> Result<(), PolicyFault> {
        self.prepare().map(|_| ())
    }

    /// Checks what can be known before the first token, and reads the keys that are not published.
    pub(super) fn prepare(&self) -> Result<Option<KeySet>, PolicyFault> {
        if self.issuer.is_empty() {
            return Err(PolicyFault::Issuer);
        }
        if self.leeway > Duration::from_secs(LEEWAY_SECONDS_MAX) {
            return Err(PolicyFault::Leeway(self.leeway));
        }
        if let Some(length) = self.stream_life.too_long() {
            return Err(PolicyFault::Session(length));
        }
        let symmetric = self.algorithms.iter().filter(|one| one.is_symmetric());
        let is_symmetric = match (symmetric.count(), self.algorithms.len()) {
            (_, 0) => return Err(PolicyFault::NoAlgorithm),
            (0, _) => false,
            (some, all) if some == all => true,
            _ => return Err(PolicyFault::MixedAlgorithms),
        };
        if is_symmetric != matches!(self.keys, Keys::Secret(_)) {
            return Err(PolicyFault::OtherKeys);
        }
        let keys = match &self.keys {
            Keys::Published(_) => return Ok(None),
            Keys::Static(texts) => self.read(texts)?,
            Keys::Secret(secrets) => {
                let mut keys = Vec::new();
                for secret in secrets {
                    secret.for_signing()?;
                    if secret
                        .expose()
                        .trim_ascii_start()
                        .starts_with(b"-----BEGIN")
                    {
                        return Err(PolicyFault::PemAsSecret);
                    }
                    keys.push(Key::secret(secret.expose(), &self.algorithms));
                }
                KeySet::new(keys)
            }
        };
        match (keys.len(), keys.nameless()) {
            (0, _) => Err(PolicyFault::NoKey),
            (_, nameless) if nameless > KEYS_TRIED_MAX => Err(PolicyFault::TooManyKeys(nameless)),
            _ => Ok(Some(keys)),
        }
    }

    fn read(&self, texts: &[String]) -> Result<KeySet, PolicyFault> {
        let mut keys = KeySet::new(Vec::new());
        for (index, text) in texts.iter().enumerate() {
            let read = KeySet::parse_static(text, &self.algorithms);
            keys.extend(read.map_err(|fault| PolicyFault::Key {
                number: index + 1,
                fault,
            })?);
        }
        Ok(keys)
    }
}

/// Checks what policies must be beside each other.
pub(super) fn check_together(policies: &[Policy]) -> Result<(), SetupError> {
    if policies.len() > ISSUERS_MAX {
        return Err(SetupError::TooMany(policies.len()));
    }
    let mut names = HashSet::new();
    let mut unqualified: Option<&IssuerName> = None;
    for (index, policy) in policies.iter().enumerate() {
        if !names.insert(&policy.name) {
            return Err(SetupError::SameName(policy.name.clone()));
        }
        let mut earlier = policies[..index].iter();
        if let Some(other) = earlier.find(|other| other.issuer == policy.issuer) {
            let names = (other.name.clone(), policy.name.clone());
            return Err(SetupError::SameIssuer(names.0, names.1));
        }
        if !policy.qualify
            && let Some(other) = unqualified.replace(&policy.name)
        {
            let names = (other.clone(), policy.name.clone());
            return Err(SetupError::Unqualified(names.0, names.1));
        }
    }
    Ok(())
}
