//! P5: a hub that ends tells all of its many readers, each at its own time, and none of them loses an
//! event.
//!
//! `TIDINGS_P5_READERS` sets how many.

use std::collections::HashSet;
use std::thread;

use tempfile::tempdir;

use super::reader::{Reader, USUAL};
use super::{CROWDED, data, number_from, raise_descriptors};
use crate::running::Hub;

const READERS_DEFAULT: usize = 3_000;

/// Threads that the readers are shared by.
const THREADS: usize = 8;

const EVENTS: usize = 20;

const SPREAD_MS: u64 = 2_000;

/// Readers that this process has descriptors for, with some to spare.
fn readers() -> usize {
    let wanted = number_from("TIDINGS_P5_READERS").unwrap_or(READERS_DEFAULT);
    wanted.min(raise_descriptors().saturating_sub(300))
}

/// What a reader was told about coming back, in milliseconds.
fn retry(text: &str) -> u64 {
    let bye = text
        .split("event: tidings.bye\n")
        .nth(1)
        .expect("a farewell");
    assert!(bye.contains("\"code\":\"drain\""), "{bye}");
    assert!(text.ends_with("\n\n\r\n0\r\n\r\n"), "{bye}");
    let line = bye.lines().find_map(|line| line.strip_prefix("retry: "));
    line.expect("a retry").parse().expect("a number")
}

#[test]
fn p5_a_hub_that_ends_tells_all_its_readers_each_at_its_own_time() {
    let directory = tempdir().expect("a directory");
    let settings = [
        CROWDED[0],
        CROWDED[1],
        ("TIDINGS_DRAIN_SPREAD", "2s"),
        ("TIDINGS_DRAIN_GRACE", "50s"),
    ];
    let hub = Hub::start(directory.path(), &settings);
    let each = readers() / THREADS;
    let count = each * THREADS;
    let mut shares: Vec<Vec<Reader>> = Vec::new();
    for _ in 0..THREADS {
        let asked = (0..each).map(|_| Reader::ask(hub.address, "p5", "now", USUAL));
        shares.push(asked.collect());
    }
    for reader in shares.iter_mut().flatten() {
        reader.until("tidings.hello");
    }
    assert_eq!(hub.figure("tidings_hub_sockets"), count as u64);
    hub.publish("p5", (0..EVENTS).map(|number| data(number, 10)));
    hub.signal("TERM");
    let reading: Vec<_> = shares
        .into_iter()
        .map(|share| {
            thread::spawn(move || {
                let told = share.into_iter().map(|mut reader| {
                    reader.until_end();
                    let retry = retry(&String::from_utf8_lossy(&reader.text));
                    (retry, reader.numbers(), reader.cursor())
                });
                told.collect::<Vec<_>>()
            })
        })
        .collect();
    let mut retries = Vec::new();
    // A farewell may come before the newest events: its cursor says so.
    let mut partings = HashSet::new();
    for share in reading {
        for (retry, numbers, cursor) in share.join().expect("all were told") {
            retries.push(retry);
            partings.insert((numbers, cursor));
        }
    }
    assert_eq!(retries.len(), count);
    let (first, last) = (retries.iter().min(), retries.iter().max());
    let (first, last) = (*first.expect("some"), *last.expect("some"));
    assert!(last - first <= SPREAD_MS, "{first} to {last}");
    // As many as chance would have it, and not all at once.
    let distinct = retries.iter().collect::<HashSet<_>>().len();
    assert!(distinct > count.min(SPREAD_MS as usize) / 4, "{distinct}");
    assert!(last - first > SPREAD_MS / 2, "{first} to {last}");
    assert_eq!(hub.logged("connections cut"), [""; 0]);
    assert_eq!(hub.end().code(), Some(0));

    let hub = Hub::start(directory.path(), &settings);
    hub.publish("p5", [data(EVENTS, 10)]);
    for (numbers, cursor) in partings {
        let mut back = Reader::ask(hub.address, "p5", &cursor, USUAL);
        back.until(&format!("\"data\":\"{EVENTS}:"));
        let all = numbers.iter().copied().chain(back.numbers());
        assert!(all.eq(0..=EVENTS), "{numbers:?} and {:?}", back.numbers());
    }
}
