//! Assembly: from settings to a running hub. The only place that names concrete adapters.

pub mod access;
mod changes;
pub mod traces;

use std::sync::Arc;

use anyhow::Context as _;
use tidings_auth::rules::Template;
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::pattern::Pattern;
use tidings_core::port::{Clock, EventStore, Sequencer};
use tidings_core::position::Epoch;
use tidings_http::{App, Origin, Origins, Profiles, Tracer};
use tidings_hub::{Hub, Options as HubOptions, Ports};
use tidings_log::memory::{MemoryLog, MemoryOptions, MemoryRetention, MemoryRule};
use tidings_log::{EmbeddedLog, Options as LogOptions, Retention, RetentionRule};
use tidings_wire::coding::BlockCoder;
use tidings_wire::sse::WireEncoder;

use access::{Stores, Watcher};
pub use changes::Changes;
use traces::Spans;

use crate::clock::SystemClock;
use crate::diagnostics;
use crate::memory;
use crate::settings::{AllowedOrigin, LogKind, RetentionRule as Rule, Settings};

/// Where the log lies within the data directory.
const LOG_DIRECTORY: &str = "log";

/// Of the memory that the process may have, one of so many parts is for bodies that are being read. A buffer
/// that grows takes up to three times what is in it, and the log's queue, the window and the readers need the rest.
const BODIES_SHARE: u64 = 8;

/// A hub with its surface, and its log for whoever has to close it.
#[derive(Debug)]
pub struct Assembled {
    /// The HTTP surface.
    pub app: App,
    /// The log behind it, if it has to be closed.
    pub log: Option<EmbeddedLog>,
    /// Sends spans, if there are any.
    pub spans: Option<Spans>,
    /// Looks after API keys and revocations that other processes make.
    pub watcher: Watcher,
    /// Takes other settings over.
    pub changes: Changes,
}

/// Opens the log and starts a hub over it.
pub fn assemble(settings: &Settings) -> anyhow::Result<Assembled> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let encoder = WireEncoder::new(settings.profiles.dialects());
    let (log, ports) = match settings.log_kind {
        LogKind::Embedded => {
            let log = open_log(settings, &clock)?;
            (Some(log.clone()), ports(log, encoder, &clock))
        }
        LogKind::Memory => (None, ports(memory_log(settings, &clock)?, encoder, &clock)),
    };
    let options = HubOptions {
        shards: settings.shards,
        window_events: settings.window.events,
        window_bytes: settings.window.bytes,
        connections: settings.limits.connections,
        connections_per_identity: settings.limits.connections_per_identity,
        connections_per_address: settings.limits.connections_per_address,
        slow_reader_ms: settings.streams.slow_reader.as_millis() as u64,
        linger_ms: settings.streams.linger.as_millis() as u64,
        node: random()? as u32,
        seed: random()?,
        ..HubOptions::default()
    };
    let hub = Hub::start(&options, ports).context("the hub could not start")?;
    let spans = settings.traces.as_ref().map(traces::start).transpose()?;
    let surface = surface(settings, spans.as_ref())?;
    let homes = homes(&settings.profiles)?;
    let stores = Stores::open(&settings.data_dir)?;
    let assembled = access::assemble(settings, homes.clone(), &stores, None, &clock)?;
    stores.on_revocations(hub.clone());
    let watcher = stores.watch(&clock)?;
    let app = App::new(hub.clone(), assembled.access, Arc::clone(&clock), surface);
    if let Some(bytes) = memory::limit() {
        app.limit_bodies(bytes / BODIES_SHARE);
    }
    let changes = Changes {
        app: app.clone(),
        hub,
        stores,
        issuers: assembled.issuers,
        homes,
        spans: spans.clone(),
        clock,
    };
    Ok(Assembled {
        app,
        log,
        spans,
        watcher,
        changes,
    })
}

/// What the settings decide about the HTTP surface.
fn surface(settings: &Settings, spans: Option<&Spans>) -> anyhow::Result<tidings_http::Settings> {
    Ok(tidings_http::Settings {
        origins: origins(settings)?,
        development: settings.development,
        heartbeat_ms: settings.heartbeat.as_millis() as u32,
        compress: settings.streams.compress,
        tracer: spans.map(|spans| Arc::new(spans.clone()) as Arc<dyn Tracer>),
        dropped_log_lines: diagnostics::lines_dropped,
        hosts: settings.web.hosts.clone(),
        trusted_proxies: settings.web.trusted_proxies.clone(),
        forwarded_header: settings.web.forwarded,
        rates: settings.limits.rates,
        profiles: Arc::clone(&settings.profiles),
    })
}

