//! The route table: every method and path that the hub answers, in one place.
//!
//! The same rows answer requests, the `Allow` header, preflights, the metrics' `route` label and the
//! `OpenAPI` document. The streams of profiles are rows as well, made from their data. Matching is by
//! whole segments of the raw path, so that an encoded slash stays inside its segment; a segment's text
//! is decoded once, by whoever reads it.

use std::sync::Arc;

use http::Method;

use crate::profile::beside::BesideRoute;
use crate::profile::{PathTemplate, Spoken};

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
    Connections,
    Connection,
    Credential,
    Subscription,
    Disconnect,
    Health,
    HealthAction,
    Explain,
    Revoke,
    Revocations,
    Lift,
    Alive,
    Ready,
    Metrics,
    OpenApi,
    Profiles,
}

/// Who answers a row of a hub's own table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Served {
    /// A route of all hubs, or the stream of a profile.
    Own(Endpoint),
    /// Another route of a profile.
    Beside(BesideRoute),
}

/// Where pages are read.
pub(crate) const PAGE_PATH: &str = "/v1/events";

/// All routes.
pub static ROUTES: [Route; 23] = [
    Route {
        method: Method::POST,
        path: "/v1/events",
        what: "publish one event, an atomic group, or events line by line",
        endpoint: Endpoint::Publish,
    },
    Route {
        method: Method::GET,
        path: PAGE_PATH,
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
        method: Method::GET,
        path: "/v1/connections",
        what: "list the connections of this node",
        endpoint: Endpoint::Connections,
    },
    Route {
        method: Method::GET,
        path: "/v1/connections/{id}",
        what: "show one connection",
        endpoint: Endpoint::Connection,
    },
    Route {
        method: Method::POST,
        path: "/v1/connections/{id}/credential",
        what: "renew the credential of a stream that stays open",
        endpoint: Endpoint::Credential,
    },
    Route {
        method: Method::PATCH,
        path: "/v1/connections/{id}/subscription",
        what: "change what a stream that stays open reads",
        endpoint: Endpoint::Subscription,
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
        path: "/v1/health",
        what: "tell how the hub is, and administrators how each part of it is",
        endpoint: Endpoint::Health,
    },
    Route {
        method: Method::POST,
        path: "/v1/health",
        what: "ping streams, end stale connections, or end those of somebody",
        endpoint: Endpoint::HealthAction,
    },
    Route {
        method: Method::GET,
        path: "/v1/profiles",
        what: "list the profiles: as which endpoints the hub can be reached",
        endpoint: Endpoint::Profiles,
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

/// One row of a hub's own table: of all hubs, or of one of its profiles.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) method: Method,
    pub(crate) path: PathTemplate,
    /// The path for metrics.
    pub(crate) label: Arc<str>,
    pub(crate) served: Served,
    /// By which profile it is answered.
    pub(crate) profile: Arc<Spoken>,
}

impl Row {
    /// Whether a request may mean both. Two methods of one path are two rows of one profile, which
    /// decides what is said to browsers about the path.
    fn may_be_meant_by(&self, other: &Self) -> bool {
        let is_other_method = self.path == other.path
            && self.method != other.method
            && Arc::ptr_eq(&self.profile, &other.profile);
        self.path.meets(&other.path) && !is_other_method
    }
}

/// The table of one hub.
#[derive(Debug)]
pub(crate) struct Router {
    rows: Vec<Row>,
}

/// Two rows that one request may mean.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path `{path}` of the profile `{profile}` is taken by `{other}`")]
pub struct PathTaken {
    /// Whose path it is.
    pub profile: String,
    /// The path.
    pub path: String,
    /// What takes it.
    pub other: String,
}

/// What the table says of a request.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// The row, and the raw text of its `{name}` segment (empty if it has none).
    Route(&'a Row, &'a str),
    /// The path is there, with other methods.
    OtherMethods(&'a Row),
    /// No row has such a path.
    Nothing,
}

impl<'a> Found<'a> {
    /// The row that has the path, whatever its method.
    pub(crate) fn row(&self) -> Option<&'a Row> {
        match self {
            Self::Route(row, _) | Self::OtherMethods(row) => Some(row),
            Self::Nothing => None,
        }
    }
}

impl Router {
    /// The table of all hubs, answered by their own profile.
    pub(crate) fn of_native(native: &Arc<Spoken>) -> Self {
        let rows = ROUTES.iter().map(|route| {
            let path = PathTemplate::of_table(route.path);
            row(
                route.method.clone(),
                path,
                Served::Own(route.endpoint),
                native,
            )
        });
        Self {
            rows: rows.collect(),
        }
    }

    /// Adds the stream of a profile, and its other routes.
    pub(crate) fn add(&mut self, profile: &Arc<Spoken>) -> Result<(), PathTaken> {
        let streams = profile.profile.paths.iter();
        let stream = Served::Own(Endpoint::Stream);
        let streams = streams.map(|path| row(Method::GET, path.clone(), stream, profile));
        let others = profile.profile.beside.routes.iter();
        let others = others.map(|(route, path)| {
            let path = PathTemplate::of_table(path);
            row(route.method(), path, Served::Beside(*route), profile)
        });
        for new in streams.chain(others) {
            if let Some(other) = self.rows.iter().find(|row| row.may_be_meant_by(&new)) {
                return Err(PathTaken {
                    profile: profile.profile.name.clone(),
                    path: new.path.as_str().to_owned(),
                    other: other.path.as_str().to_owned(),
                });
            }
            self.rows.push(new);
        }
        Ok(())
    }

    /// Looks a request up.
    pub(crate) fn find<'a>(&'a self, method: &Method, path: &'a str) -> Found<'a> {
        let wanted = if *method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let mut other = None;
        for row in &self.rows {
            let Some(segment) = row.path.capture(path) else {
                continue;
            };
            if row.method == *wanted {
                return Found::Route(row, segment);
            }
            other = Some(row);
        }
        other.map_or(Found::Nothing, Found::OtherMethods)
    }

    /// The methods of a path of the table, as the `Allow` header lists them.
    pub(crate) fn allow(&self, of: Option<&Row>) -> String {
        let mut methods = Vec::new();
        let is_there = |row: &&Row| of.is_some_and(|of| of.path == row.path);
        for row in self.rows.iter().filter(is_there) {
            methods.push(row.method.as_str());
            if row.method == Method::GET {
                methods.push("HEAD");
            }
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }
}

fn row(method: Method, path: PathTemplate, served: Served, profile: &Arc<Spoken>) -> Row {
    Row {
        method,
        label: path.as_str().into(),
        path,
        served,
        profile: Arc::clone(profile),
    }
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
                    "{:<6} {:<33} {}",
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
        let router = Router::of_native(&Arc::new(Spoken::native()));
        let found = |method: Method, path: &'static str| match router.find(&method, path) {
            Found::Route(row, segment) => format!("{} {segment}", row.path),
            Found::OtherMethods(row) => router.allow(Some(row)),
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
        assert_eq!(
            found(Method::PUT, "/v1/connections/a.1"),
            "GET, HEAD, DELETE, OPTIONS"
        );
        assert_eq!(
            found(Method::PATCH, "/v1/connections/a.1/subscription"),
            "/v1/connections/{id}/subscription a.1"
        );
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
