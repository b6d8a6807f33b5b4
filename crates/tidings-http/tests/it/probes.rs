//! What machines ask.

use crate::client::Request;
use crate::world::World;

#[tokio::test]
async fn a_running_hub_is_alive_and_ready() {
    let world = World::start().await;
    assert_eq!(
        world.send(Request::get("/healthz")).await.json()["status"],
        "alive"
    );
    let ready = world.send(Request::get("/readyz")).await;
    assert_eq!(
        (ready.status, &ready.json()["status"]),
        (200, &"ready".into())
    );
}

#[tokio::test]
async fn figures_count_answers_by_route_and_never_name_a_topic_or_a_user() {
    let world = World::start().await;
    world.publish("project/secret-plan", 1).await;
    let topic = Request::get("/v1/topics/project%2Fsecret-plan").bearer("writer");
    assert_eq!(world.send(topic).await.status, 200);
    assert_eq!(
        world.send(Request::get("/somewhere/else")).await.status,
        404
    );
    let answer = world.send(Request::get("/metrics")).await;
    assert!(
        answer
            .header("content-type")
            .expect("a type")
            .starts_with("application/openmetrics-text")
    );
    let figures = answer.text();
    for line in [
        "tidings_http_requests_total{route=\"/v1/events\",method=\"POST\",status=\"2xx\"} 1",
        "tidings_http_requests_total{route=\"/v1/topics/{topic}\",method=\"GET\",status=\"2xx\"} 1",
        "tidings_http_requests_total{route=\"none\",method=\"GET\",status=\"4xx\"} 1",
        "tidings_hub_events_published_total 1",
    ] {
        assert!(figures.contains(line), "{line}\n{figures}");
    }
    assert!(!figures.contains("secret-plan") && !figures.contains("w1"));
    assert!(figures.ends_with("# EOF\n"));
}
