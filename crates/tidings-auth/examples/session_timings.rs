//! What a session cookie costs, and whether the time of a refusal tells forgeries apart (A10).
//!
//! ```text
//! cargo run --release -p tidings-auth --example session_timings
//! ```
//!
//! Each line of the second part compares two kinds of forgeries of one cookie in random order, by
//! Welch's t over the timings without the slowest tenth (as dudect does). Beyond ±4.5 the two can be
//! told apart. A busy machine makes the test weaker, never wrong.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Instant;

use futures_util::FutureExt;
use serde_json::Value;
use tidings_auth::claims::Layout;
use tidings_auth::issuer::StreamLife;
use tidings_auth::provider::Provider;
use tidings_auth::secret::Secret;
use tidings_auth::session::{COOKIE_NAMES_DEFAULT, Policy, SessionCookie};
use tidings_core::port::{AuthFailure, Presented, Purpose};
use tidings_core::time::Timestamp;

const ROUNDS: usize = 100_000;

fn main() {
    let fixtures: Value = serde_json::from_str(include_str!("../tests/fixtures/sessions.json"))
        .expect("a fixture is JSON");
    let secret = fixtures["secrets"][0].as_str().expect("a secret");
    costs(&fixtures, secret);
    for (label, other) in [("Auth.js 5, ", "Auth.js 5"), ("NextAuth 4, ", "NextAuth 4")] {
        let cookies = cookies(&fixtures["valid"], label);
        let others = self::cookies(&fixtures["others"], other);
        println!("\n{label}: Welch's t over {ROUNDS} timings each");
        compare(secret, &cookies[0], &others[0].1);
    }
}

fn provider(secret: &str) -> SessionCookie {
    SessionCookie::new(Policy {
        name: "portal".parse().expect("a name"),
        secrets: vec![Secret::from(secret)],
        cookie_names: COOKIE_NAMES_DEFAULT.map(str::to_owned).to_vec(),
        layout: Layout::own(),
        qualify: false,
        others: Vec::new(),
        stream_life: StreamLife::WithToken,
    })
    .expect("a good policy")
}

fn cookies(sessions: &Value, label: &str) -> Vec<(String, String)> {
    let sessions = sessions.as_array().expect("sessions");
    let mut sessions = sessions.iter();
    let session = sessions
        .find(|session| session["label"] == label)
        .expect(label);
    let pairs = session["cookies"].as_array().expect("cookies").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
}

fn is_accepted(provider: &SessionCookie, cookies: &[(&str, &str)]) -> bool {
    let now = Timestamp(1_900_000_000_000);
    let presented = Presented {
        cookies,
        ..Presented::nothing(Purpose::Read, Ipv4Addr::LOCALHOST.into(), now)
    };
    let proven = provider.prove(presented).now_or_never().expect("at once");
    match black_box(proven) {
        Ok(proven) => proven.is_some(),
        Err(failure) => {
            assert_eq!(failure, AuthFailure::NotTrusted);
            false
        }
    }
}

fn costs(fixtures: &Value, secret: &str) {
    let began = Instant::now();
    let provider = provider(secret);
    println!(
        "{:>9.1} us  deriving all keys of one secret",
        began.elapsed().as_secs_f64() * 1e6
    );
    for label in [
        "Auth.js 5, ",
        "NextAuth 4, ",
        "Auth.js 5, in parts, ",
        "NextAuth 4, in parts, ",
    ] {
        let owned = cookies(&fixtures["valid"], label);
        let mut pairs: Vec<(&str, &str)> = owned
            .iter()
            .map(|pair| (pair.0.as_str(), pair.1.as_str()))
            .collect();
        let bytes: usize = pairs.iter().map(|pair| pair.1.len()).sum();
        let mean = |pairs: &[(&str, &str)], expected: bool| {
            let began = Instant::now();
            for _ in 0..ROUNDS / 10 {
                assert_eq!(is_accepted(&provider, black_box(pairs)), expected);
            }
            began.elapsed().as_secs_f64() * 1e7 / ROUNDS as f64
        };
        println!(
            "{:>9.1} us  accepting {label}({bytes} bytes)",
            mean(&pairs, true)
        );
        let last = pairs.last_mut().expect("a cookie");
        let forged = flipped(last.1, last.1.len() - 10);
        last.1 = &forged;
        println!("{:>9.1} us  refusing a forgery of it", mean(&pairs, false));
    }
}

/// The token with another digit somewhere.
fn flipped(token: &str, at: usize) -> String {
    let other = if token.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    format!("{}{other}{}", &token[..at], &token[at + 1..])
}

fn compare(secret: &str, cookie: &(String, String), other: &str) {
    let provider = provider(secret);
    let token = cookie.1.as_str();
    let dots: Vec<usize> = token.match_indices('.').map(|(at, _)| at).collect();
    let first_of_tag = flipped(token, dots[3] + 1);
    assert_eq!(token.len(), other.len(), "only what is in them differs");
    for (label, forged) in [
        ("last byte of the tag", flipped(token, token.len() - 3)),
        (
            "last block, where the padding is",
            flipped(token, dots[3] - 4),
        ),
        (
            "block before it, which changes the padding",
            flipped(token, dots[3] - 28),
        ),
        ("first byte of the content", flipped(token, dots[2] + 1)),
        ("initialisation vector", flipped(token, dots[1] + 1)),
        ("token of another secret", other.to_owned()),
    ] {
        let t = welch(|is_second| {
            let value = if is_second { &forged } else { &first_of_tag };
            is_accepted(&provider, &[(cookie.0.as_str(), value)])
        });
        println!("{t:>9.2}  {label}, against the first byte of the tag");
    }
}

/// Times two kinds of calls in random order and compares them.
fn welch(call: impl Fn(bool) -> bool) -> f64 {
    let mut timings = Vec::with_capacity(2 * ROUNDS);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    while timings.len() < 2 * ROUNDS {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let is_second = state & 1 == 1;
        let began = Instant::now();
        assert!(!call(is_second), "a forgery was accepted");
        timings.push((is_second, began.elapsed().as_nanos() as f64));
    }
    let mut sorted: Vec<f64> = timings.iter().map(|timing| timing.1).collect();
    sorted.sort_by(f64::total_cmp);
    let slowest = sorted[sorted.len() / 10 * 9];
    let moments = |of: bool| {
        let kept = || {
            timings
                .iter()
                .filter(move |timing| timing.0 == of && timing.1 <= slowest)
        };
        let count = kept().count() as f64;
        let mean = kept().map(|timing| timing.1).sum::<f64>() / count;
        let variance = kept().map(|timing| (timing.1 - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    };
    let ((first, first_error), (second, second_error)) = (moments(false), moments(true));
    (second - first) / (first_error + second_error).sqrt()
}
