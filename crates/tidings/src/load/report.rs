//! What came of a load, for programs. People read it as [`table`] prints it.

mod table;

use serde::Serialize;

use super::tally::{Latencies, Tally};
use super::{Load, Scenario};

/// The figures of a load.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    scenario: Scenario,
    readers: usize,
    topics: u32,
    publishers: usize,
    batch: u64,
    event_bytes: usize,
    /// Events that the hub accepted, those of the warm-up included.
    published: u64,
    /// Events that arrived, once for each reader.
    delivered: u64,
    /// Events that a reader should have seen and did not.
    missing: u64,
    /// Events that a reader saw again.
    repeated: u64,
    /// Events that a reader saw after a later one of the same publisher.
    out_of_order: u64,
    /// Gaps that readers were told.
    gaps: u64,
    /// Connections that ended without the reader's doing.
    interrupted: u64,
    /// Readers that did not get everything.
    late_readers: usize,
    #[serde(flatten)]
    pub(super) flow: Option<Flow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) idle: Option<Idle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) herd: Option<Herd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restart: Option<Restart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) slow: Option<Slow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) storm: Option<Storm>,
}

/// The timed part of publishing and delivering. Figures of the server are absent when its processes
/// are not known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Flow {
    /// The rate that was asked for.
    pub(super) rate: Option<f64>,
    /// How long publishing took.
    pub(super) seconds: f64,
    /// Events that the hub refused for the moment.
    pub(super) refused: u64,
    /// Events that were due and that no publisher was free for.
    pub(super) unsent: u64,
    pub(super) published_per_second: f64,
    /// From when a publish was due until its answer.
    pub(super) publish_ms: Option<Quantiles>,
    pub(super) delivered_per_second: f64,
    /// From when an event was due until it arrived.
    pub(super) delivery_ms: Option<Quantiles>,
    /// All processor time of the server, deliveries included, by publishes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_publish: Option<f64>,
    /// The same, publishes included, by deliveries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_delivery: Option<f64>,
    /// Memory of the server when the last publish was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_bytes: Option<f64>,
    pub(super) generator_cpu_us_per_publish: Option<f64>,
    pub(super) generator_cpu_us_per_delivery: Option<f64>,
}

/// Streams that get nothing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Idle {
    /// Connections that carried the streams: as many, but by HTTP/2.
    pub(super) connections: usize,
    pub(super) held_seconds: f64,
    pub(super) opened_per_second: f64,
    /// From the beginning of a connection until its response head.
    pub(super) open_ms: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_connect: Option<f64>,
    /// Processor time of the server while nothing was published, in percent of a core.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_percent_held: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_bytes_before: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_bytes_opened: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_bytes_held: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_bytes_per_connection: Option<f64>,
    /// Sockets and their buffers, at both ends, and whatever else the machine did.
    pub(super) kernel_bytes_per_connection: f64,
}

/// Readers that came back all at once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Herd {
    /// Events that were published while they were away.
    pub(super) events_missed: u64,
    pub(super) refused: u64,
    /// From the return of all until the last had everything.
    pub(super) seconds: f64,
    pub(super) replayed_per_second: f64,
    /// The same of each reader.
    pub(super) return_ms: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_replayed: Option<f64>,
}

/// Readers of a hub that ended and began again. Seconds count from when it was told to end.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Restart {
    /// Events that were published as soon as the hub was there again.
    pub(super) events_missed: u64,
    pub(super) refused: u64,
    /// When readers left.
    pub(super) left: Option<Wave>,
    /// When they had a stream again.
    pub(super) back: Option<Wave>,
    /// After how long they were asked to come back.
    pub(super) retry_ms: Option<Quantiles>,
    /// Streams that ended without asking for a time.
    pub(super) unasked: u64,
    /// Connects that found no hub.
    pub(super) in_vain: u64,
    /// Readers that were not back in time.
    pub(super) absent: usize,
}

/// Something that many readers did, over time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wave {
    pub(super) first_second: usize,
    pub(super) last_second: usize,
    pub(super) mean_per_second: f64,
    pub(super) peak_per_second: u32,
    /// How many there were in each second.
    pub(super) counts: Vec<u32>,
}

/// Readers of which some stopped; what stands outside is with them, of the others.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Slow {
    pub(super) stopped: usize,
    /// The others' p99 with stopped readers, over that without.
    pub(super) p99_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_bytes_grown: Option<f64>,
    /// Sockets and their buffers, and whatever else the machine did.
    pub(super) kernel_bytes_grown: f64,
    /// The same load before any reader stopped.
    pub(super) all_read: Flow,
}

/// Readers that connected only to leave.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Storm {
    pub(super) connects: u64,
    pub(super) failed: usize,
    /// Why the latest of those did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cause: Option<String>,
    pub(super) connects_per_second: f64,
    /// From the beginning of a connection until its response head.
    pub(super) connect_ms: Option<Quantiles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) server_cpu_us_per_connect: Option<f64>,
    pub(super) generator_cpu_us_per_connect: f64,
}

/// A distribution in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Quantiles {
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) max: f64,
}

impl Report {
    pub(super) fn new(load: &Load, published: u64, tally: &Tally) -> Self {
        Self {
            scenario: load.scenario,
            readers: load.readers,
            topics: load.topics,
            publishers: load.publishers,
            batch: load.batch,
            event_bytes: load.event_bytes,
            published,
            delivered: tally.events,
            missing: tally.missing,
            repeated: tally.repeated,
            out_of_order: tally.out_of_order,
            gaps: tally.gaps,
            interrupted: tally.interrupted,
            late_readers: tally.late,
            flow: None,
            idle: None,
            herd: None,
            restart: None,
            slow: None,
            storm: None,
        }
    }

    /// What is wrong with what readers saw, if anything is.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let idle_cut = self.idle.is_some() && self.interrupted > 0;
        let restart_failed = self.restart.as_ref().is_some_and(|one| one.absent > 0);
        let storm_failed = self.storm.as_ref().is_some_and(|storm| storm.failed > 0);
        if self.missing > 0 || self.late_readers > 0 {
            Some("not every reader saw every event")
        } else if self.repeated > 0 {
            Some("readers saw events more than once")
        } else if self.out_of_order > 0 {
            Some("readers saw events out of order")
        } else if idle_cut {
            Some("the hub closed idle streams")
        } else if restart_failed {
            Some("not every reader came back")
        } else if storm_failed {
            Some("not every reader could connect")
        } else {
            None
        }
    }
}

impl Quantiles {
    /// None of nothing: no latency is not a short one.
    pub(super) fn of(latencies: &Latencies) -> Option<Self> {
        (latencies.count() > 0).then(|| Self {
            p50: latencies.ms(0.5),
            p90: latencies.ms(0.9),
            p99: latencies.ms(0.99),
            p999: latencies.ms(0.999),
            max: latencies.ms(1.0),
        })
    }
}
