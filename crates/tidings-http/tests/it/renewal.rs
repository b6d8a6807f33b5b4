//! A stream goes on with a new credential, and loses and repeats nothing.

use serde_json::{Value, json};

use crate::client::{Answer, Block, Request, Stream};
use crate::sinks::{Sink, for_each_sink};
use crate::world::{LISTED_ORIGIN, World};

const STREAM: &str = "/v1/stream?topics=project/1,project/2";

/// The same subject's credentials: one that ends, others that grant less or nothing.
const FIRST: &str = "~ann~read=project/*~ends=60000";
const LATER: &str = "~ann~read=project/*~ends=600000";
const NARROW: &str = "~ann~read=project/2";
const NOTHING: &str = "~ann~read=elsewhere/*";

struct Open {
    stream: Stream,
    id: String,
}

async fn open(world: &World, token: &str, sink: Sink) -> Open {
    let request = Request::get(STREAM).bearer(token).through(sink);
    let mut stream = world.stream(request).await;
    let hello = stream.next().await.expect("a greeting").json();
    let id = hello["connectionId"].as_str().expect("an id").to_owned();
    Open { stream, id }
}

fn renew(id: &str) -> Request {
    Request::post(&format!("/v1/connections/{id}/credential"))
}

#[track_caller]
fn assert_renewed(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn offset(cursor: &str) -> u64 {
    let (offset, _) = cursor.split_once('-').expect("a cursor");
    offset.parse().expect("a number")
}

async fn until(stream: &mut Stream, kind: &str) -> Block {
    loop {
        let block = stream.next().await.expect("the stream goes on");
        if block.kind == kind {
            return block;
        }
    }
}

for_each_sink!(
    a_renewed_stream_goes_on_without_a_lost_or_repeated_event,
    a9_the_end_of_a_credential_is_told_and_a_new_one_moves_it,
    narrower_grants_count_from_the_cursor_of_the_answer_on,
    a_stream_whose_new_credential_grants_nothing_of_it_ends,
);

async fn a_renewed_stream_goes_on_without_a_lost_or_repeated_event(sink: Sink) {
    const EVENTS: u64 = 300;
    let world = World::start().await;
    let mut open = open(&world, FIRST, sink).await;
    let address = world.address;
    let publishing = tokio::spawn(async move {
        for number in 0..EVENTS {
            let topic = number % 2 + 1;
            let body = format!(r#"{{"type":"t","topics":["project/{topic}"],"data":{number}}}"#);
            let request = Request::post("/v1/events").bearer("writer").json(&body);
            assert_eq!(request.send(address).await.status, 200);
        }
    });
    let mut renewals = 0;
    let mut next = 0;
    while next < EVENTS {
        if next % 10 == 0 && !publishing.is_finished() {
            assert_renewed(&world.send(renew(&open.id).bearer(LATER)).await);
            renewals += 1;
        }
        let event = open.stream.next_event().await;
        assert_eq!(event.json()["data"], next);
        next += 1;
    }
    publishing.await.expect("published");
    assert!(renewals > 0);
}

async fn a9_the_end_of_a_credential_is_told_and_a_new_one_moves_it(sink: Sink) {
    let world = World::start().await;
    let mut open = open(&world, "~ann~read=project/*~ends=120000", sink).await;
    world.advance_and_wake(70_000).await;
    let told = until(&mut open.stream, "tidings.reauth").await.json();
    let ends = told["expiresAt"].as_u64().expect("an end");
    let answer = world.send(renew(&open.id).bearer(LATER)).await;
    let renewed = assert_renewed(&answer);
    let later = renewed["expiresAt"].as_u64().expect("an end");
    assert!(later >= ends + 400_000, "{renewed}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    world.advance(100_000);
    world.publish("project/1", 1).await;
    assert_eq!(
        open.stream.next_event().await.json()["data"],
        1,
        "beyond the old end"
    );
    world.advance_and_wake(450_000).await;
    let told = until(&mut open.stream, "tidings.reauth").await.json();
    assert_eq!(told["expiresAt"].as_u64(), Some(later), "told again");
    world.advance_and_wake(60_000).await;
    let bye = until(&mut open.stream, "tidings.bye").await.json();
    assert_eq!(bye["code"], "credential_expired");
    assert_eq!(open.stream.next().await, None);
    let gone = world.send(renew(&open.id).bearer(LATER)).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "not_found"));
}

async fn narrower_grants_count_from_the_cursor_of_the_answer_on(sink: Sink) {
    let world = World::start().await;
    let mut open = open(&world, LATER, sink).await;
    let before = world.publish("project/1", 1).await;
    let renewed = assert_renewed(&world.send(renew(&open.id).bearer(NARROW)).await);
    assert_eq!(renewed["topics"], json!(["project/2"]));
    assert_eq!(renewed["expiresAt"], json!(null));
    let cursor = renewed["cursor"].as_str().expect("a cursor");
    assert!(offset(cursor) >= offset(&before), "{cursor} {before}");
    world.publish("project/1", 2).await;
    world.publish("project/2", 3).await;
    let first = open.stream.next_event().await;
    assert_eq!(
        first.json()["data"],
        1,
        "what was before it is read as before"
    );
    assert_eq!(open.stream.next_event().await.json()["data"], 3);
    // Wider again: what was published meanwhile stays what it was.
    let renewed = assert_renewed(&world.send(renew(&open.id).bearer(LATER)).await);
    assert_eq!(renewed["topics"], json!(null));
    world.publish("project/1", 4).await;
    assert_eq!(open.stream.next_event().await.json()["data"], 4);
}

async fn a_stream_whose_new_credential_grants_nothing_of_it_ends(sink: Sink) {
    let world = World::start().await;
    let mut open = open(&world, LATER, sink).await;
    let answer = world.send(renew(&open.id).bearer(NOTHING)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "not_granted")
    );
    assert_eq!(answer.json()["topics"], json!(["project/1", "project/2"]));
    let bye = until(&mut open.stream, "tidings.bye").await.json();
    assert_eq!(bye["code"], "not_granted");
    assert_eq!(bye["retryAfterMs"], json!(null));
    assert_eq!(open.stream.next().await, None);
}

