//! What these routes are asked.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::value::RawValue;
use tidings_core::audience::Key;
use tidings_core::limits::PATTERNS_PER_CONNECTION_MAX;
use tidings_core::pattern::Pattern;
use tidings_core::revocation::Revoked;
use tidings_core::time::{Timestamp, parse_rfc3339};

use crate::json::{Fields, RawFault, elements, is_too_deep, kind_of, text_of};
use crate::limits::{JSON_DEPTH_MAX, OBJECT_FIELDS_MAX};
use crate::problem::{Code, Problem};
use crate::query;
use crate::shown::nearest;

/// `POST /v1/tickets` and `POST /v1/tokens`: what the ticket or token is to be bound to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AskedTicket {
    /// `topics`: what it may read at most; without it, all that its identity may.
    pub patterns: Option<Vec<Pattern>>,
    /// `origin`: the page that may use it.
    pub origin: Option<String>,
}

/// `POST /v1/auth/explain`. Its debug output shows no secret.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct AskedExplanation {
    /// `token`: a bearer token or an API key.
    pub token: Option<String>,
    /// `cookie`: the value of a `Cookie` header.
    pub cookie: Option<String>,
    /// `key`: whom to ask about, as `project/42`, `@user/u1`, `@role/ADMIN` or `@all`.
    pub key: Option<Key>,
}

/// `POST /v1/revocations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedRevocation {
    /// `revoke`: `subject:u1`, `token:<issuer>:<id>` or `key:<id>`.
    pub what: Revoked,
    /// `issuedBefore`: of a subject, only what was issued before this time.
    pub issued_before: Option<Timestamp>,
    /// `for`: how long it is remembered.
    pub lifetime: Option<Duration>,
}

