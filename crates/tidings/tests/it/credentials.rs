//! Credentials beside a running hub: keys that are made and revoked, people who are sent away, and
//! stream tokens of a hub that has no secret.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::tempdir;

use crate::asking::{Reading, ask, bearer, status};
use crate::program::run;
use crate::running::{Hub, until};

const SECRET: (&str, &str) = ("TIDINGS_AUTH_SECRET", "0123456789abcdef0123456789abcdef");
const SESSION_SECRET: (&str, &str) = ("AUTH_SECRET", "fedcba9876543210fedcba9876543210");
const PAGE: &str = "GET /v1/events?limit=1";

fn done(directory: &Path, settings: &[(&str, &str)], arguments: &[&str]) -> String {
    let data = if arguments[0] == "token" {
        &[][..]
    } else {
        &["--data-dir", "data"]
    };
    let ran = run(directory, settings, &[arguments, data].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    ran.out.trim().to_owned()
}

fn key(directory: &Path) -> String {
    let arguments = [
        "key",
        "create",
        "--name",
        "n",
        "--subject",
        "u1",
        "--subscribe",
        "a",
    ];
    done(directory, &[], &arguments)
}

#[test]
fn a_key_counts_in_a_running_hub_until_it_is_revoked() {
    let directory = tempdir().expect("a directory");
    let hub = Hub::serve(directory.path(), &[SECRET]);
    let key = key(directory.path());
    let (name, value) = bearer(&key);
    until(
        || status(&hub, PAGE, &[(name, &value)], "") == 200,
        "accepted",
    );
    assert_eq!(status(&hub, PAGE, &[("x-api-key", &key)], ""), 200);
    let mut stream = Reading::stream(&hub, "topics=a", &[(name, &value)]);
    assert!(stream.is_open(), "{}", stream.text);

    let id = key.split('_').nth(1).expect("an id");
    done(directory.path(), &[], &["key", "revoke", id]);
    stream.until("event: tidings.bye");
    stream.until("\"code\":\"credential_revoked\"");
    stream.read_to_end();
    let refused = ask(&hub, PAGE, &[(name, &value)], "");
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
}

#[test]
fn who_is_revoked_goes_and_stays_away_after_a_restart() {
    let directory = tempdir().expect("a directory");
    let hub = Hub::serve(directory.path(), &[SECRET]);
    let of = |subject: &str| {
        let arguments = ["token", "--sub", subject, "--subscribe", "a"];
        bearer(&done(directory.path(), &[SECRET], &arguments))
    };
    let (first, second) = (of("u1"), of("u2"));
    let first = [(first.0, first.1.as_str())];
    let second = [(second.0, second.1.as_str())];
    let mut stream = Reading::stream(&hub, "topics=a", &first);
    let mut other = Reading::stream(&hub, "topics=a", &second);
    assert!(stream.is_open() && other.is_open());
    done(directory.path(), &[], &["revoke", "subject:u1"]);
    stream.until("\"code\":\"credential_revoked\"");
    stream.read_to_end();
    assert_eq!(status(&hub, PAGE, &first, ""), 401);
    assert_eq!(status(&hub, PAGE, &second, ""), 200);
    other.until("tidings.hello");
    assert!(!other.text.contains("tidings.bye"), "{}", other.text);

    drop(hub);
    let hub = Hub::serve(directory.path(), &[SECRET]);
    assert_eq!(status(&hub, PAGE, &first, ""), 401);
    done(directory.path(), &[], &["revoke", "subject:u1", "--lift"]);
    until(|| status(&hub, PAGE, &first, "") == 200, "it counts again");
}

#[test]
fn stream_tokens_need_no_secret_of_the_settings() {
    let directory = tempdir().expect("a directory");
    // Somebody has to be able to come at all.
    let settings = [SESSION_SECRET];
    let hub = Hub::serve(directory.path(), &settings);
    let key = key(directory.path());
    let (name, value) = bearer(&key);
    until(
        || status(&hub, PAGE, &[(name, &value)], "") == 200,
        "accepted",
    );
    let answer = ask(&hub, "POST /v1/tokens", &[(name, &value)], "");
    let (_, rest) = answer.split_once("\"token\":\"").expect("a token");
    let (token, _) = rest.split_once('"').expect("its end");
    let (name, value) = bearer(token);
    let stream = Reading::stream(&hub, "topics=a", &[(name, &value)]);
    assert!(stream.is_open(), "{}", stream.text);
    drop(hub);

    let kept = directory.path().join("data/stream-secret");
    let mode = fs::metadata(&kept).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let hub = Hub::serve(directory.path(), &settings);
    let stream = Reading::stream(&hub, "topics=a", &[(name, &value)]);
    assert!(stream.is_open(), "{}", stream.text);
    drop(hub);
    // Whoever has one secret for everything needs no other.
    let elsewhere = tempdir().expect("a directory");
    let _hub = Hub::serve(elsewhere.path(), &[SECRET]);
    assert!(!elsewhere.path().join("data/stream-secret").exists());
}
