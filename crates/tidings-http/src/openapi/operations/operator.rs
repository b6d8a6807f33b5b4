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
