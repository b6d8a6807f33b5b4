//! A24: how much may be asked in which time, by whom, and what does not get around it.

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tidings_core::port::Quota;
use tidings_http::RateLimits;

use crate::client::{Answer, Request};
use crate::world::{Wish, World};

const EVENT: &str = r#"{"type":"t","topics":["project/1"]}"#;
const PAGE: &str = "/v1/events?topics=project/1";

/// So slow that the time that a test takes gives nothing back.
const HOUR_MS: u32 = 3_600_000;

fn per_hour(units: u32) -> Quota {
    Quota {
        units,
        period_ms: HOUR_MS,
    }
}

async fn limited(rates: RateLimits) -> World {
    World::start_with(Wish {
        rates,
        trusted_proxies: vec![tidings_http::network("127.0.0.1").expect("a network")],
        ..Wish::default()
    })
    .await
}

fn assert_limited(answer: &Answer, code: &str, policy: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (429, code));
    let problem = answer.json();
    let retry_after_ms = problem["retryAfterMs"].as_u64().expect("a time");
    let seconds = retry_after_ms.div_ceil(1_000).to_string();
    assert_eq!(answer.header("retry-after"), Some(seconds.as_str()));
    assert!(problem["hint"].is_string() && problem["limit"].is_u64());
    assert!(answer.all("ratelimit-policy").contains(policy), "{policy}");
    let left = answer.all("ratelimit");
    assert!(
        left.contains(policy) && left.contains(&format!("t={seconds}")),
        "{left}"
    );
}

#[tokio::test]
async fn a24_requests_of_an_address_are_counted_over_any_hour() {
    let rates = RateLimits {
        requests_per_address: Some(per_hour(100)),
        ..RateLimits::default()
    };
    let world = limited(rates).await;
    let ask = async |address: &str| {
        let request = Request::get("/healthz").header("x-forwarded-for", address);
        world.send(request).await
    };
    let first = ask("192.0.2.1").await;
    assert_eq!(first.header("ratelimit"), Some("\"requests\";r=99;t=36"));
    assert_eq!(
        first.header("ratelimit-policy"),
        Some("\"requests\";q=100;w=3600")
    );
    for _ in 1..100 {
        assert_eq!(ask("192.0.2.1").await.status, 200);
    }
    assert_limited(&ask("192.0.2.1").await, "rate_limited", "\"requests\"");
    assert_eq!(ask("192.0.2.2").await.status, 200, "another address");
    // One comes back every 36 seconds: of two each, one passes.
    let mut passed = 0;
    for _ in 0..200 {
        world.advance(u64::from(HOUR_MS) / 200);
        passed += u32::from(ask("192.0.2.1").await.status == 200);
    }
    assert!((95..=105).contains(&passed), "{passed}");
    let limited = world
        .labelled("tidings_http_rate_limited_total{limit=\"requests\"}")
        .await;
    assert_eq!(limited, 1 + 200 - u64::from(passed));
}

#[tokio::test]
async fn a24_nothing_that_a_client_says_or_does_gets_around_a_limit() {
    let rates = RateLimits {
        requests_per_address: Some(per_hour(100)),
        ..RateLimits::default()
    };
    let world = World::start_with(Wish {
        rates,
        ..Wish::default()
    })
    .await;
    let mut passed = 0;
    // Each on a connection of its own, with other headers, credentials, hosts, spellings and methods.
    for number in 0..80 {
        let target = ["/healthz", "/healthz?x=1", "/HEALTHZ", "//healthz"][number % 4];
        let request = Request::new(["GET", "HEAD", "OPTIONS"][number % 3], target)
            .header("x-forwarded-for", &format!("198.51.100.{number}"))
            .header("forwarded", &format!("for=198.51.100.{number}"))
            .header("x-real-ip", "198.51.100.1")
            .header("user-agent", &format!("agent {number}"))
            .header("host", &format!("h{number}.test"))
            .bearer(["writer", "reader"][number % 2]);
        passed += usize::from(world.send(request).await.status != 429);
    }
    assert_eq!(passed, 80);
    let socket = tokio::net::TcpStream::connect(world.address)
        .await
        .expect("connects");
    let (mut sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(socket))
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    let mut streams = tokio::task::JoinSet::new();
    for number in 0..60 {
        let request = http::Request::get(format!("http://h{number}.test/healthz"));
        let request = request.body(Full::<Bytes>::default()).expect("a request");
        sender.ready().await.expect("ready");
        streams.spawn(sender.send_request(request));
    }
    while let Some(answer) = streams.join_next().await {
        let answer = answer.expect("no panic").expect("an answer");
        passed += usize::from(answer.status() != 429);
    }
    assert!((95..=105).contains(&passed), "{passed}");
}

