//! `DELETE /v1/connections/{id}`: an administrator ends a connection.

use http::{Response, StatusCode};
use tidings_core::shard::DisconnectReason;
use tidings_hub::DisconnectError;
use tidings_wire::problem::{Code, Problem};

use super::{administrator, connection, no_such_connection};
use crate::app::App;
use crate::call::Call;
use crate::native::asked;
use crate::reply::{self, Body, Refusal};

/// The parameter with the reason.
const REASON: &str = "reason";

/// What a reader is told if nobody gives a reason.
const REASON_DEFAULT: &str = "an administrator ended the connection";

/// Tells a connection to go, with the reason that the query gives.
pub(crate) async fn disconnect(
    app: &App,
    mut call: Call,
    raw_id: &str,
) -> Result<Response<Body>, Refusal> {
    administrator(app, &mut call).await?;
    let reason = asked::read_one(app, &call, REASON)?;
    let reason = reason.as_deref().filter(|reason| !reason.is_empty());
    let reason = reason.unwrap_or(REASON_DEFAULT);
    let reason = DisconnectReason::parse(reason).map_err(|fault| {
        Problem::new(
            Code::InvalidQuery,
            format!("the reason cannot be told: {fault}"),
        )
        .with_text("parameter", REASON)
    })?;
    let id = connection(raw_id)?;
    let was_there = app.hub().disconnect(id, reason).await;
    let was_there = was_there.map_err(|DisconnectError::Busy { retry_after_ms }| {
        Problem::new(Code::AtCapacity, "the hub is busy").with_retry_after_ms(retry_after_ms)
    })?;
    if !was_there {
        return Err(no_such_connection().into());
    }
    tracing::info!(connection = %id, request = %call.request_id, "connection told to go");
    Ok(reply::empty(StatusCode::NO_CONTENT))
}
