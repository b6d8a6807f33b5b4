//! `tidings bench`: put a load on a hub, and check that every reader gets everything.

use std::time::Duration;

use clap::Args;
use tidings_core::topic::Topic;

use super::connect::{Connect, failure};
use super::failure::Failure;
use super::{duration, print};
use crate::load::{Load, LoadError};

/// Puts a load on a hub: publishers and readers of one topic; fails if a reader missed an event or
/// saw one twice.
#[derive(Debug, Args)]
pub(super) struct Bench {
    #[command(flatten)]
    connect: Connect,

    /// Readers of the topic.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    readers: usize,

    /// Publishers to the topic, each with one request in flight.
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = at_least_one)]
    publishers: usize,

    /// Events per second of all publishers together; without it, as fast as answers come.
    #[arg(long, value_name = "NUMBER", value_parser = positive)]
    rate: Option<f64>,

    /// How long to publish.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    duration: Duration,

    /// Bytes of data of an event.
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    event_bytes: usize,

    /// The topic; the token must allow publishing and reading it.
    #[arg(long, value_name = "TOPIC", default_value = "bench/probe", value_parser = Topic::parse)]
    topic: Topic,

    /// Prints the figures as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let client = self.connect.client()?;
        let load = Load {
            readers: self.readers,
            publishers: self.publishers,
            rate: self.rate,
            duration: self.duration,
            event_bytes: self.event_bytes,
            topic: self.topic,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        let report = runtime
            .block_on(load.run(&client))
            .map_err(|error| match error {
                LoadError::Request(error) => failure(error),
                LoadError::NotOpen { .. } => Failure::new(error.to_string()).hint(
                    "allow more with `limits.connections_per_identity` and its like at the hub",
                ),
            })?;
        if self.json {
            print(&serde_json::to_string(&report)?)?;
        } else {
            print(&report.to_string())?;
        }
        if report.is_complete() {
            return Ok(());
        }
        let message = "not every reader saw every event exactly once";
        Err(Failure::new(message)
            .hint("readers that are late may only be slow: try a `--rate`")
            .into())
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "expected 1 or more".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.parse().ok();
    number
        .filter(|number| number.is_finite() && *number > 0.0)
        .ok_or_else(|| "expected a number above 0".to_owned())
}
