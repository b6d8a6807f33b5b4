//! The providers from outside: what they accept, and everything they must not.

mod chain;
mod claims;
mod fixtures;
mod forge;
mod forgery;
mod journal;
mod keys;
mod leak;
mod person;
mod session;
mod session_forgery;
mod store;
mod stream_tokens;
mod tickets;
mod times;
