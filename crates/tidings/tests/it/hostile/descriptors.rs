//! D13: a hub without descriptors does not spin, serves those it has, and recovers.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use tempfile::tempdir;

use super::reader::{Reader, USUAL};
use super::{CROWDED, report};
use crate::running::{Hub, PATIENCE, figure_in};

/// What the hub may open.
const LIMIT: usize = 128;

/// Signs of life, one a second, during which its processor time is measured.
const PINGS: usize = 5;

/// Of a core.
const PROCESSOR_PERCENT_MAX: f64 = 5.0;

/// A connection that was open before: what it is asked needs no descriptor.
struct Kept(TcpStream);

impl Kept {
    fn ask(&mut self, line: &str, content: &str) -> String {
        let length = content.len();
        let request = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{content}"
        );
        self.0.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&answer);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.expect("a length").parse().expect("a number");
                if body.len() >= length {
                    return text.into_owned();
                }
            }
            let mut piece = [0; 16 * 1024];
            let read = self.0.read(&mut piece).expect("an answer");
            assert!(read > 0, "the kept connection is closed");
            answer.extend_from_slice(&piece[..read]);
        }
    }

    fn failed(&mut self) -> u64 {
        let metrics = self.ask("GET /metrics", "");
        figure_in(&metrics, "tidings_http_accepts_failed_total")
    }
}

#[test]
fn d13_a_hub_without_descriptors_waits_and_recovers() {
    let directory = tempdir().expect("a directory");
    let settings = [CROWDED[0], CROWDED[1], ("TIDINGS_HEARTBEAT", "1s")];
    let hub = Hub::start_limited(directory.path(), &settings, &format!("-n {LIMIT}"));
    let mut reader = Reader::ask(hub.address, "d13", "now", USUAL);
    reader.until("tidings.hello");
    let mut kept = Kept(TcpStream::connect(hub.address).expect("the hub listens"));
    kept.0.set_read_timeout(Some(PATIENCE)).expect("a setting");
    assert_eq!(kept.failed(), 0);

    let begun = Instant::now();
    let taken: Vec<Reader> = (0..2 * LIMIT)
        .map(|_| Reader::ask(hub.address, "d13", "now", USUAL))
        .collect();
    // The fault has happened, and this one.
    hub.log_until("os error 24");
    while kept.failed() < 10 {
        std::thread::yield_now();
    }
    assert!(hub.descriptors() >= LIMIT, "all are taken");
    // Pauses grow to a second: a loop without any would have failed many thousand times.
    let failed = kept.failed();
    assert!(failed <= 20 + begun.elapsed().as_secs(), "{failed}");
    // Those who are connected are served.
    let event = r#"{"type":"t","topics":["d13"],"data":"1:here"}"#;
    let answer = kept.ask("POST /v1/events?userId=publisher", event);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    reader.until("1:here");
    // Nobody asks it anything, and many wait to be let in.
    let (measured, used) = (Instant::now(), hub.processor_ticks());
    reader.until_pings(PINGS);
    let used = (hub.processor_ticks() - used) as f64 / 100.0;
    let percent = 100.0 * used / measured.elapsed().as_secs_f64();
    report(&format!("{percent:.1} % of a core without descriptors"));
    assert!(percent < PROCESSOR_PERCENT_MAX, "{percent} %");
    assert!(kept.failed() > failed, "it was short of them all the time");
    let lines = hub.logged("connection could not be accepted").len() as u64;
    assert!(lines <= 1 + begun.elapsed().as_secs() / 10, "{lines}");

    drop(taken);
    let answer = hub.ask("GET /healthz", "");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let mut other = Reader::ask(hub.address, "d13", "earliest", USUAL);
    other.until("1:here");
    hub.until_figure("tidings_hub_connections", 2);
}
