//! The shapes of bodies in the `OpenAPI` document.

mod access;
mod operator;

use serde_json::{Value, json};
use tidings_core::gap::GapReason;
use tidings_core::limits::{
    AUDIENCE_KEYS_MAX, EVENT_ID_BYTES_MAX, EVENT_TYPE_BYTES_MAX, READERS_AWAITED_MAX,
    SOURCE_BYTES_MAX,
};
use tidings_core::priority::Priority;
use tidings_wire::problem::Code;

use super::schema;

/// All schemas by name.
pub(super) fn all() -> Value {
    json!({
        "Cursor": {
            "type": "string", "examples": ["1042-k3x9f2m4q7"],
            "description": "A place in the log: every event up to here has been considered.",
        },
        "Priority": { "type": "string", "enum": Priority::ALL.map(Priority::as_str) },
        "Publish": publish(),
        "Published": { "type": "object", "required": ["id", "cursor", "subscribers"], "properties": published() },
        "PublishedLine": line(published(), &["line", "id", "cursor", "subscribers"]),
        "RefusedLine": line(json!({ "error": schema("Problem") }), &["line", "error"]),
        "Stopped": line(
            json!({ "accepted": { "type": "integer" }, "error": schema("Problem") }),
            &["accepted", "line", "error"],
        ),
        "Event": event(),
        "Page": {
            "type": "object",
            "required": ["events", "cursor", "more", "gap"],
            "properties": {
                "events": { "type": "array", "items": schema("Event") },
                "cursor": schema("Cursor"),
                "more": { "type": "boolean" },
                "gap": { "oneOf": [schema("Gap"), { "type": "null" }] },
            },
        },
        "Gap": {
            "type": "object",
            "description": "What was asked for and can no longer be got.",
            "required": ["from", "to", "reason"],
            "properties": {
                "from": or_null("Cursor"),
                "to": schema("Cursor"),
                "reason": { "type": "string", "enum": GapReason::ALL.map(GapReason::as_str) },
            },
        },
        "Topic": {
            "type": "object",
            "required": ["topic", "head", "earliest", "subscribers"],
            "properties": {
                "topic": { "type": "string" },
                "head": or_null("Cursor"),
                "earliest": or_null("Cursor"),
                "subscribers": { "type": ["integer", "null"] },
            },
        },
        "Readiness": {
            "type": "object",
            "required": ["status"],
            "properties": {
                "status": { "type": "string", "enum": ["ready", "full", "log_failed", "draining"] },
                "reason": { "type": "string" },
            },
        },
        "Connection": operator::connection(),
        "Connections": operator::connections(),
        "Health": operator::health(),
        "Renewed": access::renewed(),
        "Revocation": access::revocation(),
        "Explanation": access::explanation(),
        "Problem": problem(),
    })
}

fn publish() -> Value {
    let names = |what: &str| json!({ "type": "array", "items": { "type": "string" }, "maxItems": AUDIENCE_KEYS_MAX, "description": what });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["type"],
        "properties": {
            "type": { "type": "string", "minLength": 1, "maxLength": EVENT_TYPE_BYTES_MAX },
            "data": { "description": "Any JSON." },
            "topics": names("Topics whose readers get it. Without topics, users and roles it is for everyone."),
            "users": names("Users who get it."),
            "roles": names("Roles whose holders get it."),
            "id": { "type": "string", "maxLength": EVENT_ID_BYTES_MAX, "description": "The publisher's own id: a repeat with the same content is answered as a duplicate." },
            "priority": schema("Priority"),
            "source": { "type": "string", "maxLength": SOURCE_BYTES_MAX },
            "metadata": { "type": "object" },
            "wait": {
                "type": "object",
                "additionalProperties": false,
                "description": "Holds the event until so many connections would get it, or until the time is over.",
                "properties": {
                    "subscribers": { "type": "integer", "minimum": 1, "maximum": READERS_AWAITED_MAX, "default": 1 },
                    "timeout": { "type": "string", "default": "3s", "description": "Such as `500ms` or `3s`; at most `30s`." },
                },
            },
        },
    })
}

fn published() -> Value {
    json!({
        "id": { "type": "string" },
        "cursor": schema("Cursor"),
        "subscribers": { "type": ["integer", "null"], "description": "Connections that it matched; null if not known in time." },
        "duplicate": { "type": "boolean" },
    })
}

/// The answer to a line: its number and more.
fn line(mut properties: Value, required: &[&str]) -> Value {
    properties["line"] = json!({ "type": "integer", "minimum": 1 });
    json!({ "type": "object", "required": required, "properties": properties })
}

fn event() -> Value {
    json!({
        "type": "object",
        "required": ["id", "type", "timestamp", "priority", "source", "version", "data", "metadata"],
        "properties": {
            "id": { "type": "string" },
            "cursor": schema("Cursor"),
            "type": { "type": "string" },
            "timestamp": { "type": "integer", "description": "Unix ms at which the hub appended it." },
            "priority": schema("Priority"),
            "source": { "type": "string" },
            "version": { "type": "string" },
            "data": {},
            "metadata": {
                "type": "object",
                "required": ["topics"],
                "properties": { "topics": { "type": "array", "items": { "type": "string" } } },
            },
        },
    })
}

fn or_null(name: &str) -> Value {
    json!({ "oneOf": [schema(name), { "type": "null" }] })
}

/// A problem document (RFC 9457).
fn problem() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "code": { "type": "string", "enum": codes },
            "hint": { "type": "string" },
            "requestId": { "type": "string" },
            "retryAfterMs": { "type": "integer" },
        },
    })
}