#[tokio::test]
async fn a24_the_addresses_of_one_ipv6_customer_are_one() {
    let rates = RateLimits {
        requests_per_address: Some(per_hour(10)),
        ..RateLimits::default()
    };
    let world = limited(rates).await;
    let ask = async |address: String| {
        let request = Request::get("/healthz").header("x-forwarded-for", &address);
        world.send(request).await.status
    };
    let mut passed = 0;
    for number in 0..40 {
        passed += u32::from(ask(format!("2001:db8:0:1:{number:x}::{number:x}")).await == 200);
    }
    assert_eq!(passed, 10);
    assert_eq!(
        ask("2001:db8:0:2::1".to_owned()).await,
        200,
        "another customer"
    );
    assert_eq!(ask("192.0.2.1".to_owned()).await, 200);
}

#[tokio::test]
async fn m2_the_readers_of_one_ipv6_customer_are_counted_together() {
    let world = World::start_with(Wish {
        connections_per_address: 2,
        trusted_proxies: vec![tidings_http::network("127.0.0.1").expect("a network")],
        ..Wish::default()
    })
    .await;
    let open = async |address: &str| {
        let request = Request::get("/v1/stream").bearer("reader");
        world
            .stream(request.header("x-forwarded-for", address))
            .await
    };
    let _first = open("2001:db8:0:1::1").await;
    let _second = open("2001:db8:0:1:ffff::2").await;
    assert_eq!(open("2001:db8:0:1::3").await.head.status, 429);
    assert_eq!(open("2001:db8:0:2::1").await.head.status, 200);
    assert_eq!(open("192.0.2.1").await.head.status, 200);
}

#[tokio::test]
async fn a24_guessing_is_as_slow_as_the_limit_and_then_nothing_is_looked_at() {
    let rates = RateLimits {
        refused_credentials_per_address: Some(per_hour(100)),
        ..RateLimits::default()
    };
    let world = limited(rates).await;
    let guess = async |number: usize| {
        let target = ["/v1/stream", PAGE, "/v1/events/x", "/v1/topics/x"][number % 4];
        let request = Request::get(target).header("x-forwarded-for", "192.0.2.1");
        world
            .send(match number % 5 {
                0 => request.bearer("forged"),
                1 => request.bearer(&format!("guess-{number}")),
                2 => request.header("x-api-key", &format!("guess-{number}")),
                3 => request.header("cookie", &format!("session=guess-{number}")),
                _ => request.bearer("malformed"),
            })
            .await
    };
    for number in 0..100 {
        let answer = guess(number).await;
        assert_eq!(answer.status, 401, "{number}: {}", answer.text());
        let left = format!("\"refused_credentials\";r={};", 99 - number);
        assert!(answer.all("ratelimit").contains(&left), "{left}");
    }
    for number in 0..10 {
        let answer = guess(number).await;
        assert_limited(&answer, "too_many_refusals", "\"refused_credentials\"");
    }
    // Not even a good one is looked at, and not one whose authenticator would fail; another
    // address's is.
    let asked = world.counters.asked();
    for token in ["writer", "bug", "down"] {
        let request = Request::get(PAGE).bearer(token);
        let answer = world
            .send(request.header("x-forwarded-for", "192.0.2.1"))
            .await;
        assert_eq!(answer.code(), "too_many_refusals", "{token}");
    }
    assert_eq!(world.figure("tidings_http_panics_total").await, 0);
    assert_eq!(
        world.counters.asked(),
        asked,
        "who waits costs the store nothing"
    );
    let elsewhere = Request::get(PAGE).bearer("writer");
    let elsewhere = elsewhere.header("x-forwarded-for", "192.0.2.2");
    assert_eq!(world.send(elsewhere).await.status, 200);
    // What needs no identity is answered.
    let open = Request::get("/healthz").header("x-forwarded-for", "192.0.2.1");
    assert_eq!(world.send(open).await.status, 200);
    // One more guess every 36 seconds.
    let mut looked_at = 0;
    for number in 0..200 {
        world.advance(u64::from(HOUR_MS) / 200);
        looked_at += u32::from(guess(number).await.status == 401);
    }
    assert!((95..=105).contains(&looked_at), "{looked_at}");
    world.advance(60_000);
    let good = Request::get(PAGE).bearer("writer");
    let good = good.header("x-forwarded-for", "192.0.2.1");
    assert_eq!(world.send(good).await.status, 200);
}

