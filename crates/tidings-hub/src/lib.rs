//! The engine: from a published event to every matching reader, and back to the log for those who
//! missed something.
//!
//! It is not: a protocol (bytes come from an encoder it is given), a server (it reads no request; a
//! socket comes to it when all that is left to do is to write) or storage (the log is two ports).
//!
//! ```text
//! publish ─► sequencer (port) ─► commit_feed ─► inbox ─► shard_thread ─► socket
//!                                                            │   ▲    └► mailbox ─► transport
//!                                                            ▼   │
//!                                                 readers ─► event store (port)
//! ```
//!
//! Start reading at [`Hub::publish`], then follow the event through `commit_feed` and
//! `shard_thread`.

mod admission;
mod admitted;
mod any_sink;
mod ask;
mod begin;
mod chunk;
mod commit_feed;
mod connection_log;
mod connections;
mod disconnect;
mod drain;
mod figures;
mod fingerprint;
mod health;
mod hub;
mod inbox;
mod limits;
mod lookup;
mod mailbox;
mod open;
mod options;
mod publish;
mod readers;
mod recent_reads;
mod renew;
mod revoke;
mod seat;
mod shard_thread;
mod socket;
mod sockets;
mod store_reads;
mod tally;
mod tcp;
mod threads;
mod waits;

pub use admission::{Allowed, LimitScope};
pub use admitted::Admitted;
pub use chunk::Framing;
pub use connection_log::{Introduce, Introduction};
pub use connections::{Described, Listed, NotSurveyed, SweptAll};
pub use disconnect::DisconnectError;
pub use figures::Figures;
pub use health::{HubHealth, ShardHealth, Stored, WindowSize};
pub use hub::{Hub, Readiness, StartError};
pub use limits::CONNECTIONS_LISTED_MAX;
pub use lookup::{EventName, TopicState};
pub use mailbox::Reader;
pub use open::{OpenError, OpenRequest, Unattached};
pub use options::{Options, Ports};
pub use publish::{PublishError, Published};
pub use renew::{RenewError, Renewed};
pub use tcp::{prepare_accepted, prepare_socket};
pub use tidings_core::delivery::Delivery;
pub use tidings_core::shard::{
    Cause, Census, ConnectionFacts, ConnectionId, ConnectionState, DisconnectReason, Lag, Mode,
    Sweep, Transport, Which,
};
pub use waits::TooManyWaits;