/// Patterns that each meet one of the other kind in a pattern of their own.
fn many(count: usize, form: fn(usize) -> String) -> String {
    (0..count).map(form).collect::<Vec<_>>().join(",")
}

#[tokio::test]
async fn a15_a_credential_that_grants_too_many_patterns_opens_nothing_and_changes_nothing() {
    let world = World::start().await;
    let credential = |grants| {
        let grants = many(grants, |number| format!("{number}/*"));
        format!("~ann~read={grants}~ends=60000")
    };
    let target = format!(
        "/v1/stream?topics={}",
        many(32, |number| format!("*/{number}"))
    );
    let ask = |grants| Request::get(&target).bearer(&credential(grants));
    let assert_refused = |answer: &Answer| {
        let problem = answer.json();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "too_many_patterns")
        );
        assert_eq!(
            (&problem["patterns"], &problem["limit"]),
            (&json!(1_056), &json!(1_024))
        );
        assert!(
            problem["hint"]
                .as_str()
                .expect("a hint")
                .contains("fewer topics")
        );
    };
    assert_refused(&world.send(ask(33)).await);
    let page = target.replace("stream", "events");
    assert_refused(
        &world
            .send(Request::get(&page).bearer(&credential(33)))
            .await,
    );
    let mut stream = world.stream(ask(32)).await;
    let hello = stream.next().await.expect("a greeting").json();
    let id = hello["connectionId"].as_str().expect("an id");
    let topics = |told: &Value| told["topics"].as_array().expect("narrowed").len();
    assert_eq!(topics(&hello), 1_024);

    assert_refused(&world.send(renew(id).bearer(&credential(33))).await);
    let write = "~bob~write=31/31,32/0";
    for (topic, number) in [("32/0", 1), ("31/31", 2)] {
        let body = format!(r#"{{"type":"t","topics":["{topic}"],"data":{number}}}"#);
        let request = Request::post("/v1/events").bearer(write).json(&body);
        assert_eq!(world.send(request).await.status, 200);
    }
    let event = stream.next_event().await.json();
    assert_eq!(event["data"], 2, "it reads what it did before");
    let renewed = assert_renewed(&world.send(renew(id).bearer(&credential(31))).await);
    assert_eq!(topics(&renewed), 992);
}

