//! How many connections are in each state, counted at most so often: counting takes a share of every
//! shard's time.

use std::time::Duration;

use tidings_core::time::Moment;
use tidings_hub::Census;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::app::App;
use crate::limits::HEALTH_WAIT_MS_MAX;

/// The latest count.
#[derive(Debug, Default)]
pub(crate) struct LatestCensus(Mutex<Option<(Moment, Census)>>);

/// The count, at most so old. If it cannot be made in time, because a shard hangs, the latest stands.
///
/// # Cancel safety
///
/// Safe: nothing is changed.
pub(crate) async fn counted(app: &App, age_ms_max: u64) -> Census {
    // Whoever comes meanwhile waits for the same count.
    let mut latest = app.latest_census().0.lock().await;
    let now = app.clock().moment();
    let held = latest.unwrap_or_default();
    if latest.is_some() && now.ms_since(held.0) < age_ms_max {
        return held.1;
    }
    let patience = Duration::from_millis(HEALTH_WAIT_MS_MAX);
    let census = timeout(patience, app.hub().census()).await;
    let census = census.unwrap_or(held.1);
    *latest = Some((now, census));
    census
}
