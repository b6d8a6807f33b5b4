//! Connections as an operator sees them: counting, listing and inspecting them, and what is done to
//! many at once.
//!
//! A shard looks at its connections a slice at a time and delivers between slices; the place where the
//! next slice begins is kept here.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use tidings_core::audience::Subject;
use tidings_core::shard::{Census, ConnectionFacts, ConnectionId, Lag, Sweep, Wanted, Which};

use crate::ask::NotAsked;
use crate::hub::Hub;
use crate::inbox::Command;
use crate::limits::{BUSY_RETRY_MS, CONNECTIONS_LISTED_MAX};

/// What is known of one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// What its shard knows.
    pub facts: ConnectionFacts,
    /// From where it comes, as limits count it; unknown once its reader has left.
    pub address: Option<IpAddr>,
}

/// What a shard has found in one slice of its connections.
#[derive(Debug)]
pub(crate) struct Slice {
    pub(crate) census: Census,
    pub(crate) lag: Lag,
    pub(crate) described: Vec<Described>,
    pub(crate) subjects: Vec<Subject>,
    pub(crate) next: Option<u32>,
}

/// A page of connections, in the order of their ids' shards and slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The page.
    pub connections: Vec<Described>,
    /// After which id the next page begins, if there is one.
    pub next: Option<ConnectionId>,
    /// How many are meant, whether or not they are of this page.
    pub census: Census,
}

/// What was done to connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweptAll {
    /// To how many.
    pub done: u64,
    /// How many it was meant for that had no room for it.
    pub passed_over: u64,
}

/// Why connections were not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSurveyed {
    /// A shard has too much to do.
    #[error("the hub is busy")]
    Busy {
        /// When trying again makes sense.
        retry_after_ms: u64,
    },
}

const BUSY: NotSurveyed = NotSurveyed::Busy {
    retry_after_ms: BUSY_RETRY_MS,
};

/// What an answer of a shard comes to. A shard that has ended has no connections.
fn answered<T>(answer: Result<T, NotAsked>) -> Result<Option<T>, NotSurveyed> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(NotAsked::Gone) => Ok(None),
        Err(NotAsked::Busy) => Err(BUSY),
    }
}

impl Hub {
    /// Lists the connections of this node that are meant, at most so many (and never more than
    /// [`CONNECTIONS_LISTED_MAX`]), after that of an id, which may have ended meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn connections(
        &self,
        which: Which,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Result<Listed, NotSurveyed> {
        let limit = limit.min(CONNECTIONS_LISTED_MAX);
        let (which, mut listed) = (Arc::new(which), Vec::new());
        let mut census = Census::default();
        let _turn = self.inner.surveys.acquire().await;
        for shard in 0..self.inner.threads.inboxes.len() {
            let mut next = Some(0);
            while let Some(from) = next {
                let wanted = wanted(shard, after, limit + 1 - listed.len());
                let ask = |answer| Command::Survey(Arc::clone(&which), wanted, from, answer);
                let Some(slice) = answered(self.ask_shard(shard, ask).await)? else {
                    break;
                };
                census.add(&slice.census);
                listed.extend(slice.described);
                next = slice.next;
            }
        }
        // One more was asked for, to know whether there is one.
        let has_more = listed.len() > limit;
        listed.truncate(limit);
        Ok(Listed {
            next: listed.last().map(|last| last.facts.id).filter(|_| has_more),
            connections: listed,
            census,
        })
    }

    /// What is known of the connection of an id; none if there is no such connection at this node.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn connection(&self, id: ConnectionId) -> Result<Option<Described>, NotSurveyed> {
        let asked = self.ask_shard_of(id, |answer| Command::Inspect(id, answer));
        Ok(answered(asked.await)?.flatten())
    }

    /// How many connections are in each state. A shard that is too busy to be asked is left out.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn census(&self) -> Census {
        let mut census = Census::default();
        self.count(Wanted::default(), |slice| census.add(&slice.census))
            .await;
        census
    }

    /// As [`census`](Self::census), and how far behind the head they are.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn census_with_lag(&self) -> (Census, Lag) {
        let (mut census, mut lag) = (Census::default(), Lag::default());
        let take = |slice: Slice| {
            census.add(&slice.census);
            lag.add(slice.lag);
        };
        self.count(Wanted::default(), take).await;
        (census, lag)
    }

    /// As [`census`](Self::census), and how many connections each subject has.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is changed.
    pub async fn census_by_subject(&self) -> (Census, HashMap<Subject, u64>) {
        let (mut census, mut subjects) = (Census::default(), HashMap::new());
        let wanted = Wanted {
            subjects: true,
            ..Wanted::default()
        };
        let take = |slice: Slice| {
            census.add(&slice.census);
            for subject in slice.subjects {
                *subjects.entry(subject).or_default() += 1;
            }
        };
        self.count(wanted, take).await;
        (census, subjects)
    }

    async fn count(&self, wanted: Wanted, mut take: impl FnMut(Slice)) {
        let all = Arc::new(Which::default());
        let _turn = self.inner.surveys.acquire().await;
        for shard in 0..self.inner.threads.inboxes.len() {
            let mut next = Some(0);
            while let Some(from) = next {
                let ask = |answer| Command::Survey(Arc::clone(&all), wanted, from, answer);
                let Ok(slice) = self.ask_shard(shard, ask).await else {
                    break;
                };
                next = slice.next;
                take(slice);
            }
        }
    }

    /// Gives the stream of an id a sign of life now, in its own voice. Whether it had room for it; none
    /// if there is no such stream at this node.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, it may or may not have been given.
    pub async fn ping(&self, id: ConnectionId) -> Result<Option<bool>, NotSurveyed> {
        let asked = self.ask_shard_of(id, |answer| Command::Ping(id, answer));
        Ok(answered(asked.await)?.flatten())
    }

    /// Does something to all connections that it is meant for and that are there now.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, it is done to some.
    pub async fn sweep(&self, sweep: Sweep) -> Result<SweptAll, NotSurveyed> {
        let (sweep, mut sum) = (Arc::new(sweep), SweptAll::default());
        let _turn = self.inner.surveys.acquire().await;
        for shard in 0..self.inner.threads.inboxes.len() {
            let mut next = Some(0);
            while let Some(from) = next {
                let ask = |answer| Command::Sweep(Arc::clone(&sweep), from, answer);
                let Some(swept) = answered(self.ask_shard(shard, ask).await)? else {
                    break;
                };
                sum.done += swept.done;
                sum.passed_over += swept.passed_over;
                next = swept.next;
            }
        }
        Ok(sum)
    }
}

/// What a page that begins after an id wants of a shard.
fn wanted(shard: usize, after: Option<ConnectionId>, left: usize) -> Wanted {
    let (described_max, described_after) = match after {
        Some(after) if usize::from(after.shard()) > shard => (0, None),
        Some(after) if usize::from(after.shard()) == shard => (left, Some(after.slot())),
        _ => (left, None),
    };
    Wanted {
        described_max,
        described_after,
        subjects: false,
    }
}