#[tokio::test]
async fn nobody_renews_what_is_anothers_or_not_there() {
    let world = World::start().await;
    let mut open = open(&world, FIRST, Sink::Socket).await;
    let mut details = Vec::new();
    let unknown = open
        .id
        .replace(|last: char| last.is_ascii_alphabetic(), "x");
    let ids = [open.id.as_str(), &unknown, "none", "%ff", "..", "a%2Fb"];
    for id in ids {
        for token in ["~bob~read=project/*", "~~read=project/*", "admin"] {
            let answer = world.send(renew(id).bearer(token)).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (404, "not_found"),
                "{id}"
            );
            details.push(answer.json()["detail"].clone());
        }
    }
    details.dedup();
    assert_eq!(details.len(), 1, "all alike");
    // What nobody opened is nobody's to renew, not even nobody's.
    let anonymous = self::open(&world, "~~read=project/*", Sink::Socket).await;
    let answer = world
        .send(renew(&anonymous.id).bearer("~~read=project/*"))
        .await;
    assert_eq!(answer.status, 404);
    world.publish("project/1", 1).await;
    assert_eq!(open.stream.next_event().await.json()["data"], 1);
}

#[tokio::test]
async fn a_stream_token_renews_and_a_ticket_does_not() {
    let world = World::start().await;
    let open = open(&world, FIRST, Sink::Socket).await;
    let token = world.issue("token", LATER, "").await;
    let renewed = assert_renewed(&world.send(renew(&open.id).bearer(&token)).await);
    assert!(renewed["expiresAt"].as_u64().expect("an end") > world.now_ms() + 500_000);
    let ticket = world.issue("ticket", LATER, "").await;
    let path = format!("/v1/connections/{}/credential?ticket={ticket}", open.id);
    let answer = world.send(Request::post(&path)).await;
    assert_eq!(answer.code(), "authentication_required");
    let answer = world.send(Request::post(&path).bearer(LATER)).await;
    assert_eq!(answer.code(), "invalid_query");
    let answer = world.send(renew(&open.id).bearer(&ticket)).await;
    assert_eq!(answer.code(), "invalid_token");
    let opens = Request::get(&format!("/v1/events?ticket={ticket}"));
    assert_eq!(world.send(opens).await.status, 200, "it was not used up");
}

#[tokio::test]
async fn a20_a_cookie_renews_for_a_page_that_may() {
    let world = World::start().await;
    let open = open(&world, FIRST, Sink::Socket).await;
    let by_cookie = || renew(&open.id).header("cookie", &format!("session={LATER}"));
    for foreign in [
        by_cookie(),
        by_cookie().header("origin", "https://evil.example"),
        by_cookie().header("sec-fetch-site", "same-site").json("{}"),
    ] {
        let answer = world.send(foreign).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "cross_site"));
    }
    let from_page = by_cookie().header("origin", LISTED_ORIGIN);
    assert_renewed(&world.send(from_page).await);
}

#[tokio::test]
async fn a_credential_that_does_not_count_renews_nothing() {
    let world = World::start().await;
    let open = open(&world, FIRST, Sink::Socket).await;
    world.revoke(r#"{"revoke": "key:k9"}"#).await;
    for refused in [
        "~ann~read=project/*~ends=0",
        "~ann~id=key:k9~read=project/*",
        "expired",
    ] {
        let answer = world.send(renew(&open.id).bearer(refused)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "invalid_token"),
            "{refused}"
        );
    }
    assert_renewed(&world.send(renew(&open.id).bearer(LATER)).await);
    world.revoke(r#"{"revoke": "subject:ann"}"#).await;
    let mut stream = open.stream;
    let bye = until(&mut stream, "tidings.bye").await.json();
    assert_eq!(bye["code"], "credential_revoked");
}
