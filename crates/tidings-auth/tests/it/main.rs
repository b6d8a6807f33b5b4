//! The providers from outside: what they accept, and everything they must not.

mod algorithms;
mod chain;
mod claims;
mod foreign;
mod forge;
mod forgery;
mod key_server;
mod key_sets;
mod leak;
mod presets;
mod session_tokens;
mod signer;
mod times;
mod web_fetch;
mod world;
