//! Tickets: each opens one stream or page, and nothing else.

use tidings_auth::limits::TICKET_LIFETIME_MS;
use tidings_core::port::Quota;
use tidings_http::RateLimits;
use tokio::task::JoinSet;

use crate::client::{Answer, Request, Stream};
use crate::sinks::{Sink, for_each_sink};
use crate::world::{LISTED_ORIGIN, Wish, World};

const STREAM: &str = "/v1/stream?topics=project/1";
const PAGE: &str = "/v1/events?topics=project/1";

fn with(target: &str, ticket: &str) -> Request {
    Request::get(&format!("{target}&ticket={ticket}"))
}

#[track_caller]
fn assert_used_up(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "invalid_token")
    );
    let hint = answer.json()["hint"].as_str().expect("a hint").to_owned();
    assert!(hint.contains("opens one stream"), "{hint}");
}

async fn hello(stream: &mut Stream) -> serde_json::Value {
    assert_eq!(stream.head.status, 200, "{}", stream.text());
    let hello = stream.next().await.expect("a greeting");
    assert_eq!(hello.kind, "tidings.hello");
    hello.json()
}

for_each_sink!(
    a_ticket_opens_one_stream,
    a_stream_by_ticket_ends_when_the_credential_behind_it_does,
);

async fn a_ticket_opens_one_stream(sink: Sink) {
    let world = World::start().await;
    let ticket = world.issue("ticket", "reader", "").await;
    let request = || with(STREAM, &ticket).through(sink);
    let mut stream = world.stream(request()).await;
    hello(&mut stream).await;
    assert_used_up(&world.send(request()).await);
    assert_used_up(&world.send(with(PAGE, &ticket)).await);
    world.publish("project/1", 7).await;
    assert_eq!(stream.next_event().await.json()["data"], 7);
}

async fn a_stream_by_ticket_ends_when_the_credential_behind_it_does(sink: Sink) {
    let world = World::start().await;
    let ticket = world.issue("ticket", "brief", "").await;
    let mut stream = world.stream(with(STREAM, &ticket).through(sink)).await;
    let ends = hello(&mut stream).await["expiresAt"].as_u64();
    assert!(ends.expect("an end") <= world.now_ms() + 60_000);
    world.advance(60_000);
    let last = loop {
        let block = stream.next().await.expect("a farewell");
        if block.kind == "tidings.bye" {
            break block.json();
        }
    };
    assert_eq!(last["code"], "credential_expired");
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_ticket_opens_one_page_and_what_it_was_sent_to_in_vain_is_its_use() {
    let world = World::start().await;
    let ticket = world.issue("ticket", "reader", "{}").await;
    assert_eq!(world.send(with(PAGE, &ticket)).await.status, 200);
    assert_used_up(&world.send(with(PAGE, &ticket)).await);
    let ticket = world.issue("ticket", "reader", "").await;
    let wrong = with("/v1/events?topics=project/1&limit=none", &ticket);
    assert_eq!(world.send(wrong).await.code(), "invalid_query");
    assert_used_up(&world.send(with(PAGE, &ticket)).await);
}

#[tokio::test]
async fn who_only_looks_uses_no_ticket_up() {
    let world = World::start().await;
    let cursor = world.publish("project/1", 1).await;
    let ticket = world.issue("ticket", "reader", "").await;
    let event = format!("/v1/events/{cursor}");
    for (method, path) in [
        ("HEAD", STREAM),
        ("HEAD", PAGE),
        ("HEAD", event.as_str()),
        ("GET", event.as_str()),
        ("GET", "/v1/topics/project%2F1"),
    ] {
        let mark = if path.contains('?') { '&' } else { '?' };
        let target = format!("{path}{mark}ticket={ticket}");
        let answer = world.send(Request::new(method, &target)).await;
        assert_eq!(answer.status, 403, "{method} {path}");
        let challenge = answer.header("www-authenticate").expect("a challenge");
        assert!(challenge.contains("insufficient_scope"), "{challenge}");
        if method == "GET" {
            assert!(
                answer.text().contains("a ticket opens a stream"),
                "{}",
                answer.text()
            );
        }
    }
    // With another credential the head is that of the answer, and the ticket is still good.
    let head = Request::new("HEAD", STREAM).bearer("reader");
    assert_eq!(world.send(head).await.status, 200);
    assert_eq!(world.send(with(PAGE, &ticket)).await.status, 200);
    assert_used_up(&world.send(with(PAGE, &ticket)).await);
}

#[tokio::test]
async fn a11_a_ticket_lives_for_half_a_minute() {
    let world = World::start().await;
    let in_time = world.issue("ticket", "reader", "").await;
    let late = world.issue("ticket", "reader", "").await;
    world.advance(TICKET_LIFETIME_MS - 10_000);
    assert_eq!(world.send(with(PAGE, &in_time)).await.status, 200);
    world.advance(10_000);
    assert_used_up(&world.send(with(PAGE, &late)).await);
}

#[tokio::test]
async fn a_ticket_of_a_page_is_for_that_page() {
    let world = World::start().await;
    let body = format!(r#"{{"origin": "{LISTED_ORIGIN}"}}"#);
    let ticket = world.issue("ticket", "reader", &body).await;
    let from_page = with(PAGE, &ticket).header("origin", LISTED_ORIGIN);
    assert_eq!(world.send(from_page.clone()).await.status, 200);
    assert_used_up(&world.send(from_page).await);
    for wrong in [None, Some("https://evil.example"), Some("null")] {
        let ticket = world.issue("ticket", "reader", &body).await;
        let mut request = with(PAGE, &ticket);
        if let Some(origin) = wrong {
            request = request.header("origin", origin);
        }
        assert_used_up(&world.send(request).await);
        let right = with(PAGE, &ticket).header("origin", LISTED_ORIGIN);
        assert_used_up(&world.send(right).await);
    }
    // No browser sends these, and nobody could use the ticket.
    for no_origin in [
        "https://app.example/",
        "HTTPS://APP.EXAMPLE",
        "null",
        "*",
        "",
    ] {
        let body = format!(r#"{{"origin": "{no_origin}"}}"#);
        let request = Request::post("/v1/tickets").bearer("reader").json(&body);
        let answer = world.send(request).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_body"),
            "{no_origin}"
        );
    }
}

#[tokio::test]
async fn a_ticket_can_be_narrowed_and_never_widened() {
    let world = World::start().await;
    let body = r#"{"topics": ["project/1", "elsewhere/**"]}"#;
    let ticket = world.issue("ticket", "reader", body).await;
    let mut stream = world
        .stream(with("/v1/stream?topics=project/*", &ticket))
        .await;
    let hello = hello(&mut stream).await;
    assert_eq!(hello["topics"], serde_json::json!(["project/1"]));
    world.publish("project/2", 2).await;
    world.publish("project/1", 1).await;
    assert_eq!(stream.next_event().await.json()["data"], 1);

    let ticket = world.issue("ticket", "reader", body).await;
    let answer = world
        .send(with("/v1/events?topics=project/2", &ticket))
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "not_granted")
    );
    assert_eq!(answer.json()["topics"][0], "project/2");
    let elsewhere = Request::post("/v1/tickets").bearer("reader");
    let answer = world
        .send(elsewhere.json(r#"{"topics": ["elsewhere/**"]}"#))
        .await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "not_granted")
    );
    assert_eq!(answer.json()["topics"][0], "elsewhere/**");
}

