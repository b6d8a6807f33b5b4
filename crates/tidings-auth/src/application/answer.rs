//! What the application says, typed strictly: as a whole it counts, or not at all.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tidings_core::audience::{Role, Subject};
use tidings_core::grant::Grants;
use tidings_core::port::AuthFailure;
use tidings_core::time::Timestamp;

use super::instant;
use crate::claims::Claims;
use crate::limits::CLAIM_SECONDS_MAX;
use crate::place::Place;
use crate::registered::{refuse, roles};

/// The smallest number that is taken for milliseconds: as seconds it lies in the year 5138.
const MILLISECONDS_MIN: u64 = 100_000_000_000;

/// How the application's answer is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// As one made for this program:
    ///
    /// ```json
    /// {"subject": "u1", "roles": ["ADMIN"], "subscribe": ["project/*"], "publish": ["project/42"],
    ///  "admin": false, "claims": {"tenant": "t1"}, "expiresAt": 1767225600000, "ttl": 3600}
    /// ```
    ///
    /// Only `subject` is needed. `expiresAt` is a number of seconds or milliseconds since 1970, or a
    /// time by RFC 3339; `ttl` is a number of seconds; the earlier of them counts. Other members are
    /// refused.
    Native,
    /// As one that the application has anyway, such as the session of `NextAuth`:
    /// `{"user": {"id": "u1"}, "expires": "2026-12-21T18:00:00.000Z"}`. Grants may stand in `tidings`
    /// as they do in a token. All of it becomes the claims.
    Session {
        /// Where it says who. Nobody there means that nobody is signed in.
        subject: Place,
        /// Where it says with which roles.
        roles: Vec<Place>,
        /// Where it says until when, in any form that `expiresAt` may have.
        expires: Option<Place>,
    },
}

/// Who the application says it is.
#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) subject: Subject,
    pub(super) roles: Vec<Role>,
    pub(super) grants: Grants,
    pub(super) claims: Arc<Map<String, Value>>,
    pub(super) ends: Option<Timestamp>,
}

impl Answer {
    /// Reads the body of an answer that was asked for at a time.
    pub(super) fn read(shape: &Shape, body: &[u8], now: Timestamp) -> Result<Self, AuthFailure> {
        let object = match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => object,
            Ok(Value::Null) => return Err(AuthFailure::Denied),
            _ => return Err(refuse("(answer)", "of the application is no JSON object")),
        };
        if object.is_empty() {
            return Err(AuthFailure::Denied);
        }
        let answer = match shape {
            Shape::Native => native(object, now)?,
            Shape::Session {
                subject,
                roles,
                expires,
            } => session(object, subject, roles, expires.as_ref())?,
        };
        match answer.ends {
            Some(ends) if ends <= now => Err(AuthFailure::Expired),
            _ => Ok(answer),
        }
    }
}

fn native(mut object: Map<String, Value>, now: Timestamp) -> Result<Answer, AuthFailure> {
    let claims = match object.remove("claims") {
        None => Map::new(),
        Some(Value::Object(claims)) => claims,
        Some(_) => return Err(refuse("claims", "is not an object")),
    };
    let expires = object.remove("expiresAt");
    let expires = expires.map(|value| time("expiresAt", &value)).transpose()?;
    let lasts = object.remove("ttl").map(|value| span(&value)).transpose()?;
    let ends = expires
        .into_iter()
        .chain(lasts.map(|span| now.plus(span)))
        .min();

    let subject = object
        .remove("subject")
        .filter(|subject| !subject.is_null());
    let Some(subject) = subject else {
        return Err(AuthFailure::Denied);
    };
    let roles = object.remove("roles");
    let mut grants = Map::new();
    for name in ["subscribe", "publish", "admin"] {
        if let Some(value) = object.remove(name) {
            grants.insert(name.to_owned(), value);
        }
    }
    // Whoever wrote it meant to allow or to restrict something, and it would do neither.
    if !object.is_empty() {
        return Err(refuse(
            "(answer)",
            "of the application has a member that is not known",
        ));
    }
    let grants = Value::Object(grants);
    answer(
        subject,
        roles.unwrap_or_default(),
        Some(grants),
        claims,
        ends,
    )
}

fn session(
    object: Map<String, Value>,
    subject: &Place,
    role_places: &[Place],
    expires: Option<&Place>,
) -> Result<Answer, AuthFailure> {
    let Some(subject) = subject.find(&object).cloned() else {
        return Err(AuthFailure::Denied);
    };
    let found = role_places.iter().filter_map(|place| place.find(&object));
    let roles = roles(found);
    let ends = expires
        .and_then(|place| Some((place, place.find(&object)?)))
        .map(|(place, value)| time(&place.to_string(), value))
        .transpose()?;
    let grants = object.get("tidings").cloned();
    answer(subject, roles, grants, object, ends)
}

/// Brings the parts into the shape of a token's claims, so that both are read by the same rules. The
/// times of an answer have been read before.
fn answer(
    subject: Value,
    roles: Value,
    grants: Option<Value>,
    claims: Map<String, Value>,
    ends: Option<Timestamp>,
) -> Result<Answer, AuthFailure> {
    let mut usual = Map::new();
    usual.insert("sub".to_owned(), subject);
    usual.insert("roles".to_owned(), roles);
    usual.insert("exp".to_owned(), json!(0));
    if let Some(grants) = grants {
        usual.insert("tidings".to_owned(), grants);
    }
    let read = Claims::read(&usual)?;
    Ok(Answer {
        subject: read.subject,
        roles: read.roles,
        grants: read.grants,
        claims: Arc::new(claims),
        ends,
    })
}

fn time(claim: &str, value: &Value) -> Result<Timestamp, AuthFailure> {
    let time = match value {
        Value::Number(number) => number.as_u64().map(|number| match number {
            ms @ MILLISECONDS_MIN.. => Timestamp(ms),
            seconds => Timestamp(seconds * 1_000),
        }),
        Value::String(text) => instant::parse(text),
        _ => None,
    };
    time.filter(|time| time.0 / 1_000 <= CLAIM_SECONDS_MAX)
        .ok_or_else(|| {
            refuse(
                claim,
                "is neither a whole number of seconds or milliseconds nor a time",
            )
        })
}

fn span(value: &Value) -> Result<Duration, AuthFailure> {
    value
        .as_u64()
        .filter(|seconds| (1..=CLAIM_SECONDS_MAX).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| refuse("ttl", "is not a positive whole number of seconds"))
}

#[cfg(test)]
mod tests;
