//! From a presented credential to an identity: one provider per file.
//!
//! It is not: a key server, a user directory, or anything that reaches out by itself. This crate has
//! no network dependency, so that a header such as `jku` cannot make it fetch anything.
//!
//! ```text
//! Presented ─► chain ─┬─ jwt          bearer token signed with a shared secret (HS256)
//!                     ├─ session      cookie of Auth.js or NextAuth (JWE)
//!                     ├─ application  whatever it takes: the application is asked
//!                     └─ development  `?userId=` from this very machine
//!                            │
//!                            ▼
//!                     Identity (who, roles, grants, until when)      mint ─► a token for it
//! ```
//!
//! Start reading at [`jwt`], then [`claims`].

pub mod limits;
pub mod secret;

pub mod claims;
pub mod jwt;
pub mod mint;

pub mod application;
pub mod chain;
pub mod development;
mod endpoint;
pub mod fetch;
pub mod place;
pub mod provider;
mod registered;
pub mod session;
