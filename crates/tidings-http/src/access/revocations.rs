//! `/v1/revocations`: who and what counts no longer. For administrators.

use std::time::Duration;

use http::{Response, StatusCode};
use tidings_core::revocation::{Revocation, Revoked};
use tidings_wire::access;
use tidings_wire::problem::{Code, Problem};

use super::{administrator, answer, body, store_failed};
use crate::app::App;
use crate::call::Call;
use crate::limits::REVOCATION_MS_DEFAULT;
use crate::native::asked;
use crate::reply::{self, Body, Refusal};
use crate::segment;

/// Revokes. The answer is sent once it is kept; streams that it concerns end within two seconds.
pub(crate) async fn revoke(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    let by = administrator(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let asked = body(app, &mut call).await?;
    let asked = access::revocation(&asked).map_err(|fault| Problem::from(&fault))?;
    let now = app.clock().now();
    let lifetime = asked
        .lifetime
        .unwrap_or(Duration::from_millis(REVOCATION_MS_DEFAULT));
    let revocation = Revocation {
        what: asked.what,
        at: now,
        until: now.plus(lifetime),
        issued_before: asked.issued_before,
    };
    let kept = app.access().store.revoke(revocation.clone()).await;
    kept.map_err(|error| store_failed(&error))?;
    tracing::info!(
        what = %revocation.what, request = %call.request_id,
        by = by.subject.as_ref().map_or("", |subject| subject.as_str()), "revoked"
    );
    let mut out = Vec::new();
    access::push_revocation(&revocation, &mut out);
    Ok(answer(out))
}

/// Lists what is revoked.
pub(crate) async fn list(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    administrator(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let mut out = Vec::new();
    access::push_revocations(app.access().store.revocations().iter(), &mut out);
    Ok(answer(out))
}

/// Lifts one.
pub(crate) async fn lift(
    app: &App,
    mut call: Call,
    raw_what: &str,
) -> Result<Response<Body>, Refusal> {
    administrator(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let what = segment::decode(raw_what).ok();
    let what = what.and_then(|text| Revoked::parse(&text).ok());
    let nothing = || Problem::new(Code::NotFound, "nothing of this name is revoked");
    let what = what.ok_or_else(nothing)?;
    let was_there = app.access().store.lift(what).await;
    if !was_there.map_err(|error| store_failed(&error))? {
        return Err(nothing().into());
    }
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
