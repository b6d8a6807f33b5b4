//! `POST /v1/auth/explain`: why a credential is accepted or refused, and what it may do.

use http::Response;
use tidings_core::explanation::Question;
use tidings_core::port::{Presented, Purpose};
use tidings_wire::access;
use tidings_wire::problem::Problem;

use super::{administrator, answer, body};
use crate::app::App;
use crate::call::Call;
use crate::cookies;
use crate::native::asked;
use crate::reply::{Body, Refusal};

/// Explains the credential in the body to an administrator, without repeating it.
pub(crate) async fn explain(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    administrator(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let asked = body(app, &mut call).await?;
    let asked = access::explanation(&asked).map_err(|fault| Problem::from(&fault))?;
    let cookies = asked.cookie.as_deref().map(cookies::pairs);
    let cookie = asked
        .cookie
        .as_deref()
        .map(|text| ("cookie", text.as_bytes()));
    let presented = Presented {
        bearer: asked.token.as_deref(),
        cookies: cookies.as_deref().unwrap_or_default(),
        headers: cookie.as_slice(),
        ..Presented::nothing(Purpose::Read, call.source.client, app.clock().now())
    };
    let question = Question { key: asked.key };
    let explanation = app.access().authenticator.explain(presented, &question);
    let mut out = Vec::new();
    access::push_explanation(&explanation.await, &mut out);
    Ok(answer(out))
}
