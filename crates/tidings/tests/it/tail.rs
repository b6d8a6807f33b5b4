//! `tidings tail`: events on stdout, everything else on stderr.

use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::tempdir;

use crate::hub::{answer, hub};
use crate::program::run;

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
const ENVELOPE: &str =
    r#"{"id":"x","type":"a","data":{"n": 1},"metadata":{"topics":["p/1","p/2"]}}"#;

fn cursor(offset: u64) -> String {
    format!("{offset}-k3x9f2m4q7")
}

fn block(kind: &str, data: &str, offset: u64) -> String {
    format!("event: {kind}\ndata: {data}\nid: {}\n\n", cursor(offset))
}

fn hello(offset: u64) -> String {
    let data = format!(
        r#"{{"connectionId":"c","cursor":"{0}","head":"{0}","replay":"none","topics":["p/1"],"heartbeatMs":15000,"expiresAt":null,"serverTime":1}}"#,
        cursor(offset)
    );
    block("tidings.hello", &data, offset)
}

fn bye(retry: &str, offset: u64) -> String {
    let data =
        format!(r#"{{"code":"drain","reason":"restarting","retryAfterMs":{retry},"spreadMs":0}}"#);
    block("tidings.bye", &data, offset)
}

#[test]
fn tail_prints_events_goes_on_after_a_loss_and_tells_of_gaps() {
    let directory = tempdir().expect("a directory");
    let turn = AtomicUsize::new(0);
    let url = hub(move |request| match turn.fetch_add(1, Ordering::Relaxed) {
        0 => {
            let line = request.head.lines().next().expect("a request line");
            let query = "topics=p/*&events=a,b.*&since=10m";
            assert_eq!(line, format!("get /v1/stream?{query} http/1.1"));
            let hello = hello(1);
            let cut = &block("a", ENVELOPE, 3)[..30];
            Some(format!(
                "{HEAD}retry: 1\n{hello}{}{cut}",
                block("a", ENVELOPE, 2)
            ))
        }
        1 => {
            assert_eq!(request.header("last-event-id"), Some(cursor(2).as_str()));
            let gap = format!(
                r#"{{"from":"{}","to":"{}","reason":"retention"}}"#,
                cursor(2),
                cursor(5)
            );
            let gap = block("tidings.gap", &gap, 5);
            Some(format!(
                "{HEAD}{}{gap}{}{}",
                hello(2),
                block("a", ENVELOPE, 6),
                bye("1", 6)
            ))
        }
        _ => {
            assert_eq!(request.header("last-event-id"), Some(cursor(6).as_str()));
            Some(format!("{HEAD}{}", bye("null", 6)))
        }
    });
    let arguments = [
        "tail", "--url", &url, "--topic", "p/*", "--events", "a", "--events", "b.*", "--since",
        "10m",
    ];
    let ran = run(directory.path(), &[], &arguments);
    assert_eq!(ran.code, Some(1));
    let line = |offset| format!("{}  a  p/1,p/2  {{\"n\": 1}}\n", cursor(offset));
    assert_eq!(ran.out, line(2) + &line(6));
    assert!(ran.err.contains("allows only a part: p/1"), "{}", ran.err);
    let (_, after) = ran.err.split_once("trying again in").expect("a loss");
    assert_eq!(after.matches("connected again\n").count(), 1, "{after}");
    let gap = format!(
        "gap: events are missing after {} up to {}: retention",
        cursor(2),
        cursor(5)
    );
    assert!(ran.err.contains(&gap), "{}", ran.err);
    assert!(
        ran.err.contains("the hub ends the connection: restarting"),
        "{}",
        ran.err
    );
    assert!(
        ran.err
            .contains("error: the hub has ended the stream for good"),
        "{}",
        ran.err
    );
}

#[test]
fn json_is_the_envelope_as_the_hub_sent_it() {
    let directory = tempdir().expect("a directory");
    let url = hub(|_| Some(format!("{HEAD}{}", block("a", ENVELOPE, 2).repeat(3))));
    let arguments = ["tail", "--url", &url, "--json", "--count", "2"];
    let ran = run(directory.path(), &[], &arguments);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_eq!(ran.out, format!("{ENVELOPE}\n{ENVELOPE}\n"));
}

#[test]
fn a_refusal_ends_tail_with_its_hint() {
    let directory = tempdir().expect("a directory");
    let url = hub(|_| {
        let body = r#"{"status":403,"code":"not_granted","detail":"no grant","hint":"ask"}"#;
        Some(answer("403 Forbidden", "application/problem+json", body))
    });
    let ran = run(
        directory.path(),
        &[],
        &["tail", "--url", &url, "--topic", "secret"],
    );
    let expected = "error: no grant (403 not_granted)\nhint: ask\n";
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (Some(1), "", expected)
    );
}
