//! What the gathered layers come to: settings without options and without doubt.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use tidings_auth::secret::Secret;

use super::allowed_origin::AllowedOrigin;
use super::fault::Faults;
use super::gather::Gathered;
use super::origin::Sourced;
use super::rule::RetentionRule;
use super::signing;
use super::validate::validate;
use super::value::{Compression, LogFormat, LogKind, LogLevel};

/// Everything that a hub needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the log is.
    pub data_dir: PathBuf,
    /// Whether this is a development hub.
    pub development: bool,
    /// Proving who a request is.
    pub auth: Auth,
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
    /// Shutting down.
    pub drain: Drain,
    /// Log lines.
    pub diagnostics: Diagnostics,
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
    /// By how much clocks may differ.
    pub leeway: Duration,
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
        let mut warnings = Vec::new();
        validate(&self, &mut faults);
        // A secret is made only for a hub that will start.
        let make = purpose == Purpose::Serve && faults.0.is_empty();
        let secret = signing::of_hub(&self, make, &mut faults, &mut warnings);
        faults.or(())?;
        Ok(self.settings(secret, warnings))
    }

    /// The secret with which tokens for the hub of these settings are signed.
    pub fn token_secret(mut self) -> Result<Secret, Faults> {
        let faults = std::mem::take(&mut self.faults);
        signing::of_token(&self, faults)
    }

    fn settings(self, secret: Option<Secret>, warnings: Vec<String>) -> Settings {
        let layer = self.layer;
        let cores = || available_parallelism().map_or(1, usize::from);
        Settings {
            listen: there(layer.listen),
            data_dir: there(layer.data_dir),
            development: self.development,
            auth: Auth {
                secret,
                leeway: Duration::from_secs(there(layer.auth_leeway_seconds)),
            },
            limits: Limits {
                connections: there(layer.limits_connections) as usize,
                connections_per_identity: there(layer.limits_connections_per_identity) as usize,
                connections_per_address: there(layer.limits_connections_per_address) as usize,
            },
            retention: Retention {
                age: there(layer.retention_age),
                bytes: there(layer.retention_bytes).0,
                count: layer.retention_count.map(|setting| setting.value),
                rules: layer
                    .retention_rules
                    .map(|setting| setting.value)
                    .unwrap_or_default(),
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
            drain: Drain {
                spread: there(layer.drain_spread),
                grace: there(layer.drain_grace),
            },
            diagnostics: Diagnostics {
                format: there(layer.log_format),
                level: there(layer.log_level),
            },
            warnings,
        }
    }
}

/// The value of a key that has a default.
fn there<T>(setting: Option<Sourced<T>>) -> T {
    setting
        .map(|setting| setting.value)
        .expect("the weakest layer holds every default, which a test checks")
}
