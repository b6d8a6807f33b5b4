//! What an issuer's tokens must be, and what they come to: plain data, from the settings.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

use super::IssuerName;
use crate::address::Address;
use crate::claims::path::ClaimPath;
use crate::claims::{Layout, RoleSource, refuse};
use crate::jwt::{Algorithm, TokenTypes};
use crate::limits::{AUDIENCES_PER_TOKEN_MAX, LEEWAY_SECONDS_DEFAULT, STREAM_SESSION_SECONDS_MAX};
use crate::secret::Secret;

/// One issuer, and what is asked of its tokens.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its name here.
    pub name: IssuerName,
    /// What its tokens say in `iss`, to the letter.
    pub issuer: String,
    /// The keys with which it signs.
    pub keys: Keys,
    /// The algorithms with which it signs. Never empty, and never secrets beside public keys.
    pub algorithms: Vec<Algorithm>,
    /// One of these is in `aud`. None: `aud` is not looked at, for issuers whose tokens have none.
    pub audiences: Vec<String>,
    /// If there are any, an `azp` is one of these.
    pub authorized_parties: Vec<String>,
    /// Whether there must be an `azp`.
    pub is_party_required: bool,
    /// Accepted `typ`.
    pub types: TokenTypes,
    /// How far clocks may differ; at most a minute.
    pub leeway: Duration,
    /// Claims that must be there, or be as said.
    pub require: Vec<Requirement>,
    /// Where the parts of an identity stand.
    ///
    /// The grants are none unless set: a claim of a foreign issuer says what its application or even
    /// its users wrote into it, who need not know that the hub reads it.
    pub layout: Layout,
    /// Whether the subject becomes `<name>:<subject>`. With several issuers at once, a subject of one
    /// must not be taken for another's, so all but one are qualified.
    pub qualify: bool,
    /// The names of others that vouch for people beside all issuers, such as sessions: no unqualified
    /// subject may begin with one of them.
    pub others: Vec<IssuerName>,
    /// How long a stream lives that a token opened.
    pub stream_life: StreamLife,
}

/// Where an issuer's keys come from.
#[derive(Clone)]
pub enum Keys {
    /// It publishes them here.
    Published(Address),
    /// Each a PEM `PUBLIC KEY`, a JSON web key, or a set of them, as text.
    Static(Vec<String>),
    /// Shared with the hub; several while one replaces another.
    Secret(Vec<Secret>),
}

/// A claim that must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Which.
    pub path: ClaimPath,
    /// As one of these; none if it may be anything.
    pub values: Vec<String>,
}

/// How long a stream lives that a credential opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamLife {
    /// As long as the credential.
    #[default]
    WithToken,
    /// So long from its opening, whenever the credential ends: longer for tokens that live for a
    /// minute because their libraries renew them all the time, which an open stream cannot; shorter
    /// for sessions of a month that should be presented again before that.
    Session(Duration),
}

impl StreamLife {
    /// When a stream ends that is opened now, by a credential that ends then.
    pub(crate) fn end(self, expires_at: Timestamp, now: Timestamp) -> Timestamp {
        match self {
            Self::WithToken => expires_at,
            Self::Session(length) => now.plus(length),
        }
    }

    /// The session's length, if it is longer than a stream may go without anybody being asked.
    pub(crate) fn too_long(self) -> Option<Duration> {
        let max = Duration::from_secs(STREAM_SESSION_SECONDS_MAX);
        match self {
            Self::Session(length) if length > max => Some(length),
            Self::Session(_) | Self::WithToken => None,
        }
    }
}

impl Policy {
    /// A policy with these, and nothing else asked for: subjects in `sub`, no roles, no grants.
    pub fn new(name: IssuerName, issuer: &str, keys: Keys, algorithms: Vec<Algorithm>) -> Self {
        Self {
            name,
            issuer: issuer.to_owned(),
            keys,
            algorithms,
            audiences: Vec::new(),
            authorized_parties: Vec::new(),
            is_party_required: false,
            types: TokenTypes::default(),
            leeway: Duration::from_secs(LEEWAY_SECONDS_DEFAULT),
            require: Vec::new(),
            layout: Layout {
                subject: ClaimPath::top("sub"),
                roles: Vec::new(),
                grants: None,
            },
            qualify: false,
            others: Vec::new(),
            stream_life: StreamLife::default(),
        }
    }

    /// The same, with roles that stand at this path too.
    #[must_use]
    pub fn with_roles(mut self, path: ClaimPath) -> Self {
        self.layout.roles.push(RoleSource::from(path));
        self
    }

    /// Whether a token with these claims is for us, as far as the claims about that say.
    pub(super) fn check(&self, claims: &Map<String, Value>) -> Result<(), AuthFailure> {
        self.check_audience(claims.get("aud"))?;
        self.check_party(claims.get("azp"))?;
        let mut requirements = self.require.iter();
        requirements.try_for_each(|requirement| requirement.check(claims))
    }

    /// A string or a list of them (RFC 7519, section 4.1.3).
    fn check_audience(&self, audience: Option<&Value>) -> Result<(), AuthFailure> {
        if self.audiences.is_empty() {
            return Ok(());
        }
        let is_ours = |entry: &Value| self.audiences.iter().any(|ours| entry == ours.as_str());
        let is_named = match audience {
            None => return Err(refuse("aud", "is missing")),
            Some(one @ Value::String(_)) => is_ours(one),
            Some(Value::Array(many)) if many.len() > AUDIENCES_PER_TOKEN_MAX => {
                let problem = format!("has more than {AUDIENCES_PER_TOKEN_MAX} entries");
                return Err(refuse("aud", problem));
            }
            Some(Value::Array(many)) if many.iter().all(Value::is_string) => {
                many.iter().any(is_ours)
            }
            Some(_) => return Err(refuse("aud", "is neither a string nor an array of strings")),
        };
        if is_named {
            Ok(())
        } else {
            Err(refuse("aud", "names none of the audiences of this hub"))
        }
    }

    fn check_party(&self, party: Option<&Value>) -> Result<(), AuthFailure> {
        match party {
            None if self.is_party_required => Err(refuse("azp", "is missing")),
            None => Ok(()),
            Some(Value::String(_)) if self.authorized_parties.is_empty() => Ok(()),
            Some(Value::String(party)) if self.authorized_parties.contains(party) => Ok(()),
            Some(Value::String(_)) => Err(refuse("azp", "names none of the authorized parties")),
            Some(_) => Err(refuse("azp", "is not a string")),
        }
    }
}

impl fmt::Debug for Keys {
    /// Shows no key: before they have been read, nobody knows that they are public ones.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published(address) => f.debug_tuple("Published").field(address).finish(),
            Self::Static(texts) => f.debug_tuple("Static").field(&texts.len()).finish(),
            Self::Secret(secrets) => f.debug_tuple("Secret").field(&secrets.len()).finish(),
        }
    }
}

impl Requirement {
    fn check(&self, claims: &Map<String, Value>) -> Result<(), AuthFailure> {
        let name = || self.path.to_string();
        let Ok(Some(found)) = self.path.find(claims) else {
            return Err(refuse(&name(), "is missing"));
        };
        if self.values.is_empty() || self.values.iter().any(|value| found == value.as_str()) {
            Ok(())
        } else {
            Err(refuse(&name(), "is not what this issuer's policy asks for"))
        }
    }
}
