//! A reader of the demonstration: the product's own client, and a count of every id it is shown.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tidings_client::{Client, Incoming, Stream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::feed::{THE_END, Wanted};

/// How often each id was shown.
type Shown = BTreeMap<String, usize>;

/// A reader at work.
#[derive(Debug)]
pub(crate) struct Reader {
    wanted: Wanted,
    connected: watch::Receiver<bool>,
    shown: watch::Receiver<Shown>,
    task: JoinHandle<Result<()>>,
}

/// What a reader should have and has.
#[derive(Debug)]
pub(crate) struct Count {
    /// The reader in words.
    pub(crate) name: String,
    /// Events that match.
    pub(crate) expected: usize,
    /// Events shown, repetitions included.
    pub(crate) got: usize,
    /// Events that match and were never shown.
    pub(crate) missing: usize,
    /// Events shown that were shown before, or that do not match.
    pub(crate) duplicated: usize,
}

impl Reader {
    /// Opens the stream; after a cut the client itself reconnects and resumes.
    pub(crate) fn start(wanted: Wanted, client: &Client) -> Self {
        let (greeted, connected) = watch::channel(false);
        let (showing, shown) = watch::channel(Shown::new());
        let stream = client.stream(wanted.reading.clone());
        let task = tokio::spawn(follow(stream, greeted, showing));
        Self {
            wanted,
            connected,
            shown,
            task,
        }
    }

    /// Waits until the hub has greeted the reader: what is published from then on is for it too.
    pub(crate) async fn is_connected(&mut self) -> Result<()> {
        if self
            .connected
            .wait_for(|connected| *connected)
            .await
            .is_ok()
        {
            return Ok(());
        }
        (&mut self.task).await.context("a reader has panicked")??;
        bail!("a reader has stopped")
    }

    /// Waits until the last event was shown, or patience ends, and counts.
    pub(crate) async fn finish(mut self, patience: Duration) -> Result<Count> {
        match timeout(patience, &mut self.task).await {
            Ok(ended) => ended.context("a reader has panicked")??,
            // No error: the count says what is missing.
            Err(_) => self.task.abort(),
        }
        let ids = &self.wanted.ids;
        let shown = self.shown.borrow();
        let got: usize = shown.values().sum();
        let missing = ids.iter().filter(|id| !shown.contains_key(*id)).count();
        Ok(Count {
            name: self.wanted.name,
            expected: ids.len(),
            got,
            missing,
            duplicated: got + missing - ids.len(),
        })
    }
}

impl Count {
    /// Whether the reader has everything once.
    pub(crate) fn is_whole(&self) -> bool {
        self.missing == 0 && self.duplicated == 0
    }
}

/// Reads until the feed's end.
async fn follow(
    mut stream: Stream,
    greeted: watch::Sender<bool>,
    showing: watch::Sender<Shown>,
) -> Result<()> {
    loop {
        match stream.next().await? {
            Some(Incoming::Hello(_)) => {
                greeted.send_replace(true);
            }
            Some(Incoming::Event(event)) => {
                let envelope: Value =
                    serde_json::from_str(&event.data).context("an event is not whole")?;
                let id = envelope["id"].as_str().context("an event has no id")?;
                if id == THE_END {
                    return Ok(());
                }
                showing.send_modify(|shown| *shown.entry(id.to_owned()).or_default() += 1);
            }
            Some(Incoming::Gap(gap)) => bail!("a reader is told of a gap: {}", gap.reason),
            Some(_) => {}
            None => bail!("the hub has ended a stream for good"),
        }
    }
}
