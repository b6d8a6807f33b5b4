//! The sockets of a shard: who can take more, who is gone, and the last words of those that ended.

use std::collections::VecDeque;
use std::io::{self, Read as _};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use slab::Slab;
use tidings_core::shard::{ConnectionKey, Now, Shard};
use tidings_core::time::Moment;

use crate::any_sink::AnySink;
use crate::limits::LAST_WORD_MS_MAX;
use crate::socket::{Progress, Socket, SocketSink};

#[cfg(test)]
mod tests;

/// Names the thread's waker in its poll.
pub(crate) const WAKER: Token = Token(usize::MAX);

/// Marks the tokens of ended connections; slots of living ones stay below it.
const ENDED: usize = 1 << 31;

/// An ended connection whose last word is not written yet.
#[derive(Debug)]
struct Ended {
    sink: SocketSink,
    until: Moment,
}

/// What a shard's poll knows.
#[derive(Debug)]
pub(crate) struct Sockets {
    registry: Registry,
    ended: Slab<Ended>,
    /// When ended ones are given up, in order: all have the same time.
    deadlines: VecDeque<(Moment, usize)>,
}

impl Sockets {
    pub(crate) fn new(registry: Registry) -> Self {
        Self {
            registry,
            ended: Slab::new(),
            deadlines: VecDeque::new(),
        }
    }

    /// A connection's socket is here: what waits for it is written.
    pub(crate) fn attach(
        &self,
        key: ConnectionKey,
        socket: Socket,
        shard: &mut Shard<AnySink>,
        now: Now,
    ) {
        // The connection may have ended meanwhile, with a word that nobody can hear.
        let Some(AnySink::Socket(sink)) = shard.sink(key) else {
            return;
        };
        let interests = Interest::READABLE | Interest::WRITABLE;
        let stream = sink.attach(socket);
        match self.registry.register(stream, token(key), interests) {
            Ok(()) => advance(key, shard, now),
            Err(error) => {
                tracing::warn!(connection = %key, cause = %error, "a socket could not be used");
                shard.left(key, now);
            }
        }
    }

    /// Something has happened at a socket.
    pub(crate) fn on_event(&mut self, event: &Event, shard: &mut Shard<AnySink>, now: Now) {
        let bits = event.token().0;
        if bits & ENDED != 0 {
            self.see_off(bits & !ENDED, event);
            return;
        }
        let key = ConnectionKey::from_bits(bits as u64);
        let Some(AnySink::Socket(sink)) = shard.sink(key) else {
            // It ended earlier in this round.
            return;
        };
        let Some(stream) = sink.stream() else { return };
        if is_gone(event, stream) {
            shard.left(key, now);
        } else if event.is_writable() {
            advance(key, shard, now);
        }
    }

    /// Takes the sink of a connection that has ended. If its last word is not written yet, it stays
    /// a little.
    pub(crate) fn ended(&mut self, sink: AnySink, now: Moment) {
        let AnySink::Socket(mut sink) = sink else {
            return;
        };
        if !sink.is_unfinished() {
            return;
        }
        let Some(stream) = sink.stream() else { return };
        let entry = self.ended.vacant_entry();
        let token = Token(ENDED | entry.key());
        let interests = Interest::READABLE | Interest::WRITABLE;
        if self.registry.reregister(stream, token, interests).is_ok() {
            let until = now.plus_ms(LAST_WORD_MS_MAX);
            self.deadlines.push_back((until, entry.key()));
            entry.insert(Ended { sink, until });
        }
    }

    /// When somebody's time for a last word is over.
    pub(crate) fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.front().map(|(at, _)| *at)
    }

    /// Gives up those that had their time.
    pub(crate) fn give_up(&mut self, now: Moment) {
        while let Some((at, place)) = self.deadlines.front().copied() {
            if at > now {
                return;
            }
            self.deadlines.pop_front();
            // The place may be another's by now, whose own deadline follows.
            if self
                .ended
                .get(place)
                .is_some_and(|ended| ended.until <= now)
            {
                self.ended.remove(place);
            }
        }
    }

    fn see_off(&mut self, place: usize, event: &Event) {
        let Some(ended) = self.ended.get_mut(place) else {
            return;
        };
        let gone = ended
            .sink
            .stream()
            .is_none_or(|stream| is_gone(event, stream));
        if gone || matches!(ended.sink.resume(), Progress::Done | Progress::Gone) {
            self.ended.remove(place);
        }
    }
}

fn token(key: ConnectionKey) -> Token {
    Token(key.to_bits() as usize)
}

/// Writes what waits for a connection, and tells the shard.
fn advance(key: ConnectionKey, shard: &mut Shard<AnySink>, now: Now) {
    let Some(AnySink::Socket(sink)) = shard.sink(key) else {
        return;
    };
    match sink.resume() {
        Progress::Done => shard.drained(key, now),
        Progress::Some => shard.progressed(key, now),
        Progress::None => {}
        Progress::Gone => shard.left(key, now),
    }
}

/// Whether the peer has gone. One that closes its sending side has: no reader of a stream does so. Nor
/// does one say anything: what would come is another request, which can never be answered here.
fn is_gone(event: &Event, stream: &mut TcpStream) -> bool {
    if event.is_error() || event.is_read_closed() {
        return true;
    }
    if !event.is_readable() {
        return false;
    }
    loop {
        match stream.read(&mut [0; 64]) {
            Ok(_) => return true,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
        }
    }
}
