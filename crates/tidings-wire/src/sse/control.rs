//! The hub's own events in a stream: named, with the reserved prefix, so that clients that do not
//! listen for them never see them.

use tidings_core::gap::Gap;
use tidings_core::pattern::Pattern;
use tidings_core::port::{Control, Farewell, Hello};

use super::block::push_block;
use super::dialect::Dialect;
use crate::json::Object;

/// Appends a control event, greetings and signs of life in the words of a dialect if there is one.
pub(crate) fn push_control(dialect: Option<&Dialect>, control: &Control, out: &mut Vec<u8>) {
    match control {
        Control::Hello(hello) => match dialect {
            Some(dialect) => dialect.push_hello(hello, out),
            None => push_hello(hello, out),
        },
        Control::Ping { cursor, time } => match dialect {
            Some(dialect) => dialect.push_ping(*cursor, *time, out),
            None => push_block(out, "tidings.ping", None, Some(*cursor), |out| {
                push_one_time("time", time.0, out);
            }),
        },
        Control::Reauth { expires_at } => {
            push_block(out, "tidings.reauth", None, None, |out| {
                push_one_time("expiresAt", expires_at.0, out);
            });
        }
        Control::Bye { cursor, farewell } => {
            if let Some(dialect) = dialect {
                dialect.push_disconnected(farewell, *cursor, out);
            }
            let retry_ms = farewell.retry_ms;
            push_block(out, "tidings.bye", retry_ms, *cursor, |out| {
                push_farewell(farewell, out);
            });
        }
    }
}

fn push_hello(hello: &Hello, out: &mut Vec<u8>) {
    let id = hello.cursor_is_told.then_some(hello.cursor);
    push_block(out, "tidings.hello", None, id, |out| {
        let mut object = Object::open(out);
        push_hello_members(hello, &mut object);
        object.close();
    });
}

pub(super) fn push_hello_members(hello: &Hello, object: &mut Object<'_>) {
    object
        .string("connectionId", &hello.connection_id)
        .cursor("cursor", Some(hello.cursor))
        .cursor("head", Some(hello.head))
        .string("replay", hello.replay.as_str());
    if let Some(topics) = &hello.narrowed {
        object.strings("topics", topics.iter().map(Pattern::as_str));
    }
    object
        .number("heartbeatMs", hello.heartbeat_ms)
        .number_or_null("expiresAt", hello.expires_at.map(|time| time.0))
        .number("serverTime", hello.server_time.0);
}

/// Appends the word that something is missing.
pub(crate) fn push_gap_block(gap: &Gap, out: &mut Vec<u8>) {
    push_block(out, "tidings.gap", None, Some(gap.to), |out| {
        push_gap(gap, out);
    });
}

/// Appends a gap as an object; pages hold it in the same form.
pub(crate) fn push_gap(gap: &Gap, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .cursor("from", gap.from)
        .cursor("to", Some(gap.to))
        .string("reason", gap.reason.as_str());
    object.close();
}

fn push_one_time(name: &'static str, unix_ms: u64, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.number(name, unix_ms);
    object.close();
}

fn push_farewell(farewell: &Farewell, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .string("code", farewell.code)
        .string("reason", &farewell.reason)
        .number_or_null("retryAfterMs", farewell.retry_after_ms)
        .number("spreadMs", farewell.spread_ms);
    object.close();
}
