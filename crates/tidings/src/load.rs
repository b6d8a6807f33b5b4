//! A load on a running hub: readers that check what they get, and publishers that keep a rate.
//!
//! ```text
//! publishers ─ due times ─► POST /v1/events ─► hub ─► readers: latency, order, loss, repeats
//! ```
//!
//! With a rate, every publish is timed from when it was due, not from when the hub let it begin: a
//! hub that stalls is not spared the publishes that waited.

mod ledger;
mod publisher;
mod reader;
mod report;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidings_client::{Client, RequestError};
use tidings_core::topic::Topic;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

pub use report::{Quantiles, Report};

use ledger::Ledger;

/// How long readers may take until all have seen their hello.
const OPEN_MAX: Duration = Duration::from_secs(10);

/// How long readers may take for what is left once nobody publishes any more.
const CATCH_UP_MAX: Duration = Duration::from_secs(30);

/// What is put on the hub.
#[derive(Debug, Clone)]
pub struct Load {
    /// Readers of the topic.
    pub readers: usize,
    /// Publishers to the topic, each with one request in flight.
    pub publishers: usize,
    /// Events per second of all publishers together; without it, as fast as answers come.
    pub rate: Option<f64>,
    /// For how long.
    pub duration: Duration,
    /// Bytes of data of an event, about.
    pub event_bytes: usize,
    /// Where to.
    pub topic: Topic,
}

/// What all tasks of a load share.
#[derive(Debug)]
struct Stage {
    load: Load,
    /// When the load began; events carry their time since then.
    began: Instant,
    /// Readers that have seen their hello.
    open: AtomicUsize,
    opened: Notify,
    /// Why the latest attempt of a reader came to nothing.
    setback: Mutex<Option<String>>,
}

/// Why a load came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The hub refused for good, or is none.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Not all readers could connect.
    #[error("only {open} of {readers} readers could connect: {cause}")]
    NotOpen {
        /// Those that could.
        open: usize,
        /// All of them.
        readers: usize,
        /// Why the latest attempt came to nothing.
        cause: String,
    },
}

impl Load {
    /// Puts the load on the hub of this client, and says what came of it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the load; what was published stays.
    pub async fn run(self, client: &Client) -> Result<Report, LoadError> {
        let stage = Arc::new(Stage {
            load: self,
            began: Instant::now(),
            open: AtomicUsize::new(0),
            opened: Notify::new(),
            setback: Mutex::default(),
        });
        // Per publisher, how many of its events were accepted; readers end when they have them all.
        let (accepted, expected) = watch::channel(None);
        let mut readers = JoinSet::new();
        for _ in 0..stage.load.readers {
            readers.spawn(reader::read(
                stage.clone(),
                client.clone(),
                expected.clone(),
            ));
        }
        tokio::select! {
            open = timeout(OPEN_MAX, stage.all_open()) => open.map_err(|_| stage.not_open())?,
            // Before anything is published, a reader ends only because it failed.
            Some(ended) = readers.join_next() => {
                let _ledger: Ledger = ended.unwrap_or_else(|_| Ok(Ledger::default()))?;
            }
        }
        let published = publisher::publish_all(&stage, client).await?;
        accepted.send_replace(Some(published.accepted_of_each.clone()));
        let mut received = Ledger::default();
        let deadline = Instant::now() + CATCH_UP_MAX;
        while let Ok(Some(ended)) = timeout_at(deadline, readers.join_next()).await {
            if let Ok(ledger) = ended {
                received.add(&ledger?);
            }
        }
        let late = readers.len();
        Ok(Report::new(&stage.load, &published, &received, late))
    }
}

impl Stage {
    async fn all_open(&self) {
        while self.open.load(Ordering::Acquire) < self.load.readers {
            self.opened.notified().await;
        }
    }

    fn not_open(&self) -> LoadError {
        let setback = self.setback.lock().unwrap_or_else(PoisonError::into_inner);
        LoadError::NotOpen {
            open: self.open.load(Ordering::Acquire),
            readers: self.load.readers,
            cause: setback
                .clone()
                .unwrap_or_else(|| "they got no answer".to_owned()),
        }
    }
}
