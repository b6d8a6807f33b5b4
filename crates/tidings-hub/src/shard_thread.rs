//! The thread around one shard: takes in, lets the machine do a turn, carries its actions out.
//!
//! Intake comes before everything else in a round, so that a connection that is registered in it
//! starts at the newest head; then readers' answers, commands and sockets, then one bounded turn.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use mio::{Events, Poll};
use tidings_core::port::Clock;
use tidings_core::shard::{
    Action, Batch, ConnectionFacts, ConnectionKey, Now, Registered, Shard, ShardOptions,
};

use crate::any_sink::AnySink;
use crate::connection_log::{ConnectionLog, Introduce};
use crate::connections::{Described, Slice};
use crate::figures::ShardFigures;
use crate::inbox::{Answer, Command, Inbox, Waiting};
use crate::limits::POLLED_EVENTS_MAX;
use crate::options::Ports;
use crate::readers::Readers;
use crate::seat::Registration;
use crate::sockets::{Sockets, WAKER};
use crate::waits::{Gatherings, Watching};

/// One shard and its thread's belongings.
pub(crate) struct ShardThread {
    shard: Shard<AnySink>,
    sockets: Sockets,
    inbox: Arc<Inbox>,
    readers: Readers,
    figures: Arc<ShardFigures>,
    clock: Arc<dyn Clock>,
    log: Arc<ConnectionLog>,
    /// How many connections each event of the batch in hand matched.
    matched: Vec<u64>,
    /// Who waits for readers.
    gatherings: Gatherings,
    /// Which of the hub's shards this is.
    index: usize,
    stopped: bool,
}

/// Shuts the inbox when the thread ends, also by a panic: nobody waits for a shard that is gone.
struct ShutAtTheEnd(Arc<Inbox>);

impl Drop for ShutAtTheEnd {
    fn drop(&mut self) {
        if thread::panicking() {
            tracing::error!("a shard has failed; its connections end");
        }
        self.0.shut();
    }
}

impl ShardThread {
    pub(crate) fn start(
        poll: Poll,
        inbox: Arc<Inbox>,
        readers: Readers,
        figures: Arc<ShardFigures>,
        options: ShardOptions,
        ports: &Ports,
        log: Arc<ConnectionLog>,
    ) -> io::Result<()> {
        let name = format!("shard-{}", options.index);
        let shard = Self {
            index: usize::from(options.index),
            gatherings: Gatherings::default(),
            shard: Shard::new(options),
            sockets: Sockets::new(poll.registry().try_clone()?),
            inbox,
            readers,
            figures,
            clock: ports.clock.clone(),
            log,
            matched: Vec::new(),
            stopped: false,
        };
        thread::Builder::new()
            .name(name)
            .spawn(move || shard.run(poll))?;
        Ok(())
    }

