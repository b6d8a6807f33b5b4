//! One operation of the `OpenAPI` document per route.

mod access;
mod operator;

use serde_json::{Value, json};
use tidings_core::limits::{PAGE_EVENTS_DEFAULT, PAGE_EVENTS_MAX, READERS_AWAITED_MAX};

use super::{limit_headers, schema};
use crate::router::{Endpoint, Route};

const JSON: &str = "application/json";

/// Describes a route.
pub(super) fn describe(route: &Route) -> Value {
    let mut operation = match route.endpoint {
        Endpoint::Publish => publish(),
        Endpoint::Page => page(),
        Endpoint::Event => event(),
        Endpoint::Stream => stream(),
        Endpoint::Topic => topic(),
        Endpoint::Ticket => access::ticket(),
        Endpoint::Token => access::token(),
        Endpoint::Connections => operator::connections(),
        Endpoint::Connection => operator::connection(),
        Endpoint::Subscription => operator::subscription(),
        Endpoint::Credential => access::credential(),
        Endpoint::Health => operator::health(),
        Endpoint::HealthAction => operator::health_action(),
        Endpoint::Disconnect => access::disconnect(),
        Endpoint::Explain => access::explain(),
        Endpoint::Revoke => access::revoke(),
        Endpoint::Revocations => access::revocations(),
        Endpoint::Lift => access::lift(),
        Endpoint::Alive => probe("alive", "The process is alive.", JSON),
        Endpoint::Ready => ready(),
        Endpoint::Metrics => probe("metrics", "The figures.", "application/openmetrics-text"),
        Endpoint::OpenApi => probe("openapi", "This document.", JSON),
        Endpoint::Profiles => probe("profiles", "The profiles, the hub's own first.", JSON),
    };
    operation["summary"] = route.what.into();
    operation
}

fn publish() -> Value {
    let addressees = |name: &str, what: &str| {
        parameter(
            name,
            &format!("{what}, separated by commas. For CloudEvents only."),
            &json!({ "type": "string" }),
        )
    };
    json!({
        "operationId": "publish",
        "description": PUBLISH,
        "security": access::credentials(),
        "parameters": [
            addressees("topics", "Topics of a CloudEvent that names no addressee"),
            addressees("users", "Users of such an event"),
            addressees("roles", "Roles of such an event"),
        ],
        "requestBody": { "required": true, "content": {
            JSON: { "schema": { "oneOf": [
                schema("Publish"),
                { "type": "array", "items": schema("Publish"), "minItems": 1 },
            ] } },
            "application/x-ndjson": { "itemSchema": schema("Publish") },
            "application/cloudevents+json": { "schema": { "type": "object" } },
            "application/cloudevents-batch+json": {
                "schema": { "type": "array", "items": { "type": "object" } }
            },
            "*/*": { "schema": {
                "description": "The data of a binary CloudEvent, with its attributes as `ce-*` headers.",
            } },
        } },
        "responses": responses(&json!({
            "description": "Committed. In the form of the question: one object, an array, or lines.",
            "content": {
                JSON: { "schema": { "oneOf": [
                    schema("Published"),
                    { "type": "array", "items": schema("Published") },
                ] } },
                "application/x-ndjson": { "itemSchema": { "oneOf": [
                    schema("PublishedLine"),
                    schema("RefusedLine"),
                    schema("Stopped"),
                ] } },
            },
        }), &["400", "401", "403", "408", "409", "413", "415", "421", "429", "503", "507"]),
    })
}

const PUBLISH: &str = "An answer means that the event is durable. An object is one event, an array is \
one atomic group, and each line of NDJSON is an event of its own. Lines are answered in order, each by \
a line, while the body still arrives; a client reads answers while it sends. A line that is refused by \
itself is answered with its error, and later lines go on. When the log refuses, a rate is used up, the \
credential ends or the body breaks off, nothing more is read, and the last line of the answer is `accepted` (how many lines \
were accepted in all), `line` (the line at which reading stopped) and `error`. The status of an NDJSON \
answer is that of its first line.";

fn page() -> Value {
    let mut parameters = reading();
    parameters.extend([
        parameter("limit", "How many events the page may have.", &json!({
            "type": "integer", "minimum": 1, "maximum": PAGE_EVENTS_MAX, "default": PAGE_EVENTS_DEFAULT,
        })),
        parameter("wait", "How long to wait for the first event, such as `25s`; at most `55s`.", &json!({
            "type": "string", "default": "0s",
        })),
    ]);
    json!({
        "operationId": "readPage",
        "security": access::credentials(),
        "parameters": parameters,
        "responses": responses(&json!({
            "description": "A page. It may be empty and still say that there is more.",
            "content": { JSON: { "schema": schema("Page") } },
        }), &["400", "401", "403", "421", "429", "503"]),
    })
}

