//! N13: a flood of readers that were last somewhere else: each is told so, none is told anything of
//! others, and it costs a hub with many events hardly more than one with few.
//!
//! `TIDINGS_N13_REQUESTS` sets how many.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use tempfile::tempdir;

use super::{CROWDED, data, number_from, report};
use crate::running::{Hub, PATIENCE};

const REQUESTS_DEFAULT: usize = 4_000;

const CONNECTIONS: usize = 4;

/// Requests that are sent without waiting for the answers.
const PIPELINED: usize = 20;

/// Events of the small log, and of the large one, which has several segments.
const EVENTS: [usize; 2] = [100, 60_000];

const LINES: usize = 5_000;

/// Of each event of a topic that nobody asks for.
const DATA_BYTES: usize = 40;

/// An id of another hub's event, or a cursor of none of this hub's histories.
fn unknown(number: usize) -> String {
    match number % 4 {
        0 => format!("{number}-zzzzzzzzzz"),
        1 => format!("{}-0000000007", u64::MAX - number as u64),
        2 => format!("event-of-another-{number}"),
        _ => format!("{number:x}:{}", "y".repeat(100)),
    }
}

/// Asks on one connection; every answer must tell of the gap and of nothing else.
fn flood(hub: &Hub, from: usize, requests: usize) {
    let mut socket = TcpStream::connect(hub.address).expect("the hub listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a setting");
    for begin in (from..from + requests).step_by(PIPELINED) {
        let mut asked = String::new();
        for number in begin..begin + PIPELINED {
            let id = unknown(number);
            write!(
                asked,
                "GET /v1/events?userId=me&topics=n13/**&since={id} HTTP/1.1\r\n\
                 host: localhost\r\n\r\n"
            )
            .expect("text");
        }
        socket.write_all(asked.as_bytes()).expect("sent");
        let mut text = String::new();
        let mut piece = [0; 16 * 1024];
        while text.matches("\"reason\":\"unknown\"").count() < PIPELINED
            || text.matches("\"events\":[]").count() < PIPELINED
        {
            let read = socket.read(&mut piece).expect(&text);
            assert!(read > 0, "closed after {text}");
            text.push_str(str::from_utf8(&piece[..read]).expect("text"));
        }
        assert_eq!(text.matches("HTTP/1.1 200 ").count(), PIPELINED, "{text}");
    }
}

/// Microseconds of processor time that the hub needs for each of so many requests.
fn cost(events: usize, requests: usize) -> f64 {
    let directory = tempdir().expect("a directory");
    let settings = [
        CROWDED[0],
        CROWDED[1],
        ("TIDINGS_LOG_SEGMENT_BYTES", "16MiB"),
    ];
    let hub = Hub::start(directory.path(), &settings);
    for begin in (0..events).step_by(LINES) {
        let numbers = begin..events.min(begin + LINES);
        hub.publish("other", numbers.map(|number| data(number, DATA_BYTES)));
    }
    // Looked at once, the log's index is in memory.
    flood(&hub, 0, PIPELINED);
    let (begun, used) = (Instant::now(), hub.processor_ticks());
    let each = requests.div_ceil(CONNECTIONS).next_multiple_of(PIPELINED);
    thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let hub = &hub;
            scope.spawn(move || flood(hub, connection * each, each));
        }
    });
    let all = (each * CONNECTIONS) as f64;
    let cost = (hub.processor_ticks() - used) as f64 * 10_000.0 / all;
    report(&format!(
        "{all} unknown ids at {events} events: {:.0} a second, {cost:.0} us of processor time each",
        all / begun.elapsed().as_secs_f64()
    ));
    assert_eq!(hub.logged("WARN"), [""; 0]);
    assert_eq!(hub.logged("ERROR"), [""; 0]);
    cost
}

#[test]
fn n13_unknown_ids_cost_a_large_log_hardly_more_than_a_small_one() {
    let requests = number_from("TIDINGS_N13_REQUESTS").unwrap_or(REQUESTS_DEFAULT);
    let [small, large] = EVENTS.map(|events| cost(events, requests));
    // The logarithm of the one is two and a half times that of the other.
    assert!(large <= 3.0 * small, "{large} us after {small} us");
}
