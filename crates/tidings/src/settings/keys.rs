//! The one table of keys: name, kind, default and meaning of every setting.
//!
//! The typed layer, the environment names and the reference all follow from it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tidings_auth::secret::Secret;
use tidings_core::audience::Role;
use tidings_http::{ForwardedHeader, HostName, IpNet};

use super::allowed_origin::AllowedOrigin;
use super::combine::Combine;
use super::list::ProviderName;
use super::origin::{Origin, Sourced};
use super::size::Size;
use super::traces::{Collector, ServiceName, Share};
use super::value::{Compression, LogFormat, LogKind, LogLevel, Raw, Value};

/// What is known of one key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its dotted name, as in a settings file.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
    /// What values it takes.
    pub expected: &'static str,
    /// Its default as text, if it has one.
    pub default: Option<&'static str>,
    /// Whether its value may not be shown.
    pub secret: bool,
    /// Reads a value into a layer; whether it was of the right kind.
    pub read: fn(&mut Layer, &Raw, Origin) -> bool,
    /// Shows the value of a layer, with its origin.
    pub show: fn(&Layer) -> Option<(String, &Origin)>,
}

impl Key {
    /// The environment variable that sets the key.
    pub fn variable(&self) -> String {
        format!("TIDINGS_{}", self.name.to_uppercase().replace('.', "_"))
    }
}

/// The key of a name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

