//! Operations of the routes by which an operator sees what a hub does, and a live stream is changed.

use serde_json::{Value, json};
use tidings_core::limits::{PATTERNS_PER_CONNECTION_MAX, TYPE_GLOBS_MAX};
use tidings_hub::{CONNECTIONS_LISTED_MAX, ConnectionState};

use super::access::{body, connection_id, credentials};
use super::{JSON, parameter, responses, schema};
use crate::limits::CONNECTIONS_LISTED_DEFAULT;

pub(super) fn connections() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "operationId": "listConnections",
        "description": "For administrators. `total` and `states` count all that are meant, on whichever \
            page. A connection that is there all the while is listed once.",
        "security": credentials(),
        "parameters": [
            parameter("state", "Those in this state.", &json!({
                "type": "string", "enum": ConnectionState::ALL.map(ConnectionState::as_str),
            })),
            parameter("subject", "Those of this subject.", &text),
            parameter("topic", "Those that read this topic.", &text),
            parameter("profile", "Those of this profile.", &text),
            parameter("limit", "How many a page may have.", &json!({
                "type": "integer", "minimum": 1, "maximum": CONNECTIONS_LISTED_MAX,
                "default": CONNECTIONS_LISTED_DEFAULT,
            })),
            parameter("after", "`next` of the page before.", &text),
        ],
        "responses": responses(&json!({
            "description": "A page of them.",
            "content": { JSON: { "schema": schema("Connections") } },
        }), &["400", "401", "403", "421", "429", "503"]),
    })
}

pub(super) fn connection() -> Value {
    json!({
        "operationId": "readConnection",
        "description": "For administrators.",
        "security": credentials(),
        "parameters": [connection_id()],
        "responses": responses(&json!({
            "description": "The connection, with all that it reads.",
            "content": { JSON: { "schema": schema("Connection") } },
        }), &["400", "401", "403", "404", "421", "429", "503"]),
    })
}

pub(super) fn subscription() -> Value {
    let texts = |max: usize, what: &str| json!({ "type": "array", "items": { "type": "string" }, "maxItems": max, "description": what });
    json!({
        "operationId": "changeSubscription",
        "description": "For the one whose stream it is. What is left out stays as it is. Up to `cursor` \
            the stream has told what it read before, from there on it tells what it reads now. The \
            credential of the request is behind it from then on. If nothing is granted, the stream \
            stays as it is.",
        "security": credentials(),
        "parameters": [connection_id()],
        "requestBody": body(&json!({
            "topics": texts(PATTERNS_PER_CONNECTION_MAX, "Patterns to ask for, instead of all of those before."),
            "events": texts(TYPE_GLOBS_MAX, "Event types; none for all."),
            "audience": { "type": "string", "enum": ["own", "none"] },
        }), &[]),
        "responses": responses(&json!({
            "description": "Changed.",
            "content": { JSON: { "schema": schema("Renewed") } },
        }), &["400", "401", "403", "404", "408", "413", "421", "429", "503"]),
    })
}

pub(super) fn health() -> Value {
    json!({
        "operationId": "readHealth",
        "description": "`status` and `connections` are for everybody who may be here; with `details=true`, \
            for administrators, there is all of it. The status of the answer is 200 however the hub is.",
        "security": credentials(),
        "parameters": [
            parameter("details", "Whether all of it is wanted.", &json!({ "type": "boolean", "default": false })),
        ],
        "responses": responses(&json!({
            "description": "How the hub is.",
            "content": { JSON: { "schema": schema("Health") } },
        }), &["400", "401", "403", "421", "429", "503"]),
    })
}

pub(super) fn health_action() -> Value {
    json!({
        "operationId": "actOnHealth",
        "description": "For administrators. `health_check` gives all streams, or the one of `connection`, a \
            sign of life now; `cleanup` ends those that are stale; `disconnect` ends one connection, or all \
            of a subject, with a reason that readers are told. Done again, it finds nothing left to do.",
        "security": credentials(),
        "requestBody": body(&json!({
            "action": { "type": "string", "enum": ["health_check", "cleanup", "disconnect"] },
            "connection": { "type": "string", "description": "The id of a connection." },
            "subject": { "type": "string" },
            "reason": { "type": "string", "maxLength": 256 },
        }), &["action"]),
        "responses": responses(&json!({
            "description": "To how many connections it was done.",
            "content": { JSON: { "schema": {
                "type": "object",
                "required": ["action", "connections"],
                "properties": {
                    "action": { "type": "string" },
                    "connections": { "type": "integer" },
                    "busy": { "type": "integer", "description": "Streams that had no room for a sign of life." },
                },
            } } },
        }), &["400", "401", "403", "404", "408", "413", "421", "429", "503"]),
    })
}
