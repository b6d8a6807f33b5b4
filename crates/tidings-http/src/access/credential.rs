//! `POST /v1/connections/{id}/credential`: a new credential for a connection that stays open.

use http::Response;
use tidings_core::port::AuthFailure;
use tidings_core::subscription::SubscribeRefused;
use tidings_hub::{RenewError, Renewed};
use tidings_wire::access::{self, RenewedCredential};
use tidings_wire::problem::{Code, Problem};

use super::{answer, connection, no_such_connection};
use crate::app::App;
use crate::authenticate::authenticate_bearer;
use crate::call::Call;
use crate::native::asked;
use crate::reply::{Body, Refusal};

/// Renews the credential of a connection with the one that the request presents, if it is the same
/// subject's. A stream token serves for this; a ticket opens a stream and prolongs none.
pub(crate) async fn renew(
    app: &App,
    mut call: Call,
    raw_id: &str,
) -> Result<Response<Body>, Refusal> {
    let identity = authenticate_bearer(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let id = connection(raw_id)?;
    let renewed = app.hub().renew(id, &identity).await.map_err(refused)?;
    tracing::info!(connection = %id, request = %call.request_id, "credential renewed");
    Ok(changed(renewed))
}

/// What has become of a live stream that was changed.
pub(crate) fn changed(renewed: Renewed) -> Response<Body> {
    let mut out = Vec::new();
    let renewed = RenewedCredential {
        cursor: renewed.cursor,
        expires_at: renewed.expires_at,
        narrowed: renewed.narrowed,
    };
    access::push_renewed(&renewed, &mut out);
    answer(out)
}

/// What a refused change of a live stream becomes.
pub(crate) fn refused(error: RenewError) -> Problem {
    match error {
        RenewError::NotFound => no_such_connection(),
        RenewError::Revoked => Problem::from(&AuthFailure::Revoked),
        RenewError::NotGranted(patterns) => Problem::from(&SubscribeRefused::NotGranted(patterns)),
        RenewError::SelectsNothing => Problem::from(&SubscribeRefused::Nothing),
        RenewError::TooManyPatterns(refused) => Problem::from(&refused),
        RenewError::Busy { retry_after_ms } => {
            Problem::new(Code::AtCapacity, "the hub is busy").with_retry_after_ms(retry_after_ms)
        }
    }
}