    fn run(mut self, mut poll: Poll) {
        let _shut = ShutAtTheEnd(self.inbox.clone());
        let mut events = Events::with_capacity(POLLED_EVENTS_MAX);
        let mut more = false;
        while !self.stopped {
            let patience = if more {
                Some(Duration::ZERO)
            } else {
                self.until_next_deadline()
            };
            if let Err(error) = poll.poll(&mut events, patience)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(cause = %error, "a shard could not wait for work");
                return;
            }
            more = self.round(&events);
            if more {
                // Whoever publishes, commits and answers on this core comes before the next round,
                // which is the larger for it.
                thread::yield_now();
            }
        }
    }

    fn until_next_deadline(&self) -> Option<Duration> {
        let deadlines = [self.shard.next_deadline(), self.sockets.next_deadline()];
        let at = deadlines.into_iter().flatten().min()?;
        // One more, because a part of a millisecond may be left.
        Some(Duration::from_millis(at.ms_since(self.clock.moment()) + 1))
    }

    fn now(&self) -> Now {
        Now {
            moment: self.clock.moment(),
            wall: self.clock.now(),
        }
    }

    fn round(&mut self, events: &Events) -> bool {
        let waiting = self.inbox.take();
        let now = self.now();
        self.take_in(waiting, now);
        for event in events.iter().filter(|event| event.token() != WAKER) {
            self.sockets.on_event(event, &mut self.shard, now);
        }
        self.sockets.give_up(now.moment);
        let more = self.shard.turn(now);
        for action in self.shard.actions() {
            match action {
                Action::Read(key, request) => {
                    self.readers.read(request, (self.inbox.clone(), key));
                }
                Action::Snapshot(key, request) => {
                    self.readers.snapshot(request, (self.inbox.clone(), key));
                }
                Action::CatchUp(after) => self.readers.catch_up(after, self.inbox.clone()),
                Action::Closed(closed, sink) => {
                    self.log.removed(closed, now.moment);
                    self.sockets.ended(sink, now.moment);
                }
            }
        }
        if !self.gatherings.is_empty() {
            // After the turn: a page that was answered in it reads nothing any more.
            let (gatherings, index) = (&self.gatherings, self.index);
            let tell = |id, readers| gatherings.tell(index, id, readers);
            self.shard.tell_watches(tell);
        }
        self.figures.set(self.shard.totals());
        more
    }

    fn take_in(&mut self, waiting: Waiting, now: Now) {
        // Before anybody is registered or renewed: whoever was proven before these is held against
        // them.
        if let Some(revocations) = waiting.revocations {
            self.shard.revoke(revocations);
        }
        // Before events, so that a publisher's count leaves out whoever went away before it.
        for key in waiting.left {
            self.shard.left(key, now);
        }
        for (batch, tally) in waiting.batches {
            self.matched.clear();
            self.shard.take_in(&batch, &mut self.matched);
            tally.add(&self.matched);
        }
        if let Some((after, evict_through)) = waiting.dropped_through {
            // An empty stretch that begins behind the dropped ones shows the shard what it missed.
            let batch = Batch {
                after,
                events: Arc::new([]),
                evict_through,
            };
            self.shard.take_in(&batch, &mut self.matched);
        }
        for answer in waiting.answers {
            match answer {
                Answer::Replayed(key, answer) => self.shard.replayed(key, answer),
                Answer::Snapshot(key, answer) => self.shard.snapshot(key, answer),
                Answer::CaughtUp(found) => self.shard.caught_up(&found),
            }
        }
        for command in waiting.commands {
            self.obey(command, now);
        }
        for arrival in waiting.arrivals {
            let registered = self.shard.open(*arrival.opening, now);
            self.added(registered, arrival.introduce, now);
            (arrival.opened)(registered.id);
            let key = registered.key;
            self.sockets
                .attach(key, arrival.socket, &mut self.shard, now);
        }
        for key in waiting.drained {
            self.shard.drained(key, now);
        }
        for watching in waiting.watching {
            self.watch(&watching);
        }
    }

    fn watch(&mut self, watching: &Watching) {
        match watching {
            Watching::Begun(gathering) => {
                self.gatherings.begin(gathering);
                for (id, awaited) in gathering.watches() {
                    self.shard.watch(id, awaited.clone());
                }
            }
            Watching::Ended(gathering) => {
                self.gatherings.end(gathering);
                for (id, _) in gathering.watches() {
                    self.shard.unwatch(id);
                }
            }
        }
    }

    fn obey(&mut self, command: Command, now: Now) {
        match command {
            Command::Open(opening, introduce, answer) => {
                let registered = self.shard.open(*opening, now);
                self.added(registered, introduce, now);
                // Whoever asked may be gone, or go before it looks: then the registration itself
                // tells the shard.
                drop(answer.send(Registration::new(self.inbox.clone(), registered)));
            }
            Command::Survey(which, wanted, from, answer) => {
                let found = self.shard.survey(&which, wanted, from, now);
                let described = found.described.into_iter();
                let slice = Slice {
                    census: found.census,
                    lag: found.lag,
                    described: described
                        .map(|(key, facts)| self.with_address(key, facts))
                        .collect(),
                    subjects: found.subjects,
                    next: found.next,
                };
                // Whoever asked may be gone; so below.
                drop(answer.send(slice));
            }
            Command::Inspect(id, answer) => {
                let found = self.shard.inspect(id, now);
                let found = found.map(|(key, facts)| self.with_address(key, facts));
                drop(answer.send(found));
            }
            Command::Ping(id, answer) => {
                let _: Result<_, _> = answer.send(self.shard.ping(id, now));
            }
            Command::Sweep(sweep, from, answer) => {
                let _: Result<_, _> = answer.send(self.shard.sweep(&sweep, from, now));
            }
            Command::ReadersBy(selector, answer) => {
                let _: Result<_, _> = answer.send(self.shard.readers_by(&selector));
            }
            Command::Asked(id, subject, answer) => {
                drop(answer.send(self.shard.asked(id, Some(&subject))));
            }
            Command::Rescope(id, rescope, answer) => {
                let _: Result<_, _> = answer.send(self.shard.rescope(id, *rescope, now));
            }
            Command::Disconnect(id, reason, answer) => {
                let _: Result<_, _> = answer.send(self.shard.disconnect(id, &reason, now));
            }
            Command::Drain(plan) => self.shard.drain(plan, now),
            Command::Stop => self.stopped = true,
        }
    }

    /// Lets the operator know of a stream.
    fn added(&self, registered: Registered, introduce: Option<Introduce>, now: Now) {
        let outline = || self.shard.outline(registered.key);
        self.log.added(registered, outline, introduce, now.moment);
    }

    /// What is known of a connection, with what its sink knows.
    fn with_address(&mut self, key: ConnectionKey, facts: ConnectionFacts) -> Described {
        let address = self.shard.sink(key).and_then(|sink| sink.address());
        Described { facts, address }
    }
}
