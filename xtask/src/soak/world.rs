//! What all tasks of a soak share: the hub, the oracle, the counters, and how long it lasts.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tidings_testkit::program::Program;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;

use super::counts::{Count, Counts};
use super::oracle::Oracle;

/// Topics, numbered.
pub(super) const TOPICS: usize = 16;

/// Processes that make tokens at a time.
const MINTS_MAX: usize = 2;

/// The settings of whoever makes tokens, beside the data: a file without any.
pub(super) const TOKEN_SETTINGS: &str = "token.toml";

/// How far a soak is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Everything happens.
    Running,
    /// Publishers end after the answer that they wait for. Readers go on.
    Ending,
    /// Nothing is published any more: readers read to this offset, and nobody cuts them off.
    Last(u64),
}

/// What all tasks share.
#[derive(Debug)]
pub(super) struct World {
    pub(super) address: SocketAddr,
    pub(super) counts: Counts,
    /// How long a reader's token lives.
    pub(super) token_life: Duration,
    pub(super) stage: watch::Receiver<Stage>,
    /// How often each reader's subject was revoked.
    revoked: Vec<Count>,
    program: Program,
    oracle: Mutex<Oracle>,
    mints: Semaphore,
}

/// A credential, and when it ends.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) ends: Instant,
}

impl World {
    pub(super) fn new(
        program: Program,
        address: SocketAddr,
        (oracle, readers): (Oracle, usize),
        token_life: Duration,
        stage: watch::Receiver<Stage>,
    ) -> Arc<Self> {
        Arc::new(Self {
            address,
            counts: Counts::default(),
            token_life,
            stage,
            revoked: (0..readers).map(|_| Count::default()).collect(),
            program,
            oracle: Mutex::new(oracle),
            mints: Semaphore::new(MINTS_MAX),
        })
    }

    /// The oracle, for a moment.
    pub(super) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far it is.
    pub(super) fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    /// How often a reader's subject was revoked, or is about to be.
    pub(super) fn revoked(&self, reader: usize) -> &Count {
        &self.revoked[reader]
    }

    /// A fresh token.
    pub(super) async fn token(
        self: &Arc<Self>,
        subject: &str,
        grants: &[&str],
        life: Duration,
    ) -> Result<Token> {
        let _one_of_few = self.mints.acquire().await?;
        let (world, subject) = (Arc::clone(self), subject.to_owned());
        // It says in whole seconds when it ends.
        let ends = Instant::now() + life.saturating_sub(Duration::from_secs(1));
        let life = format!("{}s", life.as_secs());
        let mut grants: Vec<String> = grants.iter().map(|&grant| grant.to_owned()).collect();
        grants.extend(["--ttl".to_owned(), life]);
        // The hub's own file is wrong now and then.
        let settings = self.program.data_dir().with_file_name(TOKEN_SETTINGS);
        grants.extend(["--config".to_owned(), settings.display().to_string()]);
        let made = spawn_blocking(move || {
            let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
            world.program.token(&subject, &grants)
        });
        let text = made.await?.context("cannot make a token")?;
        Ok(Token { text, ends })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

/// The name of a topic.
pub(super) fn topic(number: usize) -> String {
    format!("soak/{number}")
}
