//! What the claims of a verified token come to: strictly typed, or refused as a whole.
//!
//! A claim of the wrong type never counts as absent (that is how expired tokens pass elsewhere), and
//! a bad pattern never becomes a grant of nothing. No error shows a claim's value, because the value
//! is part of the credential.

pub mod path;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Map, Value};

use tidings_core::audience::{Role, Subject};
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::limits::{PATTERNS_PER_CLAIM_MAX, ROLES_PER_IDENTITY_MAX};
use tidings_core::pattern::Pattern;
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

use crate::claims::path::ClaimPath;
use crate::limits::{CLAIM_SECONDS_MAX, TOKEN_ID_BYTES_MAX};

/// Where in the claims of an issuer's tokens the parts of an identity stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Who.
    pub subject: ClaimPath,
    /// With which roles: all that any of these says.
    pub roles: Vec<RoleSource>,
    /// What it may do, as in [`Claims`]; none if the tokens grant nothing by themselves.
    pub grants: Option<ClaimPath>,
}

/// A claim with roles: a list, or a string of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSource {
    /// Where it stands.
    pub path: ClaimPath,
    /// What is put before each word: groups that must not be taken for roles.
    pub prefix: String,
}

/// The layout of the hub's own tokens, which is the same for each of them.
static OWN: LazyLock<Layout> = LazyLock::new(Layout::own);

impl Layout {
    /// The layout of the hub's own tokens, as in [`Claims`].
    pub fn own() -> Self {
        Self {
            subject: ClaimPath::top("sub"),
            roles: vec![
                RoleSource::from(ClaimPath::top("roles")),
                RoleSource::from(ClaimPath::top("role")),
            ],
            grants: Some(ClaimPath::top("tidings")),
        }
    }
}

/// Who somebody is, as a layout finds it.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) subject: Subject,
    pub(crate) roles: Vec<Role>,
    pub(crate) grants: Grants,
}

impl Layout {
    /// Finds the parts of an identity, whatever else stands there.
    pub(crate) fn person(&self, claims: &Map<String, Value>) -> Result<Person, AuthFailure> {
        Ok(Person {
            subject: subject(claims, &self.subject)?,
            roles: roles(claims, &self.roles)?,
            grants: match &self.grants {
                Some(path) => grants(claims, path)?,
                None => Grants::default(),
            },
        })
    }
}

impl From<ClaimPath> for RoleSource {
    fn from(path: ClaimPath) -> Self {
        let prefix = String::new();
        Self { path, prefix }
    }
}

/// The claims of a token that matter here.
///
/// ```json
/// {"sub": "u1", "exp": 1767225600, "nbf": 1767222000, "roles": ["ADMIN"],
///  "tidings": {"subscribe": ["project/*"], "publish": ["project/42", "@user/*"], "admin": false}}
/// ```
///
/// `roles` may also be written `role`, and as one string of words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `sub`.
    pub subject: Subject,
    /// `roles` and `role`.
    pub roles: Vec<Role>,
    /// `tidings`.
    pub grants: Grants,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// `jti`.
    pub token_id: Option<Arc<str>>,
}

impl Claims {
    /// Reads the claims of a token of the hub's own whose signature has been verified.
    pub fn read(claims: &Map<String, Value>) -> Result<Self, AuthFailure> {
        Self::read_as(claims, &OWN)
    }

    /// Reads the claims of a token whose signature has been verified.
    pub fn read_as(claims: &Map<String, Value>, layout: &Layout) -> Result<Self, AuthFailure> {
        let expires_at = match claims.get("exp") {
            Some(value) => time("exp", value)?,
            None => return Err(refuse("exp", "is missing")),
        };
        let optional = |name| claims.get(name).map(|value| time(name, value)).transpose();
        let Person {
            subject,
            roles,
            grants,
        } = layout.person(claims)?;
        Ok(Self {
            subject,
            roles,
            grants,
            expires_at,
            not_before: optional("nbf")?,
            issued_at: optional("iat")?,
            token_id: token_id(claims.get("jti"))?,
        })
    }

    /// Whether the token counts at a time, give or take a leeway.
    pub(crate) fn check_times(&self, leeway: Duration, now: Timestamp) -> Result<(), AuthFailure> {
        if now >= self.expires_at.plus(leeway) {
            return Err(AuthFailure::Expired);
        }
        let begins_later = |start| now.plus(leeway) < start;
        if self.not_before.is_some_and(begins_later) {
            return Err(AuthFailure::NotYetValid);
        }
        Ok(())
    }
}

pub(crate) fn refuse(claim: &str, problem: impl Into<String>) -> AuthFailure {
    AuthFailure::Claim {
        claim: claim.to_owned(),
        problem: problem.into(),
    }
}

