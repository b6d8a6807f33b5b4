//! A19 and A22 on the wire: which pages may read, and that no cache keeps anything.

use crate::client::Request;
use crate::world::{LISTED_ORIGIN, Wish, World};

const EVENTS: &str = "/v1/events?topics=project/1";

#[tokio::test]
async fn a19_a_listed_origin_may_read_with_credentials() {
    let world = World::start().await;
    for request in [
        Request::get(EVENTS).bearer("reader"),
        Request::get("/nowhere"),
    ] {
        let answer = world.send(request.header("origin", LISTED_ORIGIN)).await;
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(LISTED_ORIGIN)
        );
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
        let exposed = answer
            .header("access-control-expose-headers")
            .expect("exposed");
        assert!(exposed.contains("x-request-id") && exposed.contains("retry-after"));
    }
    let stream = Request::get("/v1/stream?topics=project/1").bearer("reader");
    let stream = world.stream(stream.header("origin", LISTED_ORIGIN)).await;
    assert_eq!(
        stream.head.header("access-control-allow-origin"),
        Some(LISTED_ORIGIN)
    );
}

#[tokio::test]
async fn a19_no_other_origin_gets_a_word() {
    let world = World::start().await;
    for origin in [
        "null",
        "https://evilapp.example",
        "https://app.example.evil.net",
        "http://app.example",
        "https://app.example:444",
        "http://localhost:3000",
        "https://app.example, https://evil.example",
        "*",
    ] {
        for method in ["GET", "OPTIONS"] {
            let request = Request::new(method, EVENTS)
                .bearer("reader")
                .header("origin", origin);
            let request = request.header("access-control-request-method", "GET");
            let answer = world.send(request).await;
            assert_eq!(
                answer.all("access-control-allow-origin"),
                "",
                "{method} {origin}"
            );
            assert_eq!(
                answer.all("access-control-allow-credentials"),
                "",
                "{method} {origin}"
            );
            assert!(answer.all("vary").contains("origin"), "{method} {origin}");
        }
    }
    let figures = world.send(Request::get("/metrics")).await.text();
    assert!(
        figures.contains("tidings_http_origins_refused_total 16"),
        "{figures}"
    );
}

#[tokio::test]
async fn a19_development_answers_this_machine_on_any_port() {
    let world = World::start_with(Wish {
        development: true,
        ..Wish::default()
    })
    .await;
    for origin in [
        "http://localhost:5173",
        "http://127.0.0.1:3000",
        LISTED_ORIGIN,
    ] {
        let answer = world
            .send(Request::get("/healthz").header("origin", origin))
            .await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
    let foreign = Request::get("/healthz").header("origin", "http://localhost.evil.example");
    assert_eq!(
        world
            .send(foreign)
            .await
            .header("access-control-allow-origin"),
        None
    );
}

#[tokio::test]
async fn a19_a_preflight_is_answered_without_a_credential_on_every_path() {
    let world = World::start().await;
    for path in tidings_http::ROUTES
        .iter()
        .map(|route| route.path)
        .chain(["/nowhere"])
    {
        let request = Request::new("OPTIONS", path)
            .header("origin", LISTED_ORIGIN)
            .header("access-control-request-method", "GET")
            .header(
                "access-control-request-headers",
                "authorization,last-event-id",
            );
        let answer = world.send(request).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(LISTED_ORIGIN)
        );
        let headers = answer
            .header("access-control-allow-headers")
            .expect("headers");
        for name in [
            "authorization",
            "last-event-id",
            "cache-control",
            "content-type",
        ] {
            assert!(headers.contains(name), "{headers}");
        }
        let age = tidings_http::limits::PREFLIGHT_AGE_SECONDS.to_string();
        assert_eq!(answer.header("access-control-max-age"), Some(age.as_str()));
        assert!(answer.all("vary").contains("origin"));
    }
}

#[tokio::test]
async fn a22_nothing_is_kept_by_a_cache_and_no_host_is_echoed() {
    let world = World::start().await;
    let cursor = world.publish("project/1", 1).await;
    let targets = [
        EVENTS,
        "/v1/topics/project%2F1",
        "/healthz",
        "/metrics",
        "/nowhere",
        "/v1/stream?x=1",
    ];
    let one_event = format!("/v1/events/{cursor}");
    for target in targets.into_iter().chain([one_event.as_str()]) {
        let request = Request::get(target)
            .bearer("reader")
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("if-none-match", "*")
            .header("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT");
        let answer = world.send(request).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{target}");
        let vary = answer.all("vary");
        assert!(
            ["authorization", "cookie", "origin"]
                .iter()
                .all(|name| vary.contains(name)),
            "{target}: {vary}"
        );
        assert_ne!(answer.status, 304);
        assert!(!answer.text().contains("evil.example"), "{target}");
        assert_eq!(answer.header("location"), None);
    }
}

#[tokio::test]
async fn a22_no_route_and_no_refusal_is_kept_or_says_where_the_hub_is() {
    let world = World::start_with(Wish {
        hosts: vec![tidings_http::HostName::parse("evil.example").expect("a host")],
        ..Wish::default()
    })
    .await;
    let paths = tidings_http::ROUTES.iter().map(|route| route.path);
    let mut statuses = std::collections::BTreeSet::new();
    for path in paths.chain(["/nowhere", "//evil.example/x", EVENTS]) {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE"] {
            for host in ["evil.example", "elsewhere.example"] {
                for token in ["reader", "nobody", "made-up", "bug"] {
                    // One panic says as much as many, which fill the output of the tests.
                    if token == "bug" && (method, path) != ("GET", EVENTS) {
                        continue;
                    }
                    let request = Request::new(method, path)
                        .bearer(token)
                        .header("host", host)
                        .header("x-forwarded-host", "evil.example")
                        .header("forwarded", "host=evil.example")
                        .header("if-none-match", "*")
                        .header("content-length", "0");
                    let answer = world.stream(request).await.head;
                    let shown = format!("{method} {path} {host} {token}: {answer:?}");
                    statuses.insert(answer.status);
                    assert!(answer.all("cache-control").contains("no-store"), "{shown}");
                    let vary = answer.all("vary");
                    let names = ["authorization", "cookie", "origin"];
                    assert!(names.iter().all(|name| vary.contains(name)), "{shown}");
                    let hidden = shown.replace(path, "").replacen(host, "", 1);
                    assert!(!hidden.contains(".example"), "{shown}");
                    assert_eq!(answer.header("location"), None, "{shown}");
                }
            }
        }
    }
    let expected = [200, 400, 401, 403, 404, 405, 415, 421, 500];
    assert!(
        expected.iter().all(|status| statuses.contains(status)),
        "{statuses:?}"
    );
    assert!(!statuses.contains(&304));
}
