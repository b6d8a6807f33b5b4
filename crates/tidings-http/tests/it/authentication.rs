//! Who is let in, and what those are told who are not.

use crate::client::Request;
use crate::world::{Wish, World};

const STREAM: &str = "/v1/stream?topics=project/1";

#[tokio::test]
async fn without_a_credential_the_answer_asks_for_one() {
    let world = World::start().await;
    for request in [
        Request::get(STREAM),
        Request::get("/v1/events"),
        Request::get("/v1/events/x"),
        Request::get("/v1/topics/x"),
        Request::post("/v1/events").json("{}"),
    ] {
        let answer = world.send(request).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "authentication_required")
        );
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"tidings\"")
        );
    }
}

#[tokio::test]
async fn a_refused_credential_is_told_why() {
    let world = World::start().await;
    for token in ["expired", "made-up"] {
        let answer = world.send(Request::get(STREAM).bearer(token)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "invalid_token")
        );
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        assert!(!answer.text().contains(token) || token == "expired");
    }
    let other_scheme = Request::get(STREAM).header("authorization", "Basic dTpw");
    assert_eq!(world.send(other_scheme).await.code(), "invalid_token");
    let twice = Request::get(STREAM).bearer("writer").bearer("admin");
    assert_eq!(world.send(twice).await.code(), "invalid_header");
}

#[tokio::test]
async fn each_refused_credential_comes_with_what_to_do() {
    let world = World::start().await;
    let bearer = |token: &str| Request::get(STREAM).bearer(token);
    let header = |value: &str| Request::get(STREAM).header("authorization", value);
    let long = "a".repeat(tidings_http::limits::BEARER_BYTES_MAX + 1);
    for (request, status, hint) in [
        (bearer("malformed"), 401, "three parts"),
        (bearer("forged"), 401, "the secret or the key"),
        (bearer("expired"), 401, "new token"),
        (bearer("late"), 401, "new token"),
        (bearer("early"), 401, "clocks"),
        (bearer("unnamed"), 401, "claim"),
        (bearer("canary"), 401, "issuer is one of this hub"),
        (bearer(&long), 401, "fewer patterns"),
        (header("Bearer"), 401, "as it was issued"),
        (header("Basic canary"), 401, "Bearer"),
        (header("Bearer canaré"), 400, "as it was issued"),
        (bearer("canary").bearer("canary"), 400, "one `Authorization"),
        (Request::get(STREAM), 401, "Bearer"),
    ] {
        let answer = world.send(request).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let shown = answer.json()["hint"].as_str().expect("a hint").to_owned();
        assert!(shown.contains(hint), "{}", answer.text());
        assert!(!answer.text().contains("canar"), "{}", answer.text());
        assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    }
}

#[tokio::test]
async fn a9_no_reader_is_let_in_only_to_be_cut_off_at_once() {
    let world = World::start().await;
    for path in [STREAM, "/v1/events?topics=project/1&wait=5s"] {
        let answer = world.send(Request::get(path).bearer("late")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "invalid_token"),
            "{path}"
        );
        assert!(answer.text().contains("has expired"), "{}", answer.text());
    }
    let event = r#"{"type":"t","topics":["project/1"]}"#;
    let publish = Request::post("/v1/events").json(event).bearer("late");
    assert_eq!(
        world.send(publish).await.status,
        200,
        "it passes for leeway"
    );
}

#[tokio::test]
async fn a_token_has_a_limit_to_the_byte() {
    let world = World::start().await;
    let max = tidings_http::limits::BEARER_BYTES_MAX;
    for (bytes, detail) in [(max, "no configured issuer"), (max + 1, "bytes")] {
        let request = Request::get(STREAM).bearer(&"a".repeat(bytes));
        let answer = world.send(request).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "invalid_token")
        );
        assert!(answer.text().contains(detail) && !answer.text().contains("aaaa"));
    }
}

#[tokio::test]
async fn a_missing_grant_is_named() {
    let world = World::start().await;
    let answer = world.send(Request::get(STREAM).bearer("nobody")).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "not_granted")
    );
    assert_eq!(answer.json()["topics"][0], "project/1");
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(challenge.contains("insufficient_scope"), "{challenge}");

    let publish = Request::post("/v1/events").bearer("reader");
    let answer = world
        .send(publish.json(r#"{"type":"t","topics":["project/1"]}"#))
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "not_granted")
    );
    assert!(answer.text().contains("project/1"), "{}", answer.text());
}

#[tokio::test]
async fn an_identity_provider_that_does_not_answer_is_not_the_clients_fault() {
    let world = World::start().await;
    let answer = world.send(Request::get(STREAM).bearer("down")).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (503, "auth_unavailable")
    );
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn a_panic_is_a_problem_and_the_server_goes_on() {
    let world = World::start().await;
    let answer = world.send(Request::get(STREAM).bearer("bug")).await;
    assert_eq!((answer.status, answer.code().as_str()), (500, "internal"));
    let figures = world.send(Request::get("/metrics")).await.text();
    assert!(figures.contains("tidings_http_panics_total 1"), "{figures}");
}

#[tokio::test]
async fn the_development_user_is_believed_in_development_only() {
    let target = "/v1/events?userId=ann%201";
    let closed = World::start().await;
    assert_eq!(closed.send(Request::get(target)).await.status, 401);
    let open = World::start_with(Wish {
        development: true,
        ..Wish::default()
    })
    .await;
    let local = || Request::get(target).header("host", "localhost:4000");
    assert_eq!(open.send(local()).await.status, 200);
    // A foreign name that leads here is a page that found its way past the same-origin rule.
    assert_eq!(
        open.send(Request::get(target).header("host", "evil.example"))
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a12_no_answer_repeats_a_token_of_the_url() {
    let world = World::start().await;
    for name in [
        "token",
        "access_token",
        "sse_token",
        "session_id",
        "Token",
        "api_key",
        "jwt",
    ] {
        let target = format!("/v1/stream?{name}=canary-5f1d");
        let answer = world.send(Request::get(&target).bearer("writer")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_query")
        );
        assert!(!answer.text().contains("canary"), "{}", answer.text());
        assert!(
            answer.json()["hint"]
                .as_str()
                .expect("a hint")
                .contains("Authorization")
        );
    }
}