#[tokio::test]
async fn a24_what_was_good_once_and_what_is_missing_is_no_guess() {
    let rates = RateLimits {
        refused_credentials_per_address: Some(per_hour(1)),
        ..RateLimits::default()
    };
    let world = World::start_with(Wish {
        rates,
        ..Wish::default()
    })
    .await;
    for token in ["expired", "late", "early", "down"] {
        for _ in 0..3 {
            let answer = world.send(Request::get(PAGE).bearer(token)).await;
            assert_ne!(answer.status, 429, "{token}");
        }
    }
    for _ in 0..3 {
        assert_eq!(world.send(Request::get(PAGE)).await.status, 401);
    }
    assert_eq!(
        world.send(Request::get(PAGE).bearer("writer")).await.status,
        200
    );
    assert_eq!(world.counters.asked(), 0, "what goes well asks nobody");
}

#[tokio::test]
async fn a24_an_identity_publishes_so_many_events_and_bytes() {
    for (events, bytes, per_publish) in [
        (Some(per_hour(100)), None, 1),
        (None, Some(per_hour(100 * 35)), 35),
    ] {
        let rates = RateLimits {
            published_events_per_identity: events,
            published_bytes_per_identity: bytes,
            ..RateLimits::default()
        };
        assert_eq!(EVENT.len(), 35);
        let policy = if events.is_some() {
            "\"published_events\""
        } else {
            "\"published_bytes\""
        };
        let world = limited(rates).await;
        let publish = async |token: &str, address: &str| {
            let request = Request::post("/v1/events").json(EVENT).bearer(token);
            world.send(request.header("x-forwarded-for", address)).await
        };
        let first = publish("writer", "192.0.2.1").await;
        let left = format!("{policy};r={};t=36", 99 * per_publish);
        assert_eq!(first.header("ratelimit"), Some(left.as_str()));
        // Wherever it is, and with whichever of its tokens.
        for number in 1..100 {
            let token = ["writer", "brief", "late"][number % 3];
            let answer = publish(token, &format!("192.0.2.{number}")).await;
            assert_eq!(answer.status, 200, "{number}: {}", answer.text());
        }
        assert_limited(
            &publish("writer", "192.0.2.9").await,
            "rate_limited",
            policy,
        );
        assert_eq!(
            publish("admin", "192.0.2.9").await.status,
            200,
            "another identity"
        );
        let mut passed = 0;
        for _ in 0..200 {
            world.advance(u64::from(HOUR_MS) / 200);
            passed += u32::from(publish("writer", "192.0.2.1").await.status == 200);
        }
        assert!((95..=105).contains(&passed), "{passed}");
    }
}

#[tokio::test]
async fn a24_a_group_is_published_whole_or_costs_nothing() {
    let rates = RateLimits {
        published_events_per_identity: Some(per_hour(10)),
        published_bytes_per_identity: Some(per_hour(1_000)),
        ..RateLimits::default()
    };
    let world = limited(rates).await;
    let publish = async |count: usize, fill: usize| {
        let event = EVENT.replace("project/1", &format!("project/{}", "x".repeat(fill)));
        let group = format!("[{}]", vec![event; count].join(","));
        let request = Request::post("/v1/events").json(&group).bearer("writer");
        world.send(request).await
    };
    let too_many = publish(11, 1).await;
    assert_eq!(
        (too_many.status, too_many.code().as_str()),
        (413, "group_too_large")
    );
    let too_large = publish(8, 200).await;
    assert_eq!(
        (too_large.status, too_large.code().as_str()),
        (413, "group_too_large")
    );
    assert_eq!(publish(6, 1).await.status, 200);
    // The events fit, the bytes do not: neither are spent.
    assert_limited(
        &publish(4, 190).await,
        "rate_limited",
        "\"published_bytes\"",
    );
    assert_limited(&publish(5, 1).await, "rate_limited", "\"published_events\"");
    assert_eq!(publish(4, 1).await.status, 200);
    assert_eq!(world.hub.figures().events_published, 10);
}