/// A `NumericDate` (RFC 7519, section 2): a number of seconds, possibly with a fraction.
fn time(claim: &str, value: &Value) -> Result<Timestamp, AuthFailure> {
    let Value::Number(number) = value else {
        return Err(refuse(claim, "is not a number of seconds"));
    };
    let whole = number.as_u64().or_else(|| {
        let seconds = number.as_f64()?;
        #[expect(clippy::cast_sign_loss, reason = "the range is checked first")]
        (0.0..=CLAIM_SECONDS_MAX as f64)
            .contains(&seconds)
            .then_some(seconds as u64)
    });
    match whole {
        Some(seconds) if seconds <= CLAIM_SECONDS_MAX => Ok(Timestamp(seconds * 1_000)),
        _ => Err(refuse(
            claim,
            "is outside the years 1970 to 9999; it counts seconds, not milliseconds",
        )),
    }
}

fn subject(claims: &Map<String, Value>, path: &ClaimPath) -> Result<Subject, AuthFailure> {
    let name = || path.to_string();
    match path.find(claims) {
        Ok(None) => Err(refuse(&name(), "is missing")),
        Ok(Some(Value::String(text))) => Subject::parse(text)
            .map_err(|fault| refuse(&name(), format!("is not in canonical form: {fault}"))),
        _ => Err(refuse(&name(), "is not a string")),
    }
}

/// A name that could not be revoked, because it is too long to keep or cannot be shown, is refused:
/// whoever revokes the token would believe that it counts no longer.
fn token_id(value: Option<&Value>) -> Result<Option<Arc<str>>, AuthFailure> {
    match value {
        None => Ok(None),
        Some(Value::String(id))
            if (1..=TOKEN_ID_BYTES_MAX).contains(&id.len()) && !id.contains(char::is_control) =>
        {
            Ok(Some(id.as_str().into()))
        }
        Some(_) => Err(refuse(
            "jti",
            format!(
                "is not a string of 1 to {TOKEN_ID_BYTES_MAX} bytes without control characters"
            ),
        )),
    }
}

fn roles(claims: &Map<String, Value>, sources: &[RoleSource]) -> Result<Vec<Role>, AuthFailure> {
    let mut roles = Vec::new();
    for source in sources {
        let name = || source.path.to_string();
        let found = match source.path.find(claims) {
            // Session libraries write `null` for a user without a role; no role grants nothing.
            Ok(None) => continue,
            Ok(Some(found)) => found,
            Err(_) => return Err(refuse(&name(), "stands inside what is not an object")),
        };
        match found {
            Value::String(words) => {
                for word in words.split_ascii_whitespace() {
                    roles.push(role(source, word)?);
                }
            }
            Value::Array(entries) => {
                for entry in entries {
                    let Value::String(word) = entry else {
                        return Err(refuse(&name(), "has an entry that is not a string"));
                    };
                    roles.push(role(source, word)?);
                }
            }
            _ => {
                let problem = "is neither a string nor an array of strings";
                return Err(refuse(&name(), problem));
            }
        }
        if roles.len() > ROLES_PER_IDENTITY_MAX {
            let problem = format!("has more than {ROLES_PER_IDENTITY_MAX} roles");
            return Err(refuse(&name(), problem));
        }
    }
    roles.sort();
    roles.dedup();
    Ok(roles)
}

fn role(source: &RoleSource, word: &str) -> Result<Role, AuthFailure> {
    let parsed = if word.is_empty() {
        Role::parse(word)
    } else {
        Role::parse(&format!("{}{word}", source.prefix))
    };
    parsed.map_err(|fault| {
        let problem = format!("has an entry that is no role: {fault}");
        refuse(&source.path.to_string(), problem)
    })
}

fn grants(claims: &Map<String, Value>, path: &ClaimPath) -> Result<Grants, AuthFailure> {
    let entries = match path.find_even_null(claims) {
        Ok(None) => return Ok(Grants::default()),
        Ok(Some(Value::Object(entries))) => entries,
        _ => return Err(refuse(&path.to_string(), "is not an object")),
    };
    let mut grants = Grants::default();
    for (name, value) in entries {
        let inner = format!("{path}.{name}");
        match name.as_str() {
            "subscribe" => {
                grants.subscribe = patterns(&inner, value, |text| Pattern::parse(text).ok())?;
            }
            "publish" => {
                grants.publish = patterns(&inner, value, |text| PublishGrant::parse(text).ok())?;
            }
            "admin" => {
                grants.administer = value
                    .as_bool()
                    .ok_or_else(|| refuse(&inner, "is not true or false"))?;
            }
            // Whoever wrote it meant to allow or to restrict something, and it would do neither.
            _ => {
                return Err(refuse(
                    &path.to_string(),
                    "has a member other than `subscribe`, `publish` and `admin`",
                ));
            }
        }
    }
    Ok(grants)
}

fn patterns<T>(
    claim: &str,
    value: &Value,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, AuthFailure> {
    let Value::Array(entries) = value else {
        return Err(refuse(claim, "is not an array of patterns"));
    };
    if entries.len() > PATTERNS_PER_CLAIM_MAX {
        let problem = format!("has more than {PATTERNS_PER_CLAIM_MAX} patterns");
        return Err(refuse(claim, problem));
    }
    entries
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            entry
                .as_str()
                .and_then(&parse)
                .ok_or_else(|| refuse(claim, format!("has no valid pattern at index {index}")))
        })
        .collect()
}