/// Why a body is not what a route asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// Not JSON.
    #[error("the body is not valid JSON")]
    Json,
    /// JSON, but no object.
    #[error("the body is {0} where an object is expected")]
    NotAnObject(&'static str),
    /// More fields, or deeper, than any of these bodies.
    #[error("the body has too many fields or too many levels")]
    TooMuch,
    /// One name twice.
    #[error("the field `{0}` stands twice")]
    Twice(String),
    /// A field that the route does not have.
    #[error("the field `{name}` is not known")]
    Unknown {
        /// Its name.
        name: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// A field that must be there.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A field with a value that it cannot have.
    #[error("the field `{name}` is not {expected}")]
    Value {
        /// Its name.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

impl From<&BodyFault> for Problem {
    fn from(fault: &BodyFault) -> Self {
        let code = match fault {
            BodyFault::Json => Code::InvalidJson,
            _ => Code::InvalidBody,
        };
        let problem = Self::new(code, fault.to_string());
        match fault {
            BodyFault::Unknown {
                nearest: Some(name),
                ..
            } => problem.with_hint(format!("did you mean `{name}`?")),
            _ => problem,
        }
    }
}

/// Reads the body of a request for a ticket or a token; an empty one asks for nothing in particular.
pub fn ticket(text: &[u8]) -> Result<AskedTicket, BodyFault> {
    let mut body = Body::read(text, &["topics", "origin"])?;
    let patterns = body.fields.take("topics").map(|value| {
        let found = elements(value.get().as_bytes(), PATTERNS_PER_CONNECTION_MAX).ok()?;
        let one = |text: &RawValue| Pattern::parse(&text_of(text)?).ok();
        found.into_iter().map(one).collect::<Option<Vec<_>>>()
    });
    let patterns = match patterns {
        Some(Some(patterns)) if !patterns.is_empty() => Some(patterns),
        Some(_) => return Err(value("topics", "a list of 1 to 100 patterns")),
        None => None,
    };
    Ok(AskedTicket {
        patterns,
        origin: body.text("origin", "an origin")?.map(Cow::into_owned),
    })
}

/// Reads the body of a request for an explanation.
pub fn explanation(text: &[u8]) -> Result<AskedExplanation, BodyFault> {
    let mut body = Body::read(text, &["token", "cookie", "key"])?;
    let expected = "a key such as `project/42`, `@user/u1`, `@role/ADMIN` or `@all`";
    let key = body
        .text("key", expected)?
        .map(|text| Key::parse(&text).map_err(|_| value("key", expected)));
    Ok(AskedExplanation {
        token: body.text("token", "a string")?.map(Cow::into_owned),
        cookie: body.text("cookie", "a string")?.map(Cow::into_owned),
        key: key.transpose()?,
    })
}

/// Reads the body of a revocation.
pub fn revocation(text: &[u8]) -> Result<AskedRevocation, BodyFault> {
    let mut body = Body::read(text, &["revoke", "issuedBefore", "for"])?;
    let expected = "`subject:<subject>`, `token:<issuer>:<id>` or `key:<id>`";
    let what = body
        .text("revoke", expected)?
        .ok_or(BodyFault::Missing("revoke"))?;
    let what = Revoked::parse(&what).map_err(|_| value("revoke", expected))?;
    let issued_before = match body.fields.take("issuedBefore") {
        Some(found) => Some(time(found).ok_or_else(|| {
            let expected = "a time, as Unix milliseconds or like `2026-11-21T12:00:00Z`";
            value("issuedBefore", expected)
        })?),
        None => None,
    };
    let expected = "a duration such as `12h` or `30d`";
    let lifetime = body
        .text("for", expected)?
        .map(|text| query::duration("for", &text).map_err(|_| value("for", expected)));
    Ok(AskedRevocation {
        what,
        issued_before,
        lifetime: lifetime.transpose()?,
    })
}

fn time(value: &RawValue) -> Option<Timestamp> {
    if let Ok(ms) = value.get().parse::<u64>() {
        return Some(Timestamp(ms));
    }
    let ms = parse_rfc3339(&text_of(value)?)?;
    u64::try_from(ms).ok().map(Timestamp)
}

/// The fault of a field with a value that it cannot have.
pub(crate) fn value(name: &'static str, expected: &'static str) -> BodyFault {
    BodyFault::Value { name, expected }
}

/// An object of which every field is known.
pub(crate) struct Body<'a> {
    pub(crate) fields: Fields<'a>,
}

impl<'a> Body<'a> {
    /// Reads it; an empty text has no fields.
    pub(crate) fn read(text: &'a [u8], known: &[&'static str]) -> Result<Self, BodyFault> {
        let text: &[u8] = if text.trim_ascii().is_empty() {
            b"{}"
        } else {
            text
        };
        if is_too_deep(text, JSON_DEPTH_MAX) {
            return Err(BodyFault::TooMuch);
        }
        let fields = Fields::read(text, OBJECT_FIELDS_MAX).map_err(|fault| match fault {
            RawFault::Json(error) if error.is_data() => BodyFault::NotAnObject(kind_of(text)),
            RawFault::Json(_) => BodyFault::Json,
            RawFault::Duplicate(name) => BodyFault::Twice(name),
            RawFault::TooMany(_) => BodyFault::TooMuch,
        })?;
        if let Some(unknown) = fields.names().find(|name| !known.contains(name)) {
            let near = nearest(unknown, known);
            return Err(BodyFault::Unknown {
                nearest: known.iter().copied().find(|name| Some(*name) == near),
                name: unknown.to_owned(),
            });
        }
        Ok(Self { fields })
    }

    /// Takes a string, if it is there.
    pub(crate) fn text(
        &mut self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<Cow<'a, str>>, BodyFault> {
        self.fields
            .take(name)
            .map(|found| text_of(found).ok_or_else(|| value(name, expected)))
            .transpose()
    }
}

impl std::fmt::Debug for AskedExplanation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AskedExplanation")
            .field("token", &self.token.as_ref().map(|_| "[redacted]"))
            .field("cookie", &self.cookie.as_ref().map(|_| "[redacted]"))
            .field("key", &self.key)
            .finish()
    }
}
