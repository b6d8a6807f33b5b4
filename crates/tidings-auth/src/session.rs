//! The session provider: cookies of Auth.js 5 and `NextAuth` 4, verified by the hub itself.
//!
//! Both write their session as an encrypted token (JWE) whose key comes from the application's
//! secret, so that whoever has the secret can read the session without asking anybody. Sessions
//! that live in the application's database are for the [`application`](crate::application)
//! provider.
//!
//! Whatever is wrong with a cookie that was not made with a secret of the settings, it is refused by
//! the same error after the same work: see `key.rs`.

mod claims;
mod cookies;
mod key;
mod sealed;

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};
use tidings_core::port::{AuthFailure, Presented};
use tidings_core::time::Timestamp;
use zeroize::Zeroizing;

use crate::claims::Layout;
use crate::field_name::is_field_name;
use crate::issuer::{IssuerName, StreamLife};
use crate::limits::{SESSION_NAMES_MAX, SESSION_SECRETS_MAX, STREAM_SESSION_SECONDS_MAX};
use crate::provider::{ProofFuture, Proven, Provider};
use crate::secret::{Secret, WeakSecret};

use key::Key;
use sealed::{Encryption, Sealed};

/// The names that Auth.js 5 and `NextAuth` 4 give their cookie, before a prefix.
pub const COOKIE_NAMES_DEFAULT: [&str; 2] = ["authjs.session-token", "next-auth.session-token"];

/// What browsers hold the name of a cookie to (RFC 6265bis, section 4.1.3). The strictest comes
/// first: no neighbouring host can have set such a cookie.
const PREFIXES: [&str; 3] = ["__Host-", "__Secure-", ""];

/// Whose sessions are accepted, and what they come to.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The name of the application here.
    pub name: IssuerName,
    /// The secrets of the application, the one in use first.
    pub secrets: Vec<Secret>,
    /// What the cookie is called: [`COOKIE_NAMES_DEFAULT`] for nearly all. A name without a prefix
    /// stands for itself and for itself with `__Secure-` and with `__Host-`.
    pub cookie_names: Vec<String>,
    /// Where the session says who (mostly `sub`, often `id`) and with which roles.
    ///
    /// What it grants counts by default, unlike in the tokens of a foreign issuer: whoever encrypts a
    /// session has the application's secret, and its claims are written by callbacks that run on the
    /// application's server. An application whose callbacks copy what users say sets none.
    pub layout: Layout,
    /// Whether the subject becomes `<name>:<subject>`, because others could give out the same one.
    pub qualify: bool,
    /// The names of all others that vouch for people, which no unqualified subject may begin with.
    pub others: Vec<IssuerName>,
    /// How long that lives what a session opens.
    pub stream_life: StreamLife,
}

/// Why a session provider cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A secret can be guessed, or is no secret.
    #[error(transparent)]
    Secret(#[from] WeakSecret),
    /// No secret, or more than are worth trying.
    #[error("there are {0} secrets where 1 to {SESSION_SECRETS_MAX} are needed")]
    Secrets(usize),
    /// No cookie name, or more than are worth trying.
    #[error("there are {0} cookie names where 1 to {SESSION_NAMES_MAX} are needed")]
    CookieNames(usize),
    /// No cookie can have this name.
    #[error("no cookie can have the name `{0}`")]
    CookieName(String),
    /// Streams that outlive any reason.
    #[error("the stream session is longer than {STREAM_SESSION_SECONDS_MAX} seconds: {0:?}")]
    Session(Duration),
}

/// Accepts session cookies that were encrypted with a secret of the application.
pub struct SessionCookie {
    policy: Policy,
    cookies: Vec<Cookie>,
}

/// One name of a cookie, with every key that may open it.
struct Cookie {
    name: String,
    keys: Vec<Key>,
}

// === impl SessionCookie ===

