//! Sending lines in order, body by body, until each is published or refused for good.

use std::collections::VecDeque;
use std::io::Read;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use tidings_client::backoff::Backoff;
use tidings_client::publish::LinesAnswer;
use tidings_client::{Client, RequestError};

use super::lines::LineEvents;
use super::progress::Progress;
use crate::cli::connect::failure;
use crate::cli::failure::Failure;
use crate::cli::limits::{BODY_BYTES_MAX, BODY_LINES_MAX};

/// An event that is neither published nor refused.
#[derive(Debug)]
struct Pending {
    number: u64,
    bytes: u64,
    event: String,
}

/// Publishes every line. Every event has an id, so a body whose fate is not known is sent again.
pub(super) async fn send_all<R: Read>(
    client: &Client,
    mut events: LineEvents<R>,
    retry_for: Duration,
    mut progress: Progress,
) -> anyhow::Result<()> {
    let mut pending = VecDeque::new();
    let mut size = 0;
    loop {
        let line = events.next_line().context("cannot read the file")?;
        let is_end = line.is_none();
        if let Some(line) = line {
            match line.event {
                Ok(event) => {
                    size += event.len() + 1;
                    pending.push_back(Pending {
                        number: line.number,
                        bytes: line.bytes,
                        event,
                    });
                }
                Err(problem) => progress.refused(line.number, line.bytes, &problem),
            }
        }
        // A line that is not here yet may take its time, as those of a pipe do.
        let full = size >= BODY_BYTES_MAX || pending.len() >= BODY_LINES_MAX;
        if is_end || full || !events.is_ready() {
            send(client, &mut pending, retry_for, &mut progress).await?;
            size = 0;
        }
        if is_end {
            break;
        }
    }
    match progress.finish() {
        0 => Ok(()),
        refused => {
            let message = format!("some lines were not published: {refused}");
            let hint = "mend them and run it again; the others are not published twice";
            Err(Failure::new(message).hint(hint).into())
        }
    }
}

/// Sends until nothing is pending.
async fn send(
    client: &Client,
    pending: &mut VecDeque<Pending>,
    retry_for: Duration,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let mut backoff = Backoff::default();
    let mut progress_at = Instant::now();
    while !pending.is_empty() {
        let before = pending.len();
        let body: String = pending
            .iter()
            .flat_map(|line| [line.event.as_str(), "\n"])
            .collect();
        let obstacle = match client.publish_ndjson(Bytes::from(body)).await {
            Ok(answer) => settle(pending, answer, progress)?,
            Err(error) => Some(error),
        };
        if pending.len() < before {
            backoff.reset();
            progress_at = Instant::now();
        }
        let Some(error) = obstacle else { continue };
        if !error.is_transient() || progress_at.elapsed() >= retry_for {
            progress.say("stopped; run it again to go on, nothing is published twice");
            return Err(failure(error).into());
        }
        let wait = backoff.after_failure(error.retry_after());
        progress.say(&format!(
            "{:#}; trying again in {:.1} s",
            anyhow::Error::from(error),
            wait.as_secs_f64()
        ));
        tokio::time::sleep(wait).await;
    }
    Ok(())
}

/// Takes out the lines whose fate is known. What stands in the way of the others, if there are any,
/// is the answer.
fn settle(
    pending: &mut VecDeque<Pending>,
    answer: LinesAnswer,
    progress: &mut Progress,
) -> Result<Option<RequestError>, Failure> {
    let mut outcomes: VecDeque<_> = answer.lines.into();
    let mut obstacle = answer.stopped.map(|stopped| stopped.refusal);
    let mut left = VecDeque::new();
    for (index, line) in pending.drain(..).enumerate() {
        let number = index as u64 + 1;
        // Answers come in the order of the lines, but not every line needs to have one.
        let answered = outcomes.front().is_some_and(|next| next.line == number);
        match answered.then(|| outcomes.pop_front()).flatten() {
            Some(answer) => match answer.outcome {
                Ok(published) => progress.published(line.bytes, published.duplicate),
                Err(refusal) if refusal.is_transient() => {
                    obstacle.get_or_insert(refusal);
                    left.push_back(line);
                }
                Err(refusal) => progress.refused(line.number, line.bytes, &refusal.to_string()),
            },
            None => left.push_back(line),
        }
    }
    *pending = left;
    match obstacle {
        _ if pending.is_empty() => Ok(None),
        Some(refusal) => Ok(Some(refusal.into())),
        None => Err(Failure::new(
            "the hub left lines without an answer and did not say why",
        )),
    }
}
