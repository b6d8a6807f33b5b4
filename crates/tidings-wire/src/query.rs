//! Query parameters and `Last-Event-ID`: from text to what a reader asks for.
//!
//! Each parameter has a function of its own, so that a route takes those that it documents; errors
//! name the parameter, what was expected, and the fix.

mod error;
mod list;
mod measure;
mod pairs;
mod start;

pub use error::{QueryError, QueryFault};
pub use list::{audience, patterns, split_list, types};
pub(crate) use measure::parse_duration;
pub use measure::{count, duration, limit, limit_at_most, reader_wait, wait};
pub use pairs::{Pair, pairs, percent_decode, unknown};
pub use start::{LAST_EVENT_ID_PARAMETERS, last_event_id, since};
