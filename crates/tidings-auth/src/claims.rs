//! What the claims of a verified token come to: strictly typed, or refused as a whole.
//!
//! A claim of the wrong type never counts as absent (that is how expired tokens pass elsewhere), and
//! a bad pattern never becomes a grant of nothing. No error shows a claim's value, because the value
//! is part of the credential.

use serde_json::{Map, Value};

use tidings_core::audience::{Role, Subject};
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::limits::{PATTERNS_PER_CLAIM_MAX, ROLES_PER_IDENTITY_MAX};
use tidings_core::pattern::Pattern;
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

use crate::limits::CLAIM_SECONDS_MAX;

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
}

impl Claims {
    /// Reads the claims of a token whose signature has been verified.
    pub fn read(claims: &Map<String, Value>) -> Result<Self, AuthFailure> {
        let expires_at = match claims.get("exp") {
            Some(value) => time("exp", value)?,
            None => return Err(refuse("exp", "is missing")),
        };
        let not_before = claims
            .get("nbf")
            .map(|value| time("nbf", value))
            .transpose()?;
        if let Some(value) = claims.get("iat") {
            time("iat", value)?;
        }
        Ok(Self {
            subject: subject(claims.get("sub"))?,
            roles: roles(claims)?,
            grants: grants(claims.get("tidings"))?,
            expires_at,
            not_before,
        })
    }
}

fn refuse(claim: &str, problem: impl Into<String>) -> AuthFailure {
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

fn subject(value: Option<&Value>) -> Result<Subject, AuthFailure> {
    match value {
        None => Err(refuse("sub", "is missing")),
        Some(Value::String(text)) => Subject::parse(text)
            .map_err(|fault| refuse("sub", format!("is not in canonical form: {fault}"))),
        Some(_) => Err(refuse("sub", "is not a string")),
    }
}

fn roles(claims: &Map<String, Value>) -> Result<Vec<Role>, AuthFailure> {
    let mut roles = Vec::new();
    for claim in ["roles", "role"] {
        match claims.get(claim) {
            // Session libraries write `null` for a user without a role; no role grants nothing.
            None | Some(Value::Null) => {}
            Some(Value::String(words)) => {
                for word in words.split_ascii_whitespace() {
                    roles.push(role(claim, word)?);
                }
            }
            Some(Value::Array(entries)) => {
                for entry in entries {
                    let Value::String(word) = entry else {
                        return Err(refuse(claim, "has an entry that is not a string"));
                    };
                    roles.push(role(claim, word)?);
                }
            }
            Some(_) => return Err(refuse(claim, "is neither a string nor an array of strings")),
        }
        if roles.len() > ROLES_PER_IDENTITY_MAX {
            let problem = format!("has more than {ROLES_PER_IDENTITY_MAX} roles");
            return Err(refuse(claim, problem));
        }
    }
    roles.sort();
    roles.dedup();
    Ok(roles)
}

fn role(claim: &str, word: &str) -> Result<Role, AuthFailure> {
    Role::parse(word)
        .map_err(|fault| refuse(claim, format!("has an entry that is no role: {fault}")))
}

fn grants(value: Option<&Value>) -> Result<Grants, AuthFailure> {
    let entries = match value {
        None => return Ok(Grants::default()),
        Some(Value::Object(entries)) => entries,
        Some(_) => return Err(refuse("tidings", "is not an object")),
    };
    let mut grants = Grants::default();
    for (name, value) in entries {
        match name.as_str() {
            "subscribe" => {
                grants.subscribe =
                    patterns("tidings.subscribe", value, |text| Pattern::parse(text).ok())?;
            }
            "publish" => {
                grants.publish = patterns("tidings.publish", value, |text| {
                    PublishGrant::parse(text).ok()
                })?;
            }
            "admin" => {
                grants.administer = value
                    .as_bool()
                    .ok_or_else(|| refuse("tidings.admin", "is not true or false"))?;
            }
            // Whoever wrote it meant to allow or to restrict something, and it would do neither.
            _ => {
                return Err(refuse(
                    "tidings",
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
