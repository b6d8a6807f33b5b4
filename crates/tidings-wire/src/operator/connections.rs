//! Connections as JSON.

use std::net::IpAddr;

use tidings_core::audience::Role;
use tidings_core::event_type::TypeGlob;
use tidings_core::pattern::Pattern;
use tidings_core::provenance::Metadata;
use tidings_core::shard::{Census, ConnectionFacts, ConnectionId, ConnectionState};

use crate::json::{Object, push_string};

/// One connection, with what its shard does not know.
#[derive(Debug, Clone, Copy)]
pub struct ListedConnection<'a> {
    /// What its shard knows.
    pub facts: &'a ConnectionFacts,
    /// The name of its profile.
    pub profile: &'a str,
    /// From where it comes, if that is known.
    pub address: Option<IpAddr>,
}

/// Appends one connection, with all that it reads.
pub fn push_connection(connection: &ListedConnection<'_>, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    push_facts(connection, &mut object);
    let reads = connection.facts.reads.selectors().iter();
    let reads: Vec<String> = reads.map(ToString::to_string).collect();
    object.strings("reads", reads.iter().map(String::as_str));
    object.close();
}

/// Appends `{"connections": [...], "next", "total", "states"}`: a page of connections, the id after
/// which the next one begins or `null`, and how many there are on all pages together.
pub fn push_connections<'a>(
    connections: impl IntoIterator<Item = ListedConnection<'a>>,
    next: Option<ConnectionId>,
    census: &Census,
    out: &mut Vec<u8>,
) {
    let mut object = Object::open(out);
    let list = object.key("connections");
    list.push(b'[');
    for (index, connection) in connections.into_iter().enumerate() {
        if index > 0 {
            list.push(b',');
        }
        let mut one = Object::open(list);
        push_facts(&connection, &mut one);
        one.close();
    }
    list.push(b']');
    match next {
        Some(next) => object.string("next", &next.to_string()),
        None => object.null("next"),
    };
    push_census(census, &mut object);
    object.close();
}

/// Appends `{"total", "states": {...}}`.
pub fn push_counts(census: &Census, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    push_census(census, &mut object);
    object.close();
}

fn push_census(census: &Census, object: &mut Object<'_>) {
    object.number("total", census.total());
    let mut states = Object::open(object.key("states"));
    for state in ConnectionState::ALL {
        states.number(state.as_str(), census.in_state(state));
    }
    states.close();
}

fn push_facts(connection: &ListedConnection<'_>, object: &mut Object<'_>) {
    let facts = connection.facts;
    object
        .string("id", &facts.id.to_string())
        .string("state", facts.state.as_str())
        .string("transport", facts.transport.as_str())
        .string("protocol", facts.protocol.as_str())
        .string("profile", connection.profile);
    match &facts.subject {
        Some(subject) => object.string("subject", subject.as_str()),
        None => object.null("subject"),
    };
    object.strings("roles", facts.roles().map(Role::as_str));
    match connection.address {
        Some(address) => object.string("address", &address.to_string()),
        None => object.null("address"),
    };
    object
        .number("openedAt", facts.opened_at.0)
        .number_or_null("expiresAt", facts.expires_at.map(|at| at.0))
        .cursor("cursor", Some(facts.cursor))
        .number("lag", facts.lag)
        .strings("topics", facts.asked.iter().map(Pattern::as_str))
        .strings("events", facts.types.globs().iter().map(TypeGlob::as_str))
        .string(
            "audience",
            if facts.has_audience() { "own" } else { "none" },
        );
    let mut delivered = Object::open(object.key("delivered"));
    delivered
        .number("events", facts.events)
        .number("bytes", facts.bytes);
    delivered.close();
    push_metadata(&facts.metadata, object.key("metadata"));
}

/// Names are the client's own, each once.
fn push_metadata(metadata: &Metadata, out: &mut Vec<u8>) {
    push_map(metadata.iter(), out, |value, out| push_string(out, value));
}

/// Appends an object of names that are not the crate's own.
pub(super) fn push_map<'a, V>(
    entries: impl Iterator<Item = (&'a str, V)>,
    out: &mut Vec<u8>,
    push: impl Fn(V, &mut Vec<u8>),
) {
    out.push(b'{');
    for (index, (name, value)) in entries.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_string(out, name);
        out.push(b':');
        push(value, out);
    }
    out.push(b'}');
}
