//! The embedded durable log of Tidings, and the memory log with the same duties.
//!
//! It is not: a general store. One log is one order of events, appended by one process; everything
//! else follows from that order.
//!
//! ```text
//! append ─► queue ─► committer: dedupe, place, one write, one sync ─► table ─► feed ─► replies
//!                       │ seals                                         ▲
//!                       ▼                                               │
//!            segment files ◄── keeper: index files, next segment,     readers
//!                                retention
//! ```
//!
//! Start reading at [`EmbeddedLog`], then `committer.rs`, then `scan.rs`, which decides after a crash
//! what was committed.

pub mod dedupe;
pub mod disk;
pub mod limits;
pub mod memory;

mod active;
mod committer;
mod embedded;
mod feed;
mod floors;
mod header;
mod index;
mod keeper;
mod look_up;
mod matcher;
mod newest;
mod options;
mod page;
mod postings;
mod preamble;
mod queue;
mod read;
mod record;
mod recover;
mod retention;
mod scan;
mod segment;
mod shared;
mod steady;
mod walk;

pub use embedded::EmbeddedLog;
pub use options::{DamageFound, Damaged, KeeperMode, OpenError, Options, Random, RecoveryReport};
pub use retention::{Retention, RetentionRule};
