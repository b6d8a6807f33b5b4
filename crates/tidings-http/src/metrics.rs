//! What Prometheus is shown: every name in one place.
//!
//! Labels come from closed sets (the route table, status classes, words of this file); a topic, a
//! user or an address is never one.

mod connections;
mod figures;
mod operation;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tidings_hub::{Census, Figures, Hub, Lag};

use connections::Counted;
use figures::FiguresCollector;
pub(crate) use operation::HandshakeLabels;
use operation::Operation;
pub use operation::Reload;

/// Answers by route, method and class of status.
pub(crate) const REQUESTS: &str = "tidings_http_requests";
/// Time to the head of an answer, by route.
pub(crate) const ANSWER_SECONDS: &str = "tidings_http_answer_seconds";
/// Handlers that panicked.
pub(crate) const PANICS: &str = "tidings_http_panics";
/// Refused credentials, by cause.
pub(crate) const CREDENTIALS_REFUSED: &str = "tidings_http_credentials_refused";
/// Requests of web pages whose origin may not read the answer.
pub(crate) const ORIGINS_REFUSED: &str = "tidings_http_origins_refused";
/// Requests that named a host that is not listed.
pub(crate) const HOSTS_REFUSED: &str = "tidings_http_hosts_refused";
/// Requests with a cookie that another site may have sent.
pub(crate) const CROSS_SITE_REFUSED: &str = "tidings_http_cross_site_refused";
/// What was refused because a rate was used up or all connections were taken, by limit.
pub(crate) const RATE_LIMITED: &str = "tidings_http_rate_limited";
/// What passed without being counted because the store did not answer, by limit; no ticket does.
pub(crate) const RATES_UNCOUNTED: &str = "tidings_http_rates_uncounted";
/// TCP connections that were accepted.
pub(crate) const CONNECTIONS_OPENED: &str = "tidings_http_connections_opened";
/// TCP connections that have ended, or were handed over to a shard.
pub(crate) const CONNECTIONS_CLOSED: &str = "tidings_http_connections_closed";
/// TCP connections that were refused because all places were taken.
pub(crate) const CONNECTIONS_REFUSED: &str = "tidings_http_connections_refused";
/// Accepts that failed, mostly for want of descriptors.
pub(crate) const ACCEPTS_FAILED: &str = "tidings_http_accepts_failed";

/// Upper bounds of the time to an answer's head, in seconds: from one sync of a fast disk to the
/// longest long poll.
const ANSWER_SECONDS_BOUNDS: [f64; 10] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 5.0, 60.0,
];

/// One series of [`REQUESTS`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) route: Arc<str>,
    pub(crate) method: &'static str,
    /// `2xx` and so on.
    pub(crate) status: &'static str,
}

/// One series of [`ANSWER_SECONDS`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RouteLabels {
    pub(crate) route: Arc<str>,
}

/// One series of [`CREDENTIALS_REFUSED`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct CauseLabels {
    pub(crate) cause: &'static str,
}

/// One series of [`RATE_LIMITED`] or [`RATES_UNCOUNTED`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct LimitLabels {
    pub(crate) limit: &'static str,
}

/// The figures of the HTTP surface, and the way to write them all.
pub(crate) struct Metrics {
    pub(crate) requests: Family<RequestLabels, Counter>,
    pub(crate) answer_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    pub(crate) panics: Counter,
    pub(crate) credentials_refused: Family<CauseLabels, Counter>,
    pub(crate) origins_refused: Counter,
    pub(crate) hosts_refused: Counter,
    pub(crate) cross_site_refused: Counter,
    pub(crate) rate_limited: Family<LimitLabels, Counter>,
    pub(crate) rates_uncounted: Family<LimitLabels, Counter>,
    pub(crate) connections_opened: Counter,
    pub(crate) connections_closed: Counter,
    pub(crate) connections_refused: Counter,
    pub(crate) accepts_failed: Counter,
    pub(crate) operation: Operation,
    registry: Registry,
    counted: Counted,
}

impl Metrics {
    /// All figures at zero, with those of the hub beside them.
    pub(crate) fn new(hub: Hub, dropped_lines: fn() -> u64) -> Self {
        let mut metrics = Self::without_hub();
        metrics.collect(move || hub.figures(), dropped_lines);
        metrics
    }

    /// Reads these when somebody asks.
    fn collect(
        &mut self,
        figures: impl Fn() -> Figures + Send + Sync + 'static,
        dropped_lines: fn() -> u64,
    ) {
        let figures = FiguresCollector::new(figures, dropped_lines);
        self.registry.register_collector(Box::new(figures));
        let counted = self.counted.clone();
        self.registry.register_collector(Box::new(counted));
    }

    fn without_hub() -> Self {
        let mut metrics = Self {
            requests: Family::default(),
            answer_seconds: Family::new_with_constructor(|| Histogram::new(ANSWER_SECONDS_BOUNDS)),
            panics: Counter::default(),
            credentials_refused: Family::default(),
            origins_refused: Counter::default(),
            hosts_refused: Counter::default(),
            cross_site_refused: Counter::default(),
            rate_limited: Family::default(),
            rates_uncounted: Family::default(),
            connections_opened: Counter::default(),
            connections_closed: Counter::default(),
            connections_refused: Counter::default(),
            accepts_failed: Counter::default(),
            operation: Operation::default(),
            registry: Registry::default(),
            counted: Counted::default(),
        };
        let registry = &mut metrics.registry;
        registry.register(
            REQUESTS,
            "Answers by route, method and class of status",
            metrics.requests.clone(),
        );
        registry.register(
            ANSWER_SECONDS,
            "Time to the head of an answer",
            metrics.answer_seconds.clone(),
        );
        registry.register(
            CREDENTIALS_REFUSED,
            "Refused credentials by cause",
            metrics.credentials_refused.clone(),
        );
        registry.register(
            RATE_LIMITED,
            "Refusals because a rate was used up or all connections were taken, by limit",
            metrics.rate_limited.clone(),
        );
        registry.register(
            RATES_UNCOUNTED,
            "What the store did not count, by limit",
            metrics.rates_uncounted.clone(),
        );
        metrics.operation.register(registry);
        let counters: [(&str, &str, &Counter<u64, AtomicU64>); 8] = [
            (PANICS, "Handlers that panicked", &metrics.panics),
            (
                ORIGINS_REFUSED,
                "Requests whose origin may not read the answer",
                &metrics.origins_refused,
            ),
            (
                HOSTS_REFUSED,
                "Requests that named a host that is not listed",
                &metrics.hosts_refused,
            ),
            (
                CROSS_SITE_REFUSED,
                "Requests with a cookie that another site may have sent",
                &metrics.cross_site_refused,
            ),
            (
                CONNECTIONS_OPENED,
                "TCP connections accepted",
                &metrics.connections_opened,
            ),
            (
                CONNECTIONS_CLOSED,
                "TCP connections that ended or were handed over to a shard",
                &metrics.connections_closed,
            ),
            (
                CONNECTIONS_REFUSED,
                "TCP connections refused because all places were taken",
                &metrics.connections_refused,
            ),
            (
                ACCEPTS_FAILED,
                "Accepts that failed",
                &metrics.accepts_failed,
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        metrics
    }

    /// Writes everything in the text format of `OpenMetrics`, with what the shards have counted, if they
    /// have done so in time.
    pub(crate) fn write(&self, counted: Option<(Census, Lag)>) -> Result<String, fmt::Error> {
        self.counted.set(counted);
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The class of a status, as a label.
pub(crate) fn status_class(status: http::StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

/// A method as a label: made-up ones are one series.
pub(crate) fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests;
