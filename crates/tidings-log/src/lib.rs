//! The embedded durable log of Tidings, and the memory log with the same duties.

pub mod dedupe;
pub mod disk;
pub mod limits;

mod header;
mod index;
mod preamble;
mod record;
