//! The publishers and readers of the torture, as tasks that live through all rounds.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::ledger::Ledger;
use super::publisher::{self, Publisher};
use super::reader::Reader;

/// Publishers, spread evenly over the topics.
pub(crate) const PUBLISHERS: usize = 64;

/// Topics. Publisher `p` publishes on topic `p % TOPICS`.
pub(crate) const TOPICS: usize = 16;

/// Readers. Every [`EVERYTHING_EACH`]th reads all topics, the others one each.
const READERS: usize = 200;
const EVERYTHING_EACH: usize = 25;

/// Readers are several people, because one person may not hold so many connections.
pub(crate) const READER_IDENTITIES: usize = 4;

/// Credentials of the load.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) publisher: String,
    pub(crate) readers: Vec<String>,
}

/// Where the program answers requests, if it runs.
pub(crate) type Address = watch::Receiver<Option<SocketAddr>>;

/// The load, running.
#[derive(Debug)]
pub(crate) struct Load {
    ledger: Arc<Ledger>,
    reader_tokens: Vec<String>,
    publisher_token: String,
    address: watch::Sender<Option<SocketAddr>>,
    stop: watch::Sender<bool>,
    publishers: JoinSet<()>,
    readers: JoinSet<()>,
}

pub(crate) fn topic(index: usize) -> String {
    format!("torture/{}", index % TOPICS)
}

impl Load {
    /// Starts all tasks; they wait for an address.
    pub(crate) fn start(ledger: &Arc<Ledger>, tokens: &Tokens) -> Self {
        let (address, at) = watch::channel(None);
        let (stop, stopped) = watch::channel(false);
        let mut load = Self {
            ledger: Arc::clone(ledger),
            reader_tokens: tokens.readers.clone(),
            publisher_token: tokens.publisher.clone(),
            address,
            stop,
            publishers: JoinSet::new(),
            readers: JoinSet::new(),
        };
        for index in 0..PUBLISHERS {
            let publisher = Publisher::new(index, &tokens.publisher, ledger);
            let work = publisher.run(at.clone(), stopped.clone());
            load.publishers.spawn(blame(Arc::clone(ledger), work));
        }
        load.add_readers(READERS);
        load
    }

    /// Tells all tasks where the program answers, or that it does not.
    pub(crate) fn serve_at(&self, address: Option<SocketAddr>) {
        self.address.send_replace(address);
    }

    /// Stops the publishers once all they sent is answered, and waits until every reader has seen
    /// everything, those too that come now and read from the beginning.
    pub(crate) async fn finish(mut self) -> Result<()> {
        self.stop.send_replace(true);
        while let Some(publisher) = self.publishers.join_next().await {
            publisher?;
        }
        self.add_readers(TOPICS + 1);
        let address = (*self.address.borrow()).context("the program does not run")?;
        publisher::publish_the_end(address, &self.publisher_token).await?;
        while let Some(reader) = self.readers.join_next().await {
            reader?;
        }
        Ok(())
    }

    fn add_readers(&mut self, count: usize) {
        for index in 0..count {
            let topic = (index % EVERYTHING_EACH != 0).then_some(index % TOPICS);
            let token = self.reader_tokens.get(index % READER_IDENTITIES).cloned();
            let reader = Reader::new(topic, token.unwrap_or_default(), &self.ledger);
            let work = reader.run(self.address.subscribe());
            self.readers.spawn(blame(Arc::clone(&self.ledger), work));
        }
    }
}

/// A task that fails is a complaint like any other.
async fn blame(ledger: Arc<Ledger>, work: impl Future<Output = Result<()>>) {
    if let Err(error) = work.await {
        ledger.complain(format!("{error:#}"));
    }
}
