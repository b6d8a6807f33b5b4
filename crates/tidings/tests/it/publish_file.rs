//! `tidings publish --file`: every line once, whatever happens on the way.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tempfile::tempdir;

use crate::hub::{Request, answer, hub};
use crate::program::{Ran, run};

/// Events by their id, in the order of their arrival.
#[derive(Debug, Default)]
struct Log {
    events: Vec<Value>,
    ids: BTreeMap<String, usize>,
    requests: usize,
}

type Shared = Arc<Mutex<Log>>;

impl Log {
    /// Publishes the lines of a body up to a limit, and answers them.
    fn take(&mut self, request: &Request, lines_max: usize) -> String {
        let mut answers = String::new();
        for (index, text) in request.body.lines().take(lines_max).enumerate() {
            let event: Value = serde_json::from_str(text).expect("JSON");
            let line = index + 1;
            if event["data"]["bad"] == true {
                writeln!(
                    answers,
                    r#"{{"line":{line},"error":{{"status":400,"code":"invalid_event","detail":"bad"}}}}"#
                )
                .expect("text");
                continue;
            }
            let id = event["id"].as_str().expect("an id").to_owned();
            let duplicate = self.ids.contains_key(&id);
            let offset = *self.ids.entry(id.clone()).or_insert(self.events.len());
            if !duplicate {
                self.events.push(event);
            }
            writeln!(
                answers,
                r#"{{"line":{line},"id":"{id}","cursor":"{offset}-k3x9f2m4q7","subscribers":0,"duplicate":{duplicate}}}"#
            )
            .expect("text");
        }
        answers
    }
}

fn lines(body: &str) -> String {
    answer("200 OK", "application/x-ndjson", body)
}

