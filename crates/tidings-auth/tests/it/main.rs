//! The providers from outside: what they accept, and everything they must not.

mod application;
mod application_outage;
mod application_policy;
mod chain;
mod claims;
mod fixtures;
mod forge;
mod forgery;
mod leak;
mod session;
mod session_forgery;
mod session_policy;
mod times;
mod web;
