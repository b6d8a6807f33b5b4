//! What the gathered layers come to: settings without options and without doubt.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tidings_auth::rules::Rule;
use tidings_auth::secret::Secret;
use tidings_core::audience::Role;
use tidings_core::grant::Grants;
use tidings_core::port::Quota;
use tidings_http::{ForwardedHeader, HostName, IpNet, Profiles, RateLimits};

use super::allowed_origin::AllowedOrigin;
use super::fault::Faults;
use super::gather::Gathered;
use super::keys::Layer;
use super::list::ProviderName;
use super::origin::Sourced;
use super::profile;
use super::reload::Fixed;
use super::rule::RetentionRule;
use super::signing;
use super::sources::{self, VouchedFor};
use super::table::Table;
use super::tls::{self, TlsFiles};
use super::traces::Traces;
use super::validate::validate;
use super::value::{Compression, LogFormat, LogKind, LogLevel};

const SECOND_MS: u32 = 1_000;
const MINUTE_MS: u32 = 60_000;

/// Everything that a hub needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// With what it speaks TLS, if it does.
    pub tls: Option<TlsFiles>,
    /// Where the log is.
    pub data_dir: PathBuf,
    /// Whether this is a development hub.
    pub development: bool,
    /// Proving who a request is.
    pub auth: Auth,
    /// How requests come.
    pub web: Web,
    /// Limits that an operator may change.
    pub limits: Limits,
    /// How long events are kept.
    pub retention: Retention,
    /// Where events are kept.
    pub log_kind: LogKind,
    /// Bytes of one file of the log.
    pub segment_bytes: u64,
    /// Recognising repeated publishes.
    pub dedupe: Dedupe,
    /// Recent events in memory.
    pub window: Window,
    /// How often a silent stream says that it is alive.
    pub heartbeat: Duration,
    /// How streams are written.
    pub streams: Streams,
    /// Threads that write to readers.
    pub shards: usize,
    /// Origins from which browsers may come with credentials.
    pub cors_origins: Vec<AllowedOrigin>,
    /// As which endpoints of server-sent events the hub can be reached.
    pub profiles: Arc<Profiles>,
    /// Shutting down.
    pub drain: Drain,
    /// Log lines.
    pub diagnostics: Diagnostics,
    /// Spans, if there are any.
    pub traces: Option<Traces>,
    /// What needs a restart to change.
    pub fixed: Fixed,
    /// What an operator should hear about the settings, though they can be used.
    pub warnings: Vec<String>,
}

/// How streams are written.
#[derive(Debug, Clone)]
pub struct Streams {
    /// How long a reader may take nothing.
    pub slow_reader: Duration,
    /// How long an event may wait for others.
    pub linger: Duration,
    /// Whether readers that accept it get compressed streams.
    pub compress: bool,
}

/// Proving who a request is.
#[derive(Debug, Clone)]
pub struct Auth {
    /// Signs and verifies tokens. Absent only if settings are inspected before a development hub
    /// has made its own.
    pub secret: Option<Secret>,
    /// The one before it, whose tokens still count.
    pub previous_secret: Option<Secret>,
    /// By how much clocks may differ.
    pub leeway: Duration,
    /// Roles that administer on the routes of profiles that take them.
    pub admin_roles: Vec<Role>,
    /// Kinds of credentials in the order in which they are looked for.
    pub order: Vec<ProviderName>,
    /// Who vouches for people.
    pub vouched: VouchedFor,
    /// What is granted to nobody in particular, if they are let in at all.
    pub anonymous: Option<Grants>,
    /// What is granted to whom.
    pub rules: Vec<Rule>,
}

/// How requests come to the hub.
#[derive(Debug, Clone)]
pub struct Web {
    /// Names by which the hub may be called; none for any.
    pub hosts: Vec<HostName>,
    /// Proxies that are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// In which header they tell for whom they ask.
    pub forwarded: ForwardedHeader,
}

/// Limits that an operator may change.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Open connections of the process.
    pub connections: usize,
    /// Open connections of one identity.
    pub connections_per_identity: usize,
    /// Open connections of one address.
    pub connections_per_address: usize,
    /// How much may be asked in which time.
    pub rates: RateLimits,
}

/// How long events are kept.
#[derive(Debug, Clone)]
pub struct Retention {
    /// By age.
    pub age: Duration,
    /// By size of the log.
    pub bytes: u64,
    /// By number, if that is limited.
    pub count: Option<u64>,
    /// Shorter for some topics.
    pub rules: Vec<RetentionRule>,
}

/// Recognising repeated publishes.
#[derive(Debug, Clone)]
pub struct Dedupe {
    /// How long an id is remembered.
    pub window: Duration,
    /// How many are.
    pub ids: usize,
}

/// Recent events in memory.
#[derive(Debug, Clone)]
pub struct Window {
    /// How many.
    pub events: usize,
    /// In how many bytes.
    pub bytes: usize,
}

/// Shutting down.
#[derive(Debug, Clone)]
pub struct Drain {
    /// Over how long connections are asked to move away.
    pub spread: Duration,
    /// After how long they are closed.
    pub grace: Duration,
}

/// Log lines.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    /// How they look.
    pub format: LogFormat,
    /// From which level on.
    pub level: LogLevel,
}

/// What settings are resolved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To run a hub: a development secret is made if it is missing.
    Serve,
    /// To look at them: nothing is written.
    Inspect,
}