/// A file of numbered lines.
fn numbered(directory: &Path, count: usize) -> String {
    let text = (0..count).fold(String::new(), |mut text, n| {
        writeln!(
            text,
            r#"{{"type":"T{}","repo":{{"name":"o/r{n}"}},"n":{n}}}"#,
            n % 3
        )
        .expect("text");
        text
    });
    let path = directory.join("events.ndjson");
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

fn publish(directory: &Path, url: &str, more: &[&str]) -> Ran {
    let mut arguments = vec![
        "publish",
        "--url",
        url,
        "--type-field",
        "type",
        "--topic-template",
        "repo/{repo.name}",
    ];
    arguments.extend(more);
    run(directory, &[], &arguments)
}

fn with<T>(log: &Shared, act: impl FnOnce(&mut Log) -> T) -> T {
    act(&mut log.lock().unwrap_or_else(PoisonError::into_inner))
}

fn hub_of(
    log: &Shared,
    mut script: impl FnMut(&mut Log, &Request) -> Option<String> + Send + 'static,
) -> String {
    let log = Arc::clone(log);
    hub(move |request| {
        with(&log, |log| {
            log.requests += 1;
            script(log, &request)
        })
    })
}

#[test]
fn every_line_is_published_in_order_and_a_second_run_changes_nothing() {
    let directory = tempdir().expect("a directory");
    let log = Shared::default();
    let url = hub_of(&log, |log, request| {
        Some(lines(&log.take(request, usize::MAX)))
    });
    let file = numbered(directory.path(), 10_000);
    for duplicates in ["0 of them", "10000 of them"] {
        let ran = publish(directory.path(), &url, &["--file", &file]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
        assert!(
            ran.err.starts_with("published 10000 events in "),
            "{}",
            ran.err
        );
        assert!(ran.err.contains(duplicates), "{}", ran.err);
        assert_eq!(
            ran.err.lines().count(),
            1,
            "no bar without a terminal: {}",
            ran.err
        );
    }
    with(&log, |log| {
        assert_eq!(log.events.len(), 10_000);
        for (n, event) in log.events.iter().enumerate() {
            assert_eq!(event["data"]["n"], n);
            assert_eq!(event["type"], format!("T{}", n % 3));
            assert_eq!(event["topics"][0], format!("repo/o/r{n}"));
        }
        assert!(log.requests >= 6, "bodies are bounded: {}", log.requests);
    });
}

#[test]
fn a_busy_hub_and_lost_connections_neither_lose_nor_double_a_line() {
    let directory = tempdir().expect("a directory");
    let log = Shared::default();
    let url = hub_of(&log, |log, request| match log.requests {
        // The hub takes three lines, and is busy.
        1 => {
            let mut body = log.take(request, 3);
            body += r#"{"accepted":3,"line":4,"error":{"status":503,"code":"log_busy","detail":"busy","retryAfterMs":1}}"#;
            Some(lines(&(body + "\n")))
        }
        // It takes everything, but the answer is lost.
        2 => {
            log.take(request, usize::MAX);
            None
        }
        // It is away for a moment.
        3 => Some(answer(
            "503 Service Unavailable",
            "application/problem+json",
            r#"{"status":503,"code":"draining","detail":"draining","retryAfterMs":1}"#,
        )),
        _ => Some(lines(&log.take(request, usize::MAX))),
    });
    let file = numbered(directory.path(), 20);
    let ran = publish(directory.path(), &url, &["--file", &file]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.err.contains("busy (503 log_busy); trying again"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("broke"), "{}", ran.err);
    assert!(ran.err.contains("draining (503 draining)"), "{}", ran.err);
    assert!(ran.err.contains("published 20 events"), "{}", ran.err);
    assert!(
        ran.err.contains("17 of them were there already"),
        "{}",
        ran.err
    );
    with(&log, |log| {
        let numbers: Vec<u64> = log
            .events
            .iter()
            .filter_map(|e| e["data"]["n"].as_u64())
            .collect();
        assert_eq!(numbers, (0..20).collect::<Vec<_>>());
        assert_eq!(log.requests, 4);
    });
}

#[test]
fn refused_lines_are_told_and_the_others_published() {
    let directory = tempdir().expect("a directory");
    let log = Shared::default();
    let url = hub_of(&log, |log, request| {
        Some(lines(&log.take(request, usize::MAX)))
    });
    let path = directory.path().join("mixed.ndjson");
    let good = |n: u64| format!(r#"{{"type":"t","repo":{{"name":"r"}},"n":{n},"key":"k-{n}"}}"#);
    let bad = r#"{"type":"t","repo":{"name":"r"},"bad":true,"key":"b"}"#;
    let many = format!("{bad}\n").repeat(11);
    let text = format!("{}\nnonsense\n{many}{}\n", good(1), good(2));
    std::fs::write(&path, text).expect("written");
    let file = path.to_str().expect("UTF-8");
    let ran = publish(
        directory.path(),
        &url,
        &["--id-field", "key", "--file", file],
    );
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("line 2: "), "{}", ran.err);
    assert!(
        ran.err.contains("line 3: bad (400 invalid_event)"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("further refusals are not shown"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("line 13: "), "{}", ran.err);
    assert!(
        ran.err.contains("error: some lines were not published: 12"),
        "{}",
        ran.err
    );
    with(&log, |log| {
        let ids: Vec<&str> = log.events.iter().filter_map(|e| e["id"].as_str()).collect();
        assert_eq!(ids, ["k-1", "k-2"]);
    });
}

#[test]
fn a_refusal_of_everything_stops_at_once_and_so_does_patience() {
    let directory = tempdir().expect("a directory");
    let file = numbered(directory.path(), 5);
    for (status, expected) in [
        ("401 Unauthorized", "tidings token"),
        ("503 Service Unavailable", "service unavailable (503)"),
    ] {
        let log = Shared::default();
        let url = hub_of(&log, move |_, _| Some(answer(status, "text/plain", "")));
        let more = ["--file", &file, "--retry-for", "0s"];
        let ran = publish(directory.path(), &url, &more);
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        assert!(ran.err.contains("run it again"), "{}", ran.err);
        assert!(ran.err.contains(expected), "{}", ran.err);
        assert_eq!(with(&log, |log| log.requests), 1);
    }
    let ran = publish(
        directory.path(),
        "http://127.0.0.1:1",
        &["--file", "nothing.ndjson"],
    );
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("`nothing.ndjson`"), "{}", ran.err);
}

#[test]
fn a_hub_that_leaves_lines_without_an_answer_is_not_asked_for_ever() {
    let directory = tempdir().expect("a directory");
    let file = numbered(directory.path(), 5);
    let log = Shared::default();
    let url = hub_of(&log, |log, request| Some(lines(&log.take(request, 2))));
    let ran = publish(directory.path(), &url, &["--file", &file]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("without an answer"), "{}", ran.err);
}
