//! Settings that concern requests really reach the hub: each of these fails if the assembly forgets
//! one.

use tempfile::{TempDir, tempdir};

use crate::asking::{Reading, ask, bearer, status};
use crate::program::run;
use crate::running::{Hub, until};

const SECRET: (&str, &str) = ("TIDINGS_AUTH_SECRET", "0123456789abcdef0123456789abcdef");
const PAGE: &str = "GET /v1/events?limit=1";

fn hub(directory: &TempDir, settings: &[(&str, &str)]) -> Hub {
    Hub::serve(directory.path(), &[&[SECRET], settings].concat())
}

fn token(directory: &TempDir) -> String {
    let arguments = ["token", "--sub", "u1", "--subscribe", "a", "--publish", "a"];
    let ran = run(directory.path(), &[SECRET], &arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran.out.trim().to_owned()
}

/// Asks `twice` of a hub with a setting and of one without it: only the first refuses in the end.
fn limits(setting: (&str, &str), code: &str, twice: impl Fn(&Hub, &str) -> String) {
    let directory = tempdir().expect("a directory");
    let token = token(&directory);
    let limited = hub(&directory, &[setting]);
    let answer = twice(&limited, &token);
    assert!(answer.contains(code), "{setting:?}: {answer}");
    drop(limited);
    let unlimited = hub(&directory, &[]);
    let answer = twice(&unlimited, &token);
    assert!(!answer.contains(code), "without {setting:?}: {answer}");
}

/// The answer to a second stream while the first is open.
fn second_stream(hub: &Hub, token: &str) -> String {
    let (name, value) = bearer(token);
    let first = Reading::stream(hub, "topics=a", &[(name, &value)]);
    assert!(first.is_open(), "{}", first.text);
    Reading::stream(hub, "topics=a", &[(name, &value)]).text
}

/// The answer to a request that was refused, or to the last of many.
fn many(asked: impl Fn() -> String) -> String {
    let mut answer = asked();
    for _ in 0..100 {
        if !answer.starts_with("HTTP/1.1 429 ") {
            answer = asked();
        }
    }
    answer
}

#[test]
fn limits_of_connections_reach_the_hub() {
    for name in [
        "TIDINGS_LIMITS_CONNECTIONS",
        "TIDINGS_LIMITS_CONNECTIONS_PER_IDENTITY",
        "TIDINGS_LIMITS_CONNECTIONS_PER_ADDRESS",
    ] {
        limits((name, "1"), "\"limit\":1", second_stream);
    }
}

#[test]
fn limits_of_rates_reach_the_hub() {
    limits(
        ("TIDINGS_LIMITS_REQUESTS_PER_ADDRESS_PER_SECOND", "1"),
        "HTTP/1.1 429 ",
        |hub, _| many(|| ask(hub, PAGE, &[], "")),
    );
    limits(
        ("TIDINGS_LIMITS_REFUSED_LOGINS_PER_ADDRESS_PER_MINUTE", "2"),
        "HTTP/1.1 429 ",
        |hub, _| many(|| ask(hub, PAGE, &[("authorization", "Bearer no")], "")),
    );
    limits(
        ("TIDINGS_LIMITS_TICKETS_PER_IDENTITY_PER_MINUTE", "2"),
        "HTTP/1.1 429 ",
        |hub, token| {
            let (name, value) = bearer(token);
            many(|| ask(hub, "POST /v1/tickets", &[(name, &value)], ""))
        },
    );
    let publish = |hub: &Hub, token: &str, data: &str| {
        let (name, value) = bearer(token);
        let body = format!("{{\"type\":\"t\",\"topics\":[\"a\"],\"data\":\"{data}\"}}");
        many(|| ask(hub, "POST /v1/events", &[(name, &value)], &body))
    };
    limits(
        ("TIDINGS_LIMITS_EVENTS_PER_IDENTITY_PER_SECOND", "1"),
        "HTTP/1.1 429 ",
        |hub, token| publish(hub, token, "x"),
    );
    limits(
        (
            "TIDINGS_LIMITS_EVENT_BYTES_PER_IDENTITY_PER_SECOND",
            "256KiB",
        ),
        "HTTP/1.1 429 ",
        |hub, token| publish(hub, token, &"x".repeat(200_000)),
    );
}

#[test]
fn names_of_the_hub_reach_it() {
    let directory = tempdir().expect("a directory");
    let hub = hub(&directory, &[("TIDINGS_HTTP_HOSTS", "events.example.org")]);
    let asked = |host: &str| ask(&hub, PAGE, &[("host", host)], "");
    let known = asked("events.example.org");
    assert!(known.starts_with("HTTP/1.1 401 "), "{known}");
    let refused = asked("other.example.org");
    assert!(refused.starts_with("HTTP/1.1 421 "), "{refused}");
}

#[test]
fn a23_proxies_that_are_trusted_tell_clients_apart_and_others_do_not() {
    let refusals = ("TIDINGS_LIMITS_REFUSED_LOGINS_PER_ADDRESS_PER_MINUTE", "1");
    let proxies = ("TIDINGS_HTTP_TRUSTED_PROXIES", "127.0.0.0/8");
    let forwarded = ("TIDINGS_HTTP_FORWARDED", "forwarded");
    for (settings, header, written, last) in [
        (vec![refusals], "x-forwarded-for", "192.0.2.", 429),
        (vec![refusals, proxies], "x-forwarded-for", "192.0.2.", 401),
        (vec![refusals, proxies], "forwarded", "for=192.0.2.", 429),
        (
            vec![refusals, proxies, forwarded],
            "forwarded",
            "for=192.0.2.",
            401,
        ),
    ] {
        let directory = tempdir().expect("a directory");
        let hub = hub(&directory, &settings);
        let statuses: Vec<u16> = (1..4)
            .map(|client| {
                let client = format!("{written}{client}");
                let headers = [("authorization", "Bearer no"), (header, client.as_str())];
                status(&hub, PAGE, &headers, "")
            })
            .collect();
        assert_eq!(statuses[0], 401, "{settings:?}");
        assert_eq!(statuses[2], last, "{settings:?}: {statuses:?}");
    }
}

#[test]
fn the_order_of_credentials_leaves_out_what_is_not_listed() {
    let directory = tempdir().expect("a directory");
    let token = token(&directory);
    let (name, value) = bearer(&token);
    for (order, expected) in [("jwt,ticket", 200), ("ticket,key", 401)] {
        let hub = hub(&directory, &[("TIDINGS_AUTH_ORDER", order)]);
        assert_eq!(
            status(&hub, PAGE, &[(name, &value)], ""),
            expected,
            "{order}"
        );
    }
}

#[test]
fn anonymous_reading_leeway_and_the_secret_before_reach_the_hub() {
    let directory = tempdir().expect("a directory");
    let old = token(&directory);
    let file = "[auth.anonymous]\nsubscribe = [\"news\"]\n";
    std::fs::write(directory.path().join("tidings.toml"), file).expect("written");
    let settings = [
        (
            "TIDINGS_AUTH_SECRET",
            "another-secret-of-the-hub-of-at-least-32",
        ),
        ("TIDINGS_AUTH_PREVIOUS_SECRET", SECRET.1),
    ];
    let strict = ("TIDINGS_AUTH_LEEWAY_SECONDS", "0");
    let hub = Hub::serve(directory.path(), &[&settings[..], &[strict]].concat());
    let (name, value) = bearer(&old);
    assert_eq!(status(&hub, PAGE, &[(name, &value)], ""), 200);
    assert_eq!(status(&hub, "GET /v1/events?topics=news", &[], ""), 200);
    assert_eq!(status(&hub, "GET /v1/events?topics=a", &[], ""), 403);

    // A stream ends with its credential in any case; an event may come a little late.
    let short = ["token", "--sub", "u1", "--publish", "a", "--ttl", "1s"];
    let ended = run(directory.path(), &settings, &short).out;
    let (name, value) = bearer(ended.trim());
    let event = "{\"type\":\"t\",\"topics\":[\"a\"],\"data\":1}";
    let publish = |hub: &Hub| status(hub, "POST /v1/events", &[(name, &value)], event);
    until(|| publish(&hub) == 401, "it ends");
    drop(hub);
    let lenient = ("TIDINGS_AUTH_LEEWAY_SECONDS", "60");
    let hub = Hub::serve(directory.path(), &[&settings[..], &[lenient]].concat());
    assert_eq!(publish(&hub), 200);
}
