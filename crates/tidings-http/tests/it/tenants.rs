//! A16: what belongs to one tenant is nobody else's, at any route. The cases are taken from the route
//! table: a new route without a case fails here.

use tidings_http::Route;

use crate::client::Request;
use crate::world::World;

/// In everything that tenant A has, and in nothing that tenant B sends. No secret: the log, which names
/// paths, may name its event.
const OF_A: &str = "kept-by-a";

struct Case {
    request: Request,
    /// The same for something that nobody has: the answers must not differ.
    unknown: Option<Request>,
    status: u16,
}

/// What tenant B asks of tenant A's, at a route.
fn cases(route: &Route, id: &str, cursor: &str, connection: &str) -> Vec<Case> {
    let case = |request: Request, unknown: Option<Request>, status| Case {
        request: request.bearer("tenant-b"),
        unknown: unknown.map(|request| request.bearer("tenant-b")),
        status,
    };
    let get = |target: String| Request::get(&target);
    let publish = |topic: &str| {
        let event = format!(r#"{{"type":"t","topics":["{topic}"]}}"#);
        Request::post("/v1/events").json(&event)
    };
    match (route.method.as_str(), route.path) {
        ("POST", "/v1/events") => vec![case(publish("a/1"), Some(publish("a/9")), 403)],
        ("GET", path @ ("/v1/events" | "/v1/stream")) => vec![
            case(
                get(format!("{path}?topics=a/1")),
                Some(get(format!("{path}?topics=a/9"))),
                403,
            ),
            case(get(format!("{path}?topics=a/**&since=earliest")), None, 403),
            // What reaches B is its own, wherever it starts.
            case(get(format!("{path}?topics=**&since=earliest")), None, 200),
            case(get(format!("{path}?since=earliest")), None, 200),
            case(get(format!("{path}?topics=b/**&since={id}")), None, 200),
            case(get(format!("{path}?topics=b/**&since={cursor}")), None, 200),
        ],
        ("GET", "/v1/events/{id}") => [id, cursor]
            .map(|name| {
                let of_a = get(format!("/v1/events/{name}"));
                case(of_a, Some(get("/v1/events/nothing".to_owned())), 404)
            })
            .into(),
        ("GET", "/v1/topics/{topic}") => vec![case(
            get("/v1/topics/a%2F1".to_owned()),
            Some(get("/v1/topics/a%2F9".to_owned())),
            403,
        )],
        ("POST", path @ ("/v1/tickets" | "/v1/tokens")) => {
            let ask =
                |topic: &str| Request::post(path).json(&format!(r#"{{"topics":["{topic}"]}}"#));
            vec![
                case(ask("a/1"), Some(ask("a/9")), 403),
                case(ask("b/1"), None, 200),
            ]
        }
        ("POST", "/v1/connections/{id}/credential") => {
            let renew = |id: &str| Request::post(&format!("/v1/connections/{id}/credential"));
            let unknown = connection.replace(|c: char| c.is_ascii_digit(), "1");
            vec![
                case(renew(connection), Some(renew(&unknown)), 404),
                case(renew(connection), Some(renew("nothing")), 404),
            ]
        }
        ("PATCH", "/v1/connections/{id}/subscription") => {
            let change = |id: &str| {
                let path = format!("/v1/connections/{id}/subscription");
                Request::new("PATCH", &path).json(r#"{"topics":["b/1"]}"#)
            };
            let unknown = connection.replace(|c: char| c.is_ascii_digit(), "1");
            vec![
                case(change(connection), Some(change(&unknown)), 404),
                case(change(connection), Some(change("nothing")), 404),
            ]
        }
        ("GET", "/v1/connections") => ["", "?subject=alice", "?topic=a/1", "?state=idle"]
            .map(|query| {
                let asked = get(format!("/v1/connections{query}"));
                case(
                    asked,
                    Some(get("/v1/connections?topic=a/9".to_owned())),
                    403,
                )
            })
            .into(),
        ("GET", "/v1/connections/{id}") => {
            let show = |id: &str| get(format!("/v1/connections/{id}"));
            vec![case(show(connection), Some(show("nothing")), 403)]
        }
        ("GET", "/v1/health") => vec![
            case(get(route.path.to_owned()), None, 200),
            case(get("/v1/health?details=true".to_owned()), None, 403),
        ],
        ("POST", "/v1/health") => {
            let end = |subject: &str| {
                let body = format!(r#"{{"action":"disconnect","subject":"{subject}"}}"#);
                Request::post("/v1/health").json(&body)
            };
            vec![case(end("alice"), Some(end("nobody")), 403)]
        }
        ("DELETE", "/v1/connections/{id}") => {
            let end = |id: &str| Request::new("DELETE", &format!("/v1/connections/{id}"));
            vec![case(end(connection), Some(end("nothing")), 403)]
        }
        ("POST", "/v1/auth/explain") => {
            let ask = |key: &str| {
                let body = format!(r#"{{"token":"tenant-a","key":"{key}"}}"#);
                Request::post("/v1/auth/explain").json(&body)
            };
            vec![case(ask("a/1"), Some(ask("a/9")), 403)]
        }
        ("POST", "/v1/revocations") => {
            let revoke = |what: &str| {
                let body = format!(r#"{{"revoke":"subject:{what}"}}"#);
                Request::post("/v1/revocations").json(&body)
            };
            vec![case(revoke("alice"), Some(revoke("nobody")), 403)]
        }
        ("GET", "/v1/revocations") => vec![case(get(route.path.to_owned()), None, 403)],
        ("DELETE", "/v1/revocations/{name}") => {
            let lift =
                |what: &str| Request::new("DELETE", &format!("/v1/revocations/subject:{what}"));
            vec![case(lift("alice"), Some(lift("nobody")), 403)]
        }
        (
            "GET",
            path @ ("/healthz" | "/readyz" | "/metrics" | "/openapi.json" | "/v1/profiles"),
        ) => {
            vec![case(get(path.to_owned()), None, 200)]
        }
        (method, path) => panic!("`{method} {path}` has no case: say what tenant B must not see"),
    }
}

/// An answer without what differs in any two: its name, and the topic that was asked for.
fn comparable(text: &str, request_id: &str) -> String {
    text.replace(request_id, "").replace("a/9", "a/1")
}

#[tokio::test]
async fn a16_no_route_shows_a_tenant_what_another_has() {
    let world = World::start().await;
    let id = "kept-by-a-id";
    let event = format!(
        r#"{{"id":"{id}","type":"{OF_A}-type","topics":["a/1"],"source":"{OF_A}-source","data":"{OF_A}-data","metadata":{{"k":"{OF_A}-metadata"}}}}"#
    );
    let published = Request::post("/v1/events").json(&event).bearer("tenant-a");
    let published = world.send(published).await;
    assert_eq!(published.status, 200, "{}", published.text());
    let cursor = published.json()["cursor"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    let own = world.send(Request::get("/v1/events?topics=a/**&since=earliest").bearer("tenant-a"));
    assert!(
        own.await.text().contains("kept-by-a-data"),
        "tenant A sees it"
    );
    let reader = Request::get(&format!("/v1/stream?topics=a/1&meta_tab={OF_A}")).bearer("tenant-a");
    let mut reader = world.stream(reader).await;
    let hello = reader.next().await.expect("a hello").json();
    let connection = hello["connectionId"].as_str().expect("an id").to_owned();

    for route in &tidings_http::ROUTES {
        for case in cases(route, id, &cursor, &connection) {
            let shown = format!("{} {}: {:?}", route.method, route.path, case.request);
            if route.path == "/v1/stream" && case.status == 200 {
                let mut stream = world.stream(case.request).await;
                assert_eq!(stream.head.status, 200, "{shown}");
                let own = r#"{"type":"t","topics":["b/1"],"data":"end"}"#;
                let own = Request::post("/v1/events").json(own).bearer("tenant-b");
                assert_eq!(world.send(own).await.status, 200);
                let reads_b = !shown.contains("?since");
                if reads_b {
                    let next = stream.next_event().await;
                    assert!(
                        next.json()["metadata"]["topics"][0] == "b/1",
                        "{shown}: {next:?}"
                    );
                }
                let text = stream.text();
                assert!(
                    !text.contains(OF_A) && !text.contains("a/1"),
                    "{shown}: {text}"
                );
                continue;
            }
            let answer = world.send(case.request).await;
            assert_eq!(answer.status, case.status, "{shown}: {}", answer.text());
            let text = answer.text();
            assert!(!text.contains(OF_A), "{shown}: {text}");
            assert!(!text.contains("alice"), "{shown}: {text}");
            let Some(unknown) = case.unknown else {
                assert!(
                    !text.contains("\"a/1\"") || case.status == 403,
                    "{shown}: {text}"
                );
                continue;
            };
            let unknown = world.send(unknown).await;
            assert_eq!(unknown.status, case.status, "{shown}");
            let name = |answer: &crate::client::Answer| {
                answer.header("x-request-id").expect("a name").to_owned()
            };
            assert_eq!(
                comparable(&text, &name(&answer)),
                comparable(&unknown.text(), &name(&unknown)),
                "{shown}"
            );
        }
    }
}
