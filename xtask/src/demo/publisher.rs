//! The publisher of the demonstration: one event after the other, repeated with its id until answered.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tidings_testkit::plain_client::Connection;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::feed::FeedEvent;

/// Answered events that are published again after the cut too, beside the one that was under way: a
/// publisher that is not sure repeats, and nobody may see it.
const REPEATED_ON_PURPOSE: usize = 5;

/// What was published more than once.
#[derive(Debug, Default)]
pub(crate) struct Repeated {
    /// Publishes sent again.
    pub(crate) sent: usize,
    /// Of those, the ones that the hub had already.
    pub(crate) known: usize,
}

/// A publisher at work.
#[derive(Debug)]
pub(crate) struct Publisher {
    progress: watch::Receiver<usize>,
    task: JoinHandle<Result<Repeated>>,
}

impl Publisher {
    /// Starts to publish; after a cut it waits for the hub's next start.
    pub(crate) fn start(
        events: Vec<FeedEvent>,
        address: SocketAddr,
        token: &str,
        starts: watch::Receiver<u32>,
    ) -> Self {
        let (answered, progress) = watch::channel(0);
        let token = token.to_owned();
        let task = tokio::spawn(publish(events, address, token, starts, answered));
        Self { progress, task }
    }

    /// Events answered so far.
    pub(crate) fn progress(&self) -> usize {
        *self.progress.borrow()
    }

    /// Waits until so many events are answered.
    pub(crate) async fn answered(&mut self, wanted: usize) -> Result<()> {
        let reached = self.progress.wait_for(|answered| *answered >= wanted).await;
        reached.map(|_| ()).context("the publisher has stopped")
    }

    /// Waits until all are answered, and says what was repeated.
    pub(crate) async fn finish(self) -> Result<Repeated> {
        self.task.await.context("the publisher has panicked")?
    }
}

async fn publish(
    events: Vec<FeedEvent>,
    address: SocketAddr,
    token: String,
    mut starts: watch::Receiver<u32>,
    answered: watch::Sender<usize>,
) -> Result<Repeated> {
    let mut repeated = Repeated::default();
    let mut next = 0;
    starts.mark_unchanged();
    loop {
        if let Ok(mut connection) = Connection::open(address, &token).await {
            while let Some(event) = events.get(next) {
                let request = connection.publish("application/json", event.body.clone());
                let Ok(answer) = request.await else { break };
                ensure!(
                    answer.status.is_success(),
                    "the event `{}` was refused: {answer:?}",
                    event.id
                );
                let answer: Value = serde_json::from_slice(&answer.body)?;
                repeated.known += usize::from(answer["duplicate"] == Value::Bool(true));
                next += 1;
                answered.send_if_modified(|count| {
                    let before = std::mem::replace(count, next.max(*count));
                    before < next
                });
            }
        }
        if next == events.len() {
            return Ok(repeated);
        }
        let again = next.min(REPEATED_ON_PURPOSE);
        next -= again;
        repeated.sent += again + 1;
        starts
            .changed()
            .await
            .context("the hub does not come back")?;
    }
}
