//! How spans get to their collector: by the client that the hub uses for its own requests, on the
//! runtime that is there.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use reqwest::{Client, redirect};
use tokio::runtime::Handle;

use crate::limits::{SPANS_EXPORT_WAIT_MAX, UNSENT_SPANS_LOG_PAUSE};

/// Sends spans. Exports run on a thread without a runtime; what is sent is sent on this one.
pub(super) struct Transport {
    client: Client,
    runtime: Handle,
    complaints: Mutex<Complaints>,
}

/// When it was last told that nobody takes the spans.
#[derive(Debug, Default)]
struct Complaints {
    told: Option<Instant>,
    untold: u64,
}

impl Complaints {
    /// Whether to tell it now: then, how often it was not told before.
    fn tell(&mut self, now: Instant, pause: Duration) -> Option<u64> {
        let is_fresh = |told: Instant| now.saturating_duration_since(told) < pause;
        if self.told.is_some_and(is_fresh) {
            self.untold += 1;
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

impl Transport {
    pub(super) fn new() -> anyhow::Result<Self> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(SPANS_EXPORT_WAIT_MAX)
            .user_agent(concat!("tidings/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("the client for spans cannot be made")?;
        Ok(Self {
            client,
            runtime: Handle::current(),
            complaints: Mutex::default(),
        })
    }

    fn complain(&self, cause: &str) {
        let mut complaints = self
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let told = complaints.tell(Instant::now(), UNSENT_SPANS_LOG_PAUSE);
        drop(complaints);
        if let Some(suppressed) = told {
            tracing::warn!(cause, suppressed, "spans could not be sent");
        }
    }
}

/// Sends one export, and reads the answer.
async fn exchange(client: Client, request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    // The address is known, and is left out of what is logged.
    let told = |error: reqwest::Error| error.without_url().to_string();
    let request = reqwest::Request::try_from(request).map_err(told)?;
    let answer = client.execute(request).await.map_err(told)?;
    if !answer.status().is_success() {
        return Err(format!("the collector answered {}", answer.status()));
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = answer.status();
    // An answer says which spans were refused; nobody could do anything about it.
    *response.body_mut() = answer.bytes().await.map_err(told)?;
    Ok(response)
}

impl HttpClient for Transport {
    fn send_bytes<'a, 'f>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        let sending = self.runtime.spawn(exchange(self.client.clone(), request));
        Box::pin(async move {
            let outcome = match sending.await {
                Ok(outcome) => outcome,
                Err(_) => Err("the hub is ending".to_owned()),
            };
            outcome.map_err(|cause| {
                self.complain(&cause);
                cause.into()
            })
        })
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_that_is_away_is_told_of_now_and_then() {
        let mut complaints = Complaints::default();
        let (begun, pause) = (Instant::now(), Duration::from_secs(60));
        assert_eq!(complaints.tell(begun, pause), Some(0));
        for seconds in 1..60 {
            let now = begun + Duration::from_secs(seconds);
            assert_eq!(complaints.tell(now, pause), None);
        }
        assert_eq!(complaints.tell(begun + pause, pause), Some(59));
    }
}
