//! A load on a running hub, this one or any other that speaks server-sent events: readers that check
//! what they get, and publishers that keep a timetable.
//!
//! ```text
//! timetable ─► publishers (one thread, a socket each) ─ POST ─► hub
//!                                                                │ streams
//! scenario ─ orders ─► squads (processes) ─► crews (threads) ─► readers: scanner, ledger
//!          ◄─ tallies ─┘
//! ```
//!
//! Nothing here uses the client of this workspace: a generator has to cost far less than the hub it
//! loads, so streams are scanned where they lie in the read buffer and never parsed as JSON.
//!
//! Start reading at [`scenario`], then [`readers`].

mod body;
mod bundle;
mod clock;
mod error;
mod exchange;
mod fine_poll;
mod h2;
mod head;
mod ledger;
pub(crate) mod limits;
mod meter;
mod probe;
mod processes;
mod publisher;
mod publishing;
mod readers;
mod report;
mod scanner;
mod scenario;
mod socket;
mod stage;
mod tally;
mod target;
mod timetable;
mod turns;

use std::time::Duration;

use tidings_auth::secret::Secret;

pub(crate) use error::LoadError;
pub(crate) use processes::work;
pub(crate) use publishing::Format;
pub(crate) use report::Report;
pub(crate) use scenario::Scenario;
pub(crate) use stage::default_threads;
pub(crate) use target::{Target, TopicTemplate};

/// What is put on a hub.
pub(crate) struct Load {
    /// What is done.
    pub(crate) scenario: Scenario,
    /// Where readers subscribe.
    pub(crate) subscribe: Target,
    /// Where publishers publish.
    pub(crate) publish: Target,
    /// What the hub takes from publishers.
    pub(crate) format: Format,
    /// The credential of all readers and publishers.
    pub(crate) token: Option<Secret>,
    /// Names of topics.
    pub(crate) topic: TopicTemplate,
    /// Topics that readers and events are spread over.
    pub(crate) topics: u32,
    /// Whether publishers speak HTTP/2; idle streams do with it.
    pub(crate) http2: bool,
    /// Idle streams on each connection, where they speak HTTP/2.
    pub(crate) streams: usize,
    /// Readers in all.
    pub(crate) readers: usize,
    /// Publishers, each with one request in flight.
    pub(crate) publishers: usize,
    /// Events per second of all publishers together; without it, as fast as answers come.
    pub(crate) rate: Option<f64>,
    /// Events of one request.
    pub(crate) batch: u64,
    /// Bytes of data of an event.
    pub(crate) event_bytes: usize,
    /// How long publishers publish before anything is timed.
    pub(crate) warm_up: Duration,
    /// How long the timed part is.
    pub(crate) duration: Duration,
    /// How long nothing may arrive before missing events are given up.
    pub(crate) patience: Duration,
    /// Events that returning readers have missed.
    pub(crate) events: u64,
    /// Share of readers that stop reading.
    pub(crate) stopped_percent: usize,
    /// Addresses of this machine that readers connect from.
    pub(crate) source_addresses: Option<usize>,
    /// Processes that readers are spread over.
    pub(crate) processes: Option<usize>,
    /// Threads of readers in each process.
    pub(crate) threads: usize,
    /// Connections that are being opened at the same time.
    pub(crate) opening: usize,
    /// Processes of the hub, to measure what they cost.
    pub(crate) server_pids: Vec<u32>,
}

impl Load {
    /// Puts the load on the hub, and says what came of it.
    pub(crate) fn run(&self) -> Result<Report, LoadError> {
        scenario::run(self)
    }

    /// Readers that stop reading, where the scenario has such.
    fn stopped_readers(&self) -> usize {
        (self.readers * self.stopped_percent).div_ceil(100)
    }
}
