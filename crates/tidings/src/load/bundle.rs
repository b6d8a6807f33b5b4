//! Streams over HTTP/2, several on each connection, that are opened and held: what one costs a hub.
//!
//! What arrives is not looked at, but for what HTTP/2 asks: whether a stream is open, and whether the
//! hub ends it.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::clock::now_us;
use super::h2::{Connection, Fields, News};
use super::limits::{OPEN_MAX_US, READ_BYTES};
use super::socket::{begin_connect, source_address};
use super::tally::Tally;

const EVENTS_AT_ONCE: usize = 1_024;

/// How often it is checked that the time is over.
const CHECK: Duration = Duration::from_millis(50);

/// All connections.
pub(super) struct Bundles {
    plan: BundlePlan,
    poll: Poll,
    events: Events,
    buffer: Vec<u8>,
    all: Vec<Bundle>,
    waiting: VecDeque<usize>,
    /// Connections that have begun, of which not every stream is open.
    opening: usize,
    tally: Tally,
}

/// Where streams are opened, and how many.
pub(super) struct BundlePlan {
    pub(super) address: SocketAddr,
    /// The request of each topic.
    pub(super) requests: Vec<Fields>,
    pub(super) streams: usize,
    /// Streams of each connection; the last one may have fewer.
    pub(super) of_each: usize,
    /// Connections that are being opened at the same time.
    pub(super) opening: usize,
    /// Addresses of this machine to connect from; 0 leaves the choice to the system.
    pub(super) source_addresses: usize,
}

/// One connection with its streams.
struct Bundle {
    socket: Option<TcpStream>,
    connection: Connection,
    /// Streams that are wanted, and those that are open.
    wanted: usize,
    open: usize,
    begun_us: u64,
}

impl Bundles {
    pub(super) fn new(plan: BundlePlan) -> io::Result<Self> {
        let connections = plan.streams.div_ceil(plan.of_each);
        let bundle = |index| Bundle {
            socket: None,
            connection: Connection::new(),
            wanted: plan.of_each.min(plan.streams - index * plan.of_each),
            open: 0,
            begun_us: 0,
        };
        Ok(Self {
            all: (0..connections).map(bundle).collect(),
            waiting: (0..connections).collect(),
            plan,
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_AT_ONCE),
            buffer: vec![0; READ_BYTES],
            opening: 0,
            tally: Tally::default(),
        })
    }

    /// Connections.
    pub(super) fn connections(&self) -> usize {
        self.all.len()
    }

    /// Opens all streams; ends early if one is refused.
    pub(super) fn open(&mut self) -> io::Result<Tally> {
        let deadline = now_us() + OPEN_MAX_US;
        while self.tally.open < self.plan.streams
            && self.tally.cause.is_none()
            && now_us() < deadline
        {
            self.begin()?;
            self.turn(CHECK)?;
        }
        Ok(self.tally.clone())
    }

    /// Holds the streams for a while.
    pub(super) fn hold(&mut self, duration: Duration) -> io::Result<Tally> {
        let until = now_us() + super::clock::micros(duration);
        while now_us() < until {
            self.turn(CHECK)?;
        }
        Ok(self.tally.clone())
    }

    /// Begins as many connections as may be opening.
    fn begin(&mut self) -> io::Result<()> {
        while self.opening < self.plan.opening.max(1)
            && let Some(index) = self.waiting.pop_front()
        {
            let from = source_address(index, self.plan.source_addresses);
            let mut socket = begin_connect(self.plan.address, from)?;
            let interests = Interest::READABLE | Interest::WRITABLE;
            let registry = self.poll.registry();
            registry.register(&mut socket, Token(index), interests)?;
            let Some(bundle) = self.all.get_mut(index) else {
                continue;
            };
            bundle.socket = Some(socket);
            bundle.begun_us = now_us();
            for stream in 0..bundle.wanted {
                let number = index * self.plan.of_each + stream;
                let topic = number % self.plan.requests.len().max(1);
                if let Some(request) = self.plan.requests.get(topic) {
                    bundle.connection.get(request);
                }
            }
            self.opening += 1;
        }
        Ok(())
    }

    fn turn(&mut self, longest: Duration) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(longest)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        for event in &self.events {
            let Some(bundle) = self.all.get_mut(event.token().0) else {
                continue;
            };
            let was_opening = bundle.open < bundle.wanted;
            if let Err(error) = bundle.look(&mut self.buffer, &mut self.tally) {
                self.tally.cause = Some(error.to_string());
                self.tally.interrupted += bundle.open as u64;
                self.tally.open -= bundle.open;
                self.tally.failed += bundle.wanted - bundle.open;
                (bundle.socket, bundle.wanted, bundle.open) = (None, 0, 0);
            }
            if was_opening && bundle.open >= bundle.wanted {
                self.opening -= 1;
            }
        }
        Ok(())
    }
}

impl Bundle {
    /// Sends what is to be sent, and reads what has arrived.
    fn look(&mut self, buffer: &mut [u8], tally: &mut Tally) -> io::Result<()> {
        self.send()?;
        while let Some(socket) = &mut self.socket {
            let length = match socket.read(buffer) {
                Ok(0) => return Err(io::Error::other("the hub closed the connection")),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let arrived = buffer.get(..length).unwrap_or_default();
            let (open, begun_us) = (&mut self.open, self.begun_us);
            let taken = self.connection.take(arrived, |_, news| match news {
                News::Head { status: 200, .. } => {
                    *open += 1;
                    tally.open += 1;
                    tally.openings.record(now_us().saturating_sub(begun_us));
                }
                News::Head { status, .. } => {
                    tally.failed += 1;
                    tally.cause = Some(status.to_string());
                }
                News::Data { ends: false, .. } => {}
                News::Data { ends: true, .. } | News::Reset(_) => tally.interrupted += 1,
            });
            taken.map_err(io::Error::other)?;
        }
        self.send()
    }

    fn send(&mut self) -> io::Result<()> {
        let Some(socket) = &mut self.socket else {
            return Ok(());
        };
        let out = self.connection.out();
        while !out.is_empty() {
            match socket.write(out) {
                Ok(sent) => drop(out.drain(..sent)),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected
                    ) =>
                {
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // Requests are large, and hundreds of connections are held: the room is given back.
        *out = Vec::new();
        Ok(())
    }
}
