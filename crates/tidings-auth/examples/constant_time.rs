//! Whether the time of checking a key or a ticket tells anything of the secret.
//!
//! Run it as `cargo run --release -p tidings-auth --example constant_time`, on a machine with little
//! else to do. For each pair of classes it prints Welch's t of their times, in the manner of dudect
//! (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?"): the classes alternate at
//! random, and the slowest measurements, which are interruptions, are left out. Beyond 4.5 either
//! way, the classes can be told apart.
//!
//! The first pair is known to differ, so that a run shows that it can find a difference. Four runs on
//! two busy cores of a virtual machine:
//!
//! | pair | t |
//! |---|---|
//! | plain comparison | -2,300 |
//! | API key: beginning of the hash wrong or right | 2.4, 1.7, -4.5, 2.6 |
//! | API key: id unknown or known (ids are public) | -35, -27, -61, -42, which is 1 to 2 ns of 380 |
//! | ticket: hash unlike or like those that are there | 1.3, 0.6, 0.8 (three runs) |
#![expect(
    clippy::print_stdout,
    reason = "an example of what is printed, and not a part of the program"
)]

use std::error::Error;
use std::fs;
use std::future::Future;
use std::hint::black_box;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;
use std::{env, process};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tidings_auth::key::{KeyRequest, Keys};
use tidings_auth::store::LocalStore;
use tidings_core::audience::Subject;
use tidings_core::grant::Grants;
use tidings_core::port::{SharedStore, StoreFuture};
use tidings_core::time::Timestamp;

/// Measurements of each pair.
const ROUNDS: usize = 400_000;

/// Of those, the share that is kept, the fastest ones, in percent.
const KEPT_PERCENT: usize = 90;

/// Texts of each class. How long the check of a text's form takes depends on its letters and digits,
/// which whoever sends it knows; with few texts, their mixture would be measured.
const VARIANTS: usize = 32_768;

const NOW: Timestamp = Timestamp(1_780_000_000_000);

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::temp_dir().join(format!("tidings-constant-time-{}", process::id()));
    plain();
    let measured = keys(&directory).and_then(|()| tickets(&directory));
    fs::remove_dir_all(&directory)?;
    measured
}

/// What a comparison that ends at the first difference looks like.
fn plain() {
    let kept = vec![0_u8; 4_096];
    let mut early = kept.clone();
    early[0] = 1;
    let mut late = kept.clone();
    late[4_095] = 1;
    report(
        "plain comparison: wrong at the beginning, wrong at the end",
        |second, _| if second { &late } else { &early },
        |presented| {
            black_box(black_box(&kept) == black_box(*presented));
        },
    );
}

fn keys(directory: &Path) -> Result<(), Box<dyn Error>> {
    let keys = Keys::open(directory)?;
    let known = keys.create(
        KeyRequest {
            name: "measured".to_owned(),
            subject: Subject::parse("u1")?,
            roles: Vec::new(),
            grants: Grants::default(),
            expires_at: None,
        },
        NOW,
    )?;
    let text = fs::read_to_string(directory.join("auth/keys.jsonl"))?;
    let (_, rest) = text.split_once("\"hash\":\"").ok_or("no hash")?;
    let (kept, _) = rest.split_once('"').ok_or("no end of the hash")?;
    let kept = URL_SAFE_NO_PAD.decode(kept)?;
    // Secrets by number: those whose hash begins as the key's does, and those whose does not.
    let secrets_where = |begins_right: bool| {
        let secrets = (0..u64::MAX).map(|number| format!("{number:043}"));
        let fitting = secrets.filter(|secret| {
            let hash = Sha256::digest(secret.as_bytes());
            (hash[0] == kept[0]) == begins_right
        });
        fitting.take(VARIANTS).collect::<Vec<_>>()
    };
    let id = known.key.id.to_string();
    let texts = |id: &str, secrets: &[String]| {
        let texts = secrets.iter().map(|secret| key(id, secret));
        texts.collect::<Vec<_>>()
    };
    let check = |text: &str| {
        let refused = keys.verify(black_box(text), NOW);
        assert!(refused.is_err(), "none of these is good");
    };
    let (far, near) = (secrets_where(false), secrets_where(true));
    let pairs = [
        (
            "API key: first byte of the hash wrong, first byte right",
            [texts(&id, &far), texts(&id, &near)],
        ),
        (
            "API key: unknown id, known id with a wrong secret (ids are public)",
            [texts("AAAAAAAAAAAA", &far), texts(&id, &far)],
        ),
    ];
    for (name, classes) in &pairs {
        report(
            name,
            // A copy, so that all lie at the same place in memory.
            |second, random| {
                let mut copy = [0_u8; 66];
                let text = &classes[usize::from(second)][random as usize % VARIANTS];
                copy.copy_from_slice(text.as_bytes());
                copy
            },
            |text| check(std::str::from_utf8(text).expect("all is ASCII")),
        );
    }
    Ok(())
}

