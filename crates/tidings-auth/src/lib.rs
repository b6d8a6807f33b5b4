//! From a presented credential to an identity: one provider per file.
//!
//! It is not: a key server or a user directory. It reaches out by itself to the addresses that the
//! settings name and to no other, through the port [`fetch`]: a header such as `jku`, or an `iss`,
//! cannot make it fetch anything.
//!
//! ```text
//! Presented ─► chain ─┬─ ticket         random, used once to open a stream
//!                     ├─ stream_token   short-lived, opens streams, signed by the hub
//!                     ├─ key            API keys of servers and scripts
//!                     ├─ jwt            token signed by the hub (HS256) or a foreign issuer
//!                     ├─ session_token  the same in a cookie
//!                     ├─ session        cookie of Auth.js or NextAuth (JWE)
//!                     ├─ application    whatever it takes: the application is asked
//!                     └─ development    `?userId=` from this very machine
//!                            │
//!                            ▼
//!                     Identity (who, roles, grants, until when)      mint ─► a token for it
//!
//! bearer, session_token ─► issuer (policies) ─► jwt (taking apart) ─► jwks (keys) ─► claims
//!                                                                       │
//!                                                     fetch ◄───────────┘  by web_fetch
//! ```
//!
//! Start reading at [`issuer`], then [`jwt`], then [`claims`].

pub mod limits;
pub mod secret;

pub mod address;
pub mod journal;
pub mod key;
pub mod store;

pub mod reading;
pub mod stream_token;
pub mod ticket;

pub mod claims;
pub mod issuer;
mod jwks;
pub mod jwt;
pub mod mint;

pub mod anonymous;
pub mod application;
pub mod bearer;
pub mod chain;
pub mod development;
pub mod session;
pub mod session_token;

pub mod provider;
pub mod rules;

pub mod fetch;
mod field_name;
pub mod web_fetch;

pub use jwks::KeyFault;
