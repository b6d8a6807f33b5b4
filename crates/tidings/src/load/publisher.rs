//! The publishers of a load: each has one request in flight and, with a rate, a timetable.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::json;
use tidings_client::{Client, RequestError};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Stage;
use super::ledger::{Probe, histogram};

/// What the publishers did.
#[derive(Debug)]
pub(super) struct PublishedAll {
    pub(super) accepted_of_each: Vec<u64>,
    pub(super) took: Duration,
    /// Microseconds from when a publish was due until it was answered.
    pub(super) latency: Histogram<u64>,
    pub(super) refused: u64,
}

struct PublishedOne {
    publisher: usize,
    accepted: u64,
    latency: Histogram<u64>,
    refused: u64,
}

/// Publishes for as long as the load lasts.
pub(super) async fn publish_all(
    stage: &Arc<Stage>,
    client: &Client,
) -> Result<PublishedAll, RequestError> {
    let begin = Instant::now();
    let mut publishers = JoinSet::new();
    for publisher in 0..stage.load.publishers {
        publishers.spawn(publish(stage.clone(), client.clone(), publisher, begin));
    }
    let mut all = PublishedAll {
        accepted_of_each: vec![0; stage.load.publishers],
        took: Duration::ZERO,
        latency: histogram(),
        refused: 0,
    };
    while let Some(ended) = publishers.join_next().await {
        let Ok(one) = ended else { continue };
        let one = one?;
        if let Some(accepted) = all.accepted_of_each.get_mut(one.publisher) {
            *accepted = one.accepted;
        }
        all.refused += one.refused;
        // Both count in the same range.
        let _same_range = all.latency.add(&one.latency);
    }
    all.took = begin.elapsed();
    Ok(all)
}

async fn publish(
    stage: Arc<Stage>,
    client: Client,
    publisher: usize,
    begin: Instant,
) -> Result<PublishedOne, RequestError> {
    let load = &stage.load;
    let share = load.publishers as f64;
    // Publishers take turns, so that their due times do not coincide.
    let interval = load.rate.map(|rate| Duration::from_secs_f64(share / rate));
    let offset = interval
        .unwrap_or_default()
        .mul_f64(publisher as f64 / share);
    let mut one = PublishedOne {
        publisher,
        accepted: 0,
        latency: histogram(),
        refused: 0,
    };
    let padding = ".".repeat(load.event_bytes);
    for attempt in 0_u32.. {
        let due = match interval {
            Some(interval) => begin + offset + interval * attempt,
            None => Instant::now(),
        };
        if due.duration_since(begin) >= load.duration {
            break;
        }
        sleep_until(due).await;
        let probe = Probe {
            publisher,
            serial: one.accepted + 1,
            due_us: due.duration_since(stage.began).as_micros() as u64,
            padding: padding.clone(),
        };
        let event = json!({"type": "bench.probe", "topics": [load.topic.as_str()], "data": probe});
        match client.publish_json(&event).await {
            Ok(_) => {
                one.accepted += 1;
                one.latency
                    .saturating_record(due.elapsed().as_micros() as u64);
            }
            // Whether a publish without an answer was accepted is not known, so it cannot be
            // counted; everything else that is refused for now is.
            Err(error) if error.is_transient() && matches!(error, RequestError::Refused(_)) => {
                one.refused += 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(one)
}
