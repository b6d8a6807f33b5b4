//! The inbox of a shard: everything that other threads tell it, and one wake-up for all of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mio::Waker;
use tidings_core::audience::Subject;
use tidings_core::limits::{SHARD_COMMANDS_MAX, SHARD_FEED_BATCHES_MAX};
use tidings_core::position::Offset;
use tidings_core::revocation::Revocations;
use tidings_core::scope::Selector;
use tidings_core::shard::{
    Batch, CaughtUp, ConnectionId, ConnectionKey, DisconnectReason, DrainPlan, Opening,
    ReplayFailed, Replayed, Rescope, RescopeRefused, Rescoped, Snapshot, Sweep, Swept, Wanted,
    Which,
};
use tidings_core::subscription::Subscription;
use tokio::sync::oneshot;

use crate::any_sink::AnySink;
use crate::connection_log::Introduce;
use crate::connections::{Described, Slice};
use crate::limits::SHARD_FEED_BYTES_MAX;
use crate::seat::Registration;
use crate::socket::Socket;
use crate::tally::Tally;
use crate::waits::Watching;

/// Asks something of a shard.
#[derive(Debug)]
pub(crate) enum Command {
    /// Register a connection.
    Open(
        Box<Opening<AnySink>>,
        Option<Introduce>,
        oneshot::Sender<Registration>,
    ),
    /// Look at a slice of the connections, from a slot on.
    Survey(Arc<Which>, Wanted, u32, oneshot::Sender<Slice>),
    /// Describe a connection.
    Inspect(ConnectionId, oneshot::Sender<Option<Described>>),
    /// Give a stream a sign of life; answers as [`Shard::ping`](tidings_core::shard::Shard::ping).
    Ping(ConnectionId, oneshot::Sender<Option<bool>>),
    /// Do something to a slice of the connections, from a slot on.
    Sweep(Arc<Sweep>, u32, oneshot::Sender<Swept>),
    /// Count those who read by a selector.
    ReadersBy(Selector, oneshot::Sender<usize>),
    /// What a subject's stream asks for.
    Asked(ConnectionId, Subject, oneshot::Sender<Option<Subscription>>),
    /// Change what a stream reads.
    Rescope(
        ConnectionId,
        Box<Rescope>,
        oneshot::Sender<Result<Rescoped, RescopeRefused>>,
    ),
    /// End a connection.
    Disconnect(ConnectionId, DisconnectReason, oneshot::Sender<bool>),
    /// Ask all connections to leave.
    Drain(DrainPlan),
    /// End, whatever connections there are.
    Stop,
}

/// A stream with its socket, to be registered and written to from then on.
pub(crate) struct Arrival {
    pub(crate) opening: Box<Opening<AnySink>>,
    pub(crate) socket: Socket,
    pub(crate) introduce: Option<Introduce>,
    pub(crate) opened: Box<dyn FnOnce(ConnectionId) + Send>,
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

/// What a reader thread found for a shard.
#[derive(Debug)]
pub(crate) enum Answer {
    Replayed(ConnectionKey, Result<Replayed, ReplayFailed>),
    Snapshot(ConnectionKey, Result<Snapshot, ReplayFailed>),
    CaughtUp(CaughtUp),
}

/// Everything that waits for a shard. Each list has its bound: batches and commands are counted;
/// a connection arrives with its socket, is drained, leaves and is answered at most once at a time.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) batches: VecDeque<(Batch, Arc<Tally>)>,
    /// What the events of the batches hold.
    batch_bytes: usize,
    /// The end of the last batch that was dropped because too many waited.
    pub(crate) dropped_through: Option<(Offset, Offset)>,
    /// The newest revocations, if they have changed.
    pub(crate) revocations: Option<Arc<Revocations>>,
    pub(crate) commands: VecDeque<Command>,
    pub(crate) arrivals: Vec<Arrival>,
    pub(crate) drained: Vec<ConnectionKey>,
    pub(crate) left: Vec<ConnectionKey>,
    pub(crate) answers: Vec<Answer>,
    /// Who waits for readers from now on, or no more.
    pub(crate) watching: Vec<Watching>,
    /// The thread has ended: nothing is looked at any more, so nothing is kept.
    shut: bool,
}

/// The shard has too much to do already, or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InboxFull;

/// The inbox of one shard.
#[derive(Debug)]
pub(crate) struct Inbox {
    waiting: Mutex<Waiting>,
    waker: Waker,
    /// Whether the thread has been woken and has not looked yet: one wake-up serves all.
    woken: AtomicBool,
    /// Connections that this shard was chosen for and that have not left.
    pub(crate) load: AtomicUsize,
}

