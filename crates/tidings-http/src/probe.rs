//! What machines ask: whether the process is alive, whether it takes events, and its figures.

use std::time::Duration;

use http::{Response, StatusCode};
use tidings_hub::Readiness;
use tidings_wire::problem::{Code, Problem};
use tokio::time::timeout;

use crate::app::App;
use crate::limits::CENSUS_WAIT_MS_MAX;
use crate::reply::{self, Body, Refusal};

const JSON: &str = "application/json";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Alive means that this code runs; nothing else is looked at, so that a full disk or a lost
/// connection never makes a supervisor kill a process that still serves its readers.
pub(crate) fn alive() -> Response<Body> {
    reply::whole(StatusCode::OK, JSON, "{\"status\":\"alive\"}")
}

/// Ready means that the hub takes events and connections.
pub(crate) fn ready(app: &App) -> Response<Body> {
    let (status, word, reason) = match app.hub().readiness() {
        Readiness::Ready => (StatusCode::OK, "ready", ""),
        Readiness::Full => unready("full", "the log has no space left"),
        Readiness::Poisoned(cause) => {
            // The cause names files, and whoever asks here need not be anybody.
            tracing::debug!(cause, "not ready");
            unready(
                "log_failed",
                "the log takes no writes until the hub is started again",
            )
        }
        Readiness::Draining => unready("draining", "the hub is shutting down"),
    };
    let body = if reason.is_empty() {
        serde_json::json!({ "status": word })
    } else {
        serde_json::json!({ "status": word, "reason": reason })
    };
    reply::whole(status, JSON, body.to_string())
}

fn unready(word: &'static str, reason: &'static str) -> (StatusCode, &'static str, &'static str) {
    (StatusCode::SERVICE_UNAVAILABLE, word, reason)
}

/// All figures in the format of `OpenMetrics`. What shards have to be asked for is left out if they do
/// not answer: whoever watches a hub in trouble gets the rest.
pub(crate) async fn metrics(app: &App) -> Result<Response<Body>, Refusal> {
    let patience = Duration::from_millis(CENSUS_WAIT_MS_MAX);
    let counted = timeout(patience, app.hub().census_with_lag()).await;
    match app.metrics().write(counted.ok()) {
        Ok(text) => Ok(reply::whole(StatusCode::OK, OPENMETRICS, text)),
        Err(_) => Err(Problem::new(Code::Internal, "the figures could not be written").into()),
    }
}
