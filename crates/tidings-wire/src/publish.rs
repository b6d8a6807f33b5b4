//! Publish bodies: from whatever a publisher sends to validated events.
//!
//! One JSON object is one event, an array is one atomic group, NDJSON is one event per line, and
//! CloudEvents 1.0 come in structured, batched and binary form. Nothing is repaired: a body that could
//! mean two things is refused with the place and the fix.

mod audience;
mod body;
mod cloud_event;
mod error;
mod event;
mod lines;
mod media_type;
mod test_event;
mod wait;

pub use audience::Addressing;
pub use body::{Body, decode};
pub use cloud_event::{decode_batch, decode_binary, decode_structured, has_attributes};
pub use error::{PublishError, PublishFault};
pub use event::{Publication, decode_event};
pub use lines::{Line, LineSplitter, LineTooLong};
pub use media_type::{Format, UnsupportedMediaType};
pub use test_event::decode_test_event;