impl Gathered {
    /// Checks everything and resolves it, or says all that is wrong.
    pub fn resolve(mut self, purpose: Purpose) -> Result<Settings, Faults> {
        let mut faults = std::mem::take(&mut self.faults);
        let mut warnings = std::mem::take(&mut self.sections.warnings);
        validate(&self, &mut faults);
        // A secret is made only for a hub that will start.
        let make = purpose == Purpose::Serve && faults.0.is_empty();
        let vouched = sources::of(&self, &mut faults, &mut warnings);
        let profiles = profile::of(&self.sections.profiles, &mut faults);
        let secret = signing::of_hub(&self, make, &mut faults, &mut warnings);
        let tls = tls::of(&self, &mut faults, &mut warnings);
        let previous = signing::previous(&self, &mut faults);
        faults.or(())?;
        let fixed = Fixed::of(&self);
        Ok(Settings {
            tls,
            fixed,
            ..self.settings((secret, previous), vouched, profiles, warnings)
        })
    }

    /// The secret with which tokens for the hub of these settings are signed.
    pub fn token_secret(mut self) -> Result<Secret, Faults> {
        let faults = std::mem::take(&mut self.faults);
        signing::of_token(&self, faults)
    }

    fn settings(
        self,
        (secret, previous_secret): (Option<Secret>, Option<Secret>),
        vouched: VouchedFor,
        profiles: Profiles,
        warnings: Vec<String>,
    ) -> Settings {
        let (layer, sections) = (self.layer, self.sections);
        let rates = rates(&layer);
        let cores = || available_parallelism().map_or(1, usize::from);
        Settings {
            listen: there(layer.listen),
            tls: None,
            data_dir: there(layer.data_dir),
            development: self.development,
            auth: Auth {
                secret,
                previous_secret,
                leeway: Duration::from_secs(there(layer.auth_leeway_seconds)),
                order: layer.auth_order.map_or_else(
                    || ProviderName::ALL.map(|(provider, _)| provider).to_vec(),
                    |order| order.value,
                ),
                admin_roles: there(layer.auth_admin_roles),
                vouched,
                anonymous: values(sections.anonymous).pop().map(|access| access.0),
                rules: values(sections.rules),
            },
            web: Web {
                hosts: layer
                    .http_hosts
                    .map(|hosts| hosts.value)
                    .unwrap_or_default(),
                trusted_proxies: layer
                    .http_trusted_proxies
                    .map(|proxies| proxies.value)
                    .unwrap_or_default(),
                forwarded: there(layer.http_forwarded),
            },
            limits: Limits {
                connections: there(layer.limits_connections) as usize,
                connections_per_identity: there(layer.limits_connections_per_identity) as usize,
                connections_per_address: there(layer.limits_connections_per_address) as usize,
                rates,
            },
            retention: Retention {
                age: there(layer.retention_age),
                bytes: there(layer.retention_bytes).0,
                count: layer.retention_count.map(|setting| setting.value),
                rules: values(sections.retention_rules),
            },
            log_kind: there(layer.log_kind),
            segment_bytes: there(layer.log_segment_bytes).0,
            dedupe: Dedupe {
                window: there(layer.dedupe_window),
                ids: there(layer.dedupe_ids) as usize,
            },
            window: Window {
                events: there(layer.window_events) as usize,
                bytes: there(layer.window_bytes).0 as usize,
            },
            heartbeat: there(layer.heartbeat),
            streams: Streams {
                slow_reader: there(layer.streams_slow_reader),
                linger: there(layer.streams_linger),
                compress: there(layer.streams_compression) == Compression::On,
            },
            shards: layer
                .shards
                .map_or_else(cores, |setting| setting.value as usize),
            cors_origins: layer
                .cors_origins
                .map(|setting| setting.value)
                .unwrap_or_default(),
            profiles: Arc::new(profiles),
            drain: Drain {
                spread: there(layer.drain_spread),
                grace: there(layer.drain_grace),
            },
            traces: layer.traces_endpoint.map(|endpoint| Traces {
                endpoint: endpoint.value,
                sample: there(layer.traces_sample),
                service: there(layer.traces_service),
            }),
            diagnostics: Diagnostics {
                format: there(layer.log_format),
                level: there(layer.log_level),
            },
            fixed: Fixed::default(),
            warnings,
        }
    }
}

/// What may be done in a time.
fn rates(layer: &Layer) -> RateLimits {
    let bytes = layer.limits_event_bytes_per_identity_per_second.clone();
    let bytes = bytes.map(|size| size.map(|size| size.0));
    RateLimits {
        requests_per_address: quota(
            layer.limits_requests_per_address_per_second.as_ref(),
            SECOND_MS,
        ),
        refused_credentials_per_address: quota(
            layer.limits_refused_logins_per_address_per_minute.as_ref(),
            MINUTE_MS,
        ),
        tickets_per_identity: quota(
            layer.limits_tickets_per_identity_per_minute.as_ref(),
            MINUTE_MS,
        ),
        published_events_per_identity: quota(
            layer.limits_events_per_identity_per_second.as_ref(),
            SECOND_MS,
        ),
        published_bytes_per_identity: quota(bytes.as_ref(), SECOND_MS),
    }
}

/// So many in a time, if that is limited.
fn quota(units: Option<&Sourced<u64>>, period_ms: u32) -> Option<Quota> {
    let units = u32::try_from(units?.value).unwrap_or(u32::MAX);
    Some(Quota { units, period_ms })
}

fn values<T>(tables: Vec<Table<T>>) -> Vec<T> {
    tables.into_iter().map(|table| table.value).collect()
}

/// The value of a key that has a default.
fn there<T>(setting: Option<Sourced<T>>) -> T {
    setting
        .map(|setting| setting.value)
        .expect("the weakest layer holds every default, which a test checks")
}
