//! M5: very many topics that have one event each and are never heard of again: what they cost while
//! their events last, and that nothing of them stays when those are gone.
//!
//! `TIDINGS_M5_TOPICS` sets how many.

use std::fmt::Write as _;
use std::path::Path;

use tempfile::tempdir;

use super::{number_from, report};
use crate::running::{Hub, until};

const TOPICS_DEFAULT: usize = 20_000;

/// Of one request.
const LINES: usize = 5_000;

const BYTES_PER_TOPIC_MAX: u64 = 200;

/// What a hub takes when it is first used, whatever for: buffers of requests, heaps of its threads.
const NOISE_BYTES_MAX: u64 = 48 * 1024 * 1024;

const SETTINGS: [(&str, &str); 5] = [
    ("TIDINGS_HEARTBEAT", "1s"),
    // The least that goes with such heartbeats.
    ("TIDINGS_RETENTION_AGE", "4s"),
    ("TIDINGS_DEDUPE_WINDOW", "1s"),
    // Recent events cost memory by design, and are not what is measured.
    ("TIDINGS_WINDOW_EVENTS", "1000"),
    ("TIDINGS_LOG_SEGMENT_BYTES", "16MiB"),
];

/// Publishes one event to each of so many topics.
fn make_topics(hub: &Hub, count: usize) {
    for begin in (0..count).step_by(LINES) {
        let mut lines = String::new();
        for number in begin..count.min(begin + LINES) {
            let line = r#"{"type":"t","topics":["m5/"#;
            writeln!(lines, r#"{line}{number}"],"data":1}}"#).expect("text");
        }
        let answer = hub.ask("POST /v1/events?userId=publisher", &lines);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:.500}");
        let taken = answer.matches("\"cursor\":").count();
        assert_eq!(taken, lines.lines().count(), "{answer:.500}");
    }
}

/// Whether the newest of these topics is no longer known.
fn are_forgotten(hub: &Hub, count: usize) -> bool {
    let last = count - 1;
    let answer = hub.ask(&format!("GET /v1/topics/m5%2F{last}?userId=me"), "");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer.contains("\"head\":null")
}

/// Bytes that the segments of the log have on disk.
fn segment_bytes(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory.join("tidings-data/log")).expect("a log");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let segments = paths.filter(|path| path.extension().is_some_and(|ending| ending == "seg"));
    // One may be removed meanwhile.
    let bytes = segments.filter_map(|path| std::fs::metadata(path).ok());
    bytes.map(|found| found.len()).sum()
}

#[test]
fn m5_idle_topics_cost_little_and_nothing_of_them_stays() {
    let topics = number_from("TIDINGS_M5_TOPICS").unwrap_or(TOPICS_DEFAULT);
    let directory = tempdir().expect("a directory");
    let hub = Hub::start(directory.path(), &SETTINGS);
    let before = hub.resident_bytes();

    make_topics(&hub, topics);
    let with = hub.resident_bytes().saturating_sub(before);
    until(|| are_forgotten(&hub, topics), "the topics are forgotten");
    let without = hub.resident_bytes().saturating_sub(before);
    let each = |bytes: u64| bytes / topics as u64;
    report(&format!(
        "{topics} topics: {} bytes of memory for each with its event, {} without",
        each(with),
        each(without)
    ));
    let most = NOISE_BYTES_MAX + BYTES_PER_TOPIC_MAX * topics as u64;
    assert!(with <= most, "{with}");
    assert!(without <= most, "{without}");
    // The segment that is written to, and the next one.
    let left = segment_bytes(directory.path());
    assert!(left <= 3 * 16 * 1024 * 1024, "{left} bytes of segments");
}
