//! A9: what a credential opened ends with it, over HTTP/2 and while a page waits, too. How streams
//! over HTTP/1 end is told in `renewal`.

use http_body_util::{BodyExt as _, Full};
use serde_json::json;

use crate::client::Request;
use crate::http2::connect;
use crate::world::{LISTED_ORIGIN, World};

const STREAM: &str = "/v1/stream?topics=project/1";
const ENDS: &str = "~ann~read=project/*~ends=120000";

#[tokio::test]
async fn a9_a_stream_over_http_2_is_told_before_and_when_its_credential_ends() {
    let world = World::start().await;
    let mut sender = connect(&world).await;
    let request = http::Request::get(format!("http://hub.test{STREAM}"))
        .header("authorization", format!("Bearer {ENDS}"))
        .body(Full::default())
        .expect("a request");
    let mut stream = sender
        .send_request(request)
        .await
        .expect("a head")
        .into_body();
    let mut text = String::new();
    let mut until = async |wanted: &str| {
        while !text.contains(wanted) {
            let frame = stream.frame().await.expect("the stream goes on");
            let data = frame.expect("a frame").into_data().expect("data");
            text.push_str(str::from_utf8(&data).expect("text"));
        }
        text.clone()
    };
    until("tidings.hello").await;
    world.advance_and_wake(70_000).await;
    until("tidings.reauth").await;
    world.advance_and_wake(60_000).await;
    let all = until("credential_expired").await;
    assert!(
        all.find("tidings.reauth") < all.find("tidings.bye"),
        "{all}"
    );
    let rest = stream.collect().await.expect("a whole body").to_bytes();
    assert!(!rest.windows(5).any(|five| five == b"event"), "{rest:?}");
}

#[tokio::test]
async fn a9_a_page_that_waits_is_answered_when_its_credential_ends() {
    let world = World::start().await;
    let waits = Request::get("/v1/events?topics=project/1&wait=50s").bearer(ENDS);
    let waiting = tokio::spawn(waits.send(world.address));
    world.until_connections(1).await;
    world.advance_and_wake(120_000).await;
    let answer = waiting.await.expect("an answer");
    assert_eq!((answer.status, &answer.json()["events"]), (200, &json!([])));
    world.publish("project/1", 1).await;
    let next = Request::get("/v1/events?topics=project/1").bearer("expired");
    assert_eq!(world.send(next).await.code(), "invalid_token");
}

/// Who is let in by a cookie hears what to do about it in words that fit a cookie.
#[tokio::test]
async fn a_cookie_that_ended_tells_people_to_sign_in() {
    let world = World::start().await;
    for (session, hint) in [
        ("expired", "signs in to the application again"),
        ("unknown", "sign in to the application"),
    ] {
        let request = Request::get(STREAM)
            .header("cookie", &format!("session={session}"))
            .header("origin", LISTED_ORIGIN);
        let answer = world.send(request).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "invalid_token")
        );
        assert!(answer.text().contains(hint), "{}", answer.text());
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some(LISTED_ORIGIN)
        );
    }
}
