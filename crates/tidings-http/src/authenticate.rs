//! From a request to an identity. An address that has guessed too often waits before anything is looked at, and an identity
//! that is proven by a cookie counts only if no other site sent it.

use std::sync::Arc;

use http::Method;
use tidings_core::identity::Identity;
use tidings_core::port::{AuthFailure, Presented, Purpose};
use tidings_wire::problem::{Code, Problem};

use crate::app::App;
use crate::call::Call;
use crate::metrics::CauseLabels;
use crate::presented::Gathered;
use crate::reply::Refusal;
use crate::{cross_site, rates, refusals};

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
    rates::check_refusals(app, call.source.client)?;
    let identity = {
        let gathered = Gathered::of(app, call, purpose)?;
        let presented = gathered.show(app, call);
        let proven = prove(app, presented).await;
        proven.map_err(|refusal| in_words(call, &presented, refusal))?
    };
    if identity.credential.is_ambient {
        let (origins, scheme) = (&app.settings().origins, call.source.scheme);
        if let Err(problem) = cross_site::check(origins, &call.parts, scheme) {
            app.metrics().cross_site_refused.inc();
            return Err(problem.into());
        }
    }
    let identity = Arc::new(identity);
    call.parts.extensions.insert(Arc::clone(&identity));
    Ok(identity)
}

/// A refused ticket in the words that its owner knows, which are the same whatever is wrong with it.
fn in_words(call: &Call, presented: &Presented<'_>, mut refusal: Refusal) -> Refusal {
    if let Some(detail) = call.profile.profile.beside.ticket_refusal
        && presented.ticket.is_some()
        && refusal.problem.code() == Code::InvalidToken
    {
        let hint = "get another one; it opens one stream, within 30 seconds";
        refusal.problem = Box::new(Problem::new(Code::InvalidToken, detail).with_hint(hint));
    }
    refusal
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
    // A ticket opens one stream or page. Whoever asks for the head alone gets neither.
    let purpose = if call.parts.method == Method::HEAD {
        Purpose::Look
    } else {
        Purpose::Read
    };
    let identity = authenticate_for(purpose, app, call).await?;
    still_valid(app, identity)
}

/// Proves who wants to look at something without opening a stream or a page; what serves for reading
/// alone will do, but no ticket is taken.
///
/// # Cancel safety
///
/// As that of [`authenticate`].
pub(crate) async fn authenticate_looker(
    app: &App,
    call: &mut Call,
) -> Result<Arc<Identity>, Refusal> {
    authenticate_for(Purpose::Look, app, call).await
}

fn still_valid(app: &App, identity: Arc<Identity>) -> Result<Arc<Identity>, Refusal> {
    if identity
        .expires_at
        .is_some_and(|end| end <= app.clock().now())
    {
        return Err(refused(app, identity.method, &AuthFailure::Expired));
    }
    Ok(identity)
}

/// Whether a credential has ended or was revoked since it was proven, and which of both: for what takes
/// longer than a moment.
pub(crate) fn ended(app: &App, identity: &Identity) -> Option<AuthFailure> {
    let now = app.clock().now();
    if identity.expires_at.is_some_and(|end| end <= now) {
        return Some(AuthFailure::Expired);
    }
    let revocations = app.access().store.revocations();
    let revoked = revocations.find(identity.subject.as_ref(), &identity.credential, now);
    revoked.map(|_| AuthFailure::Revoked)
}

/// Proves who wants an open stream to go on, as [`authenticate_reader`] does; what serves for reading
/// alone will do, but a ticket is not looked for.
///
/// # Cancel safety
///
/// As that of [`authenticate`].
pub(crate) async fn authenticate_bearer(
    app: &App,
    call: &mut Call,
) -> Result<Arc<Identity>, Refusal> {
    let identity = authenticate_for(Purpose::Renew, app, call).await?;
    still_valid(app, identity)
}

async fn prove(app: &App, presented: Presented<'_>) -> Result<Identity, Refusal> {
    let authenticator = &app.access().authenticator;
    match authenticator.authenticate(presented).await {
        Ok(Some(identity)) => return Ok(identity),
        Ok(None) => {}
        Err(failure) => {
            let refusal = refused(app, authenticator.name(), &failure);
            return Err(if proves_nothing(&failure) {
                rates::count_refusal(app, presented.peer, refusal).await
            } else {
                refusal
            });
        }
    }
    let unknown = |what: &str, hint: &str| {
        count_refused(app, "not_accepted");
        Problem::new(
            Code::InvalidToken,
            format!("no configured issuer accepts the {what}"),
        )
        .with_hint(hint)
    };
    let problem = if presented.bearer.is_some() {
        unknown(
            "token",
            "check that its issuer is one of this hub's, or get one from this hub; \
             `tidings auth explain` tells who looked at it",
        )
    } else if presented.ticket.is_some() {
        unknown(
            "ticket",
            "get a ticket from this hub; it opens one stream, within 30 seconds",
        )
    } else {
        count_refused(app, "missing");
        let detail = "the request has no credential";
        return Err(Problem::new(Code::AuthenticationRequired, detail).into());
    };
    Err(rates::count_refusal(app, presented.peer, problem.into()).await)
}

/// Whether a refused credential may have been guessed. One that was good once, or is good for
/// something else, was not: a herd with old tokens must not lock its own address out.
fn proves_nothing(failure: &AuthFailure) -> bool {
    match failure {
        AuthFailure::Malformed(_)
        | AuthFailure::NotTrusted
        | AuthFailure::Unknown
        | AuthFailure::Claim { .. }
        | AuthFailure::Denied => true,
        AuthFailure::Expired
        | AuthFailure::NotYetValid
        | AuthFailure::Revoked
        | AuthFailure::NotForThis(_)
        | AuthFailure::Unavailable => false,
    }
}

/// A refused credential is counted and logged by its cause.
fn refused(app: &App, method: &'static str, failure: &AuthFailure) -> Refusal {
    let cause = refusals::credential_cause(failure);
    tracing::debug!(method, cause, "credential refused");
    count_refused(app, cause);
    Problem::from(failure).into()
}

/// Counts a request that was not let in for its credential, or for want of one.
fn count_refused(app: &App, cause: &'static str) {
    let labels = CauseLabels { cause };
    app.metrics()
        .credentials_refused
        .get_or_create(&labels)
        .inc();
}
