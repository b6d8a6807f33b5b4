//! The headers by which the `OpenAPI` document says what is told of limits.

use serde_json::{Map, Value, json};

/// Each with what it says and an example.
const HEADERS: [(&str, &str, &str); 3] = [
    (
        "Retry-After",
        "Seconds after which trying again makes sense.",
        "36",
    ),
    (
        "RateLimit",
        "What is left of each limit that the request was counted by, and for how many seconds.",
        "\"tickets\";r=0;t=36",
    ),
    (
        "RateLimit-Policy",
        "Those limits: how many in how many seconds; connections at a time have no window.",
        "\"tickets\";q=120;w=60",
    ),
];

/// All of them by name.
pub(super) fn all() -> Value {
    let headers = HEADERS.map(|(name, description, example)| {
        let schema = json!({ "type": "string", "examples": [example] });
        let header = json!({ "description": description, "schema": schema });
        (name.to_owned(), header)
    });
    Map::from_iter(headers).into()
}

/// All of them where they are referred to.
pub(super) fn references() -> Value {
    let headers = HEADERS.map(|(name, _, _)| {
        let reference = format!("#/components/headers/{name}");
        (name.to_owned(), json!({ "$ref": reference }))
    });
    Map::from_iter(headers).into()
}
