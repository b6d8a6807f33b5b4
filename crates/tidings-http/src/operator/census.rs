//! How many connections are in each state, whatever the shards do.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tidings_hub::Census;
use tokio::time::timeout;

use crate::app::App;
use crate::limits::HEALTH_WAIT_MS_MAX;

/// The latest count.
#[derive(Debug, Default)]
pub(crate) struct LatestCensus(Mutex<Census>);

/// The count. If it cannot be made in time, because a shard hangs, the latest stands.
///
/// # Cancel safety
///
/// Safe: nothing is changed.
pub(super) async fn counted(app: &App) -> Census {
    let patience = Duration::from_millis(HEALTH_WAIT_MS_MAX);
    let census = timeout(patience, app.hub().census()).await.ok();
    let latest = app.observed().census.0.lock();
    let mut latest = latest.unwrap_or_else(PoisonError::into_inner);
    *latest = census.unwrap_or(*latest);
    *latest
}
