//! `PATCH /v1/connections/{id}/subscription`: a live stream reads something else from now on, for the
//! one whose stream it is.

use http::Response;
use tidings_wire::operator;
use tidings_wire::problem::Problem;

use crate::access::{body, connection, credential};
use crate::app::App;
use crate::authenticate::authenticate_bearer;
use crate::call::Call;
use crate::native::asked;
use crate::reply::{Body, Refusal};

/// Changes what a stream asks for. The credential of the request is behind it from then on, as after a
/// renewal: what it grants is what is read.
pub(crate) async fn change(
    app: &App,
    mut call: Call,
    raw_id: &str,
) -> Result<Response<Body>, Refusal> {
    let identity = authenticate_bearer(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let change = body(app, &mut call).await?;
    let change = operator::change(&change).map_err(|fault| Problem::from(&fault))?;
    let id = connection(raw_id)?;
    let changed = app.hub().resubscribe(id, &identity, change).await;
    let changed = changed.map_err(credential::refused)?;
    tracing::info!(connection = %id, request = %call.request_id, "subscription changed");
    Ok(credential::changed(changed))
}
