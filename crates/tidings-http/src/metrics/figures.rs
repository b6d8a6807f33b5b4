//! The hub's own figures, read when somebody asks.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use tidings_core::distribution::Counted;
use tidings_core::start::Replay;
use tidings_hub::{Cause, Figures, Transport};

/// A figure: its name, what it is, and where it stands.
type Shown = (&'static str, &'static str, fn(&Figures) -> u64);

/// Connections opened by transport and result.
const RESUMES: &str = "tidings_hub_connections_resumed";

/// Connections closed by cause.
const CLOSES: &str = "tidings_hub_connections_ended";

/// Log lines that nobody took.
const DROPPED_LINES: &str = "tidings_log_lines_dropped";

/// How long commits take.
const COMMITS: &str = "tidings_hub_commit_seconds";

/// How much connections read of the log that were behind.
const REPLAYS: &str = "tidings_hub_replay_events";

/// Figures that only rise; the format adds `_total` to their names.
const RISING: [Shown; 13] = [
    ("tidings_hub_events_published", "Events committed", |f| {
        f.events_published
    }),
    (
        "tidings_hub_published_bytes",
        "Bytes of committed events",
        |f| f.bytes_published,
    ),
    (
        "tidings_hub_events_duplicate",
        "Publishes that repeated an earlier one",
        |f| f.events_duplicate,
    ),
    ("tidings_hub_publishes_refused", "Publishes refused", |f| {
        f.publishes_refused
    }),
    (
        "tidings_hub_events_delivered",
        "Events handed to connections",
        |f| f.events_delivered,
    ),
    (
        "tidings_hub_delivered_bytes",
        "Bytes handed to connections",
        |f| f.bytes_delivered,
    ),
    (
        "tidings_hub_deliveries",
        "Deliveries of one or more events",
        |f| f.deliveries,
    ),
    (
        "tidings_hub_store_reads",
        "Reads of the log for connections that were behind",
        |f| f.store_reads,
    ),
    (
        "tidings_hub_store_reads_shared",
        "Of those, answered by another's read",
        |f| f.store_reads_shared,
    ),
    (
        "tidings_hub_feed_overflows",
        "Times that a shard fell behind the feed and read the log",
        |f| f.feed_overflows,
    ),
    (
        "tidings_hub_connections_opened",
        "Reading connections opened",
        |f| f.connections_opened,
    ),
    (
        "tidings_hub_connections_closed",
        "Reading connections closed",
        |f| f.connections_closed,
    ),
    (
        "tidings_hub_connections_refused",
        "Reading connections refused because a limit of connections was reached",
        |f| f.connections_refused,
    ),
];

/// Figures that go up and down.
const LEVELS: [Shown; 4] = [
    (
        "tidings_hub_waits",
        "Events and topics whose readers somebody waits for",
        |f| f.waits,
    ),
    ("tidings_hub_connections", "Reading connections open", |f| {
        f.connections
    }),
    (
        "tidings_hub_sockets",
        "TCP connections that shards write to",
        |f| f.sockets,
    ),
    (
        "tidings_hub_log_end_offset",
        "Newest committed offset",
        |f| f.end_offset,
    ),
];

/// Asks the hub for its figures on each scrape.
pub(super) struct FiguresCollector {
    read: Box<dyn Fn() -> Figures + Send + Sync>,
    dropped_lines: fn() -> u64,
}

impl FiguresCollector {
    pub(super) fn new(
        read: impl Fn() -> Figures + Send + Sync + 'static,
        dropped_lines: fn() -> u64,
    ) -> Self {
        Self {
            read: Box::new(read),
            dropped_lines,
        }
    }
}

impl fmt::Debug for FiguresCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FiguresCollector").finish_non_exhaustive()
    }
}

impl Collector for FiguresCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let figures = (self.read)();
        for (name, help, read) in RISING {
            write(&mut encoder, name, help, &ConstCounter::new(read(&figures)))?;
        }
        for (name, help, read) in LEVELS {
            write(&mut encoder, name, help, &ConstGauge::new(read(&figures)))?;
        }
        let help = "Log lines dropped because nobody took them";
        let dropped = ConstCounter::new((self.dropped_lines)());
        write(&mut encoder, DROPPED_LINES, help, &dropped)?;
        write_opens(&mut encoder, &figures)?;
        write_closes(&mut encoder, &figures)?;
        let help = "Time from the first byte of a commit until all of it is durable";
        let seconds = |micros: u64| micros as f64 / 1_000_000.0;
        write_distribution(&mut encoder, COMMITS, help, &figures.commit_times, seconds)?;
        let help = "Events of one read of the log for a connection that was behind";
        write_distribution(&mut encoder, REPLAYS, help, &figures.replayed, |n| n as f64)
    }
}

/// A distribution as a histogram, in the unit of its name.
fn write_distribution(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    counted: &Counted,
    unit: fn(u64) -> f64,
) -> fmt::Result {
    let counts = counted.counts.iter();
    let counts = counts.map(|(bound, count)| (unit(*bound), *count));
    let buckets: Vec<(f64, u64)> = counts.chain([(f64::INFINITY, counted.larger)]).collect();
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    metric.encode_histogram::<NoLabelSet>(unit(counted.sum), counted.values(), &buckets, None)
}

/// Connections opened, by how they are read and what of the past they get.
fn write_opens(encoder: &mut DescriptorEncoder<'_>, figures: &Figures) -> fmt::Result {
    let help = "Reading connections opened, by transport and by what they get of the past";
    let kind = MetricType::Counter;
    let mut family = encoder.encode_descriptor(RESUMES, help, None, kind)?;
    for (transport, opens) in Transport::ALL.into_iter().zip(figures.opens) {
        for (replay, count) in Replay::ALL.into_iter().zip(opens) {
            let labels = [
                ("transport", transport.as_str()),
                ("resume", replay.as_str()),
            ];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

/// Connections closed, by cause.
fn write_closes(encoder: &mut DescriptorEncoder<'_>, figures: &Figures) -> fmt::Result {
    let help = "Reading connections closed, by cause";
    let mut family = encoder.encode_descriptor(CLOSES, help, None, MetricType::Counter)?;
    for (cause, count) in Cause::WORDS.into_iter().zip(figures.closes) {
        ConstCounter::new(count).encode(family.encode_family(&[("cause", cause)])?)?;
    }
    Ok(())
}

pub(super) fn write(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    metric: &impl EncodeMetric,
) -> Result<(), fmt::Error> {
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}
