//! A20: what a page of another site may have a browser send with its user's cookie.

use tidings_http::Origins;

use crate::client::Request;
use crate::world::{LISTED_ORIGIN, Wish, World};

const EVENT: &str = r#"{"type":"t","topics":["project/1"]}"#;

const FOREIGN: &str = "https://evil.example";

/// The hub's own origin, as long as nobody says which scheme it has.
const OWN: &str = "http://hub.test";

const ORIGINS: [Option<&str>; 6] = [
    None,
    Some(LISTED_ORIGIN),
    Some(OWN),
    Some(FOREIGN),
    Some("null"),
    Some("http://hub.test:81"),
];

const SITES: [Option<&str>; 5] = [
    None,
    Some("same-origin"),
    Some("same-site"),
    Some("cross-site"),
    Some("none"),
];

const CONTENT_TYPES: [&str; 5] = [
    "application/json",
    "application/json; charset=utf-8",
    "application/x-ndjson",
    "text/plain",
    "application/x-www-form-urlencoded",
];

fn with(mut request: Request, origin: Option<&str>, site: Option<&str>) -> Request {
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    if let Some(site) = site {
        request = request.header("sec-fetch-site", site);
    }
    request
}

#[tokio::test]
async fn a20_a_cookie_publishes_only_for_a_page_that_may_and_for_no_browser() {
    let world = World::start().await;
    let mut refused = 0;
    for origin in ORIGINS {
        for site in SITES {
            for content_type in CONTENT_TYPES {
                let request = Request::post("/v1/events").body(content_type, EVENT);
                let request = with(request, origin, site).header("cookie", "session=writer");
                let answer = world.send(request).await;
                let is_json = content_type.starts_with("application/json");
                let is_allowed = match (origin, site) {
                    (Some(LISTED_ORIGIN), _) | (Some(OWN), None | Some("same-origin")) => true,
                    (None, None) => is_json,
                    _ => false,
                };
                let case = format!("{origin:?} {site:?} {content_type}: {}", answer.text());
                if is_allowed {
                    let is_taken = is_json || content_type == "application/x-ndjson";
                    assert_eq!(answer.status, if is_taken { 200 } else { 415 }, "{case}");
                } else {
                    refused += 1;
                    assert_eq!(answer.status, 403, "{case}");
                    assert_eq!(answer.code(), "cross_site", "{case}");
                    assert!(answer.json()["hint"].is_string(), "{case}");
                }
            }
        }
    }
    assert_eq!(
        world
            .labelled("tidings_http_cross_site_refused_total")
            .await,
        refused
    );
}

#[tokio::test]
async fn a20_a_bearer_token_and_a_key_are_nobodys_to_send_along() {
    let world = World::start().await;
    for (name, value) in [("authorization", "Bearer writer"), ("x-api-key", "writer")] {
        for origin in ORIGINS {
            for site in SITES {
                let request = Request::post("/v1/events").json(EVENT).header(name, value);
                let answer = world.send(with(request, origin, site)).await;
                assert_eq!(answer.status, 200, "{name} {origin:?} {site:?}");
            }
        }
    }
}

#[tokio::test]
async fn a20_no_stream_is_opened_for_a_page_that_may_not_read_it() {
    let world = World::start().await;
    for target in ["/v1/stream?topics=project/1", "/v1/events?topics=project/1"] {
        for origin in ORIGINS {
            for site in SITES {
                let request = Request::get(target).header("cookie", "session=reader");
                let stream = world.stream(with(request, origin, site)).await;
                let is_known = matches!(
                    (origin, site),
                    (Some(LISTED_ORIGIN), _) | (Some(OWN), None | Some("same-origin"))
                );
                let is_refused = site == Some("cross-site") && !is_known;
                let status = if is_refused { 403 } else { 200 };
                assert_eq!(stream.head.status, status, "{target} {origin:?} {site:?}");
                // Where it is answered, no foreign page is told that it may read.
                let is_readable = matches!(origin, Some(LISTED_ORIGIN | OWN));
                let allowed = stream.head.header("access-control-allow-origin");
                assert_eq!(
                    allowed.is_some(),
                    is_readable,
                    "{target} {origin:?} {site:?}"
                );
                drop(stream);
                world.until_connections(0).await;
            }
        }
    }
}

#[tokio::test]
async fn a20_everybody_may_read_means_nobody_may_use_a_cookie() {
    let world = World::start_with(Wish {
        origins: Some(Origins::Any),
        ..Wish::default()
    })
    .await;
    let request = |origin| {
        let request = Request::post("/v1/events").json(EVENT);
        with(request, Some(origin), None).header("cookie", "session=writer")
    };
    assert_eq!(world.send(request(FOREIGN)).await.code(), "cross_site");
    assert_eq!(world.send(request(OWN)).await.status, 200);
}

#[tokio::test]
async fn a20_the_scheme_counts_where_a_trusted_proxy_tells_it() {
    let world = World::start_with(Wish {
        trusted_proxies: vec![tidings_http::network("127.0.0.1").expect("a network")],
        ..Wish::default()
    })
    .await;
    for (origin, proto, status) in [
        ("https://hub.test", "https", 200),
        ("http://hub.test", "https", 403),
        ("https://hub.test", "http", 403),
        ("https://hub.test", "https, http", 200),
    ] {
        let request = Request::post("/v1/events").json(EVENT);
        let request = request
            .header("cookie", "session=writer")
            .header("origin", origin)
            .header("x-forwarded-proto", proto);
        let answer = world.send(request).await;
        assert_eq!(answer.status, status, "{origin} {proto}");
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed.is_some(), status == 200, "{origin} {proto}");
    }
}
