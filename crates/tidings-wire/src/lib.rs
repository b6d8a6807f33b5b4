//! Bytes to and from the vocabulary of Tidings.
//!
//! It is not: a server. Nothing here knows a socket, a runtime, a file or a clock; whoever has bytes
//! calls a function, and gets words of `tidings-core` or an error that knows its problem document.
//!
//! ```text
//! publish body ─► publish ─► Content          Event, Control ─► sse, envelope, page ─► bytes
//! query, header ─► query ──► Subscription,    errors ─► problem ─────────────────────► bytes
//!                            Start            bytes ─► sse::parse ─► items (clients, tests)
//! text of a stream ─► coding ──────────────────────► blocks that all readers of a coding share
//! ```
//!
//! The protocol is written down in `spec/PROTOCOL.md`. Start reading at [`sse`], then [`publish`].

pub mod limits;

pub mod coding;
pub mod sse;

pub mod publish;
pub mod query;

pub mod access;
pub mod operator;
pub mod page;
pub mod problem;

mod envelope;
mod json;
mod shown;
