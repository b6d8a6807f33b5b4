//! A client of a hub: publish, read a stream that reconnects by itself, or poll.
//!
//! It is not: a connection pool, a TLS stack, or a cache of events. It speaks HTTP/1.1 to one hub,
//! and keeps nothing but the place that a stream has reached.
//!
//! ```text
//! Client ─┬─ publish ─┐
//!         ├─ poll ────┼─► exchange ─► one hub
//!         └─ stream ──┘      ▲
//!              └─ backoff ───┘   after a loss: Last-Event-ID, full jitter, the hub's own wishes
//! ```
//!
//! Start reading at [`client`], then [`stream`].

pub mod limits;

pub mod client;
pub mod failure;

pub mod poll;
pub mod publish;
pub mod reading;

pub mod backoff;
pub mod incoming;
pub mod stream;
mod trust;

mod endpoint;
mod exchange;

pub use client::{Client, Options};
pub use endpoint::BadUrl;
pub use failure::{Refusal, RequestError};
pub use incoming::{Bye, Event, Gap, Hello, Incoming};
pub use reading::Reading;
pub use stream::Stream;
pub use trust::{Trust, TrustError};
