//! `tidings publish` of one event.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::hub::{answer, hub};
use crate::program::{Ran, command, ran, run};

const CURSOR: &str = "1-k3x9f2m4q7";

/// Publishes with these arguments to a hub that takes everything, and returns what it took.
fn publish(arguments: &[&str]) -> (Ran, Option<Value>) {
    let directory = tempdir().expect("a directory");
    let (send, took) = std::sync::mpsc::sync_channel(1);
    let url = hub(move |request| {
        assert_eq!(request.header("authorization"), Some("bearer canary"));
        let event: Value = serde_json::from_str(&request.body).expect("JSON");
        send.send(event).expect("the test waits");
        let body = format!(r#"{{"id":"{CURSOR}","cursor":"{CURSOR}","subscribers":2}}"#);
        Some(answer("200 OK", "application/json", &body))
    });
    let variables = [("TIDINGS_URL", url.as_str()), ("TIDINGS_TOKEN", "CANARY")];
    let all: Vec<&str> = ["publish"].iter().chain(arguments).copied().collect();
    let ran = run(directory.path(), &variables, &all);
    (ran, took.try_recv().ok())
}

#[test]
fn an_event_is_published_and_the_answer_is_the_only_output() {
    let (ran, took) = publish(&[
        "--topic",
        "a/b",
        "--topic",
        "c",
        "--type",
        "t",
        "--id",
        "x",
        r#"{"n":1}"#,
    ]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let printed: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(
        printed,
        json!({"id": CURSOR, "cursor": CURSOR, "subscribers": 2})
    );
    let expected = json!({"type": "t", "topics": ["a/b", "c"], "id": "x", "data": {"n": 1}});
    assert_eq!(took, Some(expected));
}

#[test]
fn an_event_may_be_for_everyone_and_hold_nothing() {
    let (ran, took) = publish(&["--type", "t"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(took, Some(json!({"type": "t", "data": null})));
    let (ran, took) = publish(&["--type", "t", "-5"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(took, Some(json!({"type": "t", "data": -5})));
}

#[test]
fn an_event_may_wait_for_its_readers() {
    let (ran, took) = publish(&["--type", "t", "--wait-subscribers", "2"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let event = json!({"type": "t", "data": null, "wait": {"subscribers": 2}});
    assert_eq!(took, Some(event));
    let patient = ["--wait-subscribers", "1", "--wait-timeout", "1m"];
    let (ran, took) = publish(&[&["--type", "t"], &patient[..]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let took = took.expect("an event");
    assert_eq!(
        took["wait"],
        json!({"subscribers": 1, "timeout": "60000ms"})
    );
    for bad in [
        &["--wait-subscribers", "0"][..],
        &["--wait-subscribers", "1001"],
        &["--wait-timeout", "1s"],
    ] {
        let (ran, took) = publish(&[&["--type", "t"], bad].concat());
        assert_eq!((ran.code, took), (Some(2), None), "{bad:?}: {}", ran.err);
    }
}

#[test]
fn data_comes_from_standard_input_too() {
    let url = hub(|request| {
        assert!(
            request.body.contains(r#""data":"hello""#),
            "{}",
            request.body
        );
        let body = format!(r#"{{"id":"x","cursor":"{CURSOR}","subscribers":0,"duplicate":true}}"#);
        Some(answer("200 OK", "application/json", &body))
    });
    let ran = publish_input(&url, b"\"hello\"\n");
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains(r#""duplicate":true"#), "{}", ran.out);
}

/// Publishes what is on standard input.
fn publish_input(url: &str, input: &[u8]) -> Ran {
    let directory = tempdir().expect("a directory");
    let arguments = ["publish", "--url", url, "--type", "t", "-"];
    let mut child = command(directory.path(), &[], &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    // A program that has read enough may be gone.
    let _unread = stdin.write_all(input);
    drop(stdin);
    ran(child.wait_with_output().expect("ended"))
}

#[test]
fn endless_standard_input_is_no_data() {
    let endless = vec![b' '; 16 * 1024 * 1024 + 1];
    let ran = publish_input("http://127.0.0.1:1", &endless);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("more than 16777216 bytes"), "{}", ran.err);
}

#[test]
fn data_that_is_no_json_never_leaves_the_program() {
    let (ran, took) = publish(&["--type", "t", "hello"]);
    assert_eq!((ran.code, ran.out.as_str(), took), (Some(1), "", None));
    assert!(
        ran.err.contains("hint: a text needs quotation marks"),
        "{}",
        ran.err
    );
}

#[test]
fn a12_refusals_are_shown_with_their_hint_and_without_the_token() {
    let directory = tempdir().expect("a directory");
    let refused = hub(|_| {
        let body = r#"{"status":403,"code":"not_granted","detail":"no","hint":"ask somebody"}"#;
        Some(answer("403 Forbidden", "application/problem+json", body))
    });
    let expired = hub(|_| Some(answer("401 Unauthorized", "text/plain", "")));
    for (url, expected) in [
        (
            refused.as_str(),
            "error: no (403 not_granted)\nhint: ask somebody\n",
        ),
        (
            expired.as_str(),
            "error: unauthorized (401)\nhint: give a token with `--token` or `TIDINGS_TOKEN`; \
             `tidings token` makes one\n",
        ),
        (
            "ftp://127.0.0.1",
            "error: the URL of the hub cannot be used: its scheme is neither `http` nor \
             `https`\nhint: check `--url` and `--token`, or `TIDINGS_URL` and \
             `TIDINGS_TOKEN`\n",
        ),
    ] {
        let arguments = ["publish", "--url", url, "--token", "CANARY", "--type", "t"];
        let ran = run(directory.path(), &[], &arguments);
        assert_eq!(
            (ran.code, ran.out.as_str(), ran.err.as_str()),
            (Some(1), "", expected)
        );
    }
}