#[tokio::test]
async fn a24_a_refusal_after_events_were_counted_tells_what_is_left_of_each_limit() {
    let rates = RateLimits {
        published_events_per_identity: Some(per_hour(10)),
        published_bytes_per_identity: Some(per_hour(1_000)),
        ..RateLimits::default()
    };
    let world = limited(rates).await;
    let elsewhere = EVENT.replace("project/1", "elsewhere");
    let request = Request::post("/v1/events")
        .json(&elsewhere)
        .bearer("writer");
    let answer = world.send(request).await;
    assert_eq!(answer.code(), "not_granted");
    let left = answer.all("ratelimit");
    for said in [
        "\"published_events\";r=9;t=360",
        "\"published_bytes\";r=965;",
    ] {
        assert!(left.contains(said), "{left}");
    }
}

#[tokio::test]
async fn a24_lines_are_taken_as_far_as_they_fit_and_the_answer_says_how_far() {
    let rates = RateLimits {
        published_events_per_identity: Some(per_hour(10)),
        ..RateLimits::default()
    };
    let world = limited(rates).await;
    // Two of the lines are no events, and cost nothing.
    let mut lines: Vec<&str> = vec![EVENT; 15];
    lines[2] = "nothing";
    lines[13] = "nothing";
    let body = lines.join("\n");
    let send = async || {
        let request = Request::post("/v1/events").bearer("writer");
        world
            .send(request.body("application/x-ndjson", &body))
            .await
    };
    let answer = send().await;
    assert_eq!(answer.status, 200);
    let text = answer.text();
    let answers: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(answers.len(), 16, "{text}");
    for (index, answer) in answers[..15].iter().enumerate() {
        assert_eq!(answer["line"], index as u64 + 1);
        let code = match index {
            2 | 13 => Some("invalid_json"),
            0..=10 => None,
            _ => Some("rate_limited"),
        };
        assert_eq!(answer["error"]["code"].as_str(), code, "{answer}");
        let has_time = answer["error"]["retryAfterMs"].is_u64();
        assert_eq!(has_time, code == Some("rate_limited"), "{answer}");
    }
    let last = &answers[15];
    assert_eq!((&last["accepted"], &last["line"]), (&10.into(), &12.into()));
    assert_eq!(last["error"]["code"], "rate_limited");
    assert_eq!(world.hub.figures().events_published, 10);
    assert!(
        answer
            .all("ratelimit")
            .starts_with("\"published_events\";r=0;t=3600")
    );
    let refused = send().await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(
        refused.all("ratelimit-policy"),
        "\"published_events\";q=10;w=3600"
    );
    assert_eq!(world.hub.figures().events_published, 10);
}

#[tokio::test]
async fn a24_a_store_that_is_down_stops_nobody_and_is_noticed() {
    let rates = RateLimits {
        requests_per_address: Some(per_hour(1)),
        refused_credentials_per_address: Some(per_hour(1)),
        published_events_per_identity: Some(per_hour(1)),
        published_bytes_per_identity: Some(per_hour(100)),
        ..RateLimits::default()
    };
    let world = limited(rates).await;
    world.counters.set_down(true);
    for _ in 0..3 {
        let publish = Request::post("/v1/events").json(EVENT).bearer("writer");
        let answer = world.send(publish).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("ratelimit"), None);
        let lines = Request::post("/v1/events").body("application/x-ndjson", EVENT);
        assert_eq!(world.send(lines.bearer("writer")).await.status, 200);
        assert_eq!(
            world.send(Request::get(PAGE).bearer("forged")).await.status,
            401
        );
    }
    let failed = world.counters.failed();
    assert!(failed > 0 && failed == world.counters.asked());
    let mut uncounted = 0;
    for limit in [
        "requests",
        "refused_credentials",
        "published_events",
        "published_bytes",
    ] {
        let series = format!("tidings_http_rates_uncounted_total{{limit=\"{limit}\"}}");
        let count = world.labelled(&series).await;
        assert!(count >= 3, "{limit}: {count}");
        uncounted += count;
    }
    // The figures are asked for by requests, too, one of which came after its own figure was read.
    assert!(uncounted >= failed, "{uncounted} of {failed}");
    world.counters.set_down(false);
    assert_eq!(world.send(Request::get("/healthz")).await.status, 200);
    assert_eq!(world.send(Request::get("/healthz")).await.status, 429);
}
