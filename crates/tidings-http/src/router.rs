//! The route table: every method and path that the hub answers, in one place.
//!
//! The same rows answer requests, the `Allow` header, preflights, the metrics' `route` label and the
//! `OpenAPI` document. Matching is by whole segments of the raw path, so that an encoded slash stays
//! inside its segment; a segment's text is decoded once, by whoever reads it.

use http::Method;

/// One row of the table.
#[derive(Debug)]
pub struct Route {
    /// The method; `HEAD` is answered wherever `GET` is.
    pub method: Method,
    /// The path, in which `{name}` stands for one segment.
    pub path: &'static str,
    /// What it does, for people.
    pub what: &'static str,
    pub(crate) endpoint: Endpoint,
}

/// Who answers a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Publish,
    Page,
    Event,
    Stream,
    Topic,
    Ticket,
    Token,
    Credential,
    Disconnect,
    Explain,
    Revoke,
    Revocations,
    Lift,
    Alive,
    Ready,
    Metrics,
    OpenApi,
}

/// All routes.
pub static ROUTES: [Route; 17] = [
    Route {
        method: Method::POST,
        path: "/v1/events",
        what: "publish one event, an atomic group, or events line by line",
        endpoint: Endpoint::Publish,
    },
    Route {
        method: Method::GET,
        path: "/v1/events",
        what: "read one page of events, or wait for it",
        endpoint: Endpoint::Page,
    },
    Route {
        method: Method::GET,
        path: "/v1/events/{id}",
        what: "read one event",
        endpoint: Endpoint::Event,
    },
    Route {
        method: Method::GET,
        path: "/v1/stream",
        what: "read events as they come, as server-sent events",
        endpoint: Endpoint::Stream,
    },
    Route {
        method: Method::GET,
        path: "/v1/topics/{topic}",
        what: "tell what a topic holds and how many read it",
        endpoint: Endpoint::Topic,
    },
    Route {
        method: Method::POST,
        path: "/v1/tickets",
        what: "get a ticket that opens one stream",
        endpoint: Endpoint::Ticket,
    },
    Route {
        method: Method::POST,
        path: "/v1/tokens",
        what: "get a token that opens streams for an hour",
        endpoint: Endpoint::Token,
    },
    Route {
        method: Method::POST,
        path: "/v1/connections/{id}/credential",
        what: "renew the credential of a stream that stays open",
        endpoint: Endpoint::Credential,
    },
    Route {
        method: Method::DELETE,
        path: "/v1/connections/{id}",
        what: "end a connection, with a reason",
        endpoint: Endpoint::Disconnect,
    },
    Route {
        method: Method::POST,
        path: "/v1/auth/explain",
        what: "explain why a credential is accepted or refused",
        endpoint: Endpoint::Explain,
    },
    Route {
        method: Method::POST,
        path: "/v1/revocations",
        what: "revoke a subject, a token or an API key",
        endpoint: Endpoint::Revoke,
    },
    Route {
        method: Method::GET,
        path: "/v1/revocations",
        what: "list what is revoked",
        endpoint: Endpoint::Revocations,
    },
    Route {
        method: Method::DELETE,
        path: "/v1/revocations/{name}",
        what: "lift a revocation",
        endpoint: Endpoint::Lift,
    },
    Route {
        method: Method::GET,
        path: "/healthz",
        what: "tell that the process is alive",
        endpoint: Endpoint::Alive,
    },
    Route {
        method: Method::GET,
        path: "/readyz",
        what: "tell whether the hub takes events",
        endpoint: Endpoint::Ready,
    },
    Route {
        method: Method::GET,
        path: "/metrics",
        what: "figures for Prometheus",
        endpoint: Endpoint::Metrics,
    },
    Route {
        method: Method::GET,
        path: "/openapi.json",
        what: "this API as an OpenAPI document",
        endpoint: Endpoint::OpenApi,
    },
];

/// What the table says of a request.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// The row, and the raw text of its `{name}` segment (empty if it has none).
    Route(&'static Route, &'a str),
    /// The path is there, with other methods.
    OtherMethods(&'static str),
    /// No row has such a path.
    Nothing,
}

/// Looks a request up.
pub(crate) fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    let wanted = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let mut other = None;
    for route in &ROUTES {
        let Some(segment) = capture(route.path, path) else {
            continue;
        };
        if route.method == *wanted {
            return Found::Route(route, segment);
        }
        other = Some(route.path);
    }
    other.map_or(Found::Nothing, Found::OtherMethods)
}

/// The methods of a path of the table, as the `Allow` header lists them.
pub(crate) fn allow(path: &str) -> String {
    let mut methods = Vec::new();
    for route in ROUTES.iter().filter(|route| route.path == path) {
        methods.push(route.method.as_str());
        if route.method == Method::GET {
            methods.push("HEAD");
        }
    }
    methods.push("OPTIONS");
    methods.join(", ")
}

/// The text of the `{name}` segment if a path matches a row; empty for a row without one.
fn capture<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let Some((prefix, (_, suffix))) = pattern
        .split_once('{')
        .and_then(|(prefix, rest)| Some((prefix, rest.split_once('}')?)))
    else {
        return (pattern == path).then_some("");
    };
    let segment = path.strip_prefix(prefix)?.strip_suffix(suffix)?;
    (!segment.is_empty() && !segment.contains('/')).then_some(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_routes() {
        let rows: Vec<String> = ROUTES
            .iter()
            .map(|route| {
                format!(
                    "{:<6} {:<31} {}",
                    route.method.as_str(),
                    route.path,
                    route.what
                )
            })
            .collect();
        insta::assert_snapshot!(rows.join("\n"));
    }

    #[test]
    fn a_path_matches_by_whole_segments() {
        let found = |method: Method, path: &'static str| match find(&method, path) {
            Found::Route(route, segment) => format!("{} {segment}", route.path),
            Found::OtherMethods(path) => allow(path),
            Found::Nothing => "nothing".to_owned(),
        };
        assert_eq!(
            found(Method::GET, "/v1/topics/a%2Fb"),
            "/v1/topics/{topic} a%2Fb"
        );
        assert_eq!(found(Method::HEAD, "/v1/stream"), "/v1/stream ");
        assert_eq!(found(Method::POST, "/v1/stream"), "GET, HEAD, OPTIONS");
        assert_eq!(found(Method::PUT, "/v1/events"), "POST, GET, HEAD, OPTIONS");
        let renew = "/v1/connections/a.1.2/credential";
        assert_eq!(
            found(Method::POST, renew),
            "/v1/connections/{id}/credential a.1.2"
        );
        assert_eq!(found(Method::GET, "/v1/connections/a.1"), "DELETE, OPTIONS");
        let unknown = [
            "/v1/connections//credential",
            "/v1/connections/a/b/credential",
            "",
            "/",
            "//v1/stream",
            "/v1/stream/",
            "/V1/stream",
            "/v1/topics/",
            "/v1/topics/a/b",
            "*",
        ];
        for path in unknown {
            assert_eq!(found(Method::GET, path), "nothing", "{path}");
        }
    }
}
