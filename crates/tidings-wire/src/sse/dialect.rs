//! How the hub speaks in streams whose clients were made for another server.
//!
//! Such a client knows its own greeting and its own signs of life. What it may have missed, and that it
//! is to go, is said in every stream in the hub's words: they are named events, which a client that does
//! not listen for them never sees. Every position is told as well, if need be by a block of an id alone,
//! which browsers apply and which does nothing else.

use tidings_core::event_type::EventType;
use tidings_core::port::{Farewell, Hello};
use tidings_core::position::Position;
use tidings_core::time::{Rfc3339, Timestamp};

use super::block::{push_block, push_comment, push_id};
use super::control::push_hello_members;
use crate::envelope::{OwnEvent, push_own_envelope};
use crate::json::Object;
use crate::problem::Category;

/// The words of the hub in one kind of stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// The event that begins a stream; none for a stream that begins without one.
    pub greeting: Option<EventType>,
    /// What shows that a stream is alive.
    pub heartbeat: Beat,
    /// What the data of these events looks like.
    pub form: Form,
    /// Whether a farewell is also said as `disconnected`, and as `error` if something went wrong.
    pub says_disconnected: bool,
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Beat {
    /// A comment, which no script sees.
    Comment(EventType),
    /// An event that carries the position as its id.
    Event(EventType),
    /// An event without an id.
    EventWithoutId(EventType),
}

/// What the data of the hub's own events looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An object in which the time is `timestamp`, in ISO 8601.
    Object,
    /// The same in an envelope like that of events.
    Envelope,
}

impl Dialect {
    pub(super) fn push_hello(&self, hello: &Hello, out: &mut Vec<u8>) {
        let told = hello.cursor_is_told.then_some(hello.cursor);
        let Some(greeting) = &self.greeting else {
            match told {
                Some(cursor) => push_id(out, cursor),
                // Something has to be delivered first.
                None => push_comment(out, ""),
            }
            return;
        };
        let event = OwnEvent {
            event_type: greeting.as_str(),
            position: hello.cursor,
            time: hello.server_time,
            client_id: Some(&hello.connection_id),
        };
        push_block(out, event.event_type, None, told, |out| {
            self.push_data(&event, out, |object| push_hello_members(hello, object));
        });
    }

    pub(super) fn push_ping(&self, cursor: Position, time: Timestamp, out: &mut Vec<u8>) {
        let (event_type, id) = match &self.heartbeat {
            Beat::Comment(word) => {
                push_comment(out, word.as_str());
                return push_id(out, cursor);
            }
            Beat::Event(event_type) => (event_type, Some(cursor)),
            Beat::EventWithoutId(event_type) => (event_type, None),
        };
        let event = OwnEvent {
            event_type: event_type.as_str(),
            position: cursor,
            time,
            client_id: None,
        };
        push_block(out, event.event_type, None, id, |out| {
            self.push_data(&event, out, |_| {});
        });
        if id.is_none() {
            push_id(out, cursor);
        }
    }

    /// What is said before the farewell in the hub's words.
    pub(super) fn push_disconnected(
        &self,
        farewell: &Farewell,
        cursor: Option<Position>,
        out: &mut Vec<u8>,
    ) {
        if !self.says_disconnected {
            return;
        }
        let category = Category::of_farewell(farewell.code);
        let names = category
            .map(|_| "error")
            .into_iter()
            .chain(["disconnected"]);
        for name in names {
            push_block(out, name, None, None, |out| {
                let mut object = Object::open(out);
                object
                    .string("type", name)
                    .string("code", farewell.code)
                    .string("reason", &farewell.reason)
                    .string("message", &farewell.reason);
                if let Some(category) = category {
                    object.string("category", category.as_str());
                }
                object
                    .number_or_null("retryAfterMs", farewell.retry_after_ms)
                    .cursor("cursor", cursor);
                object.close();
            });
        }
    }

    fn push_data(
        &self,
        event: &OwnEvent<'_>,
        out: &mut Vec<u8>,
        members: impl FnOnce(&mut Object<'_>),
    ) {
        let push_object = |out: &mut Vec<u8>| {
            let mut object = Object::open(out);
            object.string("timestamp", &Rfc3339(event.time).to_string());
            if let Some(client_id) = event.client_id {
                object.string("clientId", client_id);
            }
            members(&mut object);
            object.close();
        };
        match self.form {
            Form::Object => push_object(out),
            Form::Envelope => push_own_envelope(event, out, push_object),
        }
    }
}
