//! From a presented credential to an identity: one provider per file.
//!
//! It is not: a key server, a user directory, or anything that reaches out by itself. This crate has
//! no network dependency, so that a header such as `jku` cannot make it fetch anything.
//!
//! ```text
//! Presented ─► chain ─┬─ ticket        random, used once to open a stream
//!                     ├─ stream_token  short-lived, opens streams, signed by the hub
//!                     ├─ key           API keys of servers and scripts
//!                     ├─ jwt           bearer token signed with a shared secret (HS256)
//!                     └─ development   `?userId=` from this very machine
//!                            │
//!                            ▼
//!                     Identity (who, roles, grants, until when)      mint ─► a token for it
//! ```
//!
//! Start reading at [`jwt`], then [`claims`].

pub mod limits;
pub mod secret;

pub mod journal;
pub mod key;
pub mod store;

pub mod reading;
pub mod stream_token;
pub mod ticket;

pub mod claims;
pub mod jwt;
pub mod mint;

pub mod chain;
pub mod development;
pub mod fetch;
pub mod provider;