/// What profiles read by claims of whoever comes by them.
fn homes(profiles: &Profiles) -> anyhow::Result<Vec<(String, Template)>> {
    let homes = profiles.homes().into_iter().map(|(name, text)| {
        let template = Template::for_reading(text)
            .with_context(|| format!("the topics of the profile `{name}` are no template"))?;
        Ok((name.to_owned(), template))
    });
    homes.collect()
}

fn ports<L>(log: L, encoder: WireEncoder, clock: &Arc<dyn Clock>) -> Ports
where
    L: Sequencer + EventStore + Clone + 'static,
{
    Ports {
        sequencer: Arc::new(log.clone()),
        store: Arc::new(log),
        encoder: Arc::new(encoder),
        coder: Arc::new(BlockCoder::default()),
        clock: clock.clone(),
    }
}

/// A log that ends with the hub. It keeps what it keeps without settings, or less.
fn memory_log(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<MemoryLog> {
    let mut rules = settings.retention.rules.iter();
    if let Some(rule) = rules.find(|rule| rule.bytes.is_some()) {
        anyhow::bail!(
            "a log in memory has no limit of bytes for some topics: `{}`",
            rule.pattern
        );
    }
    tracing::warn!("events are kept in memory and end with the hub");
    let kept = MemoryRetention::default();
    let options = MemoryOptions {
        dedupe_window: settings.dedupe.window,
        dedupe_ids_max: settings.dedupe.ids,
        retention: MemoryRetention {
            age_max: Some(settings.retention.age),
            events_max: settings
                .retention
                .count
                .map_or(kept.events_max, |count| kept.events_max.min(count as usize)),
            bytes_max: kept.bytes_max.min(settings.retention.bytes as usize),
            rules: settings.retention.rules.iter().map(memory_rule).collect(),
            ..kept
        },
    };
    Ok(MemoryLog::open(
        options,
        clock.clone(),
        Epoch::from_bits(random()?),
    ))
}

fn memory_rule(rule: &Rule) -> MemoryRule {
    MemoryRule {
        pattern: rule.pattern.clone(),
        age_max: rule.age,
        events_max: rule.count.map(|count| count as usize),
    }
}

fn open_log(settings: &Settings, clock: &Arc<dyn Clock>) -> anyhow::Result<EmbeddedLog> {
    // A system without random bits has failed at `random` above all else; zero would merely repeat.
    let bits = Arc::new(|| random().unwrap_or_default());
    let mut options = LogOptions::new(settings.data_dir.join(LOG_DIRECTORY), clock.clone(), bits);
    options.segment_bytes = settings.segment_bytes;
    options.dedupe_window_ms = settings.dedupe.window.as_millis() as u64;
    options.dedupe_ids_max = settings.dedupe.ids;
    options.retention = retention(settings);
    let log = EmbeddedLog::open(&options)?;
    let found = log.recovered();
    tracing::info!(
        segments = found.segments,
        scanned_bytes = found.scanned_bytes,
        unfinished_events_kept = found.kept_events,
        unfinished_bytes_dropped = found.dropped_bytes,
        "log opened"
    );
    for damage in &found.damage {
        tracing::error!(
            file = %damage.file.display(),
            at_byte = damage.at_byte,
            what = ?damage.what,
            "the log is damaged; readers are told of the gap"
        );
    }
    Ok(log)
}

fn retention(settings: &Settings) -> Retention {
    Retention {
        age_ms: Some(settings.retention.age.as_millis() as u64),
        bytes: Some(settings.retention.bytes),
        events: settings.retention.count,
        rules: settings
            .retention
            .rules
            .iter()
            .map(|rule| RetentionRule {
                selector: tidings_core::scope::Selector::of(rule.pattern.clone()),
                age_ms: rule.age.map(|age| age.as_millis() as u64),
                bytes: rule.bytes,
                events: rule.count,
            })
            .collect(),
    }
}

fn origins(settings: &Settings) -> anyhow::Result<Origins> {
    let mut listed = Vec::new();
    let mut this_machine = false;
    for allowed in &settings.cors_origins {
        match allowed {
            AllowedOrigin::Exactly(origin) => listed.push(Origin::parse(origin)?),
            AllowedOrigin::AnyPort(_) => this_machine = true,
        }
    }
    Ok(if this_machine {
        Origins::ListedAndThisMachine(listed)
    } else {
        Origins::Listed(listed)
    })
}

/// What a development user may do.
fn everything() -> anyhow::Result<Grants> {
    let everything = ["**", "@user/*", "@role/*", "@all"];
    let publish: Result<Vec<_>, _> = everything.into_iter().map(PublishGrant::parse).collect();
    Ok(Grants {
        publish: publish?,
        subscribe: vec![Pattern::parse("**")?],
        administer: true,
        ..Grants::default()
    })
}

fn random() -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).context("the system has no random bits")?;
    Ok(u64::from_le_bytes(bytes))
}
