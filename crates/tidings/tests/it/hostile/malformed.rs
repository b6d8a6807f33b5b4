//! N8: malformed requests, known ones and made up ones: none makes the hub fail, hang or grow, and none
//! makes it see a request where there was none.
//!
//! `TIDINGS_N8_REQUESTS` sets how many are made up, `TIDINGS_N8_SEED` which.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::tempdir;
use tidings_testkit::malformed::{Case, Grammar, SMUGGLED_TOPIC, answers, corpus};
use tidings_testkit::random::Random;

use super::reader::{Reader, USUAL};
use super::{CROWDED, data, number_from, report};
use crate::running::{Hub, PATIENCE, until};

const REQUESTS_DEFAULT: usize = 10_000;

const CONNECTIONS: usize = 24;

/// Cases before memory is looked at for the first time.
const FIRST_CASES: usize = 1_000;

const GROWTH_BYTES_MAX: u64 = 20 * 1024 * 1024;

/// When nothing has come for so long, the hub waits for more of the request. There is none.
const QUIET: Duration = Duration::from_millis(100);

/// What the hub answered to a case, to the end of the connection.
fn answer(address: SocketAddr, case: &Case) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).expect("the hub listens");
    let mut writes = socket.try_clone().expect("a handle");
    let bytes = case.bytes.clone();
    // The hub may have enough of it, and say so, before it has taken all.
    let sending =
        (bytes.len() > 64 * 1024).then(|| thread::spawn(move || drop(writes.write_all(&bytes))));
    if sending.is_none() {
        drop(socket.write_all(&case.bytes));
    }
    let mut answer = Vec::new();
    let mut piece = [0; 4_096];
    socket.set_read_timeout(Some(QUIET)).expect("a setting");
    loop {
        match socket.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&piece[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                assert_eq!(
                    socket.read_timeout().expect("a setting"),
                    Some(QUIET),
                    "stuck: {case:?}"
                );
                // Whatever it waits for, it need not wait any longer.
                drop(socket.shutdown(Shutdown::Write));
                socket.set_read_timeout(Some(PATIENCE)).expect("a setting");
            }
            Err(_) => break,
        }
    }
    if let Some(sending) = sending {
        drop(socket);
        sending.join().expect("it sends");
    }
    answer
}

/// Checks what a case was answered, and counts the answers by their status.
fn check(case: &Case, answer: &[u8], counts: &[AtomicU64; 600]) {
    let statuses = answers(answer);
    let shown = String::from_utf8_lossy(answer);
    assert!(statuses.len() <= case.requests, "{}: {shown}", case.name);
    for status in statuses {
        let is_fault = status >= 500 && !matches!(status, 501 | 505);
        assert!(!is_fault, "{}: {shown}", case.name);
        counts[usize::from(status)].fetch_add(1, Ordering::Relaxed);
    }
}

fn send_all(hub: &Hub, cases: impl Iterator<Item = Case> + Send, counts: &[AtomicU64; 600]) {
    let cases = Mutex::new(cases);
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                loop {
                    let case = cases.lock().expect("no case fails there").next();
                    let Some(case) = case else { return };
                    check(&case, &answer(hub.address, &case), counts);
                }
            });
        }
    });
}

#[test]
fn n8_no_malformed_request_makes_the_hub_fail_or_see_another_one() {
    let requests = number_from("TIDINGS_N8_REQUESTS").unwrap_or(REQUESTS_DEFAULT);
    let seed = number_from("TIDINGS_N8_SEED").map_or_else(Random::seed, |seed| seed as u64);
    report(&format!("{requests} requests of seed {seed}"));
    let directory = tempdir().expect("a directory");
    let hub = Hub::start(directory.path(), &CROWDED);
    let counts = [const { AtomicU64::new(0) }; 600];
    let sockets = hub.sockets();
    send_all(&hub, corpus().into_iter(), &counts);
    let mut grammar = Grammar::new(seed);
    send_all(&hub, grammar.by_ref().take(FIRST_CASES), &counts);
    until(
        || hub.sockets() <= sockets,
        "the first connections are closed",
    );
    let memory = hub.resident_bytes();

    send_all(&hub, grammar.take(requests), &counts);
    until(|| hub.sockets() <= sockets, "no connection is left");
    let growth = hub.resident_bytes().saturating_sub(memory);
    let told: Vec<String> = (0..600)
        .map(|status| (status, counts[status].load(Ordering::Relaxed)))
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{count} of {status}"))
        .collect();
    report(&format!(
        "{growth} bytes more; answers: {}",
        told.join(", ")
    ));
    assert!(growth < GROWTH_BYTES_MAX, "{growth} bytes more");
    // Bad ones were refused, and good ones among them answered.
    for status in [200, 400] {
        let count = counts[status].load(Ordering::Relaxed) as usize;
        assert!(count > requests / 5, "{told:?}");
    }

    // Nothing was smuggled in, and who behaves is served.
    assert_eq!(hub.figure("tidings_http_panics_total"), 0);
    assert_eq!(hub.logged("ERROR"), [""; 0]);
    let smuggled = hub.ask(&format!("GET /v1/topics/{SMUGGLED_TOPIC}?userId=me"), "");
    assert!(smuggled.contains("\"head\":null"), "{smuggled}");
    let mut reader = Reader::ask(hub.address, "n8", "now", USUAL);
    reader.until("tidings.hello");
    hub.publish("n8", [data(1, 10)]);
    reader.until("\"data\":\"1:");
}
