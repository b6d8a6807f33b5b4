//! What a reader asks for: the parameters that the stream and the pages share.

use std::time::Duration;

use http::HeaderName;
use tidings_core::provenance::{Metadata, MetadataError};
use tidings_core::start::Start;
use tidings_core::subscription::Subscription;
use tidings_wire::problem::{Code, Problem};
use tidings_wire::query::{self, QueryError, QueryFault};

use crate::app::App;
use crate::call::Call;
use crate::presented::TICKET;
use crate::profile::Profile;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Spellings of `Last-Event-ID` as a parameter, for clients that cannot send the header.
const LAST_EVENT_ID_NAMES: [&str; 5] = [
    "Last-Event-ID",
    "last-event-id",
    "lastEventID",
    "lastEventId",
    "last_event_id",
];

/// Parameters in which clients of other hubs send credentials, in lower case.
const CREDENTIAL_NAMES: [&str; 14] = [
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "bearer",
    "id_token",
    "jwt",
    "key",
    "secret",
    "session_id",
    "sse_token",
    "ticket",
    "token",
];

/// The parameter that names the user in development.
const DEVELOPMENT_USER: &str = "userId";

const METADATA_PREFIX: &str = "meta_";

/// What a route of readers takes beside what they all take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `Last-Event-ID` and `meta_*`.
    Stream,
    /// `limit` and `wait`.
    Page,
}

impl Kind {
    fn known(self) -> &'static [&'static str] {
        match self {
            Self::Stream => &[
                "topics",
                "events",
                "since",
                "audience",
                "lastEventId",
                TICKET,
            ],
            Self::Page => &[
                "topics", "events", "since", "audience", "limit", "wait", TICKET,
            ],
        }
    }
}

/// The parameters of a reader, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) subscription: Subscription,
    pub(crate) start: Start,
    /// Where to start if `start` means nothing to this log.
    pub(crate) fallback: Start,
    pub(crate) limit: Option<usize>,
    pub(crate) wait: Option<Duration>,
    /// What the client says of the connection: `meta_*`.
    pub(crate) metadata: Metadata,
}

/// Reads the query and the `Last-Event-ID` header of a request.
pub(crate) fn read(app: &App, call: &Call, kind: Kind) -> Result<Asked, Problem> {
    let last_event_id = match kind {
        Kind::Stream => call.parts.headers.get(LAST_EVENT_ID),
        Kind::Page => None,
    };
    let taken = Taken {
        kind,
        profile: &call.profile.profile,
        development: app.development_user(call).is_some(),
    };
    read_from(
        call.query(),
        last_event_id.map(http::HeaderValue::as_bytes),
        taken,
    )
}

/// What of a query is taken.
#[derive(Debug, Clone, Copy)]
struct Taken<'a> {
    kind: Kind,
    profile: &'a Profile,
    /// Whether `userId` names the user.
    development: bool,
}

impl Taken<'_> {
    /// A parameter that is none of the reader's: whoever proved the identity has seen a credential, and
    /// a client that was made for another server may send more than this hub knows.
    fn passes_over(&self, name: &str) -> bool {
        let mut credentials = self.profile.credentials.iter();
        credentials.any(|credential| credential.parameter == name)
            || self.development && name == DEVELOPMENT_USER
            || !self.profile.is_strict && !is_credential(name)
    }
}

/// Refuses every parameter, on routes that take none.
pub(crate) fn read_nothing(app: &App, call: &Call) -> Result<(), Problem> {
    read_each(app, call, []).map(|[]| ())
}

/// The value of the only parameter that a route takes, if it is there.
pub(crate) fn read_one(
    app: &App,
    call: &Call,
    name: &'static str,
) -> Result<Option<String>, Problem> {
    read_each(app, call, [name]).map(|[value]| value)
}

/// The value of each parameter that a route takes, where it is there; all others are refused.
pub(crate) fn read_each<const N: usize>(
    app: &App,
    call: &Call,
    known: [&'static str; N],
) -> Result<[Option<String>; N], Problem> {
    let development = app.development_user(call).is_some();
    let is_strict = call.profile.profile.is_strict;
    let is_passed_over =
        |name: &str| development && name == DEVELOPMENT_USER || !is_strict && !is_credential(name);
    let mut values = [const { None }; N];
    for (name, value) in query::pairs(call.query()).map_err(|error| Problem::from(&error))? {
        let places = known.iter().zip(&mut values);
        let mut places = places.filter(|(known, _)| **known == name);
        if let Some((known, place)) = places.next() {
            if place.replace(value.into_owned()).is_some() {
                let expected = "one value for the parameter";
                return Err(Problem::from(&refused(known, expected, "several")));
            }
        } else if !is_passed_over(&name) {
            return Err(not_known(&name, &known));
        }
    }
    Ok(values)
}

fn read_from(text: &str, last_event_id: Option<&[u8]>, taken: Taken<'_>) -> Result<Asked, Problem> {
    let pairs = query::pairs(text).map_err(|error| Problem::from(&error))?;
    let mut seen = Seen::default();
    for (name, value) in &pairs {
        seen.take(name, value, taken)?;
    }
    seen.understand(last_event_id, taken.profile.is_strict)
        .map_err(|error| Problem::from(&error))
}

/// Parameters as they stand in the query, not understood yet.
#[derive(Debug, Default)]
struct Seen<'a> {
    topics: Vec<&'a str>,
    events: Vec<&'a str>,
    since: Option<&'a str>,
    audience: Option<&'a str>,
    last_event_id: Option<&'a str>,
    limit: Option<&'a str>,
    wait: Option<&'a str>,
    metadata: Metadata,
}

