//! Everything that a request presents as a credential, gathered once for all providers.

use std::borrow::Cow;

use http::header::AUTHORIZATION;
use tidings_core::port::{Presented, Purpose};
use tidings_wire::problem::{Code, Problem};
use tidings_wire::query;

use crate::app::App;
use crate::call::Call;
use crate::cookies;
use crate::limits::{BEARER_BYTES_MAX, COOKIES_MAX};

/// The parameter with a ticket.
pub(crate) const TICKET: &str = "ticket";

/// What a request presents. Its texts are the request's own.
pub(crate) struct Gathered<'a> {
    purpose: Purpose,
    bearer: Option<&'a str>,
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
        Ok(Self {
            purpose,
            bearer: bearer(call)?,
            ticket: match purpose {
                Purpose::Read | Purpose::Look => ticket(call.query())?,
                Purpose::Renew | Purpose::Act => None,
            },
            cookies: cookies::read(headers).map_err(|error| {
                Problem::new(Code::HeadersTooLarge, error.to_string())
                    .with_number("limit", COOKIES_MAX as u64)
            })?,
            headers: headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
                .collect(),
            development_user: app.development_user(call),
        })
    }

    /// As the authenticators see it.
    pub(crate) fn show(&self, app: &App, call: &Call) -> Presented<'_> {
        Presented {
            bearer: self.bearer,
            ticket: self.ticket.as_deref(),
            cookies: &self.cookies,
            headers: &self.headers,
            development_user: self.development_user.as_deref(),
            ..Presented::nothing(self.purpose, call.source.client, app.clock().now())
        }
    }
}

/// The ticket of a query. A query that is not valid has none: it is refused when it is read.
fn ticket(text: &str) -> Result<Option<Cow<'_, str>>, Problem> {
    let pairs = query::pairs(text).unwrap_or_default();
    let mut tickets = pairs.into_iter().filter(|(name, _)| name == TICKET);
    let first = tickets.next().map(|(_, value)| value);
    if tickets.next().is_some() {
        return Err(
            Problem::new(Code::InvalidQuery, "the query has more than one `ticket`")
                .with_text("parameter", TICKET)
                .with_hint("send one ticket"),
        );
    }
    Ok(first)
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
        return Err(Problem::new(
            Code::InvalidToken,
            format!("the token is empty or has more than {BEARER_BYTES_MAX} bytes"),
        )
        .with_hint(
            "send the token as it was issued, with fewer patterns and roles if it is too long",
        ));
    }
    Ok(Some(token))
}

fn malformed(detail: &str, hint: &str) -> Problem {
    Problem::new(Code::InvalidHeader, detail).with_hint(hint)
}
