//! What a flood of tokens with made-up key names costs those whose token is good (A7), and what it
//! makes the hub ask of the issuer: `cargo run --release -p tidings-auth --example key_flood`, with the
//! seconds of each phase after `--` if it is not to be three.
//!
//! The issuer is a server of its own on loopback, which takes its time to answer. The flood keeps as
//! many verifications under way as it can, each with a key name that was never seen before. The clock
//! that the hub reads runs ten times as fast as real time, so that the pause between two fetches ends
//! while the flood goes on; the times that are shown are real ones. Beside the flood the good token has
//! less of the machine than alone, so it is also measured beside as many good ones.
//!
//! One line per figure: what it is, the number, its unit.

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tidings_auth::address::{Address, PlainHttp};
use tidings_auth::fetch::Fetch;
use tidings_auth::issuer::{Issuers, Keys, Policy};
use tidings_auth::jwt::Algorithm;
use tidings_auth::limits::KEY_SET_FETCH_INTERVAL_MS;
use tidings_auth::web_fetch::WebFetch;
use tidings_core::port::{AuthFailure, Clock};
use tidings_core::time::{Moment, Timestamp};
use tokio::task::{JoinSet, yield_now};

const NOW: Timestamp = Timestamp(1_900_000_000_000);
const SPEED: u64 = 10;
/// Requests of the flood that are under way at a time.
const FLOODERS: u64 = 64;
/// Verifications of one of them before others have their turn.
const TURN: u64 = 50;
/// How long the issuer takes to answer.
const ANSWER: Duration = Duration::from_millis(50);
const SECONDS_DEFAULT: u64 = 3;

/// Monotonic time that runs [`SPEED`] times as fast; the date stands still.
#[derive(Debug)]
struct FastClock(Instant);

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        NOW
    }

    fn moment(&self) -> Moment {
        Moment(self.0.elapsed().as_millis() as u64 * SPEED)
    }
}

/// Serves a key set for as long as the example runs, and counts who asks for it.
fn serve(keys: String) -> std::io::Result<(SocketAddr, Arc<AtomicU64>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            let keys = keys.clone();
            thread::spawn(move || answer(socket, &keys));
        }
    });
    Ok((address, asked))
}

fn answer(mut socket: TcpStream, keys: &str) -> std::io::Result<()> {
    let mut head = [0; 4096];
    let _request = socket.read(&mut head)?;
    thread::sleep(ANSWER);
    let length = keys.len();
    write!(
        socket,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{keys}"
    )
}

/// A signed token under this key name.
fn token(pair: &Ed25519KeyPair, key: &str) -> String {
    let header = json!({"alg": "EdDSA", "typ": "JWT", "kid": key}).to_string();
    let claims = json!({"iss": "https://issuer.example", "sub": "u1", "exp": 4_000_000_000_u64});
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// What else goes on while the good token is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    Good,
    Unknown,
}

/// Tokens that one of those beside presents.
struct Other {
    good: String,
    /// A token of the flood behind its header: the signature is one, of another message.
    rest: String,
    beside: Beside,
    number: u64,
}

impl Other {
    /// Presents tokens until it is told to stop. How many.
    async fn go_on(self, issuers: Arc<Issuers>, is_over: Arc<AtomicBool>) -> u64 {
        let mut count = 0;
        while !is_over.load(Ordering::Relaxed) {
            for _ in 0..TURN {
                let verified = if self.beside == Beside::Unknown {
                    let key = format!("made-up-{}-{count}", self.number);
                    let header = json!({"alg": "EdDSA", "kid": key}).to_string();
                    let token = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), self.rest);
                    issuers.verify(&token, NOW).await.map(drop)
                } else {
                    issuers.verify(&self.good, NOW).await.map(drop)
                };
                let expected = match self.beside {
                    Beside::Unknown => Err(AuthFailure::NotTrusted),
                    Beside::Nothing | Beside::Good => Ok(()),
                };
                assert_eq!(verified, expected);
                count += 1;
            }
            yield_now().await;
        }
        count
    }
}