macro_rules! keys {
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    ($($(#[doc = $doc:literal])+ $field:ident: $kind:ty = $name:literal $(, $default:literal)?;)+) => {
        /// What one source says: every key, or nothing.
        #[derive(Debug, Clone, Default)]
        pub struct Layer {
            $($(#[doc = $doc])+ pub $field: Option<Sourced<$kind>>,)+
        }

        impl Combine for Layer {
            fn combine(self, weaker: Self) -> Self {
                Self {
                    $($field: self.$field.combine(weaker.$field),)+
                }
            }
        }

        /// Every key, in the order of the reference.
        pub const KEYS: &[Key] = &[$(Key {
            name: $name,
            doc: concat!($($doc),+),
            expected: <$kind as Value>::EXPECTED,
            default: keys!(@default $($default)?),
            secret: <$kind as Value>::SECRET,
            read: |layer, raw, origin| {
                let value = <$kind as Value>::read(raw).map(|value| Sourced { value, origin });
                let good = value.is_some();
                if good {
                    layer.$field = value;
                }
                good
            },
            show: |layer| {
                layer.$field.as_ref().map(|sourced| (sourced.value.show(), &sourced.origin))
            },
        }),+];
    };
}

keys! {
    /// Address and port on which the hub listens. With `--dev` it must be a loopback address.
    listen: SocketAddr = "listen", "127.0.0.1:7878";
    /// File with the hub's certificate in PEM, and after it those that stand between it and the root. With
    /// it the hub speaks TLS, and HTTP/2 to whoever can.
    tls_certificate: PathBuf = "tls.certificate";
    /// File with the certificate's private key in PEM.
    tls_key: PathBuf = "tls.key";
    /// Directory of the log. With `--dev` the default is `./tidings-data`.
    data_dir: PathBuf = "data_dir", "/var/lib/tidings";
    /// Secret that signs and verifies tokens (HS256). `SSE_JWT_SECRET` and `NEXTAUTH_SECRET` also
    /// set it, in this order after its own variable.
    auth_secret: Secret = "auth.secret";
    /// File that holds the secret; a final line break does not belong to it.
    auth_secret_file: PathBuf = "auth.secret_file";
    /// The secret before this one, whose tokens still count.
    auth_previous_secret: Secret = "auth.previous_secret";
    /// Secret of Auth.js or `NextAuth`, with which their session cookies are read. `AUTH_SECRET` and
    /// `NEXTAUTH_SECRET` also set it.
    auth_session_secret: Secret = "auth.session_secret";
    /// Kinds of credentials in the order in which they are looked for. What is left out is not
    /// accepted.
    auth_order: Vec<ProviderName> = "auth.order";
    /// Seconds by which the clocks of an issuer and of the hub may differ; 60 at most.
    auth_leeway_seconds: u64 = "auth.leeway_seconds", "5";
    /// Roles that administer on the routes of the profile `dashboard`. What else they may do is said by
    /// rules.
    auth_admin_roles: Vec<Role> = "auth.admin_roles", "ADMIN";
    /// Open connections of the whole process.
    limits_connections: u64 = "limits.connections", "50000";
    /// Open connections of one identity.
    limits_connections_per_identity: u64 = "limits.connections_per_identity", "100";
    /// Open connections of one address.
    limits_connections_per_address: u64 = "limits.connections_per_address", "1024";
    /// Requests of one address in a second. Without it their number is not limited.
    limits_requests_per_address_per_second: u64 = "limits.requests_per_address_per_second";
    /// Refused credentials of one address in a minute; beyond it none is looked at.
    limits_refused_logins_per_address_per_minute: u64 = "limits.refused_logins_per_address_per_minute", "120";
    /// Tickets and stream tokens of one identity in a minute.
    limits_tickets_per_identity_per_minute: u64 = "limits.tickets_per_identity_per_minute", "120";
    /// Events that one identity publishes in a second. Without it their number is not limited.
    limits_events_per_identity_per_second: u64 = "limits.events_per_identity_per_second";
    /// Bytes of events that one identity publishes in a second. Without it they are not limited.
    limits_event_bytes_per_identity_per_second: Size = "limits.event_bytes_per_identity_per_second";
    /// How long events are kept; four heartbeats at least.
    retention_age: Duration = "retention.age", "24h";
    /// How large the log may grow before its oldest events go; two segments at least.
    retention_bytes: Size = "retention.bytes", "10GiB";
    /// How many events are kept at least; the oldest go by whole segments. Without it their number is not limited.
    retention_count: u64 = "retention.count";
    /// Where events are kept: `embedded` writes each to disk before anybody sees it. With `memory` they end with the hub; it is for tests and measurements.
    log_kind: LogKind = "log.kind", "embedded";
    /// Size of one file of the log.
    log_segment_bytes: Size = "log.segment_bytes", "64MiB";
    /// How long a publisher's own event id is remembered, so that a repeat is recognised.
    dedupe_window: Duration = "dedupe.window", "10m";
    /// How many publishers' ids are remembered.
    dedupe_ids: u64 = "dedupe.ids", "1000000";
    /// Recent events that are kept in memory.
    window_events: u64 = "window.events", "65536";
    /// Memory for recent events.
    window_bytes: Size = "window.bytes", "64MiB";
    /// How often a silent stream says that it is alive.
    heartbeat: Duration = "heartbeat", "15s";
    /// How long a stream's reader may take nothing of what was sent to it before it is told to go.
    streams_slow_reader: Duration = "streams.slow_reader", "10s";
    /// How long an event may wait for others to share a write with: less work for the hub, later
    /// events. Those of priority `high` and `critical` never wait.
    streams_linger: Duration = "streams.linger", "0ms";
    /// Whether streams are compressed, `on` or `off`, for readers that accept it. What is compressed is compressed
    /// once for all of them.
    streams_compression: Compression = "streams.compression", "on";
    /// Threads that write to readers. Without it there is one per core.
    shards: u64 = "shards";
    /// Origins from which browsers may come with credentials. `http://localhost:*` means any port.
    cors_origins: Vec<AllowedOrigin> = "cors.origins";
    /// Names by which the hub may be called, such as `events.example.org`; a port counts if it is
    /// given. Without it, any name.
    http_hosts: Vec<HostName> = "http.hosts";
    /// Proxies in front of the hub, as networks such as `10.0.0.0/8`: what they say of the client's
    /// address is believed.
    http_trusted_proxies: Vec<IpNet> = "http.trusted_proxies";
    /// In which header trusted proxies say it, `x-forwarded-for` or `forwarded`.
    http_forwarded: ForwardedHeader = "http.forwarded", "x-forwarded-for";
    /// Over how long connections are asked to move away before a shutdown.
    drain_spread: Duration = "drain.spread", "30s";
    /// After how long a shutdown closes whatever is still open.
    drain_grace: Duration = "drain.grace", "35s";
    /// Where spans of publishes and of streams that are opened are sent, by OTLP over HTTP, such as
    /// `http://127.0.0.1:4318/v1/traces`; without it there are none. `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`
    /// and `OTEL_EXPORTER_OTLP_ENDPOINT` also set it.
    traces_endpoint: Collector = "traces.endpoint";
    /// Of which part of the requests spans are made, from `0` to `1`. A request that brings a trace of its own
    /// (`traceparent`) follows what was decided for that.
    traces_sample: Share = "traces.sample", "1";
    /// The service's name in its spans. `OTEL_SERVICE_NAME` also sets it.
    traces_service: ServiceName = "traces.service", "tidings";
    /// How log lines look.
    log_format: LogFormat = "log_format", "text";
    /// From which level on lines are logged.
    log_level: LogLevel = "log_level", "info";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::settings::gather::defaults;
    use tidings_core::limits;

    #[test]
    fn every_default_is_of_its_kind() {
        let layer = defaults();
        for key in KEYS {
            assert_eq!(
                (key.show)(&layer).is_some(),
                key.default.is_some(),
                "{}",
                key.name
            );
        }
    }

    #[test]
    fn defaults_are_those_of_the_core() {
        let layer = defaults();
        let count = |value: &Option<Sourced<u64>>| value.as_ref().expect("default").value as usize;
        let bytes =
            |value: &Option<Sourced<Size>>| value.as_ref().expect("default").value.0 as usize;
        let ms = |value: &Option<Sourced<Duration>>| {
            value.as_ref().expect("default").value.as_millis() as u64
        };
        let of_identity = count(&layer.limits_connections_per_identity);
        let of_address = count(&layer.limits_connections_per_address);
        assert_eq!(
            count(&layer.limits_connections),
            limits::CONNECTIONS_DEFAULT
        );
        assert_eq!(of_identity, limits::CONNECTIONS_PER_IDENTITY_DEFAULT);
        assert_eq!(of_address, limits::CONNECTIONS_PER_ADDRESS_DEFAULT);
        assert_eq!(count(&layer.window_events), limits::WINDOW_EVENTS_DEFAULT);
        assert_eq!(bytes(&layer.window_bytes), limits::WINDOW_BYTES_DEFAULT);
        assert_eq!(ms(&layer.heartbeat), limits::HEARTBEAT_MS_DEFAULT);
        assert_eq!(
            ms(&layer.streams_slow_reader),
            limits::SLOW_READER_MS_DEFAULT
        );
        assert_eq!(ms(&layer.dedupe_window), limits::DEDUPE_WINDOW_MS_DEFAULT);
        assert_eq!(count(&layer.dedupe_ids), limits::DEDUPE_IDS_DEFAULT);
        let leeway = count(&layer.auth_leeway_seconds) as u64;
        assert_eq!(leeway, tidings_auth::limits::LEEWAY_SECONDS_DEFAULT);
    }

    #[test]
    fn no_two_keys_share_a_variable() {
        let variables: BTreeSet<String> = KEYS.iter().map(Key::variable).collect();
        assert_eq!(variables.len(), KEYS.len());
        let key = find("limits.connections_per_identity").expect("a key");
        assert_eq!(key.variable(), "TIDINGS_LIMITS_CONNECTIONS_PER_IDENTITY");
    }
}
