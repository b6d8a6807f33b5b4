//! The API as an `OpenAPI` document, described here once and checked in as `docs/openapi.json`.
//!
//! The paths come from the route table, so the document cannot leave a route out or make one up.

mod limit_headers;
mod operations;
mod schemas;

use std::sync::LazyLock;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::reply::{self, Body};
use crate::router::ROUTES;

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| document().into());

/// The document as formatted JSON, with a final line break.
pub fn document() -> String {
    let mut paths = Map::new();
    for route in &ROUTES {
        let method = route.method.as_str().to_ascii_lowercase();
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[method] = operations::describe(route);
    }
    let document = json!({
        "openapi": "3.2.0",
        "info": {
            "title": "Tidings",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Events from servers to browsers and apps, durable and complete or told.",
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "headers": limit_headers::all(),
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "apiKey": { "type": "apiKey", "in": "header", "name": "X-Api-Key" },
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "authjs.session-token",
                    "description": "The session cookie of the application, under whatever name the settings give.",
                },
            },
        },
    });
    format!("{document:#}\n")
}

/// Answers with the document.
pub(crate) fn answer() -> Response<Body> {
    reply::whole(StatusCode::OK, "application/json", DOCUMENT.clone())
}

/// A reference to a schema of the document.
fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_document_lists_exactly_the_routes_of_the_table() {
        let document: Value = serde_json::from_str(&document()).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        let mut described: Vec<String> = paths
            .iter()
            .flat_map(|(path, operations)| {
                let operations = operations.as_object().expect("operations");
                operations
                    .keys()
                    .map(move |method| format!("{} {path}", method.to_uppercase()))
            })
            .collect();
        let mut routes: Vec<String> = ROUTES
            .iter()
            .map(|route| format!("{} {}", route.method, route.path))
            .collect();
        described.sort();
        routes.sort();
        assert_eq!(described, routes);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = document();
        let document: Value = serde_json::from_str(&text).expect("JSON");
        for reference in text.split("\"$ref\": \"#").skip(1) {
            let pointer = reference.split('"').next().expect("a pointer");
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[test]
    fn the_checked_in_document_is_this_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        if std::env::var_os("TIDINGS_WRITE_OPENAPI").is_some() {
            std::fs::write(&path, document()).expect("written");
        }
        let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            checked_in == document(),
            "docs/openapi.json is out of date; run this test with TIDINGS_WRITE_OPENAPI=1"
        );
    }
}
