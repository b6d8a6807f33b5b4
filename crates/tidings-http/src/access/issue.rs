//! `POST /v1/tickets` and `POST /v1/tokens`: a one-time ticket, or a stream token, for whoever has
//! another credential.

use http::Response;
use tidings_auth::reading::NotForReading;
use tidings_auth::stream_token::StreamTokenError;
use tidings_auth::ticket::{TicketError, TicketRequest};
use tidings_core::identity::Identity;
use tidings_core::port::AuthFailure;
use tidings_core::subscription::SubscribeRefused;
use tidings_core::time::Timestamp;
use tidings_wire::access::{self, AskedTicket, Issued, IssuedKind};
use tidings_wire::problem::{Code, Problem};

use super::{answer, body, store_failed};
use crate::app::App;
use crate::authenticate::{authenticate, authenticate_bearer};
use crate::call::Call;
use crate::native::asked;
use crate::origin::Origin;
use crate::rates;
use crate::reply::{Body, Refusal};

/// Hands out a ticket, which opens one stream.
pub(crate) async fn ticket(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    // A stream token will do: what it is exchanged for is good for less, and ends with it.
    let identity = authenticate_bearer(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let told = rates::count_ticket(app, &identity, call.source.client).await?;
    let made = make_ticket(app, &mut call, &identity).await;
    rates::telling(made, told)
}

/// Hands out a stream token, which opens any number of streams for an hour.
pub(crate) async fn token(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    let identity = authenticate(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let told = rates::count_ticket(app, &identity, call.source.client).await?;
    let made = make_token(app, &mut call, &identity).await;
    rates::telling(made, told)
}

async fn make_ticket(
    app: &App,
    call: &mut Call,
    identity: &Identity,
) -> Result<Response<Body>, Refusal> {
    let asked = read(app, call).await?;
    let origin = asked.origin.as_deref().map(origin).transpose()?;
    let request = TicketRequest {
        origin: origin.map(|origin| origin.as_str().to_owned()),
        patterns: asked.patterns,
    };
    let now = app.clock().now();
    let issued = app.access().tickets.issue(identity, request, now).await;
    let ticket = issued.map_err(|error| match error {
        TicketError::NotForReading(fault) => not_for_this(fault),
        TicketError::TooLarge => Problem::new(Code::InvalidBody, error.to_string())
            .with_hint("ask for fewer patterns with `topics`"),
        TicketError::Store(error) => store_failed(&error),
        TicketError::Randomness(_) => failed(&error),
    })?;
    let kind = IssuedKind::Ticket;
    Ok(issue(call, kind, ticket.expose(), ticket.expires_at))
}

async fn make_token(
    app: &App,
    call: &mut Call,
    identity: &Identity,
) -> Result<Response<Body>, Refusal> {
    let asked = read(app, call).await?;
    if asked.origin.is_some() {
        let detail = "the field `origin` is for tickets: a token is not bound to a page";
        return Err(Problem::new(Code::InvalidBody, detail)
            .with_hint("leave `origin` out, or ask for a ticket")
            .into());
    }
    let now = app.clock().now();
    let tokens = &app.access().tokens;
    let minted = tokens.mint(identity, asked.patterns.as_deref(), now);
    let token = minted.map_err(|error| match error {
        StreamTokenError::NotForReading(fault) => not_for_this(fault),
        StreamTokenError::TooManyPatterns(_) | StreamTokenError::TooLong => {
            Problem::new(Code::InvalidBody, error.to_string())
                .with_hint("ask for fewer patterns with `topics`")
        }
        StreamTokenError::Randomness(_) => failed(&error),
    })?;
    let kind = IssuedKind::Token;
    Ok(issue(call, kind, token.expose(), token.expires_at))
}

/// What is asked for. Clients that were made for another server ask for nothing that this hub knows,
/// whatever they send.
async fn read(app: &App, call: &mut Call) -> Result<AskedTicket, Refusal> {
    let body = body(app, call).await?;
    if !call.profile.profile.is_strict {
        return Ok(AskedTicket::default());
    }
    access::ticket(&body).map_err(|fault| Problem::from(&fault).into())
}

/// A page that no browser is on would make a ticket that nobody can use.
fn origin(text: &str) -> Result<Origin, Problem> {
    Origin::parse(text).map_err(|fault| {
        Problem::new(
            Code::InvalidBody,
            format!("the field `origin` is not an origin: {fault}"),
        )
        .with_hint("name the page's scheme, host and port, exactly as the browser sends them")
    })
}

fn not_for_this(fault: NotForReading) -> Problem {
    let detail = fault.to_string();
    match fault {
        NotForReading::ByReading => Problem::new(Code::NotGranted, detail)
            .with_hint("present the credential with which it was made"),
        NotForReading::Ended => Problem::from(&AuthFailure::Expired),
        NotForReading::TooManyPatterns(_) => Problem::new(Code::TooManyPatterns, detail),
        NotForReading::NotGranted(patterns) => {
            Problem::from(&SubscribeRefused::NotGranted(patterns))
        }
    }
}

fn failed(error: &dyn std::error::Error) -> Problem {
    tracing::error!(cause = %error, "no credential could be made");
    Problem::new(Code::Internal, "the credential could not be made")
}

fn issue(call: &Call, kind: IssuedKind, text: &str, expires_at: Timestamp) -> Response<Body> {
    let mut out = Vec::new();
    let issued = Issued {
        kind,
        form: call.profile.profile.beside.issued,
        text,
        expires_at,
    };
    access::push_issued(&issued, &mut out);
    answer(out)
}
