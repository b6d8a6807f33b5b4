//! What is answered where, and that every refusal is a problem document.

use crate::client::Request;
use crate::world::World;

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let world = World::start().await;
    let answer = world.send(Request::get("/v2/stream")).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"));
}

#[tokio::test]
async fn another_method_is_a_problem_that_names_the_methods() {
    let world = World::start().await;
    for method in ["PUT", "DELETE", "PATCH", "BREW"] {
        let answer = world.send(Request::new(method, "/v1/events")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (405, "method_not_allowed")
        );
        assert_eq!(answer.header("allow"), Some("POST, GET, HEAD, OPTIONS"));
    }
}

#[tokio::test]
async fn options_is_answered_on_every_path() {
    let world = World::start().await;
    for route in &tidings_http::ROUTES {
        let answer = world.send(Request::new("OPTIONS", route.path)).await;
        assert_eq!(answer.status, 204, "{}", route.path);
        assert!(answer.header("allow").expect("allow").contains("OPTIONS"));
        assert!(answer.body.is_empty());
    }
    assert_eq!(
        world.send(Request::new("OPTIONS", "/nowhere")).await.status,
        204
    );
}

#[tokio::test]
async fn every_answer_is_named_and_no_two_alike() {
    let world = World::start().await;
    let mut names = Vec::new();
    for target in ["/healthz", "/nowhere", "/v1/stream", "/healthz"] {
        let answer = world
            .send(Request::get(target).header("x-request-id", "mine"))
            .await;
        names.push(answer.header("x-request-id").expect("a name").to_owned());
    }
    assert!(names.iter().all(|name| name.len() == 16), "{names:?}");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4);
}

#[tokio::test]
async fn head_is_answered_without_a_body_and_without_a_connection() {
    let world = World::start().await;
    let request = Request::new("HEAD", "/v1/stream?topics=project/1").bearer("writer");
    let answer = world.send(request).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("text/event-stream; charset=utf-8")
    );
    assert!(answer.body.is_empty());
    assert_eq!(world.hub.figures().connections_opened, 0);
}

#[tokio::test]
async fn the_served_openapi_document_is_the_checked_in_one() {
    let world = World::start().await;
    let answer = world.send(Request::get("/openapi.json")).await;
    assert_eq!(answer.text(), tidings_http::openapi::document());
}
