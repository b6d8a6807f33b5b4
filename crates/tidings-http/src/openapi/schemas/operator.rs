//! The shapes of what an operator sees.

use serde_json::{Map, Value, json};
use tidings_hub::{ConnectionState, Transport};

use super::schema;

pub(super) fn connection() -> Value {
    let texts =
        |what: &str| json!({ "type": "array", "items": { "type": "string" }, "description": what });
    let time = json!({ "type": "integer", "description": "Unix ms." });
    json!({
        "type": "object",
        "required": [
            "id", "state", "transport", "protocol", "profile", "subject", "roles", "address", "openedAt",
            "expiresAt", "cursor", "lag", "topics", "events", "audience", "delivered", "metadata",
        ],
        "properties": {
            "id": { "type": "string" },
            "state": { "type": "string", "enum": ConnectionState::ALL.map(ConnectionState::as_str) },
            "transport": { "type": "string", "enum": Transport::ALL.map(Transport::as_str) },
            "protocol": { "type": "string", "enum": ["http/1.0", "http/1.1", "h2"] },
            "profile": { "type": "string" },
            "subject": { "type": ["string", "null"] },
            "roles": texts("Those by which it reads."),
            "address": { "type": ["string", "null"], "description": "As limits count it: of IPv6, the network of 64 bits." },
            "openedAt": time,
            "expiresAt": { "type": ["integer", "null"], "description": "When its credential ends, in Unix ms." },
            "cursor": schema("Cursor"),
            "lag": { "type": "integer", "description": "Positions between that and the head of its shard, if anything there may be for it; else 0." },
            "topics": texts("The patterns that it asks for."),
            "events": texts("Event types; none for all."),
            "audience": { "type": "string", "enum": ["own", "none"] },
            "delivered": {
                "type": "object",
                "required": ["events", "bytes"],
                "properties": { "events": { "type": "integer" }, "bytes": { "type": "integer" } },
            },
            "metadata": { "type": "object", "additionalProperties": { "type": "string" }, "description": "`meta_*` of its request." },
            "reads": texts("What of its topics is granted, and by whom it is read: `@all`, `@user/u1`, `@role/ADMIN`. Of one connection only."),
        },
    })
}

pub(super) fn connections() -> Value {
    json!({
        "type": "object",
        "required": ["connections", "next", "total", "states"],
        "properties": {
            "connections": { "type": "array", "items": schema("Connection") },
            "next": { "type": ["string", "null"], "description": "`after` of the next page." },
            "total": { "type": "integer" },
            "states": states(),
        },
    })
}

/// How many are in each state.
fn states() -> Value {
    let names = ConnectionState::ALL.map(ConnectionState::as_str);
    let properties: Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "type": "integer" })))
        .collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

pub(super) fn health() -> Value {
    let count = |what: &str| json!({ "type": "integer", "description": what });
    let known = |what: &str| json!({ "type": ["integer", "null"], "description": what });
    json!({
        "type": "object",
        "required": ["status", "connections"],
        "properties": {
            "status": { "type": "string", "enum": ["healthy", "degraded", "unhealthy"] },
            "connections": {
                "type": "object",
                "required": ["total", "states"],
                "properties": { "total": { "type": "integer" }, "states": states() },
            },
            "errorRate": { "type": "number", "description": "Of the answers of the last minute, the share that were 5xx or 429." },
            "components": { "type": "array", "items": {
                "type": "object",
                "required": ["name", "status"],
                "properties": {
                    "name": { "type": "string" },
                    "status": { "type": "string", "enum": ["healthy", "degraded", "down"] },
                    "why": { "type": "string" },
                },
            } },
            "store": {
                "type": "object",
                "properties": {
                    "events": known("Events that the log holds."),
                    "earliest": super::or_null("Cursor"),
                    "head": schema("Cursor"),
                    "logBytes": known("Bytes of the log, on disk."),
                    "windowEvents": count("Events in memory."),
                    "windowBytes": count("Bytes of them, as they are reckoned."),
                    "processBytes": known("Memory of the process."),
                },
            },
        },
    })
}
