//! The shapes of answers around credentials.

use serde_json::{Value, json};

use super::schema;

pub(super) fn renewed() -> Value {
    json!({
        "type": "object",
        "required": ["cursor", "expiresAt"],
        "properties": {
            "cursor": schema("Cursor"),
            "expiresAt": { "type": ["integer", "null"], "description": "Unix ms." },
            "topics": { "type": "array", "items": { "type": "string" }, "description": "What it reads, if that is less than it asked for." },
        },
    })
}

pub(super) fn revocation() -> Value {
    json!({
        "type": "object",
        "required": ["revoked", "at", "until"],
        "properties": {
            "revoked": { "type": "string" },
            "at": { "type": "integer", "description": "Unix ms." },
            "until": { "type": "integer", "description": "Unix ms." },
            "issuedBefore": { "type": "integer", "description": "Unix ms." },
        },
    })
}

pub(super) fn explanation() -> Value {
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let decision = json!({
        "type": "object",
        "required": ["allowed", "because"],
        "properties": { "allowed": { "type": "boolean" }, "because": { "type": "string" } },
    });
    json!({
        "type": "object",
        "required": ["providers", "identity", "rules"],
        "properties": {
            "providers": { "type": "array", "items": {
                "type": "object",
                "required": ["provider", "said"],
                "properties": {
                    "provider": { "type": "string" },
                    "said": { "type": "string", "enum": ["nothing", "accepted", "refused", "not_asked"] },
                    "why": { "type": "string" },
                },
            } },
            "identity": { "oneOf": [{ "type": "null" }, {
                "type": "object",
                "properties": {
                    "subject": { "type": ["string", "null"] },
                    "roles": texts,
                    "method": { "type": "string" },
                    "issuer": { "type": "string" },
                    "credential": { "type": "string" },
                    "expiresAt": { "type": ["integer", "null"] },
                    "subscribe": texts,
                    "publish": texts,
                    "administer": { "type": "boolean" },
                },
            }] },
            "revocation": schema("Revocation"),
            "rules": { "type": "array", "items": {
                "type": "object",
                "required": ["rule", "applies", "granted"],
                "properties": {
                    "rule": { "type": "integer" },
                    "applies": { "type": "boolean" },
                    "why": { "type": "string" },
                    "granted": texts,
                    "leftOut": { "type": "array", "items": { "type": "object", "properties": {
                        "what": { "type": "string" }, "why": { "type": "string" },
                    } } },
                },
            } },
            "subscribe": decision,
            "publish": decision,
        },
    })
}
