//! Whether the time of checking a key or a ticket tells anything of the secret.
//!
//! Run it as `cargo run --release -p tidings-auth --example constant_time`, on a machine with little
//! else to do. For each pair of classes it prints Welch's t of their times, in the manner of dudect
//! (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?"): the classes alternate at
//! random, and the slowest measurements, which are interruptions, are left out. Beyond 4.5 either
//! way, the classes can be told apart.
//!
//! The first pair is known to differ, so that a run shows that it can find a difference.
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

const NOW: Timestamp = Timestamp(1_780_000_000_000);

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::temp_dir().join(format!("tidings-constant-time-{}", process::id()));
    let measured = plain()
        .and_then(|()| keys(&directory))
        .and_then(|()| tickets(&directory));
    fs::remove_dir_all(&directory)?;
    measured
}

/// What a comparison that ends at the first difference looks like.
fn plain() -> Result<(), Box<dyn Error>> {
    let kept = vec![0_u8; 4_096];
    let mut early = kept.clone();
    early[0] = 1;
    let mut late = kept.clone();
    late[4_095] = 1;
    report(
        "plain comparison: wrong at the beginning, wrong at the end",
        |second| {
            let presented = if second { &late } else { &early };
            black_box(black_box(&kept) == black_box(presented));
        },
    )
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
    // Secrets by number, until the beginning of one's hash is that of the key's.
    let secret_where = |begins_right: bool| {
        let mut secrets = (0..u64::MAX).map(|number| format!("{number:043}"));
        secrets
            .find(|secret| {
                let hash = Sha256::digest(secret.as_bytes());
                (hash[..2] == kept[..2]) == begins_right
            })
            .ok_or("no such secret")
    };
    let (far, near) = (secret_where(false)?, secret_where(true)?);
    let id = known.key.id.to_string();
    let check = |text: &str| {
        let refused = keys.verify(black_box(text), NOW);
        assert!(refused.is_err(), "none of these is good");
    };
    let pairs = [
        (
            "API key: hash wrong from the first byte, first two bytes right",
            key(&id, &far),
            key(&id, &near),
        ),
        (
            "API key: unknown id, known id with a wrong secret",
            key("AAAAAAAAAAAA", &far),
            key(&id, &far),
        ),
    ];
    for (name, first, second) in &pairs {
        report(name, |is_second| {
            check(if is_second { second } else { first });
        })?;
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
    let far = [200_u8; 32];
    let mut near = [7_u8; 32];
    near[28..].copy_from_slice(&1_000_u32.to_be_bytes());
    report("ticket: hash far from all, hash a byte off one", |second| {
        let hash = if second { near } else { far };
        let taken = ready(store.take_ticket(black_box(hash), NOW));
        assert!(taken.is_ok_and(|found| found.is_none()), "neither is there");
    })
}

/// What the local store answers, which it does at once.
fn ready<T>(answer: StoreFuture<'_, T>) -> Result<T, Box<dyn Error>> {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Ok(answer?),
        Poll::Pending => Err("the local store waits for something".into()),
    }
}

/// Measures both classes of a pair in random order, and prints how far apart they are.
fn report(name: &str, run: impl Fn(bool)) -> Result<(), Box<dyn Error>> {
    let mut classes = vec![0_u8; ROUNDS];
    getrandom::fill(&mut classes).map_err(|error| error.to_string())?;
    let mut times: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for class in classes {
        let second = class % 2 == 1;
        let start = Instant::now();
        run(second);
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
    Ok(())
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
