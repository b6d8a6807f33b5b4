//! The publisher of the demonstration: one event after the other, repeated with its id until answered.

use anyhow::{Context, Result};
use tidings_client::Client;
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
        client: Client,
        starts: watch::Receiver<u32>,
    ) -> Self {
        let (answered, progress) = watch::channel(0);
        let task = tokio::spawn(publish(events, client, starts, answered));
        Self { progress, task }
    }

    /// Events answered so far.
    pub(crate) fn progress(&self) -> usize {
        *self.progress.borrow()
    }

    /// Waits until so many events are answered.
    pub(crate) async fn answered(&mut self, wanted: usize) -> Result<()> {
        let reached = self
            .progress
            .wait_for(|answered| *answered >= wanted)
            .await
            .map(|_| ());
        if reached.is_err() {
            (&mut self.task)
                .await
                .context("the publisher has panicked")??;
        }
        reached.context("the publisher has stopped")
    }

    /// Waits until all are answered, and says what was repeated.
    pub(crate) async fn finish(self) -> Result<Repeated> {
        self.task.await.context("the publisher has panicked")?
    }
}

async fn publish(
    events: Vec<FeedEvent>,
    client: Client,
    mut starts: watch::Receiver<u32>,
    answered: watch::Sender<usize>,
) -> Result<Repeated> {
    let mut repeated = Repeated::default();
    let mut next = 0;
    starts.mark_unchanged();
    while let Some(event) = events.get(next) {
        match client.publish_json(&event.body).await {
            Ok(answer) => {
                repeated.known += usize::from(answer.duplicate);
                next += 1;
                answered.send_if_modified(|count| {
                    let more = next > *count;
                    *count = next.max(*count);
                    more
                });
            }
            Err(error) if error.is_transient() => {
                let again = next.min(REPEATED_ON_PURPOSE);
                next -= again;
                repeated.sent += again + 1;
                starts
                    .changed()
                    .await
                    .context("the hub does not come back")?;
            }
            Err(error) => {
                let what = format!("the event `{}` was refused", event.id);
                return Err(error).context(what);
            }
        }
    }
    Ok(repeated)
}
