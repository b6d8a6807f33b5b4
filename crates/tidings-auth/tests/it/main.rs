//! The providers from outside: what they accept, and everything they must not.

mod chain;
mod claims;
mod forge;
mod forgery;
mod journal;
mod keys;
mod leak;
mod person;
mod store;
mod stream_tokens;
mod tickets;
mod times;
