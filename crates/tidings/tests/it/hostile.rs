//! A hub among clients that mean no good, and short of what it needs: seen from outside, in its
//! descriptors, its memory and its log.

mod crowd;
mod default_limits;
mod descriptors;
mod drain_of_many;
mod half_closed;
mod http2;
mod idle_topics;
mod malformed;
mod reader;
mod resets;
mod stalled_readers;
mod stream_settings;
mod unknown_ids;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Limits that let one machine be a crowd.
const CROWDED: [(&str, &str); 2] = [
    ("TIDINGS_LIMITS_CONNECTIONS_PER_ADDRESS", "100000"),
    ("TIDINGS_LIMITS_CONNECTIONS_PER_IDENTITY", "100000"),
];

/// Takes as many descriptors as this process may have, and tells how many; its hubs have as many.
fn raise_descriptors() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, all).expect("a process may have what it may have");
    limit.maximum.map_or(usize::MAX, |most| most as usize)
}

/// A number that a longer run is asked for.
fn number_from(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}

#[expect(clippy::print_stdout, reason = "the figures of a run are its result")]
fn report(line: &str) {
    println!("{line}");
}

/// Data of an event with so many bytes.
fn data(number: usize, bytes: usize) -> String {
    format!("\"{number}:{}\"", "x".repeat(bytes))
}
