//! `tidings bench`: put a load on a hub, and check that every reader gets everything.

use std::io;
use std::time::Duration;

use clap::Args;

use super::connect::Hub;
use super::failure::Failure;
use super::{duration, print};
use crate::load::limits::{
    BATCH_EVENTS_MAX, OPENING_DEFAULT, OPENING_MAX, PROCESSES_MAX, PUBLISHERS_MAX,
    READER_THREADS_MAX, SOURCE_ADDRESSES_MAX, STREAMS_MAX,
};
use crate::load::{
    Format, Load, LoadError, Scenario, Target, TopicTemplate, default_threads, work,
};

/// Readers of a topic where neither is named.
const READERS_PER_TOPIC: usize = 10;

/// Puts a load on a hub, this one or any other with server-sent events: publishers and readers;
/// fails if a reader missed an event, saw one twice or out of order.
#[derive(Debug, Args)]
pub(super) struct Bench {
    /// What to do.
    #[arg(value_name = "SCENARIO", value_enum, default_value = "broadcast")]
    scenario: Scenario,

    #[command(flatten)]
    hub: Hub,

    /// Readers in all, spread over the topics in turn; 0 only publishes.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    readers: usize,

    /// Topics; `unicast` has one for each reader, `topics` one for ten, all others have 1.
    #[arg(long, value_name = "NUMBER", value_parser = at_least_one)]
    topics: Option<usize>,

    /// Publishers, each with one request in flight.
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = up_to::<PUBLISHERS_MAX>)]
    publishers: usize,

    /// Events per second of all publishers together; without it, as fast as answers come.
    #[arg(long, value_name = "NUMBER", value_parser = positive)]
    rate: Option<f64>,

    /// Events of one request, as NDJSON.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = up_to::<{ BATCH_EVENTS_MAX as usize }>)]
    batch: usize,

    /// Speaks HTTP/2 without TLS: publishers do, and the readers of `idle`.
    #[arg(long)]
    http2: bool,

    /// Streams of `idle` on each connection, with `--http2`.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, requires = "http2", value_parser = up_to::<STREAMS_MAX>)]
    streams: usize,

    /// How long to publish, hold or connect while it is measured.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    duration: Duration,

    /// How long to do so before; it is checked, and not timed.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration)]
    warm_up: Duration,

    /// How long nothing may arrive before events that are missing are given up.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    patience: Duration,

    /// Bytes of data of an event.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    event_bytes: usize,

    /// Events that the readers of `herd` miss while they are away.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    events: u64,

    /// Share of the readers of `slow` that stop reading, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 10, value_parser = up_to::<99>)]
    stopped: usize,

    /// The topic, with its number where the default has it; the token must allow publishing and
    /// reading it.
    #[arg(long, value_name = "TEMPLATE", default_value = "bench/{n}")]
    topic: String,

    /// Where readers of another hub subscribe, with `{topic}` in place of the topic.
    #[arg(long, value_name = "URL", requires = "publish_url")]
    subscribe_url: Option<String>,

    /// Where publishers of another hub publish, with `{topic}` in place of the topic.
    #[arg(long, value_name = "URL", requires = "subscribe_url")]
    publish_url: Option<String>,

    /// What a publish has as its body; another hub takes `raw`.
    #[arg(long, value_name = "FORMAT", value_enum)]
    publish_body: Option<Format>,

    /// Process of the hub, to measure what it costs, its children included; may be repeated.
    #[arg(long, value_name = "PID")]
    server_pid: Vec<u32>,

    /// Addresses that readers connect from, from 127.0.0.2 on; as many as are needed without it.
    #[arg(long, value_name = "NUMBER", value_parser = up_to::<SOURCE_ADDRESSES_MAX>)]
    source_addresses: Option<usize>,

    /// Processes for the readers; as many as descriptors allow without it.
    #[arg(long, value_name = "NUMBER", value_parser = up_to::<PROCESSES_MAX>)]
    processes: Option<usize>,

    /// Threads for the readers of each process; half of the cores without it.
    #[arg(long, value_name = "NUMBER", value_parser = up_to::<READER_THREADS_MAX>)]
    reader_threads: Option<usize>,

    /// Connections that are being opened at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = OPENING_DEFAULT, value_parser = up_to::<OPENING_MAX>)]
    opening: usize,

    /// Prints the figures as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if self.scenario == Scenario::Worker {
            return Ok(work(io::stdin().lock(), io::stdout().lock())?);
        }
        let as_json = self.json;
        let report = self.load()?.run().map_err(failure)?;
        if as_json {
            print(&serde_json::to_string(&report)?)?;
        } else {
            print(&report.to_string())?;
        }
        match report.fault() {
            None => Ok(()),
            Some(fault) => Err(Failure::new(fault)
                .hint(
                    "readers that are late may only be slow: try a `--rate`, or more `--patience`",
                )
                .into()),
        }
    }

    fn load(self) -> Result<Load, Failure> {
        let topics = match (self.topics, self.scenario) {
            (Some(topics), _) => topics,
            (None, Scenario::Unicast) => self.readers.max(1),
            (None, Scenario::Topics) => self.readers.div_ceil(READERS_PER_TOPIC).max(1),
            (None, _) => 1,
        };
        let topic = TopicTemplate::new(self.topic);
        if topics > 1 && !topic.has_number() {
            return Err(Failure::new("all topics have the same name")
                .hint("give `--topic` with `{n}` in place of the number, as in `bench/{n}`"));
        }
        let format = match (self.publish_body, self.batch) {
            (Some(format), _) => format,
            (None, _) if self.publish_url.is_some() => Format::Raw,
            (None, 1) => Format::Tidings,
            (None, _) => Format::Ndjson,
        };
        if self.batch > 1 && format != Format::Ndjson {
            return Err(Failure::new("only `ndjson` has several events in one body")
                .hint("leave `--batch` out, or give `--publish-body ndjson`"));
        }
        let url = self.hub.url().trim_end_matches('/');
        let resolve = |own: &str, other: Option<&str>| {
            let url = other.map_or_else(|| format!("{url}{own}"), str::to_owned);
            Target::resolve(&url).map_err(|error| {
                Failure::new(format!("{:#}", anyhow::Error::from(error)))
                    .hint("check `--url`, `--subscribe-url` and `--publish-url`")
            })
        };
        Ok(Load {
            scenario: self.scenario,
            subscribe: resolve(
                "/v1/stream?topics={topic}&audience=none",
                self.subscribe_url.as_deref(),
            )?,
            publish: resolve("/v1/events", self.publish_url.as_deref())?,
            format,
            token: self.hub.token().cloned(),
            topic,
            topics: topics as u32,
            http2: self.http2,
            streams: self.streams,
            readers: self.readers,
            publishers: self.publishers,
            rate: self.rate,
            batch: self.batch as u64,
            event_bytes: self.event_bytes,
            warm_up: self.warm_up,
            duration: self.duration,
            patience: self.patience,
            events: self.events,
            stopped_percent: self.stopped,
            source_addresses: self.source_addresses,
            processes: self.processes,
            threads: self.reader_threads.unwrap_or_else(default_threads),
            opening: self.opening,
            server_pids: self.server_pid,
        })
    }
}