impl<'a> Seen<'a> {
    fn take(&mut self, name: &str, value: &'a str, taken: Taken<'_>) -> Result<(), Problem> {
        let single = match (name, taken.kind) {
            ("topics", _) => {
                self.topics.push(value);
                return Ok(());
            }
            ("events", _) => {
                self.events.push(value);
                return Ok(());
            }
            // The same, as other servers call it where somebody polls.
            ("types", Kind::Page) if !taken.profile.is_strict => {
                self.events.push(value);
                return Ok(());
            }
            // A client that was made for another server sends what it does not have yet.
            ("since" | "limit", Kind::Page) if !taken.profile.is_strict && value.is_empty() => {
                return Ok(());
            }
            ("since", _) => &mut self.since,
            ("audience", _) => &mut self.audience,
            ("limit", Kind::Page) => &mut self.limit,
            ("wait", Kind::Page) => &mut self.wait,
            (name, Kind::Stream) if LAST_EVENT_ID_NAMES.contains(&name) => &mut self.last_event_id,
            (name, Kind::Stream) if name.starts_with(METADATA_PREFIX) => {
                return self
                    .take_metadata(name, value)
                    .map_err(|error| Problem::from(&error));
            }
            _ if taken.passes_over(name) => return Ok(()),
            _ => return Err(not_known(name, taken.kind.known())),
        };
        if single.replace(value).is_some() {
            return Err(Problem::from(&refused(
                name,
                "one value for the parameter",
                "several",
            )));
        }
        Ok(())
    }

    fn take_metadata(&mut self, name: &str, value: &str) -> Result<(), QueryError> {
        let key = name.strip_prefix(METADATA_PREFIX).unwrap_or(name);
        self.metadata.add(key, value).map_err(|fault| match fault {
            MetadataError::Text => {
                let expected = "a name and a value of at most 256 bytes without control characters";
                refused(METADATA_PREFIX, expected, value)
            }
            MetadataError::TooMany => {
                refused(METADATA_PREFIX, "at most 16 `meta_*` parameters", "more")
            }
            MetadataError::Twice => refused(name, "one value for the parameter", "several"),
        })
    }

    /// The header wins over the parameter, and both win over `since`, which stays as the fallback.
    fn understand(self, header: Option<&[u8]>, is_strict: bool) -> Result<Asked, QueryError> {
        let since = self.since.map(query::since).transpose()?;
        let parameter = self.last_event_id.map(str::as_bytes);
        let resumed = header
            .and_then(query::last_event_id)
            .or_else(|| parameter.and_then(query::last_event_id));
        let since = since.unwrap_or(Start::Now);
        let (start, fallback) = match resumed {
            Some(resumed) => (resumed, since),
            None => (since, Start::Now),
        };
        Ok(Asked {
            subscription: Subscription {
                patterns: query::patterns(self.topics)?,
                audience: self.audience.map_or(Ok(true), query::audience)?,
                types: query::types(self.events)?,
            },
            start,
            fallback,
            limit: match self.limit {
                Some(limit) if is_strict => Some(query::limit(limit)?),
                Some(limit) => Some(query::limit_at_most(limit)?),
                None => None,
            },
            wait: self.wait.map(query::wait).transpose()?,
            metadata: self.metadata,
        })
    }
}

/// The refusal of a parameter that a route does not know. A credential is recognised by its name,
/// and its value is repeated nowhere.
pub(crate) fn not_known(name: &str, known: &[&str]) -> Problem {
    if is_credential(name) {
        let detail = format!(
            "the parameter `{name}` is not taken: a credential in a URL ends up in logs and histories"
        );
        return Problem::new(Code::InvalidQuery, detail)
            .with_text("parameter", name)
            .with_hint("send it in the header `Authorization: Bearer`");
    }
    Problem::from(&query::unknown(name, known))
}

/// Whether other hubs take credentials under this name.
fn is_credential(name: &str) -> bool {
    CREDENTIAL_NAMES.contains(&name.to_ascii_lowercase().as_str())
}

fn refused(parameter: &str, expected: &'static str, found: &str) -> QueryError {
    QueryError {
        parameter: parameter.to_owned(),
        fault: QueryFault::Value {
            expected,
            found: found.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests;
