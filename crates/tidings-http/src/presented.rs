//! Everything that a request presents as a credential, gathered once for all providers.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use tidings_core::port::{Presented, Purpose};
use tidings_wire::problem::{Code, Problem};
use tidings_wire::query;

use crate::app::App;
use crate::call::Call;
use crate::cookies;
use crate::limits::{BEARER_BYTES_MAX, COOKIES_MAX};
use crate::profile::{CredentialKind, NATIVE};

/// The parameter with a ticket.
pub(crate) const TICKET: &str = "ticket";

/// What a request presents. Its texts are the request's own.
pub(crate) struct Gathered<'a> {
    purpose: Purpose,
    bearer: Option<Cow<'a, str>>,
    ticket: Option<Cow<'a, str>>,
    cookies: Vec<(&'a str, &'a str)>,
    headers: Vec<(&'a str, &'a [u8])>,
    development_user: Option<Cow<'a, str>>,
}

impl<'a> Gathered<'a> {
    /// Looks through a request. A ticket is looked for only where somebody reads: elsewhere, it is an
    /// unknown parameter.
    pub(crate) fn of(app: &App, call: &'a Call, purpose: Purpose) -> Result<Self, Problem> {
        let headers = &call.parts.headers;
        let reads = matches!(purpose, Purpose::Read | Purpose::Look);
        let in_header = bearer(call)?.map(Cow::Borrowed);
        let in_query_too = if reads {
            in_query(call, CredentialKind::Token)?
        } else {
            None
        };
        Ok(Self {
            purpose,
            bearer: if call.profile.profile.beside.is_session_first {
                in_query_too.or(in_header)
            } else {
                in_header.or(in_query_too)
            },
            ticket: if reads {
                in_query(call, CredentialKind::Ticket)?
            } else {
                None
            },
            cookies: if call.profile.profile.takes_cookies {
                cookies(headers)?
            } else {
                Vec::new()
            },
            headers: headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect(),
            development_user: app.development_user(call),
        })
    }

    /// As the authenticators see it.
    pub(crate) fn show<'s>(&'s self, app: &App, call: &'s Call) -> Presented<'s> {
        Presented {
            bearer: self.bearer.as_deref(),
            ticket: self.ticket.as_deref(),
            cookies: &self.cookies,
            headers: &self.headers,
            development_user: self.development_user.as_deref(),
            profile: Some(call.profile.profile.name()).filter(|name| *name != NATIVE),
            is_session_first: call.profile.profile.beside.is_session_first,
            ..Presented::nothing(self.purpose, call.source.client, app.clock().now())
        }
    }
}

/// The credential of a kind in a query, if the profile takes one there. A query that is not valid has
/// none: it is refused when it is read.
fn in_query(call: &Call, kind: CredentialKind) -> Result<Option<Cow<'_, str>>, Problem> {
    let known = call.profile.profile.credentials.iter();
    let mut found = None;
    for credential in known.filter(|credential| credential.kind == kind) {
        let name = credential.parameter.as_str();
        for (_, value) in pairs(call.query()).filter(|(found, _)| found == name) {
            if found.replace(value).is_some() {
                let detail = format!("the query has more than one `{name}`");
                return Err(Problem::new(Code::InvalidQuery, detail)
                    .with_text("parameter", name)
                    .with_hint("send one credential"));
            }
        }
    }
    match found {
        Some(token) if kind == CredentialKind::Token && token.len() > BEARER_BYTES_MAX => {
            Err(no_token())
        }
        // A client that has none yet sends an empty one.
        Some(token) if token.is_empty() && !call.profile.profile.is_strict => Ok(None),
        found => Ok(found),
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query::pairs(text).unwrap_or_default().into_iter()
}

fn cookies(headers: &HeaderMap) -> Result<Vec<(&str, &str)>, Problem> {
    cookies::read(headers).map_err(|error| {
        Problem::new(Code::HeadersTooLarge, error.to_string())
            .with_number("limit", COOKIES_MAX as u64)
    })
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1).
fn bearer(call: &Call) -> Result<Option<&str>, Problem> {
    let mut sent = call.parts.headers.get_all(AUTHORIZATION).iter();
    let Some(header) = sent.next() else {
        return Ok(None);
    };
    if sent.next().is_some() {
        return Err(malformed(
            "the request has more than one `Authorization` header",
            "send one `Authorization: Bearer` header",
        ));
    }
    let text = header.to_str().map_err(|_| {
        malformed(
            "the `Authorization` header is not ASCII",
            "send `Authorization: Bearer` and the token as it was issued",
        )
    })?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        let problem = Problem::new(
            Code::InvalidToken,
            "the `Authorization` header is not of the scheme `Bearer`",
        )
        .with_hint("send `Authorization: Bearer` and a token");
        return Err(problem);
    }
    let token = token.trim_matches(' ');
    if token.is_empty() || token.len() > BEARER_BYTES_MAX {
        return Err(no_token());
    }
    Ok(Some(token))
}

fn no_token() -> Problem {
    Problem::new(
        Code::InvalidToken,
        format!("the token is empty or has more than {BEARER_BYTES_MAX} bytes"),
    )
    .with_hint("send the token as it was issued, with fewer patterns and roles if it is too long")
}

fn malformed(detail: &str, hint: &str) -> Problem {
    Problem::new(Code::InvalidHeader, detail).with_hint(hint)
}