/// Measures the good token for a while.
async fn phase(
    issuers: &Arc<Issuers>,
    good: &str,
    beside: Beside,
    time: Duration,
) -> (Vec<u64>, u64) {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut others = JoinSet::new();
    let count = if beside == Beside::Nothing {
        0
    } else {
        FLOODERS
    };
    let (_, rest) = good.split_once('.').unwrap_or_default();
    for number in 0..count {
        let other = Other {
            good: good.to_owned(),
            rest: rest.to_owned(),
            beside,
            number,
        };
        others.spawn(other.go_on(Arc::clone(issuers), Arc::clone(&is_over)));
    }
    let mut times = Vec::new();
    let until = Instant::now() + time;
    loop {
        let began = Instant::now();
        if began >= until {
            break;
        }
        let verified = issuers.verify(good, NOW).await;
        times.push(began.elapsed().as_nanos() as u64);
        assert!(verified.is_ok(), "the token is good");
        yield_now().await;
    }
    is_over.store(true, Ordering::Relaxed);
    let total = others.join_all().await.into_iter().sum();
    times.sort_unstable();
    (times, total)
}

/// A time below which this share of all lie, in microseconds.
fn share(sorted: &[u64], per_cent: usize) -> f64 {
    let at = sorted.len().saturating_sub(1) * per_cent / 100;
    sorted.get(at).copied().unwrap_or_default() as f64 / 1e3
}

/// The flood has one thread, and the good token the other: with more, what is shown on two cores is how
/// long a thread waits for one.
#[tokio::main(worker_threads = 1)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = std::env::args().nth(1);
    let seconds = seconds.map_or(Ok(SECONDS_DEFAULT), |text| text.parse())?;
    let time = Duration::from_secs(seconds);
    let pair = Ed25519KeyPair::generate()?;
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let key = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "alg": "EdDSA", "x": x});
    let (address, asked) = serve(json!({ "keys": [key] }).to_string())?;
    let good = token(&pair, "k1");

    let fetch: Arc<dyn Fetch> = Arc::new(WebFetch::new()?);
    let clock: Arc<dyn Clock> = Arc::new(FastClock(Instant::now()));
    let address = Address::parse(&format!("http://{address}/keys"), PlainHttp::Loopback)?;
    let policy = Policy::new(
        "main".parse()?,
        "https://issuer.example",
        Keys::Published(address),
        vec![Algorithm::EdDsa],
    );
    let issuers = Arc::new(Issuers::new(None, vec![policy], &fetch, &clock)?);
    issuers.verify(&good, NOW).await?;

    for (beside, name) in [
        (Beside::Nothing, "alone"),
        (Beside::Good, "beside other good ones"),
        (Beside::Unknown, "beside unknown keys"),
    ] {
        let (asked_before, began) = (asked.load(Ordering::SeqCst), clock.moment());
        let (times, others) = phase(&issuers, &good, beside, time).await;
        for (per_cent, word) in [(50, "p50"), (99, "p99")] {
            println!(
                "a good token {name}: {word}\t{:.1}\tus",
                share(&times, per_cent)
            );
        }
        if beside == Beside::Unknown {
            let fetches = asked.load(Ordering::SeqCst) - asked_before;
            let passed = clock.moment().ms_since(began);
            let allowed = passed / KEY_SET_FETCH_INTERVAL_MS + 1;
            assert!(
                (1..=allowed).contains(&fetches),
                "{fetches} fetches in {passed} ms"
            );
            println!("tokens with an unknown key\t{others}\ttokens");
            println!("fetches that reached the issuer meanwhile\t{fetches}\tfetches");
            let allowed = passed as f64 / KEY_SET_FETCH_INTERVAL_MS as f64;
            println!("pauses between fetches that passed meanwhile\t{allowed:.1}\tpauses");
        }
    }
    Ok(())
}
