//! Revoking ends what is open and refuses what comes, and is there after a restart.

use serde_json::json;
use tidings_auth::store::LocalStore;
use tidings_core::port::SharedStore as _;
use tidings_http::limits::{REVOCATION_MS_DEFAULT, REVOCATION_MS_MAX, STORE_CHANGES_MAX};

use crate::client::{Answer, Block, Request, Stream};
use crate::http2::connect;
use crate::sinks::{Sink, for_each_sink};
use crate::world::{Wish, World};

const STREAM: &str = "/v1/stream?topics=project/1";
const PAGE: &str = "/v1/events?topics=project/1";
const DAY_MS: u64 = 24 * 3_600_000;

/// A subject's token, its other token, and an API key of the same subject.
const TOKEN: &str = "~ann~id=token:main:j1~issued=1000~read=project/*~write=project/*";
const OTHER: &str = "~ann~id=token:main:j2~issued=2000~read=project/*";
const KEY: &str = "~ann~id=key:k1~read=project/*";

fn administer(method: &str, path: &str) -> Request {
    Request::new(method, path).bearer("admin")
}

async fn farewell(stream: &mut Stream) -> Block {
    let mut last = None;
    while let Some(block) = stream.next().await {
        last = Some(block);
    }
    last.expect("a farewell")
}

#[track_caller]
fn assert_revoked(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "invalid_token")
    );
    assert!(
        answer.text().contains("has been revoked"),
        "{}",
        answer.text()
    );
    assert!(answer.json()["hint"].is_string());
}

for_each_sink!(
    a9_what_a_revoked_credential_opened_ends,
    a9_what_its_ticket_and_its_stream_token_opened_ends_too,
);

async fn a9_what_a_revoked_credential_opened_ends(sink: Sink) {
    let all = [TOKEN, OTHER, KEY];
    for (what, ends) in [
        ("subject:ann", &[0, 1, 2][..]),
        ("token:main:j1", &[0]),
        ("key:k1", &[2]),
    ] {
        let world = World::start().await;
        let mut streams = Vec::new();
        for token in all {
            let request = Request::get(STREAM).bearer(token).through(sink);
            let mut stream = world.stream(request).await;
            assert_eq!(stream.next().await.expect("one").kind, "tidings.hello");
            streams.push(stream);
        }
        world.revoke(&json!({ "revoke": what }).to_string()).await;
        world.publish("project/1", 1).await;
        for (number, (stream, token)) in streams.iter_mut().zip(all).enumerate() {
            let page = world.send(Request::get(PAGE).bearer(token)).await;
            if ends.contains(&number) {
                let bye = farewell(stream).await;
                assert_eq!(bye.kind, "tidings.bye", "{what} {token}");
                let bye = bye.json();
                assert_eq!(bye["code"], "credential_revoked");
                assert_eq!(bye["retryAfterMs"], json!(null));
                assert_revoked(&page);
                let again = world.send(Request::get(STREAM).bearer(token)).await;
                assert_revoked(&again);
            } else {
                assert_eq!(
                    stream.next_event().await.json()["data"],
                    1,
                    "{what} {token}"
                );
                assert_eq!(page.status, 200);
            }
        }
    }
}

