//! An administrator looks at connections.

use serde_json::{Value, json};
use tidings_hub::CONNECTIONS_LISTED_MAX;

use crate::client::{Answer, Request, Stream};
use crate::http2;
use crate::sinks::{Sink, for_each_sink};
use crate::world::World;

async fn open(world: &World, request: Request) -> (Stream, String) {
    let mut stream = world.stream(request).await;
    let hello = stream.next().await.expect("a greeting").json();
    let id = hello["connectionId"].as_str().expect("an id").to_owned();
    (stream, id)
}

async fn ask(world: &World, target: &str) -> Answer {
    world.send(Request::get(target).bearer("admin")).await
}

#[track_caller]
fn body(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

fn ids(listed: &Value) -> Vec<&str> {
    let connections = listed["connections"].as_array().expect("a list");
    connections
        .iter()
        .map(|one| one["id"].as_str().expect("an id"))
        .collect()
}

for_each_sink!(what_is_shown_of_a_connection);

async fn what_is_shown_of_a_connection(sink: Sink) {
    let world = World::start().await;
    let target = "/v1/stream?topics=project/1,elsewhere/*&events=t&meta_tab=7&meta_app=%C3%A9";
    let token = "~ann~read=project/*~ends=60000";
    let request = Request::get(target).bearer(token).through(sink);
    let before = world.now_ms();
    let (mut stream, id) = open(&world, request).await;
    let cursor = world.publish("project/1", 1).await;
    assert_eq!(stream.next_event().await.json()["data"], 1);
    let shown = body(&ask(&world, &format!("/v1/connections/{id}")).await);
    let (opened_at, expires_at) = (&shown["openedAt"], &shown["expiresAt"]);
    let opened_at = opened_at.as_u64().expect("a time");
    // The two clocks of the hub tick a part of a millisecond apart.
    let around = before - 1..=world.now_ms() + 1;
    assert!(around.contains(&opened_at), "{shown}");
    assert!(expires_at.as_u64().expect("a time") >= before + 60_000);
    assert!(shown["delivered"]["bytes"].as_u64().expect("a number") > 100);
    let mut comparable = shown.clone();
    for name in ["openedAt", "expiresAt", "delivered"] {
        comparable[name] = json!("checked");
    }
    assert_eq!(
        comparable,
        json!({
            "id": id, "state": "connected", "transport": "sse", "protocol": "http/1.1",
            "profile": "native", "subject": "ann", "roles": ["USER"], "address": "127.0.0.1",
            "openedAt": "checked", "expiresAt": "checked", "cursor": cursor, "lag": 0,
            "topics": ["project/1", "elsewhere/*"], "events": ["t"], "audience": "own",
            "delivered": "checked", "metadata": { "tab": "7", "app": "é" },
            "reads": ["project/1", "@user/ann", "@role/USER", "@all"],
        })
    );
    assert_eq!(shown["delivered"]["events"], 1);
    let mut listed = body(&ask(&world, "/v1/connections").await);
    let one = listed["connections"][0].take();
    let mut without_reads = shown;
    without_reads
        .as_object_mut()
        .expect("an object")
        .remove("reads");
    assert_eq!(one, without_reads);
    drop(stream);
    world.until_connections(0).await;
    let gone = ask(&world, &format!("/v1/connections/{id}")).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "not_found"));
}

