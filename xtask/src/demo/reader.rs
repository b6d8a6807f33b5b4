//! A reader of the demonstration: it resumes after the kill, and counts every id it is shown.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tidings_testkit::plain_client::{Block, Connection, OpenError};
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
    /// Opens the stream; after a cut it waits for the hub's next start.
    pub(crate) fn start(
        wanted: Wanted,
        address: SocketAddr,
        token: &str,
        starts: watch::Receiver<u32>,
    ) -> Self {
        let (greeted, connected) = watch::channel(false);
        let (showing, shown) = watch::channel(Shown::new());
        let follower = Follower {
            address,
            path: format!("/v1/stream?{}", wanted.query),
            token: token.to_owned(),
            last_event_id: None,
            greeted,
            showing,
        };
        let task = tokio::spawn(follower.follow(starts));
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

/// The task of a reader.
struct Follower {
    address: SocketAddr,
    path: String,
    token: String,
    last_event_id: Option<String>,
    greeted: watch::Sender<bool>,
    showing: watch::Sender<Shown>,
}

impl Follower {
    async fn follow(mut self, mut starts: watch::Receiver<u32>) -> Result<()> {
        starts.mark_unchanged();
        while !self.read().await? {
            starts
                .changed()
                .await
                .context("the hub does not come back")?;
        }
        Ok(())
    }

    /// Reads one stream to its end, and says whether it was the feed's end too.
    async fn read(&mut self) -> Result<bool> {
        let Ok(connection) = Connection::open(self.address, &self.token).await else {
            return Ok(false);
        };
        let mut stream = match connection
            .stream(&self.path, self.last_event_id.as_deref())
            .await
        {
            Ok(stream) => stream,
            Err(OpenError::Request(_)) => return Ok(false),
            Err(refusal) => return Err(refusal.into()),
        };
        while let Some(block) = stream.next().await {
            if self.take(&block)? {
                return Ok(true);
            }
            if block.id.is_some() {
                self.last_event_id = block.id;
            }
        }
        Ok(false)
    }

    /// Takes one block in, and says whether it was the feed's end.
    fn take(&self, block: &Block) -> Result<bool> {
        self.greeted.send_replace(true);
        ensure!(
            block.event != "tidings.gap",
            "a reader is told of a gap: {}",
            block.data
        );
        if !block.is_published() {
            return Ok(false);
        }
        let envelope: Value = serde_json::from_str(&block.data).context("an event is not whole")?;
        let id = envelope["id"]
            .as_str()
            .context("an event has no id")?
            .to_owned();
        if id == THE_END {
            return Ok(true);
        }
        self.showing
            .send_modify(|shown| *shown.entry(id).or_default() += 1);
        Ok(false)
    }
}
