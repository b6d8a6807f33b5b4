//! Vocabulary, policies and pure machines of Tidings.
//!
//! It is not: a runtime, a protocol, or storage. Nothing here reads a clock, touches a disk or a
//! socket, or starts a task; time and randomness are arguments, and the world is reached through the
//! traits of [`port`].
//!
//! ```text
//! name ─► topic ─► pattern ─► grant ─► identity ─► subscription ─► scope
//!                                                                    │
//! event (content, audience, priority) ─► position, lineage ──────────┴─► what a reader gets, or gap
//! ```
//!
//! Start reading at [`position`], then [`scope`], then [`port`].

pub mod limits;

pub mod audience;
pub mod awaited;
pub mod coding;
pub mod distribution;
pub mod event;
pub mod event_type;
pub mod gap;
pub mod id;
pub mod lineage;
pub mod name;
pub mod pattern;
pub mod position;
pub mod priority;
pub mod time;
pub mod topic;

pub mod credential;
pub mod explanation;
pub mod grant;
pub mod holder;
pub mod identity;
pub mod provenance;
pub mod revocation;
pub mod scope;
pub mod start;
pub mod subscription;

pub mod port;

pub mod delivery;
pub mod shard;
