//! What must hold for every input: one function per decoder, for tests and for fuzzers.
//!
//! It is not: a list of examples. A target takes any bytes and panics if a promise does not hold: a
//! decoder panicked, a text has two spellings, a forgery was accepted, or something differs from the
//! naive way of doing it.
//!
//! ```text
//! seeds/<target>/* ─┬─ cargo test ──────► each seed, and mutations of it, the same ones in every run
//!                   └─ cargo xtask fuzz ─► libFuzzer (`guided/`), which looks for new paths
//! ```
//!
//! Inputs are texts with one part per line where that is possible, so that seeds can be read and written
//! by hand. Start reading at [`TARGETS`].

#![expect(
    clippy::missing_panics_doc,
    reason = "a target panics where a promise does not hold; that is what it is for"
)]

mod input;
mod world;

pub mod mutation;

pub mod api_key;
pub mod auth_journal;
pub mod claims;
pub mod cloud_event;
pub mod cookies;
pub mod cursor;
pub mod forwarded;
pub mod jwt;
pub mod pattern;
pub mod publish;
pub mod query;
pub mod rules;
pub mod session;
pub mod settings_file;
pub mod sse;
pub mod stream_token;
pub mod ticket;

/// A function that must not panic, whatever it is given.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is that of its folder of seeds.
    pub name: &'static str,
    /// The function.
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// All targets.
pub const TARGETS: [Target; 21] = [
    target("api_key", api_key::api_key),
    target("auth_journal", auth_journal::auth_journal),
    target("claim_layout", claims::claim_layout),
    target("cloud_event", cloud_event::cloud_event),
    target("cookie_chunks", cookies::cookie_chunks),
    target("cursor", cursor::cursor),
    target("forwarded", forwarded::forwarded),
    target("jwt", jwt::jwt),
    target("jwt_claims", jwt::jwt_claims),
    target("ndjson_lines", publish::ndjson_lines),
    target("pattern", pattern::pattern),
    target("publish_body", publish::publish_body),
    target("query", query::query),
    target("rule_template", rules::rule_template),
    target("session_claims", session::session_claims),
    target("session_cookie", session::session_cookie),
    target("settings_file", settings_file::settings_file),
    target("sse_parser", sse::sse_parser),
    target("stream_token", stream_token::stream_token),
    target("ticket_content", ticket::ticket_content),
    target("ticket_text", ticket::ticket_text),
];
