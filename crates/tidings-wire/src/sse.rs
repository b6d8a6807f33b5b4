//! Server-sent events: writing them for readers, and reading them back.
//!
//! A block is `event:`, `data:`, for a farewell `retry:`, then `id:` as its last line. The id is the
//! position through which the stream has told everything, this block included. The source of the
//! line rules is the HTML standard, section 9.2.

mod block;
mod control;
mod dialect;
mod encode;
mod parse;

pub use block::push_refusal;
pub(crate) use control::push_gap;
pub use dialect::{Beat, Dialect, Form};
pub use encode::{JSON, NATIVE, SSE_ENVELOPE, SSE_PAYLOAD, WireEncoder};
pub use parse::{BlockTooLarge, Item, Message, Parser};
