//! The encoder that the hub writes events with, one shape per kind of reader.

use tidings_core::event::Event;
use tidings_core::port::{Control, Encoder, Shape};
use tidings_core::position::Position;

use super::block::push_block;
use super::control::push_control;
use crate::envelope::push_envelope;

/// A block of a stream whose data is the whole envelope.
pub const SSE_ENVELOPE: Shape = Shape(0);

/// A block of a stream whose data is the event's own data under its type.
pub const SSE_PAYLOAD: Shape = Shape(1);

/// One envelope with its cursor, followed by a comma, for a page of JSON. The comma of the last one
/// is dropped by [`crate::page::push_page`].
pub const JSON: Shape = Shape(2);

/// Writes every shape of this crate; a shape that it does not know is written as
/// [`SSE_ENVELOPE`], because writing cannot fail.
#[derive(Debug, Clone, Copy, Default)]
pub struct WireEncoder;

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

    fn control(&self, shape: Shape, control: &Control, out: &mut Vec<u8>) {
        if shape != JSON {
            push_control(control, out);
        }
    }
}