impl SessionCookie {
    /// A provider for one application. Derives all keys.
    pub fn new(policy: Policy) -> Result<Self, SetupError> {
        if !(1..=SESSION_SECRETS_MAX).contains(&policy.secrets.len()) {
            return Err(SetupError::Secrets(policy.secrets.len()));
        }
        for secret in &policy.secrets {
            secret.for_signing()?;
        }
        if !(1..=SESSION_NAMES_MAX).contains(&policy.cookie_names.len()) {
            return Err(SetupError::CookieNames(policy.cookie_names.len()));
        }
        if let Some(length) = policy.stream_life.too_long() {
            return Err(SetupError::Session(length));
        }
        let cookies = names(&policy.cookie_names)?
            .into_iter()
            .map(|name| Cookie::new(name, &policy.secrets))
            .collect();
        Ok(Self { policy, cookies })
    }

    /// Looks for a session among the cookies of a request. Several may be there, left by other
    /// applications of the same host: the first that is good counts.
    fn check(&self, presented: &Presented<'_>) -> Result<Option<Proven>, AuthFailure> {
        let mut refused = None;
        for cookie in &self.cookies {
            let proven = match cookies::find(presented, &cookie.name) {
                Ok(None) => continue,
                Ok(Some(text)) => self.verify(cookie, &text, presented.now),
                Err(failure) => Err(failure),
            };
            match proven {
                Ok(proven) => return Ok(Some(proven)),
                // What is wrong with a real session tells more than that another one is none.
                Err(failure) if refused.is_none() || failure != AuthFailure::NotTrusted => {
                    refused = Some(failure);
                }
                Err(_) => {}
            }
        }
        refused.map_or(Ok(None), Err)
    }

    fn verify(&self, cookie: &Cookie, text: &str, now: Timestamp) -> Result<Proven, AuthFailure> {
        let content = cookie.open(text).ok_or(AuthFailure::NotTrusted)?;
        let claims: Map<String, Value> = serde_json::from_slice(&content)
            .map_err(|_| AuthFailure::Malformed("it holds no claims".to_owned()))?;
        claims::prove(&self.policy, claims, now)
    }
}

impl Cookie {
    fn new(name: String, secrets: &[Secret]) -> Self {
        let keys = secrets
            .iter()
            .flat_map(|secret| {
                let secret = secret.expose();
                [
                    Key::of_auth_js(secret, &name, Encryption::CbcHmac),
                    Key::of_auth_js(secret, &name, Encryption::Gcm),
                    Key::of_next_auth(secret),
                ]
            })
            .collect();
        Self { name, keys }
    }

    /// The content of a cookie, if one of the keys opens it.
    ///
    /// A `kid` says which key to try first and no more, because the tag decides: so a cookie that is
    /// refused has been tried with as many keys as any other.
    fn open(&self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = Sealed::parse(text).unwrap_or_else(|| Sealed::hopeless(text));
        let fits = |key: &&Key| key.encryption() == sealed.encryption;
        let is_named = |key: &&Key| sealed.key_id.as_deref() == Some(key.thumbprint());
        let named = self.keys.iter().filter(fits).filter(is_named);
        let others = self.keys.iter().filter(fits).filter(|key| !is_named(key));
        let mut keys = named.chain(others);
        keys.find_map(|key| key.open(&sealed))
    }
}

/// All names that a list of them stands for, the strictest first.
fn names(listed: &[String]) -> Result<Vec<String>, SetupError> {
    let mut names = Vec::new();
    for prefix in PREFIXES {
        for name in listed {
            if !is_field_name(name) {
                return Err(SetupError::CookieName(name.clone()));
            }
            let own = PREFIXES.iter().find(|own| name.starts_with(*own));
            let name = match own {
                Some(&"") | None => format!("{prefix}{name}"),
                Some(own) if *own == prefix => name.clone(),
                Some(_) => continue,
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

impl Provider for SessionCookie {
    fn name(&self) -> &'static str {
        "session"
    }

    fn is_for_sessions(&self) -> bool {
        true
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        Box::pin(async move { self.check(&presented) })
    }
}

impl fmt::Debug for SessionCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCookie")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
