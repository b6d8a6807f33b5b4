//! From a request to an identity: the first authenticator that knows the presented credential
//! decides.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use tidings_core::identity::Identity;
use tidings_core::port::{AuthFailure, Presented, Purpose};
use tidings_wire::problem::{Code, Problem};

use crate::app::App;
use crate::call::Call;
use crate::limits::BEARER_BYTES_MAX;
use crate::metrics::CauseLabels;
use crate::refusals;
use crate::reply::Refusal;

/// Proves who a request is, and leaves the identity in the request's extensions.
///
/// # Cancel safety
///
/// Cancel safe; the request is unchanged unless an identity was found.
pub(crate) async fn authenticate(app: &App, call: &mut Call) -> Result<Arc<Identity>, Refusal> {
    authenticate_for(Purpose::Act, app, call).await
}

async fn authenticate_for(
    purpose: Purpose,
    app: &App,
    call: &mut Call,
) -> Result<Arc<Identity>, Refusal> {
    let identity = {
        let development_user = app.development_user(call);
        let presented = Presented {
            bearer: bearer(call)?,
            development_user: development_user.as_deref(),
            ..Presented::nothing(purpose, call.peer.ip(), app.clock().now())
        };
        prove(app, presented).await?
    };
    let identity = Arc::new(identity);
    call.parts.extensions.insert(Arc::clone(&identity));
    Ok(identity)
}

/// Proves who wants to read, as [`authenticate`] does. A reader is cut off when its credential ends,
/// to the moment. Within the leeway that an authenticator allows, it would be cut off as soon as it
/// is let in, and come back at once, again and again: it is refused instead.
///
/// # Cancel safety
///
/// As that of [`authenticate`].
pub(crate) async fn authenticate_reader(
    app: &App,
    call: &mut Call,
) -> Result<Arc<Identity>, Refusal> {
    let identity = authenticate_for(Purpose::Read, app, call).await?;
    if identity
        .expires_at
        .is_some_and(|end| end <= app.clock().now())
    {
        return Err(refused(app, identity.method, &AuthFailure::Expired));
    }
    Ok(identity)
}

async fn prove(app: &App, presented: Presented<'_>) -> Result<Identity, Refusal> {
    for authenticator in app.authenticators() {
        match authenticator.authenticate(presented).await {
            Ok(Some(identity)) => return Ok(identity),
            Ok(None) => {}
            Err(failure) => return Err(refused(app, authenticator.name(), &failure)),
        }
    }
    let problem = if presented.bearer.is_some() {
        Problem::new(Code::InvalidToken, "no configured issuer accepts the token")
            .with_hint("check that the token was made for this hub; `tidings token` makes one")
    } else {
        Problem::new(
            Code::AuthenticationRequired,
            "the request has no credential",
        )
    };
    Err(problem.into())
}

/// A refused credential is counted and logged by its cause.
fn refused(app: &App, method: &'static str, failure: &AuthFailure) -> Refusal {
    let cause = refusals::credential_cause(failure);
    tracing::debug!(method, cause, "credential refused");
    let labels = CauseLabels { cause };
    app.metrics()
        .credentials_refused
        .get_or_create(&labels)
        .inc();
    Problem::from(failure).into()
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1).
fn bearer(call: &Call) -> Result<Option<&str>, Refusal> {
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
        return Err(problem.into());
    }
    let token = token.trim_matches(' ');
    if token.is_empty() || token.len() > BEARER_BYTES_MAX {
        return Err(Problem::new(
            Code::InvalidToken,
            format!("the token is empty or has more than {BEARER_BYTES_MAX} bytes"),
        )
        .with_hint(
            "send the token as it was issued, with fewer patterns and roles if it is too long",
        )
        .into());
    }
    Ok(Some(token))
}

fn malformed(detail: &str, hint: &str) -> Refusal {
    Problem::new(Code::InvalidHeader, detail)
        .with_hint(hint)
        .into()
}