/// The text of a key with the right check sum.
fn key(id: &str, secret: &str) -> String {
    let text = format!("tdk_{id}_{secret}");
    let digest = Sha256::digest(text.as_bytes());
    let mut number = digest[..8]
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let digits = (0..6).map(|_| {
        let digit = DIGITS[(number % 62) as usize];
        number /= 62;
        char::from(digit)
    });
    let sum: String = digits.collect();
    text + &sum
}

fn tickets(directory: &Path) -> Result<(), Box<dyn Error>> {
    let store = LocalStore::open(directory)?;
    let content: Arc<[u8]> = b"content".as_slice().into();
    for number in 0..1_000_u32 {
        let mut hash = [7_u8; 32];
        hash[28..].copy_from_slice(&number.to_be_bytes());
        let end = Timestamp(NOW.0 + 1);
        ready(store.put_ticket(hash, Arc::clone(&content), end, NOW))?;
    }
    report(
        "ticket: hash like no other, hash that begins as all others do",
        |second, random| {
            let mut hash = [if second { 7_u8 } else { 200 }; 32];
            // The highest bit is in none of those that are kept.
            hash[28..].copy_from_slice(&(random | 1 << 31).to_be_bytes());
            hash
        },
        |hash| {
            let taken = ready(store.take_ticket(black_box(*hash), NOW));
            assert!(taken.is_ok_and(|found| found.is_none()), "neither is there");
        },
    );
    Ok(())
}

/// What the local store answers, which it does at once.
fn ready<T>(answer: StoreFuture<'_, T>) -> Result<T, Box<dyn Error>> {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Ok(answer?),
        Poll::Pending => Err("the local store waits for something".into()),
    }
}

/// Measures both classes of a pair in random order, and prints how far apart they are. What is
/// checked is made of the class and of randomness before the time begins.
fn report<T>(name: &str, make: impl Fn(bool, u32) -> T, run: impl Fn(&T)) {
    let mut random = vec![0_u8; 4 * ROUNDS];
    getrandom::fill(&mut random).expect("the system has randomness");
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for random in random.chunks_exact(4) {
        let random = u32::from_be_bytes([random[0], random[1], random[2], random[3]]);
        let second = random % 2 == 1;
        let checked = make(second, random / 2);
        let start = Instant::now();
        run(&checked);
        times[usize::from(second)].push(start.elapsed().as_nanos() as f64);
    }
    let mut all: Vec<f64> = times.concat();
    all.sort_by(f64::total_cmp);
    let limit = all[all.len() * KEPT_PERCENT / 100 - 1];
    let [first, second] = times.map(|times| Sample::of(&times, limit));
    let spread = (first.variance / first.count + second.variance / second.count).sqrt();
    let t = (first.mean - second.mean) / spread.max(f64::MIN_POSITIVE);
    println!("{name}");
    println!(
        "  {:.1} ns and {:.1} ns, t = {t:.2}",
        first.mean, second.mean
    );
}

struct Sample {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Sample {
    fn of(times: &[f64], limit: f64) -> Self {
        let kept = || times.iter().filter(|time| **time <= limit);
        let count = kept().count() as f64;
        let mean = kept().sum::<f64>() / count;
        let squares = kept().map(|time| (time - mean).powi(2));
        let variance = squares.sum::<f64>() / (count - 1.0);
        Self {
            count,
            mean,
            variance,
        }
    }
}
