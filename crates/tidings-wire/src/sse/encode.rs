//! The encoder that the hub writes events with, one shape per kind of reader.

use tidings_core::event::Event;
use tidings_core::gap::Gap;
use tidings_core::port::{Control, Encoder, Shape, Voice};
use tidings_core::position::Position;

use super::block::push_block;
use super::control::{push_control, push_gap_block};
use super::dialect::Dialect;
use crate::envelope::push_envelope;

/// A block of a stream whose data is the whole envelope.
pub const SSE_ENVELOPE: Shape = Shape(0);

/// A block of a stream whose data is the event's own data under its type.
pub const SSE_PAYLOAD: Shape = Shape(1);

/// One envelope with its cursor, followed by a comma, for a page of JSON. The comma of the last one
/// is dropped by [`crate::page::push_page`].
pub const JSON: Shape = Shape(2);

/// The hub's own words.
pub const NATIVE: Voice = Voice(0);

/// Writes every shape of this crate, and speaks in every dialect that it was made with; a shape that it
/// does not know is written as [`SSE_ENVELOPE`] and a voice as [`NATIVE`], because writing cannot fail.
#[derive(Debug, Clone, Default)]
pub struct WireEncoder {
    dialects: Vec<Dialect>,
}

impl WireEncoder {
    /// An encoder that speaks these dialects beside the hub's own: the first as `Voice(1)`, and so on.
    pub fn new(dialects: Vec<Dialect>) -> Self {
        Self { dialects }
    }
}

impl Encoder for WireEncoder {
    fn event(&self, shape: Shape, event: &Event, told: Option<Position>, out: &mut Vec<u8>) {
        let event_type = event.content.event_type.as_str();
        match shape {
            SSE_PAYLOAD => push_block(out, event_type, None, told, |out| {
                out.extend_from_slice(&event.content.data);
            }),
            JSON => {
                push_envelope(event, told, out);
                out.push(b',');
            }
            _ => push_block(out, event_type, None, told, |out| {
                push_envelope(event, None, out);
            }),
        }
    }

    fn gap(&self, gap: &Gap, out: &mut Vec<u8>) {
        push_gap_block(gap, out);
    }

    fn control(&self, voice: Voice, control: &Control, out: &mut Vec<u8>) {
        let index = usize::from(voice.0).checked_sub(1);
        let dialect = index.and_then(|index| self.dialects.get(index));
        push_control(dialect, control, out);
    }
}