async fn a9_what_its_ticket_and_its_stream_token_opened_ends_too(sink: Sink) {
    let world = World::start().await;
    let token = world.issue("token", TOKEN, "").await;
    let [opens, unused] = [
        world.issue("ticket", TOKEN, "").await,
        world.issue("ticket", TOKEN, "").await,
    ];
    let by_ticket = Request::get(&format!("{STREAM}&ticket={opens}"));
    let mut streams = Vec::new();
    for request in [by_ticket, Request::get(STREAM).bearer(&token)] {
        let mut stream = world.stream(request.through(sink)).await;
        assert_eq!(stream.next().await.expect("one").kind, "tidings.hello");
        streams.push(stream);
    }
    world.revoke(r#"{"revoke": "token:main:j1"}"#).await;
    for stream in &mut streams {
        assert_eq!(farewell(stream).await.json()["code"], "credential_revoked");
    }
    assert_revoked(&world.send(Request::get(PAGE).bearer(&token)).await);
    let by_ticket = Request::get(&format!("{PAGE}&ticket={unused}"));
    assert_revoked(&world.send(by_ticket).await);
}

#[tokio::test]
async fn a9_a_page_that_waits_is_answered_when_its_credential_is_revoked() {
    let world = World::start().await;
    let waits = Request::get(&format!("{PAGE}&wait=50s")).bearer(TOKEN);
    let waiting = tokio::spawn(waits.send(world.address));
    world.until_connections(1).await;
    world.revoke(r#"{"revoke": "subject:ann"}"#).await;
    let answer = waiting.await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["events"], json!([]));
    world.until_connections(0).await;
}

#[tokio::test]
async fn a9_a_stream_over_http_2_ends_too() {
    use http_body_util::{BodyExt as _, Full};

    let world = World::start().await;
    let mut sender = connect(&world).await;
    let request = http::Request::get(format!("http://hub.test{STREAM}"))
        .header("authorization", format!("Bearer {TOKEN}"))
        .body(Full::default())
        .expect("a request");
    let stream = sender.send_request(request).await.expect("a head");
    assert_eq!(stream.status(), 200);
    world.revoke(r#"{"revoke": "token:main:j1"}"#).await;
    let text = stream.into_body().collect().await.expect("a whole body");
    let text = String::from_utf8(text.to_bytes().to_vec()).expect("text");
    assert!(text.contains("credential_revoked"), "{text}");
}

#[tokio::test]
async fn lines_that_are_being_published_stop_when_their_credential_is_revoked() {
    let world = World::start().await;
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: hub.test\r\nauthorization: Bearer {TOKEN}\r\n\
         content-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let line = "{\"type\":\"t\",\"topics\":[\"project/1\"]}\n";
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    let mut socket = tokio::net::TcpStream::connect(world.address)
        .await
        .expect("connects");
    let sent = format!("{head}{chunk}");
    tokio::io::AsyncWriteExt::write_all(&mut socket, sent.as_bytes())
        .await
        .expect("sent");
    let mut answer = Stream::read_head(socket).await;
    assert_eq!(answer.next_line().await.expect("a line")["line"], 1);
    world.revoke(r#"{"revoke": "subject:ann"}"#).await;
    answer.send(chunk.as_bytes()).await;
    let last = answer.next_line().await.expect("a last line");
    assert_eq!((&last["accepted"], &last["line"]), (&json!(1), &json!(2)));
    assert_eq!(last["error"]["code"], "invalid_token");
    assert_eq!(world.hub.figures().events_published, 1);
}

#[tokio::test]
async fn signing_out_everywhere_spares_what_was_issued_later() {
    let world = World::start().await;
    let body = r#"{"revoke": "subject:ann", "issuedBefore": 2000}"#;
    let mut streams = Vec::new();
    for token in [TOKEN, OTHER, KEY] {
        streams.push(world.stream(Request::get(STREAM).bearer(token)).await);
    }
    world.revoke(body).await;
    for ended in [0, 2] {
        let bye = farewell(&mut streams[ended]).await.json();
        assert_eq!(bye["code"], "credential_revoked");
    }
    world.publish("project/1", 3).await;
    assert_eq!(streams[1].next_event().await.json()["data"], 3);
    assert_eq!(
        world.send(Request::get(PAGE).bearer(OTHER)).await.status,
        200
    );
    assert_revoked(&world.send(Request::get(PAGE).bearer(TOKEN)).await);
    // When a key was issued is not known here.
    assert_revoked(&world.send(Request::get(PAGE).bearer(KEY)).await);
}

#[tokio::test]
async fn revocations_are_listed_replaced_lifted_and_forgotten() {
    let world = World::start().await;
    let revoke = async |body: &str| {
        let request = administer("POST", "/v1/revocations").json(body);
        let answer = world.send(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    };
    let listed = async || {
        let answer = world.send(administer("GET", "/v1/revocations")).await;
        answer.json()["revocations"]
            .as_array()
            .expect("a list")
            .clone()
    };
    assert_eq!(listed().await, [json!(null); 0]);
    let first = revoke(r#"{"revoke": "subject:ann"}"#).await;
    let time = |value: &serde_json::Value| value.as_u64().expect("a time");
    assert_eq!(
        time(&first["until"]) - time(&first["at"]),
        REVOCATION_MS_DEFAULT
    );
    let key = revoke(r#"{"revoke": "key:k1", "for": "2h"}"#).await;
    assert_eq!(time(&key["until"]) - time(&key["at"]), 2 * 3_600_000);
    let again =
        revoke(r#"{"revoke": "subject:ann", "issuedBefore": "1970-01-01T00:00:02Z"}"#).await;
    assert_eq!(again["issuedBefore"], 2_000);
    assert_eq!(listed().await, [again, key]);

    let lift = async |name: &str| {
        let path = format!("/v1/revocations/{name}");
        world.send(administer("DELETE", &path)).await
    };
    assert_eq!(lift("subject%3Aann").await.status, 204);
    assert_eq!(
        world.send(Request::get(PAGE).bearer(TOKEN)).await.status,
        200
    );
    for unknown in [
        "subject:ann",
        "subject:nobody",
        "nothing",
        "token:main",
        "%ff",
        "key:",
    ] {
        let answer = lift(unknown).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "not_found"),
            "{unknown}"
        );
    }
    assert_eq!(world.send(Request::get(PAGE).bearer(KEY)).await.status, 401);
    world.advance(2 * 3_600_000);
    assert_eq!(world.send(Request::get(PAGE).bearer(KEY)).await.status, 200);
}

#[tokio::test]
async fn a_revocation_is_remembered_for_a_time_that_makes_sense() {
    let world = World::start().await;
    let ask = async |body: &str| {
        let request = administer("POST", "/v1/revocations").json(body);
        world.send(request).await
    };
    let longest = REVOCATION_MS_MAX / DAY_MS;
    let body = |days: u64| format!(r#"{{"revoke": "key:k1", "for": "{days}d"}}"#);
    assert_eq!(ask(&body(longest)).await.status, 200);
    for wrong in [longest + 1, 0] {
        let answer = ask(&body(wrong)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_body")
        );
        assert_eq!(answer.json()["limit"], REVOCATION_MS_MAX);
        assert!(answer.text().contains("`for`"), "{}", answer.text());
    }
    for (body, said) in [
        (r#"{"revoke": "key:k1", "issuedBefore": 5}"#, "for subjects"),
        (r#"{"revoke": "k1"}"#, "`revoke` is not"),
        ("{}", "`revoke` is missing"),
        (r#"{"revok": "key:k1"}"#, "did you mean `revoke`"),
    ] {
        let answer = ask(body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_body")
        );
        assert!(answer.text().contains(said), "{}", answer.text());
    }
}

#[tokio::test]
async fn only_administrators_revoke_and_see_what_is_revoked() {
    let world = World::start().await;
    for (method, path) in [
        ("POST", "/v1/revocations"),
        ("GET", "/v1/revocations"),
        ("DELETE", "/v1/revocations/subject:ann"),
    ] {
        let request = Request::new(method, path).json(r#"{"revoke": "subject:root"}"#);
        let answer = world.send(request.clone().bearer("writer")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "not_granted")
        );
        assert_eq!(
            world.send(request.clone()).await.code(),
            "authentication_required"
        );
        let foreign = request.header("cookie", "session=admin");
        let foreign = foreign.header("sec-fetch-site", "cross-site");
        assert_eq!(world.send(foreign).await.code(), "cross_site");
    }
    assert!(world.counters.revocations().is_empty());
}

#[tokio::test]
async fn what_is_revoked_is_revoked_after_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let wish = || Wish {
        data_dir: Some(directory.path().to_owned()),
        ..Wish::default()
    };
    let mut world = World::start_with(wish()).await;
    world.revoke(r#"{"revoke": "subject:ann"}"#).await;
    world.revoke(r#"{"revoke": "subject:bob"}"#).await;
    let lift = administer("DELETE", "/v1/revocations/subject:bob");
    assert_eq!(world.send(lift).await.status, 204);
    world.ask_to_end();
    world.ended().await;

    let kept = LocalStore::open(directory.path())
        .expect("readable")
        .revocations();
    assert_eq!(kept.iter().count(), 1);
    let world = World::start_with(wish()).await;
    assert_revoked(&world.send(Request::get(PAGE).bearer(TOKEN)).await);
    let lifted = Request::get(PAGE).bearer("~bob~read=project/*");
    assert_eq!(world.send(lifted).await.status, 200);
}

/// On one thread: if revoking waited for the disk there, nothing else could be answered.
#[tokio::test]
async fn a_disk_that_stalls_under_a_revocation_stops_no_other_request() {
    let world = World::start().await;
    let mut stream = world.stream(Request::get(STREAM).bearer("reader")).await;
    world.counters.set_stalled(true);
    let revoke = administer("POST", "/v1/revocations").json(r#"{"revoke": "subject:ann"}"#);
    let lift = administer("DELETE", "/v1/revocations/subject:bob");
    let revoking = tokio::spawn(revoke.send(world.address));
    let lifting = tokio::spawn(lift.send(world.address));
    while world.counters.stalls() < 2 {
        tokio::task::yield_now().await;
    }
    world.publish("project/1", 4).await;
    assert_eq!(stream.next_event().await.json()["data"], 4);
    assert_eq!(
        world.send(Request::get(PAGE).bearer(TOKEN)).await.status,
        200
    );
    assert!(!revoking.is_finished() && !lifting.is_finished());
    world.counters.set_stalled(false);
    assert_eq!(revoking.await.expect("an answer").status, 200);
    assert_eq!(lifting.await.expect("an answer").status, 404);
    assert_revoked(&world.send(Request::get(PAGE).bearer(TOKEN)).await);
}

#[tokio::test]
async fn only_so_many_wait_for_a_disk_that_stalls() {
    let world = World::start().await;
    world.counters.set_stalled(true);
    let revoke = || administer("POST", "/v1/revocations").json(r#"{"revoke": "subject:ann"}"#);
    let mut waiting = Vec::new();
    for _ in 0..STORE_CHANGES_MAX {
        waiting.push(tokio::spawn(revoke().send(world.address)));
    }
    while world.counters.stalls() < STORE_CHANGES_MAX as u64 {
        tokio::task::yield_now().await;
    }
    let one_more = world.send(revoke()).await;
    assert_eq!(
        (one_more.status, one_more.code().as_str()),
        (503, "store_unavailable")
    );
    assert!(one_more.header("retry-after").is_some());
    // Who goes away leaves the change behind, which still has its place.
    waiting.pop().expect("one").abort();
    assert_eq!(world.send(revoke()).await.status, 503);
    world.counters.set_stalled(false);
    for done in waiting {
        assert_eq!(done.await.expect("an answer").status, 200);
    }
    assert_eq!(world.send(revoke()).await.status, 200);
}

#[tokio::test]
async fn a_store_that_cannot_keep_a_revocation_says_so() {
    let world = World::start().await;
    world.counters.set_down(true);
    let revoke = administer("POST", "/v1/revocations").json(r#"{"revoke": "subject:ann"}"#);
    for request in [revoke, administer("DELETE", "/v1/revocations/subject:ann")] {
        let answer = world.send(request).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "store_unavailable")
        );
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(world.counters.failed(), 2);
    assert_eq!(
        world.send(Request::get(PAGE).bearer(TOKEN)).await.status,
        200
    );
}