#[tokio::test]
async fn connections_are_listed_page_after_page_and_by_what_they_are() {
    let world = World::start().await;
    let stream = |topics: &str| Request::get(&format!("/v1/stream?topics={topics}"));
    let (_writer, writer) = open(&world, stream("project/1").bearer("writer")).await;
    let (_reader, reader) = open(&world, stream("project/*").bearer("reader")).await;
    let portal = Request::get("/api/v1/sse?topics=project/2").bearer("writer");
    let mut portal = world.stream(portal).await;
    portal.next().await.expect("a greeting");
    let mut h2 = http2::connect(&world).await;
    let on_h2 = http2::request("GET", "/v1/stream?audience=none&topics=project/3", "");
    let on_h2 = h2.send_request(on_h2).await.expect("a head");

    let all = body(&ask(&world, "/v1/connections").await);
    assert_eq!((&all["total"], &all["next"]), (&json!(4), &json!(null)));
    assert_eq!(ids(&all).len(), 4);
    let (mut paged, mut after) = (Vec::new(), String::new());
    loop {
        let page = body(&ask(&world, &format!("/v1/connections?limit=1{after}")).await);
        assert_eq!(page["total"], 4);
        paged.extend(ids(&page).iter().map(|id| (*id).to_owned()));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(paged, ids(&all));

    for (query, expected) in [
        ("subject=w1", 3),
        ("subject=nobody", 0),
        ("topic=project/1", 2),
        ("topic=project/1&subject=w1", 1),
        ("topic=project/2", 2),
        ("profile=portal", 1),
        ("profile=native&topic=project/3", 2),
        ("state=stale", 0),
    ] {
        let listed = body(&ask(&world, &format!("/v1/connections?{query}")).await);
        assert_eq!(listed["total"], expected, "{query}: {listed}");
        assert_eq!(ids(&listed).len(), expected, "{query}");
    }
    let of_one = body(&ask(&world, "/v1/connections?topic=project/1&subject=w1").await);
    assert_eq!(ids(&of_one), [writer.as_str()]);
    let shown = body(&ask(&world, "/v1/connections?profile=portal").await);
    assert_eq!(shown["connections"][0]["protocol"], "http/1.1");
    let shown = body(&ask(&world, "/v1/connections?topic=project/3&subject=w1").await);
    let shown = &shown["connections"][0];
    assert_eq!(
        (&shown["protocol"], &shown["audience"]),
        (&json!("h2"), &json!("none"))
    );
    // Whether its client has taken its greeting is between it and its client.
    let count = |state: &str| all["states"][state].as_u64().expect("a number");
    assert_eq!(count("connecting") + count("connected"), 4, "{all}");
    assert_eq!(count("idle") + count("stale") + count("disconnecting"), 0);
    assert!(ids(&all).contains(&reader.as_str()));
    drop(on_h2);
}

#[tokio::test]
async fn a_list_that_is_asked_for_wrongly_is_refused_with_the_right_way() {
    let world = World::start().await;
    for (query, said) in [
        ("state=sleeping", "`stale`"),
        ("topic=a/*", "a topic without wildcards"),
        ("topic=a//b", "a topic without wildcards"),
        ("subject=", "a subject"),
        ("profile=none", "/v1/profiles"),
        ("limit=0", "from 1 to 500"),
        ("limit=501", "from 1 to 500"),
        ("after=here", "`next`"),
        ("state=idle&state=stale", "one value"),
        ("stat=idle", "use `state`"),
    ] {
        let answer = ask(&world, &format!("/v1/connections?{query}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_query"),
            "{query}"
        );
        assert!(answer.text().contains(said), "{query}: {}", answer.text());
    }
    assert_eq!(CONNECTIONS_LISTED_MAX, 500);
}

#[tokio::test]
async fn only_administrators_look_at_connections() {
    let world = World::start().await;
    let request = Request::get("/v1/stream?topics=project/1").bearer("writer");
    let (_stream, id) = open(&world, request).await;
    for target in [
        "/v1/connections".to_owned(),
        format!("/v1/connections/{id}"),
    ] {
        for (request, status, code) in [
            (Request::get(&target), 401, "authentication_required"),
            (Request::get(&target).bearer("writer"), 403, "not_granted"),
            (
                Request::get(&target)
                    .header("cookie", "session=admin")
                    .header("sec-fetch-site", "cross-site"),
                403,
                "cross_site",
            ),
        ] {
            let answer = world.send(request).await;
            assert_eq!((answer.status, answer.code().as_str()), (status, code));
            assert!(!answer.text().contains("w1"), "{}", answer.text());
        }
    }
    let nothing = ask(&world, "/v1/connections/nothing").await;
    assert_eq!(
        (nothing.status, nothing.code().as_str()),
        (404, "not_found")
    );
}

#[tokio::test]
async fn a_stream_is_seen_to_be_idle_until_its_next_event() {
    let world = World::start().await;
    let (mut stream, id) = open(
        &world,
        Request::get("/v1/stream?topics=project/1")
            .bearer("writer")
            .through(Sink::Mailbox),
    )
    .await;
    world.publish("project/1", 1).await;
    stream.next_event().await;
    let seen = async || {
        let shown = body(&ask(&world, &format!("/v1/connections/{id}")).await);
        shown["state"].as_str().expect("a state").to_owned()
    };
    assert_eq!(seen().await, "connected");
    world.advance_and_wake(61_000).await;
    assert_eq!(seen().await, "idle");
    world.publish("project/1", 2).await;
    stream.next_event().await;
    assert_eq!(seen().await, "connected");
}
