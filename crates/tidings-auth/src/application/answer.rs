//! What the application says, typed strictly: as a whole it counts, or not at all.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tidings_core::audience::{Role, Subject};
use tidings_core::grant::Grants;
use tidings_core::port::AuthFailure;
use tidings_core::time::{Timestamp, parse_rfc3339};

use crate::claims::path::ClaimPath;
use crate::claims::{Layout, Person, refuse};
use crate::limits::CLAIM_SECONDS_MAX;

/// The smallest number that is taken for milliseconds: as seconds it lies in the year 5138.
const MILLISECONDS_MIN: u64 = 100_000_000_000;

/// How the application's answer is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    layout: Layout,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Native,
    Session { expires: Option<ClaimPath> },
}

impl Shape {
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
    pub fn native() -> Self {
        let layout = Layout {
            subject: ClaimPath::top("subject"),
            roles: vec![ClaimPath::top("roles").into()],
            grants: Some(ClaimPath::top(GRANTS)),
        };
        let form = Form::Native;
        Self { layout, form }
    }

    /// As one that the application has anyway, such as the session of `NextAuth`:
    /// `{"user": {"id": "u1"}, "expires": "2026-12-21T18:00:00.000Z"}`. All of it becomes the claims.
    ///
    /// Nobody where the layout looks for the subject means that nobody is signed in. `expires` says
    /// where the end stands, in any form that `expiresAt` may have.
    ///
    /// What the answer grants counts if the layout says where: it comes from the application's own
    /// server, over an address of the settings, and its callbacks wrote it.
    pub fn session(layout: Layout, expires: Option<ClaimPath>) -> Self {
        let form = Form::Session { expires };
        Self { layout, form }
    }

    /// Where the answer says who.
    pub(super) fn subject(&self) -> &ClaimPath {
        &self.layout.subject
    }
}

/// Where the grants of a native answer are put together.
const GRANTS: &str = "grants";

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
        let answer = match &shape.form {
            Form::Native => native(object, &shape.layout, now)?,
            Form::Session { expires } => session(object, &shape.layout, expires.as_ref())?,
        };
        match answer.ends {
            Some(ends) if ends <= now => Err(AuthFailure::Expired),
            _ => Ok(answer),
        }
    }

    fn of(person: Person, claims: Map<String, Value>, ends: Option<Timestamp>) -> Self {
        Self {
            subject: person.subject,
            roles: person.roles,
            grants: person.grants,
            claims: Arc::new(claims),
            ends,
        }
    }
}

fn native(
    mut object: Map<String, Value>,
    layout: &Layout,
    now: Timestamp,
) -> Result<Answer, AuthFailure> {
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

    let mut take = |names: &[&str]| {
        let taken = names.iter().filter_map(|name| object.remove_entry(*name));
        taken.collect::<Map<_, _>>()
    };
    let mut person = take(&["subject", "roles"]);
    let grants = take(&["subscribe", "publish", "admin"]);
    if person.get("subject").is_none_or(Value::is_null) {
        return Err(AuthFailure::Denied);
    }
    // Whoever wrote it meant to allow or to restrict something, and it would do neither.
    if !object.is_empty() {
        let problem = "of the application has a member that is not known";
        return Err(refuse("(answer)", problem));
    }
    person.insert(GRANTS.to_owned(), Value::Object(grants));
    let person = layout.person(&person)?;
    Ok(Answer::of(person, claims, ends))
}

fn session(
    object: Map<String, Value>,
    layout: &Layout,
    expires: Option<&ClaimPath>,
) -> Result<Answer, AuthFailure> {
    if layout.subject.find(&object) == Ok(None) {
        return Err(AuthFailure::Denied);
    }
    let ends = match expires {
        Some(path) => end(&object, path)?,
        None => None,
    };
    let person = layout.person(&object)?;
    Ok(Answer::of(person, object, ends))
}

fn end(object: &Map<String, Value>, path: &ClaimPath) -> Result<Option<Timestamp>, AuthFailure> {
    let name = path.to_string();
    let found = path
        .find(object)
        .map_err(|_| refuse(&name, "stands inside what is not an object"))?;
    found.map(|value| time(&name, value)).transpose()
}

fn time(claim: &str, value: &Value) -> Result<Timestamp, AuthFailure> {
    let time = match value {
        Value::Number(number) => number.as_u64().map(|number| match number {
            ms @ MILLISECONDS_MIN.. => Timestamp(ms),
            seconds => Timestamp(seconds * 1_000),
        }),
        Value::String(text) => parse_rfc3339(text)
            .and_then(|ms| u64::try_from(ms).ok())
            .map(Timestamp),
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
