//! The providers from outside: what they accept, and everything they must not.

mod chain;
mod claims;
mod forge;
mod forgery;
mod leak;
mod times;
