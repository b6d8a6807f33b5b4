//! What the tests of several crates share: fakes of the ports, builders, and conformance suites.
//!
//! It is not: part of the program. Nothing but tests depends on it.
//!
//! A port has one public suite here; an adapter is done when it passes. The functions of a suite
//! panic where an adapter fails its duty, and a macro makes each of them a test with its own name.
//!
//! ```text
//! draft ─► append ─┐                      ┌─► reading
//!                  ├─► log under test ────┤
//! clock ───────────┘                      └─► recording_feed
//! ```
//!
//! The real program is started, killed and spoken to by [`program`] and [`plain_client`]; what those
//! send who mean it no good is in [`malformed`] and [`h2_attack`].
//!
//! Start reading at [`mod@log_conformance`], or at [`mod@store_conformance`] for the shared store.

#![expect(
    clippy::missing_panics_doc,
    reason = "everything here says no by panicking, that is its purpose"
)]

pub mod append;
pub mod certificate;
pub mod clock;
pub mod draft;
pub mod reading;
pub mod recording_feed;

pub mod log_conformance;
pub mod store_conformance;

pub mod h2_attack;
pub mod malformed;
pub mod plain_client;
pub mod program;
pub mod random;

/// How long a test waits for something that must happen, in seconds. Far beyond what any machine
/// needs, so that reaching it is a failure of the code and not of the machine.
pub const PATIENCE_S: u64 = 30;
