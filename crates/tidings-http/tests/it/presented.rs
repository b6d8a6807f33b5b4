//! What a request can present besides a bearer token, and where.

use crate::client::Request;
use crate::world::{Wish, World};

const STREAM: &str = "/v1/stream?topics=project/1";
const PAGE: &str = "/v1/events?topics=project/1";

#[tokio::test]
async fn a_ticket_opens_what_is_read_and_nothing_else() {
    let world = World::start().await;
    for target in [STREAM, PAGE] {
        for name in ["ticket", "%74icket"] {
            let ticket = world.issue("ticket", "reader", "").await;
            let request = Request::get(&format!("{target}&{name}={ticket}"));
            assert_eq!(world.stream(request).await.head.status, 200, "{target}");
        }
    }
    for request in [
        Request::post("/v1/events?ticket=good")
            .json("{}")
            .bearer("writer"),
        Request::get("/v1/events/x?ticket=good").bearer("writer"),
        Request::get("/v1/topics/x?ticket=good").bearer("writer"),
    ] {
        let answer = world.send(request).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_query")
        );
        assert!(answer.text().contains("Authorization: Bearer"));
    }
    for target in ["/v1/events/x?ticket=good", "/v1/topics/x?ticket=good"] {
        let answer = world.send(Request::get(target)).await;
        assert_eq!(answer.code(), "not_granted", "whatever it is");
    }
}

#[tokio::test]
async fn a12_a_refused_ticket_is_not_repeated() {
    let world = World::start().await;
    for (query, status, code) in [
        ("ticket=canary-1", 401, "invalid_token"),
        ("ticket=elsewhere", 401, "invalid_token"),
        ("ticket=canary-1&ticket=canary-2", 400, "invalid_query"),
        ("ticket=good&ticket=canary-2", 400, "invalid_query"),
        ("ticket=canary-%ff", 401, "authentication_required"),
    ] {
        let answer = world.send(Request::get(&format!("{STREAM}&{query}"))).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{query}"
        );
        assert!(!answer.text().contains("canary"), "{}", answer.text());
        assert!(!answer.text().contains("elsewhere"), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_session_is_found_among_other_cookies() {
    let world = World::start().await;
    for cookies in [
        "session=reader",
        "a=1; session=reader; b=2",
        "broken; =; session=\"reader\"; x",
        "session=reader; session=expired",
    ] {
        let request = Request::get(PAGE).header("cookie", cookies);
        assert_eq!(world.send(request).await.status, 200, "{cookies}");
    }
    let several = Request::get(PAGE)
        .header("cookie", "a=1")
        .header("cookie", "session=reader");
    assert_eq!(world.send(several).await.status, 200);
    let wrong = Request::get(PAGE).header("cookie", "session=canary");
    let answer = world.send(wrong).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "invalid_token")
    );
    assert!(!answer.text().contains("canary"));
}

#[tokio::test]
async fn n7_cookies_have_a_limit_to_the_piece() {
    let world = World::start().await;
    let max = tidings_http::limits::COOKIES_MAX;
    for (count, status) in [(max, 200), (max + 1, 431)] {
        let cookies = format!("session=reader{}", ";a=1".repeat(count - 1));
        let request = Request::get(PAGE).header("cookie", &cookies);
        assert_eq!(world.send(request).await.status, status);
    }
}

#[tokio::test]
async fn the_development_user_is_not_believed_through_any_proxy() {
    let world = World::start_with(Wish {
        development: true,
        ..Wish::default()
    })
    .await;
    let local = || Request::get("/v1/events?userId=ann").header("host", "localhost:4000");
    assert_eq!(world.send(local()).await.status, 200);
    for name in [
        "forwarded",
        "x-forwarded-for",
        "X-Forwarded-Host",
        "x-forwarded-proto",
        "x-real-ip",
        "via",
        "true-client-ip",
        "x-forwarded-anything",
    ] {
        for value in ["127.0.0.1", ""] {
            let answer = world.send(local().header(name, value)).await;
            assert_eq!(answer.status, 401, "{name}: {value}");
        }
    }
}
