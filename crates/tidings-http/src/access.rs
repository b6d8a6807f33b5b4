//! Credentials over HTTP: handing out tickets and stream tokens, renewing the credential of a
//! connection, explaining and revoking. One file per route.

pub(crate) mod credential;
pub(crate) mod disconnect;
pub(crate) mod explain;
pub(crate) mod issue;
pub(crate) mod revocations;

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use tidings_auth::stream_token::StreamTokens;
use tidings_auth::ticket::Tickets;
use tidings_core::identity::Identity;
use tidings_core::port::{Authenticator, SharedStore, StoreError, StoreFuture};
use tidings_core::shard::ConnectionId;
use tidings_wire::page;
use tidings_wire::problem::{Code, Problem};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::app::App;
use crate::authenticate::authenticate;
use crate::body::read_whole;
use crate::call::Call;
use crate::limits::{ACCESS_BODY_BYTES_MAX, STORE_CHANGES_MAX, STORE_RETRY_MS};
use crate::refusals;
use crate::reply::{self, Body, Refusal};
use crate::segment;

/// What the surface needs to find out who a request is, and to hand out credentials of its own.
#[derive(Debug, Clone)]
pub struct Access {
    /// Proves who a request is.
    pub authenticator: Arc<dyn Authenticator>,
    /// Keeps tickets, counters and revocations.
    pub store: Arc<dyn SharedStore>,
    /// Hands out tickets.
    pub tickets: Tickets,
    /// Hands out stream tokens.
    pub tokens: Arc<StreamTokens>,
}

/// The identity of whoever asks, if it may administer.
pub(crate) async fn administrator(app: &App, call: &mut Call) -> Result<Arc<Identity>, Refusal> {
    let identity = authenticate(app, call).await?;
    may_administer(&identity)?;
    Ok(identity)
}

/// Refuses whoever may not administer.
pub(crate) fn may_administer(identity: &Identity) -> Result<(), Problem> {
    if identity.grants.administer {
        return Ok(());
    }
    Err(
        Problem::new(Code::NotGranted, "the route is for administrators")
            .with_hint("present a credential that grants administering"),
    )
}

/// The small body of these routes.
pub(crate) async fn body(app: &App, call: &mut Call) -> Result<Bytes, Refusal> {
    let mut share = app.bodies().share();
    let body = read_whole(
        &call.parts.headers,
        &mut call.body,
        ACCESS_BODY_BYTES_MAX,
        &mut share,
    );
    body.await.map_err(|fault| refusals::body(&fault).into())
}

/// The connection that a segment of the path names. Whatever names none is not found, so that nobody
/// learns how names are made.
pub(crate) fn connection(raw: &str) -> Result<ConnectionId, Problem> {
    let text = segment::decode(raw).ok();
    text.and_then(|text| ConnectionId::parse(&text).ok())
        .ok_or_else(no_such_connection)
}

pub(crate) fn no_such_connection() -> Problem {
    Problem::new(
        Code::NotFound,
        "there is no such connection of this identity",
    )
    .with_hint("the id is `connectionId` of `tidings.hello`; a connection that has ended has none")
}

/// A store that does not do what it is asked for hands out nothing. What it says besides that it is
/// full names files, and is for the operator's log alone.
fn store_failed(error: &StoreError) -> Problem {
    tracing::error!(cause = %error, "the store of credentials failed");
    let detail = match error {
        StoreError::Full { .. } => error.to_string(),
        StoreError::Unavailable(_) => "the hub could not keep it".to_owned(),
    };
    Problem::new(Code::StoreUnavailable, detail).with_retry_after_ms(STORE_RETRY_MS)
}

/// Has the store change what it keeps for good. It may have to wait for a disk, and so does it on a
/// thread that may wait: those that answer requests go on.
///
/// # Cancel safety
///
/// The change is made to its end, whoever waits for it.
async fn change<T, F>(app: &App, change: F) -> Result<T, Refusal>
where
    T: Send + 'static,
    F: FnOnce(&dyn SharedStore) -> StoreFuture<'_, T> + Send + 'static,
{
    let Ok(place) = Arc::clone(app.changes()).try_acquire_owned() else {
        let busy = format!("{STORE_CHANGES_MAX} changes wait already");
        return Err(store_failed(&StoreError::Unavailable(busy)).into());
    };
    let (store, runtime) = (Arc::clone(&app.access().store), Handle::current());
    let changing = spawn_blocking(move || {
        let _place = place;
        runtime.block_on(change(&*store))
    });
    match changing.await {
        Ok(done) => done.map_err(|error| store_failed(&error).into()),
        Err(error) => {
            let lost = StoreError::Unavailable(error.to_string());
            Err(store_failed(&lost).into())
        }
    }
}

pub(crate) fn answer(body: Vec<u8>) -> Response<Body> {
    reply::whole(StatusCode::OK, page::CONTENT_TYPE, body)
}