#[tokio::test]
async fn a_ticket_serves_for_reading_and_is_not_used_up_by_anything_else() {
    let world = World::start().await;
    let mut stream = world.stream(Request::get(STREAM).bearer("writer")).await;
    let id = hello(&mut stream).await["connectionId"].clone();
    let id = id.as_str().expect("an id");
    let ticket = world.issue("ticket", "writer", "").await;
    for (method, path) in [
        ("POST", "/v1/events"),
        ("POST", "/v1/tickets"),
        ("POST", "/v1/tokens"),
        ("POST", &format!("/v1/connections/{id}/credential")),
        ("DELETE", &format!("/v1/connections/{id}")),
        ("POST", "/v1/auth/explain"),
        ("GET", "/v1/revocations"),
    ] {
        let request = Request::new(method, &format!("{path}?ticket={ticket}"));
        let answer = world.send(request.json("{}")).await;
        assert_eq!(answer.code(), "authentication_required", "{path}");
        assert!(!answer.text().contains(&ticket));
        let as_bearer = Request::new(method, path).bearer(&ticket).json("{}");
        let answer = world.send(as_bearer).await;
        assert_eq!(answer.code(), "invalid_token", "{path}");
        assert!(!answer.text().contains(&ticket));
    }
    assert_eq!(world.send(with(PAGE, &ticket)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a11_of_two_who_use_a_ticket_at_once_one_gets_in() {
    const TICKETS: usize = 1_000;
    let world = World::start_with(Wish {
        rates: RateLimits {
            tickets_per_identity: None,
            refused_credentials_per_address: None,
            ..RateLimits::default()
        },
        connections_max: 200,
        ..Wish::default()
    })
    .await;
    let address = world.address;
    let mut uses = JoinSet::new();
    let mut won = 0;
    for _ in 0..TICKETS {
        let ticket = world.issue("ticket", "reader", "").await;
        let use_it = async move {
            let [one, other] = [0; 2].map(|_| tokio::spawn(with(PAGE, &ticket).send(address)));
            let statuses = [
                one.await.expect("an answer").status,
                other.await.expect("an answer").status,
            ];
            assert!(
                statuses == [200, 401] || statuses == [401, 200],
                "{statuses:?}"
            );
        };
        uses.spawn(use_it);
        while uses.len() > 40 {
            uses.join_next()
                .await
                .expect("one")
                .expect("exactly one got in");
            won += 1;
        }
    }
    while let Some(used) = uses.join_next().await {
        used.expect("exactly one got in");
        won += 1;
    }
    assert_eq!(won, TICKETS);
}

#[tokio::test]
async fn a24_an_identity_gets_so_many_tickets_and_tokens_a_minute_wherever_it_is() {
    let rates = RateLimits {
        tickets_per_identity: Some(Quota {
            units: 120,
            period_ms: 3_600_000,
        }),
        ..RateLimits::default()
    };
    assert_eq!(
        RateLimits::default().tickets_per_identity,
        Some(Quota {
            units: 120,
            period_ms: 60_000
        })
    );
    let world = World::start_with(Wish {
        rates,
        trusted_proxies: vec![tidings_http::network("127.0.0.1").expect("a network")],
        ..Wish::default()
    })
    .await;
    let ask = async |number: usize, token: &str| {
        let path = ["/v1/tickets", "/v1/tokens"][number % 2];
        let from = ["192.0.2.1", "192.0.2.2", "192.0.2.3"][number % 3];
        let request = Request::post(path).header("x-forwarded-for", from);
        world.send(request.bearer(token)).await
    };
    for number in 0..120 {
        let answer = ask(number, "reader").await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let left = format!("\"tickets\";r={}", 119 - number);
        assert!(answer.all("ratelimit").starts_with(&left), "{left}");
        assert_eq!(answer.all("ratelimit-policy"), "\"tickets\";q=120;w=3600");
    }
    for number in 0..6 {
        let answer = ask(number, "reader").await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (429, "rate_limited")
        );
        assert!(answer.header("retry-after").is_some());
        assert!(answer.all("ratelimit").starts_with("\"tickets\";r=0"));
    }
    assert_eq!(ask(0, "writer").await.status, 200, "another identity");
    // Nobody is as many as there are addresses.
    let nobody = "~~read=project/*";
    for _ in 0..120 {
        assert_eq!(ask(0, nobody).await.status, 200);
    }
    assert_eq!(ask(0, nobody).await.status, 429);
    assert_eq!(ask(1, nobody).await.status, 200, "another address");
    let mut given = 0;
    for _ in 0..240 {
        world.advance(3_600_000 / 240);
        given += usize::from(ask(0, "reader").await.status == 200);
    }
    assert!((118..=122).contains(&given), "{given} in the next hour");
}

#[tokio::test]
async fn a24_a_refusal_after_a_ticket_was_counted_tells_what_is_left() {
    let world = World::start().await;
    let mut left = 120;
    for path in ["/v1/tickets", "/v1/tokens"] {
        for (body, status) in [
            ("{", 400),
            (r#"{"topics": []}"#, 400),
            (r#"{"topics": ["elsewhere"]}"#, 403),
            (r#"{"origin": "nowhere"}"#, 400),
        ] {
            let request = Request::post(path).bearer("reader").json(body);
            let answer = world.send(request).await;
            assert_eq!(answer.status, status, "{path} {body}: {}", answer.text());
            left -= 1;
            let said = format!("\"tickets\";r={left};");
            assert!(answer.all("ratelimit").starts_with(&said), "{said}");
            assert_eq!(answer.all("ratelimit-policy"), "\"tickets\";q=120;w=60");
        }
    }
}

#[tokio::test]
async fn a_store_that_is_down_hands_out_nothing_and_lets_nobody_in_by_ticket() {
    for rates in [
        RateLimits::default(),
        RateLimits {
            tickets_per_identity: None,
            ..RateLimits::default()
        },
    ] {
        let wish = Wish {
            rates,
            ..Wish::default()
        };
        let world = World::start_with(wish).await;
        let ticket = world.issue("ticket", "reader", "").await;
        world.counters.set_down(true);
        let answer = world
            .send(Request::post("/v1/tickets").bearer("reader"))
            .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "store_unavailable")
        );
        assert!(answer.header("retry-after").is_some());
        assert!(!answer.text().contains("switched off"), "for the operator");
        let answer = world.send(with(PAGE, &ticket)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "auth_unavailable")
        );
        assert!(world.counters.failed() >= 2);
        world.counters.set_down(false);
        assert_eq!(world.send(with(PAGE, &ticket)).await.status, 200);
    }
}

#[tokio::test]
async fn a20_no_foreign_page_gets_a_ticket_with_its_users_cookie() {
    let world = World::start().await;
    for path in ["/v1/tickets", "/v1/tokens"] {
        let ask = || Request::post(path).header("cookie", "session=reader");
        for foreign in [
            ask().header("origin", "https://evil.example").json("{}"),
            ask().header("sec-fetch-site", "cross-site").json("{}"),
            ask().header("origin", "null").body("text/plain", "{}"),
            ask().body("application/x-www-form-urlencoded", "a=1"),
            ask(),
        ] {
            let answer = world.send(foreign).await;
            assert_eq!((answer.status, answer.code().as_str()), (403, "cross_site"));
        }
        for fine in [
            ask().header("origin", LISTED_ORIGIN),
            ask().json("{}"),
            Request::post(path)
                .header("origin", "https://evil.example")
                .bearer("reader"),
        ] {
            let answer = world.send(fine).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn a_credential_that_has_just_ended_buys_nothing() {
    let world = World::start().await;
    for path in ["/v1/tickets", "/v1/tokens"] {
        let answer = world.send(Request::post(path).bearer("late")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "invalid_token")
        );
        assert!(answer.text().contains("has expired"), "{}", answer.text());
    }
}
