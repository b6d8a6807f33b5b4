//! Figures of what an operator does and has to know: TLS, and settings that are read again.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tidings_core::time::Timestamp;

/// Connections to a port that speaks TLS, by how their handshake went.
pub(crate) const TLS_HANDSHAKES: &str = "tidings_http_tls_handshakes";
/// When the certificate that is shown ends to count; zero without TLS.
pub(crate) const CERTIFICATE_END_SECONDS: &str =
    "tidings_http_tls_certificate_end_timestamp_seconds";
/// Settings that were read while the hub ran, by what became of them.
pub(crate) const RELOADS: &str = "tidings_reloads";
/// When that last went well; the start counts.
pub(crate) const RELOADED_SECONDS: &str = "tidings_reloaded_timestamp_seconds";

/// One series of [`TLS_HANDSHAKES`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct HandshakeLabels {
    pub(crate) outcome: &'static str,
}

/// What became of settings that were read while the hub ran, as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// They are in force.
    Taken,
    /// Something was wrong with them, and those before are in force.
    Refused,
}

/// One series of [`RELOADS`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ReloadLabels {
    outcome: &'static str,
}

/// These figures.
#[derive(Debug, Default)]
pub(crate) struct Operation {
    pub(crate) tls_handshakes: Family<HandshakeLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    reloaded_seconds: Gauge,
    certificate_end_seconds: Gauge,
}

impl Operation {
    /// Gives them their names.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            TLS_HANDSHAKES,
            "Handshakes of TLS by how they went",
            self.tls_handshakes.clone(),
        );
        registry.register(
            RELOADS,
            "Settings read while the hub ran, by what became of them",
            self.reloads.clone(),
        );
        registry.register(
            RELOADED_SECONDS,
            "When settings were last taken over, at the start or later",
            self.reloaded_seconds.clone(),
        );
        registry.register(
            CERTIFICATE_END_SECONDS,
            "When the certificate that is shown ends to count; zero without TLS",
            self.certificate_end_seconds.clone(),
        );
        // Both are there from the start, so that alerts compare numbers.
        for outcome in [Reload::Taken, Reload::Refused] {
            drop(self.reloads.get_or_create(&outcome.labels()));
        }
    }

    /// Counts what became of settings that were read.
    pub(crate) fn count_reload(&self, outcome: Reload, now: Timestamp) {
        self.reloads.get_or_create(&outcome.labels()).inc();
        if outcome == Reload::Taken {
            self.set_reloaded(now);
        }
    }

    /// Notes when settings came into force.
    pub(crate) fn set_reloaded(&self, now: Timestamp) {
        self.reloaded_seconds.set(seconds(now));
    }

    /// Notes until when the certificate counts that is shown now.
    pub(crate) fn set_certificate_end(&self, end: Timestamp) {
        self.certificate_end_seconds.set(seconds(end));
    }
}

impl Reload {
    fn labels(self) -> ReloadLabels {
        let outcome = match self {
            Self::Taken => "taken",
            Self::Refused => "refused",
        };
        ReloadLabels { outcome }
    }
}

fn seconds(time: Timestamp) -> i64 {
    i64::try_from(time.0 / 1_000).unwrap_or(i64::MAX)
}
