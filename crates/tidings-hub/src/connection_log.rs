//! Log lines about connections that come and go, and about events that nobody reads.
//!
//! A line says how many readers are left, which only all shards together know. So a shard that has
//! something to tell leaves a note, and a thread of its own asks the shards and writes the line: no shard
//! waits for another, nor for whoever reads the log. A storm of connections is a limited number of lines
//! a second, and a count.

mod budget;
mod unread;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use tidings_core::audience::{Audience, Subject};
use tidings_core::position::Position;
use tidings_core::scope::Selector;
use tidings_core::shard::{Closed, Outline, Registered};
use tidings_core::time::Moment;
use tokio::sync::oneshot;
use tracing::Level;

use crate::inbox::{Command, Inbox};
use crate::limits::{CONNECTION_LINES_PER_SECOND_MAX, CONNECTION_NOTES_MAX, SUPPRESSED_TOLD_AFTER};
use budget::Budget;
use unread::Unread;

/// Who is let in, in the words of its transport.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// By which profile.
    pub profile: String,
    /// In which request.
    pub request: String,
    /// From where.
    pub client: IpAddr,
}

/// Introduces a connection, if there is a line about it.
#[derive(Clone)]
pub struct Introduce(Arc<dyn Fn() -> Introduction + Send + Sync>);

impl Introduce {
    /// The words are made only when they are wanted.
    pub fn new(words: impl Fn() -> Introduction + Send + Sync + 'static) -> Self {
        Self(Arc::new(words))
    }
}

impl fmt::Debug for Introduce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introduce").finish_non_exhaustive()
    }
}

/// Something worth a line.
enum Note {
    Added {
        registered: Registered,
        outline: Outline,
        who: Introduction,
        suppressed: Option<u64>,
    },
    Removed {
        closed: Closed,
        suppressed: Option<u64>,
    },
}

/// The log of a hub's connections.
#[derive(Default)]
pub(crate) struct ConnectionLog {
    notes: OnceLock<SyncSender<Note>>,
    counts: Arc<Counts>,
    unread: Mutex<Unread>,
}

#[derive(Debug, Default)]
struct Counts {
    added: Budget,
    removed: Budget,
}

impl fmt::Debug for ConnectionLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionLog").finish_non_exhaustive()
    }
}

impl ConnectionLog {
    /// Starts the thread that writes the lines. It ends when nobody is left who could leave a note.
    pub(crate) fn start(&self, inboxes: Vec<Arc<Inbox>>) -> io::Result<()> {
        let (notes, left) = sync_channel(CONNECTION_NOTES_MAX);
        let writer = Writer {
            inboxes,
            counts: self.counts.clone(),
        };
        thread::Builder::new()
            .name("connection-log".to_owned())
            .spawn(move || writer.run(&left))?;
        // It is started once; a second thread would find nobody who leaves it a note.
        drop(self.notes.set(notes));
        Ok(())
    }

    /// A stream has been registered.
    pub(crate) fn added(
        &self,
        registered: Registered,
        outline: impl FnOnce() -> Option<Outline>,
        introduce: Option<Introduce>,
        now: Moment,
    ) {
        let Some(Introduce(introduce)) = introduce else {
            return;
        };
        let note = |suppressed| {
            Some(Note::Added {
                registered,
                outline: outline()?,
                who: introduce(),
                suppressed,
            })
        };
        self.leave(&self.counts.added, note, now);
    }

    /// A connection is gone.
    pub(crate) fn removed(&self, closed: Closed, now: Moment) {
        if closed.is_page {
            let (connection, cause, open_ms) = (closed.id, closed.cause.as_str(), closed.open_ms);
            tracing::debug!(%connection, cause, open_ms, "page ended");
            return;
        }
        let note = |suppressed| Some(Note::Removed { closed, suppressed });
        self.leave(&self.counts.removed, note, now);
    }

    fn leave(&self, budget: &Budget, note: impl FnOnce(Option<u64>) -> Option<Note>, now: Moment) {
        if !tracing::enabled!(Level::INFO) {
            return;
        }
        let Some(suppressed) = budget.take(now, CONNECTION_LINES_PER_SECOND_MAX) else {
            return;
        };
        let told = (suppressed > 0).then_some(suppressed);
        let left = match (note(told), self.notes.get()) {
            (Some(note), Some(notes)) => notes.try_send(note).is_ok(),
            _ => false,
        };
        if !left {
            budget.put_back(suppressed + 1);
        }
    }

    /// An event was published, and nobody reads it.
    pub(crate) fn unread(&self, audience: &Audience, position: Position, now: Moment) {
        if !tracing::enabled!(Level::INFO) {
            return;
        }
        let Some(key) = audience.keys().first() else {
            return;
        };
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(suppressed) = unread.say(key, now) else {
            return;
        };
        drop(unread);
        let suppressed = (suppressed > 0).then_some(suppressed);
        tracing::info!(topic = %key, cursor = %position, suppressed, "no connections");
    }
}

/// Writes the lines.
struct Writer {
    inboxes: Vec<Arc<Inbox>>,
    counts: Arc<Counts>,
}

impl Writer {
    fn run(&self, notes: &Receiver<Note>) {
        loop {
            match notes.recv_timeout(SUPPRESSED_TOLD_AFTER) {
                Ok(note) => self.write(note),
                Err(RecvTimeoutError::Timeout) => self.tell_suppressed(),
                Err(RecvTimeoutError::Disconnected) => return self.tell_suppressed(),
            }
        }
    }

    fn write(&self, note: Note) {
        match note {
            Note::Added {
                registered,
                outline,
                who,
                suppressed,
            } => {
                let remaining = self.remaining(outline.first.as_ref());
                tracing::info!(
                    connection = %registered.id,
                    topic = topic(&outline),
                    topics = outline.topics,
                    remaining,
                    subject = subject(&outline),
                    profile = who.profile,
                    client = %who.client,
                    request = who.request,
                    resume = registered.replay.as_str(),
                    suppressed,
                    "connection added"
                );
            }
            Note::Removed { closed, suppressed } => {
                let remaining = self.remaining(closed.outline.first.as_ref());
                tracing::info!(
                    connection = %closed.id,
                    topic = topic(&closed.outline),
                    topics = closed.outline.topics,
                    remaining,
                    subject = subject(&closed.outline),
                    cause = closed.cause.as_str(),
                    open_ms = closed.open_ms,
                    events = closed.events,
                    bytes = closed.bytes,
                    suppressed,
                    "connection removed"
                );
            }
        }
    }

    /// A storm has passed: about so many connections there was no line.
    fn tell_suppressed(&self) {
        let (added, removed) = (self.counts.added.rest(), self.counts.removed.rest());
        if added + removed > 0 {
            tracing::info!(added, removed, "connections without a line of their own");
        }
    }

    /// How many connections read by a selector, at all shards; none if one of them cannot be asked.
    fn remaining(&self, selector: Option<&Selector>) -> Option<u64> {
        let selector = selector?;
        let mut sum = 0;
        for inbox in &self.inboxes {
            let (answer, counted) = oneshot::channel();
            let ask = Command::ReadersBy(selector.clone(), answer);
            inbox.command(ask).ok()?;
            sum += counted.blocking_recv().ok()? as u64;
        }
        Some(sum)
    }
}

/// The first topic as text; nothing, for a connection that reads nothing.
fn topic(outline: &Outline) -> String {
    let first = outline.first.as_ref();
    first.map(ToString::to_string).unwrap_or_default()
}

fn subject(outline: &Outline) -> &str {
    outline.subject.as_ref().map_or("", Subject::as_str)
}
