//! `POST` of a test event, in the words of a dashboard's form: it is published like any other.

use http::Response;
use tidings_wire::problem::Problem;
use tidings_wire::publish;

use super::publish::publish_one;
use crate::app::App;
use crate::authenticate::authenticate;
use crate::body::read_whole;
use crate::call::Call;
use crate::limits::BODY_BYTES_MAX;
use crate::native::asked;
use crate::refusals;
use crate::reply::{Body, Refusal};

/// Publishes the event, if whoever asks may publish to those that it is for.
pub(crate) async fn answer(app: &App, mut call: Call) -> Result<Response<Body>, Refusal> {
    let identity = authenticate(app, &mut call).await?;
    asked::read_nothing(app, &call)?;
    let mut share = app.bodies().share();
    let read = read_whole(
        &call.parts.headers,
        &mut call.body,
        BODY_BYTES_MAX,
        &mut share,
    );
    let body = read.await.map_err(|fault| refusals::body(&fault))?;
    let content = publish::decode_test_event(&body).map_err(|error| Problem::from(&error))?;
    publish_one(app, call.source.client, &identity, content, body.len()).await
}
