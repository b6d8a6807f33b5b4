//! Operations of the routes around credentials.

use serde_json::{Value, json};

use super::{JSON, parameter, path_parameter, responses, schema};

pub(super) fn ticket() -> Value {
    json!({
        "operationId": "getTicket",
        "description": "A ticket is for a client that cannot send headers: it goes into `ticket=` of a \
            stream, opens one stream within 30 seconds, and ends with the credential behind it.",
        "security": credentials(),
        "requestBody": issue_body(),
        "responses": responses(&issued("ticket"), &["400", "401", "403", "408", "413", "421", "429", "503"]),
    })
}

pub(super) fn token() -> Value {
    json!({
        "operationId": "getToken",
        "description": "A token for reading alone, for an hour or until the credential behind it ends. \
            It goes into `Authorization: Bearer`.",
        "security": credentials(),
        "requestBody": issue_body(),
        "responses": responses(&issued("token"), &["400", "401", "403", "408", "413", "421", "429", "503"]),
    })
}

pub(super) fn credential() -> Value {
    json!({
        "operationId": "renewCredential",
        "description": "The request presents the new credential; it must be the same subject's. The \
            stream reads by it from `cursor` on.",
        "security": credentials(),
        "parameters": [connection_id()],
        "responses": responses(&json!({
            "description": "Renewed.",
            "content": { JSON: { "schema": schema("Renewed") } },
        }), &["400", "401", "403", "404", "421", "429", "503"]),
    })
}

pub(super) fn disconnect() -> Value {
    json!({
        "operationId": "disconnect",
        "description": "The reader hears `tidings.bye` with code `disconnected` and the reason.",
        "security": credentials(),
        "parameters": [
            connection_id(),
            parameter("reason", "Why, for the reader.", &json!({ "type": "string", "maxLength": 256 })),
        ],
        "responses": no_content(&["400", "401", "403", "404", "421", "429", "503"]),
    })
}

pub(super) fn explain() -> Value {
    json!({
        "operationId": "explainCredential",
        "description": "For administrators. The credential in the body is looked at and repeated nowhere.",
        "security": credentials(),
        "requestBody": body(&json!({
            "token": { "type": "string", "description": "A bearer token or an API key." },
            "cookie": { "type": "string", "description": "The value of a `Cookie` header." },
            "key": { "type": "string", "description": "`project/42`, `@user/u1`, `@role/ADMIN` or `@all`." },
        }), &[]),
        "responses": responses(&json!({
            "description": "What each provider said, who it is, what each rule came to, and whether it may.",
            "content": { JSON: { "schema": schema("Explanation") } },
        }), &["400", "401", "403", "408", "413", "421", "429", "503"]),
    })
}

pub(super) fn revoke() -> Value {
    json!({
        "operationId": "revoke",
        "description": "For administrators. Streams that it concerns end within two seconds; it survives \
            a restart.",
        "security": credentials(),
        "requestBody": body(&json!({
            "revoke": { "type": "string", "description": "`subject:<subject>`, `token:<issuer>:<jti>` or `key:<id>`." },
            "issuedBefore": {
                "description": "Of a subject, only credentials that were issued before this time.",
                "oneOf": [{ "type": "integer" }, { "type": "string", "format": "date-time" }],
            },
            "for": { "type": "string", "description": "How long it is remembered, such as `30d`." },
        }), &["revoke"]),
        "responses": responses(&json!({
            "description": "Kept.",
            "content": { JSON: { "schema": schema("Revocation") } },
        }), &["400", "401", "403", "408", "413", "421", "429", "503"]),
    })
}

pub(super) fn revocations() -> Value {
    json!({
        "operationId": "listRevocations",
        "security": credentials(),
        "responses": responses(&json!({
            "description": "All that are in force.",
            "content": { JSON: { "schema": {
                "type": "object",
                "required": ["revocations"],
                "properties": { "revocations": { "type": "array", "items": schema("Revocation") } },
            } } },
        }), &["400", "401", "403", "421", "429", "503"]),
    })
}

pub(super) fn lift() -> Value {
    json!({
        "operationId": "liftRevocation",
        "security": credentials(),
        "parameters": [path_parameter("name", "What is revoked, such as `subject:u1`.")],
        "responses": no_content(&["400", "401", "403", "404", "421", "429", "503"]),
    })
}

pub(super) fn connection_id() -> Value {
    path_parameter("id", "`connectionId` of `tidings.hello`.")
}

/// Every way to say who one is, but a ticket.
pub(super) fn credentials() -> Value {
    json!([{ "bearer": [] }, { "apiKey": [] }, { "session": [] }])
}

fn issue_body() -> Value {
    body(
        &json!({
            "topics": {
                "type": "array", "items": { "type": "string" }, "minItems": 1,
                "description": "What it may read at most; without it, all that its identity may.",
            },
            "origin": { "type": "string", "description": "The page that may use it. For tickets." },
        }),
        &[],
    )
}

pub(super) fn body(properties: &Value, required: &[&str]) -> Value {
    json!({
        "required": !required.is_empty(),
        "content": { JSON: { "schema": {
            "type": "object",
            "additionalProperties": false,
            "required": required,
            "properties": properties,
        } } },
    })
}

fn issued(name: &str) -> Value {
    json!({
        "description": "Shown once.",
        "content": { JSON: { "schema": {
            "type": "object",
            "required": [name, "expiresAt"],
            "properties": {
                name: { "type": "string" },
                "expiresAt": { "type": "integer", "description": "Unix ms." },
            },
        } } },
    })
}

fn no_content(refusals: &[&str]) -> Value {
    let mut all = responses(&json!({}), refusals);
    if let Some(all) = all.as_object_mut() {
        all.remove("200");
    }
    all["204"] = json!({ "description": "Done." });
    all
}
