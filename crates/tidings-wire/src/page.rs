//! Answers of the JSON routes, around events that are encoded already.

use tidings_core::event::Event;
use tidings_core::gap::Gap;
use tidings_core::position::Position;
use tidings_core::topic::Topic;

use crate::envelope::push_envelope;
use crate::json::Object;
use crate::problem::Problem;
use crate::sse::push_gap;

/// The media type of these answers.
pub const CONTENT_TYPE: &str = "application/json";

/// The media type of answers line by line.
pub const NDJSON_CONTENT_TYPE: &str = "application/x-ndjson";

/// What frames a page of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageFrame {
    /// Everything up to here has been considered; the next page starts after it.
    pub cursor: Position,
    /// Whether there is more to read now.
    pub more: bool,
    /// What of the asked is missing before or within the page.
    pub gap: Option<Gap>,
}

/// Appends `{"events", "cursor", "more", "gap"}` around events in the shape
/// [`JSON`](crate::sse::JSON), each of which ends with a comma.
pub fn push_page(events: &[u8], frame: &PageFrame, out: &mut Vec<u8>) {
    let mut page = Object::open(out);
    let list = page.key("events");
    list.push(b'[');
    list.extend_from_slice(events.strip_suffix(b",").unwrap_or(events));
    list.push(b']');
    page.cursor("cursor", Some(frame.cursor))
        .boolean("more", frame.more);
    match &frame.gap {
        Some(gap) => push_gap(gap, page.key("gap")),
        None => page.key("gap").extend_from_slice(b"null"),
    }
    page.close();
}

/// What became of one published event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The id under which readers know it.
    pub id: String,
    /// Its place in the log.
    pub cursor: Position,
    /// Connections of this node that it matched; none if that is not known in time.
    pub subscribers: Option<u64>,
    /// Whether it repeats an earlier publish and nothing was appended.
    pub duplicate: bool,
}

/// Appends `{"id", "cursor", "subscribers"}`, and `"duplicate": true` for a repeat.
pub fn push_published(published: &Published, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    write_published(published, &mut object);
    object.close();
}

/// Appends the answers of a group as an array, in the group's order.
pub fn push_published_group(group: &[Published], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, published) in group.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        push_published(published, out);
    }
    out.push(b']');
}

/// Appends the answer to one line of an NDJSON body, as a line: the event's answer or `error`, either
/// with the `line` that it answers, counted from 1.
pub fn push_published_line(line: u64, outcome: Result<&Published, &Problem>, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object.number("line", line);
    match outcome {
        Ok(published) => write_published(published, &mut object),
        Err(problem) => problem.push(object.key("error")),
    }
    object.close();
    out.push(b'\n');
}

fn write_published(published: &Published, object: &mut Object<'_>) {
    object
        .string("id", &published.id)
        .cursor("cursor", Some(published.cursor))
        .number_or_null("subscribers", published.subscribers);
    if published.duplicate {
        object.boolean("duplicate", true);
    }
}

/// Appends one event as its envelope with its cursor.
pub fn push_event(event: &Event, out: &mut Vec<u8>) {
    push_envelope(event, Some(event.position), out);
}

/// What is known of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicFacts {
    /// Which topic.
    pub topic: Topic,
    /// Its newest event, if it has any.
    pub head: Option<Position>,
    /// Its oldest event that is still held.
    pub earliest: Option<Position>,
    /// Connections that read it now; none if that is not known in time.
    pub subscribers: Option<u64>,
}

/// Appends `{"topic", "head", "earliest", "subscribers"}`.
pub fn push_topic(facts: &TopicFacts, out: &mut Vec<u8>) {
    let mut object = Object::open(out);
    object
        .string("topic", facts.topic.as_str())
        .cursor("head", facts.head)
        .cursor("earliest", facts.earliest)
        .number_or_null("subscribers", facts.subscribers);
    object.close();
}
