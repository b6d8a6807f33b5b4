//! `/v1/revocations`: who and what counts no longer. For administrators.

use std::time::Duration;

use http::{Response, StatusCode};
use tidings_core::identity::Identity;
use tidings_core::revocation::{Revocation, Revoked};
use tidings_wire::access;
use tidings_wire::problem::{Code, Problem};

use super::{administrator, answer, body, change};
use crate::app::App;
use crate::call::Call;
use crate::limits::{REVOCATION_MS_DEFAULT, REVOCATION_MS_MAX};
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
    let lifetime = lifetime(asked.lifetime)?;
    if asked.issued_before.is_some() && matches!(asked.what, Revoked::Credential(_)) {
        let detail = "the field `issuedBefore` is for subjects: one credential was issued once";
        return Err(Problem::new(Code::InvalidBody, detail)
            .with_hint("leave `issuedBefore` out, or revoke the subject")
            .into());
    }
    let revocation = Revocation {
        what: asked.what,
        at: now,
        until: now.plus(lifetime),
        issued_before: asked.issued_before,
    };
    let kept = revocation.clone();
    change(app, move |store| store.revoke(kept)).await?;
    tracing::info!(
        what = %revocation.what, request = %call.request_id, by = name(&by), "revoked"
    );
    let mut out = Vec::new();
    access::push_revocation(&revocation, &mut out);
    Ok(answer(out))
}

/// For how long it is to be remembered. No time at all would revoke nothing.
fn lifetime(asked: Option<Duration>) -> Result<Duration, Problem> {
    let Some(asked) = asked else {
        return Ok(Duration::from_millis(REVOCATION_MS_DEFAULT));
    };
    let is_fine = !asked.is_zero() && asked <= Duration::from_millis(REVOCATION_MS_MAX);
    is_fine.then_some(asked).ok_or_else(|| {
        let detail = format!("the field `for` is not between 1 and {REVOCATION_MS_MAX} ms");
        Problem::new(Code::InvalidBody, detail)
            .with_hint("remember it as long as any credential that it concerns is valid")
            .with_number("limit", REVOCATION_MS_MAX)
    })
}

fn name(by: &Identity) -> &str {
    by.subject.as_ref().map_or("", |subject| subject.as_str())
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
    let by = administrator(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let what = segment::decode(raw_what).ok();
    let what = what.and_then(|text| Revoked::parse(&text).ok());
    let nothing = || Problem::new(Code::NotFound, "nothing of this name is revoked");
    let what = what.ok_or_else(nothing)?;
    let lifted = what.clone();
    if !change(app, move |store| store.lift(lifted)).await? {
        return Err(nothing().into());
    }
    tracing::info!(what = %what, request = %call.request_id, by = name(&by), "revocation lifted");
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
