//! What readers are told to do, and with whose help: the plan, the orders, and the threads.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use mio::Waker;
use serde::{Deserialize, Serialize};

use super::limits::ORDERS_MAX;
use super::tally::Tally;
use super::target::{Target, TopicTemplate};
use crew::Crew;

mod crew;
mod orders;
mod reader;
mod sent_away;
mod storm;

/// The readers of one process.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct ReadPlan {
    pub(super) target: Target,
    pub(super) topic: TopicTemplate,
    /// Over how many topics readers are spread, in turn.
    pub(super) topics: u32,
    pub(super) token: Option<String>,
    /// Number of the first reader of this process.
    pub(super) first: usize,
    pub(super) readers: usize,
    pub(super) threads: usize,
    /// Connections that each thread opens at the same time.
    pub(super) opening: usize,
    /// Addresses of this machine that readers connect from; 0 leaves the choice to the system.
    pub(super) source_addresses: usize,
    /// How long nothing may arrive before what is missing is given up.
    pub(super) patience_us: u64,
}

/// What readers are told to do; each order is answered with a tally.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Order {
    /// Connect; answered when every reader has its response head or was refused.
    Open,
    /// Time what is due from the one on until before the other.
    Window { from_us: u64, to_us: u64 },
    /// Say how much has arrived.
    Count,
    /// The readers of the lowest numbers stop reading.
    Stop { readers: usize },
    /// Close all connections.
    Leave,
    /// Wait until every reader has all that was accepted; those that are stopped or away come back.
    Finish(Accepted),
    /// Wait until the hub has ended every stream and every reader has come back, each after the time
    /// that its stream has asked for.
    Return,
    /// Connect, and leave at once, again and again; time what begins in the window.
    Storm { until_us: u64 },
}

/// How many events were accepted of each publisher on each topic.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Accepted(pub(super) Vec<Vec<u32>>);

impl Accepted {
    /// Of each publisher on one topic.
    pub(super) fn on(&self, topic: u32) -> impl Iterator<Item = u32> {
        let topic = topic as usize;
        self.0
            .iter()
            .map(move |of| of.get(topic).copied().unwrap_or(0))
    }

    /// Of all publishers on all topics.
    pub(super) fn total(&self) -> u64 {
        self.0.iter().flatten().map(|one| u64::from(*one)).sum()
    }
}

/// The threads with the readers of this process.
pub(super) struct Readers(Vec<Thread>);

struct Thread {
    orders: SyncSender<Arc<Order>>,
    answers: Receiver<Tally>,
    waker: Waker,
    handle: Option<JoinHandle<()>>,
}

impl Readers {
    /// Starts the threads.
    pub(super) fn start(plan: &ReadPlan) -> io::Result<Self> {
        let plan = Arc::new(plan.clone());
        let threads = plan.threads.clamp(1, plan.readers.max(1));
        let thread = |index| {
            let (orders, ordered) = sync_channel(ORDERS_MAX);
            let (answer, answers) = sync_channel(ORDERS_MAX);
            let numbers = (index..plan.readers)
                .step_by(threads)
                .map(|number| number + plan.first);
            let (mut crew, waker) = Crew::new(plan.clone(), numbers.collect())?;
            let work = move || crew.work(&ordered, &answer);
            let handle = thread::Builder::new()
                .name(format!("readers-{index}"))
                .spawn(work)?;
            Ok(Thread {
                orders,
                answers,
                waker,
                handle: Some(handle),
            })
        };
        (0..threads)
            .map(thread)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Gives an order to all threads; answered by [`answer`](Self::answer).
    pub(super) fn order(&self, order: Order) -> io::Result<()> {
        let order = Arc::new(order);
        for thread in &self.0 {
            thread.orders.send(order.clone()).map_err(|_| gone())?;
            thread.waker.wake()?;
        }
        Ok(())
    }

    /// What came of the last order.
    pub(super) fn answer(&self) -> io::Result<Tally> {
        let mut all = Tally::default();
        for thread in &self.0 {
            all.add(&thread.answers.recv().map_err(|_| gone())?);
        }
        Ok(all)
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        for thread in self.0.drain(..) {
            let Thread {
                orders,
                waker,
                handle,
                ..
            } = thread;
            drop(orders);
            // A thread that cannot be woken has ended, and one that has panicked has said so.
            let _woken = waker.wake();
            let _ended = handle.map(JoinHandle::join);
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("a thread of readers has ended")
}