impl Inbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            waiting: Mutex::default(),
            waker,
            woken: AtomicBool::new(false),
            load: AtomicUsize::new(0),
        }
    }

    /// Hands over a committed batch, or notes that the shard has to read it from the log.
    pub(crate) fn feed(&self, batch: Batch, bytes: usize, tally: Arc<Tally>) {
        let mut waiting = self.lock();
        if waiting.shut {
            tally.add(&[]);
            return;
        }
        let room = waiting.batches.is_empty()
            || (waiting.batches.len() < SHARD_FEED_BATCHES_MAX
                && waiting.batch_bytes + bytes <= SHARD_FEED_BYTES_MAX);
        if room && waiting.dropped_through.is_none() {
            waiting.batch_bytes += bytes;
            waiting.batches.push_back((batch, tally));
        } else {
            waiting.dropped_through = Some((batch.end(), batch.evict_through));
            tally.add(&[]);
        }
        drop(waiting);
        self.wake();
    }

    /// Asks something, unless too much has been asked already.
    pub(crate) fn command(&self, command: Command) -> Result<(), InboxFull> {
        let mut waiting = self.lock();
        if waiting.shut || waiting.commands.len() >= SHARD_COMMANDS_MAX {
            return Err(InboxFull);
        }
        waiting.commands.push_back(command);
        drop(waiting);
        self.wake();
        Ok(())
    }

    /// Asks all connections to leave, even if the commands are full: those that wait to be
    /// registered are told as soon as they are.
    pub(crate) fn drain(&self, plan: DrainPlan) {
        self.urgent(Command::Drain(plan));
    }

    /// These revocations are in force from now on, whatever else waits: only the newest are kept.
    pub(crate) fn revoke(&self, revocations: Arc<Revocations>) {
        self.tell(|waiting| waiting.revocations = Some(revocations));
    }

    /// Tells the shard to end, even if its commands are full.
    pub(crate) fn stop(&self) {
        self.urgent(Command::Stop);
    }

    fn urgent(&self, command: Command) {
        let mut waiting = self.lock();
        if waiting.shut {
            return;
        }
        waiting.commands.push_front(command);
        drop(waiting);
        self.wake();
    }

    /// The thread has ended, in order or by a panic. Whoever waits for it is told.
    pub(crate) fn shut(&self) {
        let shut = Waiting {
            shut: true,
            ..Waiting::default()
        };
        // Dropped unlocked: senders of answers are among it.
        let waiting = std::mem::replace(&mut *self.lock(), shut);
        for (_, tally) in &waiting.batches {
            tally.add(&[]);
        }
    }

    /// Whether the thread has ended.
    pub(crate) fn is_shut(&self) -> bool {
        self.lock().shut
    }

    /// Whether too much has been asked already.
    pub(crate) fn is_full(&self) -> bool {
        let waiting = self.lock();
        waiting.shut || waiting.commands.len() + waiting.arrivals.len() >= SHARD_COMMANDS_MAX
    }

    /// A stream is here with its socket. Taken even if much has been asked since it was found that
    /// there is room: its client has been told nothing that could be taken back.
    pub(crate) fn arrive(&self, arrival: Arrival) {
        self.tell(|waiting| waiting.arrivals.push(arrival));
    }

    /// A reader has emptied its mailbox.
    pub(crate) fn drained(&self, key: ConnectionKey) {
        self.tell(|waiting| waiting.drained.push(key));
    }

    /// A reader is gone.
    pub(crate) fn left(&self, key: ConnectionKey) {
        self.tell(|waiting| waiting.left.push(key));
    }

    /// Somebody waits for readers, or does no more. Each is told once of each, and few may wait.
    pub(crate) fn watching(&self, watching: Watching) {
        self.tell(|waiting| waiting.watching.push(watching));
    }

    /// A reader thread is done.
    pub(crate) fn answer(&self, answer: Answer) {
        self.tell(|waiting| waiting.answers.push(answer));
    }

    fn tell(&self, note: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.lock();
        if waiting.shut {
            return;
        }
        note(&mut waiting);
        drop(waiting);
        self.wake();
    }

    /// Takes everything that waits. For the shard's thread.
    pub(crate) fn take(&self) -> Waiting {
        // Cleared before looking: whoever adds something from here on wakes the thread again.
        self.woken.store(false, Ordering::SeqCst);
        std::mem::take(&mut *self.lock())
    }

    fn wake(&self) {
        if !self.woken.swap(true, Ordering::SeqCst)
            && let Err(error) = self.waker.wake()
        {
            tracing::error!(cause = %error, "a shard could not be woken");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
