//! `GET /v1/events`: reading page by page, and waiting for a page.

use std::sync::atomic::Ordering;

use tidings_http::limits::UNREADABLE_RETRY_MS;

use crate::client::{Answer, Request};
use crate::world::World;

async fn page(world: &World, query: &str) -> Answer {
    let target = format!("/v1/events?topics=project/*{query}");
    world.send(Request::get(&target).bearer("reader")).await
}

#[tokio::test]
async fn pages_follow_each_other_until_there_is_no_more() {
    let world = World::start().await;
    for number in 1..=5 {
        world.publish("project/1", number).await;
    }
    let mut since = "earliest".to_owned();
    let mut seen = Vec::new();
    loop {
        let answer = page(&world, &format!("&limit=2&since={since}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        assert!(page["gap"].is_null());
        let events = page["events"].as_array().expect("events");
        assert!(events.len() <= 2);
        seen.extend(
            events
                .iter()
                .map(|event| event["data"].as_u64().expect("data")),
        );
        page["cursor"]
            .as_str()
            .expect("a cursor")
            .clone_into(&mut since);
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(
        page(&world, &format!("&since={since}")).await.json()["events"],
        serde_json::json!([])
    );
}

#[tokio::test]
async fn a_page_waits_for_its_first_event() {
    let world = World::start().await;
    let begun = async {
        world.until_opened(1).await;
        world.publish("project/1", 7).await;
    };
    let (answer, ()) = tokio::join!(page(&world, "&wait=30s"), begun);
    assert_eq!(answer.json()["events"][0]["data"], 7, "{}", answer.text());
}

#[tokio::test]
async fn a_wait_without_an_event_ends_with_a_cursor_to_go_on_from() {
    let world = World::start().await;
    let answer = page(&world, "&wait=20ms").await.json();
    assert_eq!(
        (&answer["events"], &answer["more"]),
        (&serde_json::json!([]), &false.into())
    );
    let cursor = answer["cursor"].as_str().expect("a cursor").to_owned();
    world.publish("project/1", 8).await;
    let next = page(&world, &format!("&since={cursor}")).await.json();
    assert_eq!(next["events"][0]["data"], 8);
}

#[tokio::test]
async fn a_foreign_cursor_is_answered_with_a_gap() {
    let world = World::start().await;
    world.publish("project/1", 1).await;
    let answer = page(&world, "&since=5-zzzzzzzzzz").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["gap"]["reason"], "unknown");
}

#[tokio::test]
async fn a_page_that_cannot_be_read_says_when_to_ask_again() {
    let world = World::start().await;
    world.publish("project/1", 1).await;
    let first = "&since=earliest";
    world.store.failing.store(1, Ordering::SeqCst);
    let answer = page(&world, first).await;
    let left = world.store.failing.load(Ordering::SeqCst);
    assert_eq!(left, 0, "the fault did not happen");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "log_unreadable")
    );
    assert_eq!(answer.json()["retryAfterMs"], UNREADABLE_RETRY_MS);
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert!(!answer.text().contains("secret"), "{}", answer.text());
    assert_eq!(page(&world, first).await.status, 200);
}

#[tokio::test]
async fn values_out_of_range_are_refused() {
    let world = World::start().await;
    for query in [
        "&limit=0",
        "&limit=1001",
        "&limit=x",
        "&wait=56s",
        "&wait=5",
        "&since=a%20b",
        "&limits=1",
    ] {
        let answer = page(&world, query).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_query"),
            "{query}"
        );
    }
}