fn failure(error: LoadError) -> Failure {
    let hint = error.hint();
    // The causes belong to the message; a failure has only one line.
    let failure = Failure::new(format!("{:#}", anyhow::Error::from(error)));
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "expected 1 or more".to_owned())
}

fn up_to<const MAX: usize>(text: &str) -> Result<usize, String> {
    at_least_one(text)
        .ok()
        .filter(|number| *number <= MAX)
        .ok_or_else(|| format!("expected 1 to {MAX}"))
}

fn positive(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| "expected a number above 0".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        bench: Bench,
    }

    #[test]
    fn every_number_with_a_limit_is_taken_at_it_and_refused_with_it_beyond() {
        for (flag, max) in [
            ("--publishers", PUBLISHERS_MAX),
            ("--batch", BATCH_EVENTS_MAX as usize),
            ("--source-addresses", SOURCE_ADDRESSES_MAX),
            ("--processes", PROCESSES_MAX),
            ("--reader-threads", READER_THREADS_MAX),
            ("--opening", OPENING_MAX),
            ("--stopped", 99),
        ] {
            let given = |number: usize| {
                Program::try_parse_from(["bench", flag, &number.to_string()]).map(|_| ())
            };
            given(max).expect(flag);
            for bad in [0, max + 1] {
                let error = given(bad).expect_err(flag).to_string();
                assert!(error.contains(&format!("1 to {max}")), "{error}");
            }
        }
    }
}