fn event() -> Value {
    json!({
        "operationId": "readEvent",
        "security": access::credentials(),
        "parameters": [path_parameter("id", "The event's cursor, or its publisher's id.")],
        "responses": responses(&json!({
            "description": "The event.",
            "content": { JSON: { "schema": schema("Event") } },
        }), &["400", "401", "403", "404", "421", "429", "503"]),
    })
}

fn stream() -> Value {
    let mut parameters = reading();
    let last = "Where to read on: a cursor or an event id. Wins over `since`. The header wins over the parameter.";
    parameters.extend([
        json!({ "name": "Last-Event-ID", "in": "header", "description": last, "schema": { "type": "string" } }),
        parameter("lastEventId", "The same for clients that cannot send the header; also `lastEventID`, `last_event_id`, `Last-Event-ID` and `last-event-id`.", &json!({ "type": "string" })),
        parameter("meta_*", "What the client says of the connection, at most 16 entries, each name once: shown to administrators.", &json!({ "type": "string" })),
    ]);
    json!({
        "operationId": "stream",
        "description": "Whatever is published after the head of the answer is delivered. The first \
            block is `tidings.hello`. What cannot be delivered is told by `tidings.gap`; `tidings.ping` \
            is a sign of life, `tidings.bye` the last word. The `id` of a block is the cursor through \
            which the stream has told everything.",
        "security": access::credentials(),
        "parameters": parameters,
        "responses": responses(&json!({
            "description": "The stream. The data of a block is an event, or what its type says.",
            "content": { "text/event-stream": { "itemSchema": {
                "type": "object",
                "properties": {
                    "event": { "type": "string" },
                    "data": { "type": "string", "contentMediaType": JSON },
                    "id": { "type": "string" },
                    "retry": { "type": "integer" },
                },
            } } },
        }), &["400", "401", "403", "421", "429", "503"]),
    })
}

fn topic() -> Value {
    json!({
        "operationId": "readTopic",
        "security": access::credentials(),
        "parameters": [
            path_parameter("topic", "The topic as one segment: `project/42` is `project%2F42`."),
            parameter("wait", "How long to wait until so many read the topic, such as `3s`; at most `30s`.", &json!({
                "type": "string",
            })),
            parameter("subscribers", "How many readers to wait for.", &json!({
                "type": "integer", "minimum": 1, "maximum": READERS_AWAITED_MAX, "default": 1,
            })),
        ],
        "responses": responses(&json!({
            "description": "What the topic holds.",
            "content": { JSON: { "schema": schema("Topic") } },
        }), &["400", "401", "403", "421", "429", "503"]),
    })
}

fn ready() -> Value {
    let content = json!({ JSON: { "schema": schema("Readiness") } });
    json!({
        "operationId": "ready",
        "responses": {
            "200": { "description": "The hub takes events.", "content": content },
            "503": { "description": "It does not; the reason says why.", "content": content },
        },
    })
}

fn probe(operation: &str, what: &str, media_type: &str) -> Value {
    json!({
        "operationId": operation,
        "responses": { "200": { "description": what, "content": { media_type: {} } } },
    })
}

/// The parameters that all readers take.
fn reading() -> Vec<Value> {
    let text = json!({ "type": "string" });
    vec![
        parameter(
            "topics",
            "Patterns of topics, separated by commas: `*` is one segment, a final `**` any further ones. Without it only the reader's own audience is read.",
            &text,
        ),
        parameter(
            "events",
            "Event types, separated by commas; `*` stands for any characters.",
            &text,
        ),
        parameter(
            "since",
            "Where to start: `now`, `earliest`, `last`, a cursor, a time (RFC 3339 or Unix ms), a duration such as `10m`, or an event id.",
            &text,
        ),
        parameter(
            "audience",
            "`none` leaves the reader's own audience out.",
            &json!({ "type": "string", "enum": ["own", "none"], "default": "own" }),
        ),
        parameter(
            "ticket",
            "A ticket of `POST /v1/tickets`, for clients that cannot send headers.",
            &text,
        ),
    ]
}

fn parameter(name: &str, what: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "description": what, "schema": schema })
}

fn path_parameter(name: &str, what: &str) -> Value {
    json!({
        "name": name, "in": "path", "required": true, "description": what,
        "schema": { "type": "string" },
    })
}

/// An answer, and the refusals that a route may give.
fn responses(ok: &Value, refusals: &[&str]) -> Value {
    let mut responses = json!({ "200": ok });
    for status in refusals {
        responses[*status] = json!({
            "description": "Refused; `code` says why.",
            "content": { "application/problem+json": { "schema": schema("Problem") } },
        });
        if matches!(*status, "429" | "503") {
            responses[*status]["headers"] = limit_headers::references();
        }
    }
    responses
}
