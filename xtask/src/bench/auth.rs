//! `auth`: what it costs to find out who a request is, and what a connect costs with each credential.
//!
//! The first part is the example `provider_cost` of `tidings-auth`: the work of each provider by itself.
//! The second part connects to the real program, one stream after the other on a few threads, until the
//! greeting is there, and takes the processor time of the hub's process from `/proc`.

mod providers;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::BenchArguments;
use super::chart::Chart;
use super::machine::{load_average, processor_seconds};
use super::report::{Figure, Report};
use super::stand::Stand;
use crate::workspace;

/// Threads that connect.
const THREADS: usize = 4;

/// Seconds for each credential at most: more ports would not be free again.
const SECONDS_MAX: u64 = 5;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the head of a request says of who it is.
enum Shown {
    Header(String),
    /// Each connect asks for a ticket of its own first, with this header.
    Ticket(String),
}

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let root = workspace::root()?;
    let load_before = load_average()?;
    let mut figures = Vec::new();
    let bars = providers::measure(&root, &mut figures)?;
    let seconds = arguments.seconds.min(SECONDS_MAX);
    connects(stand, &root, seconds, &mut figures)?;
    let load_after = load_average()?;
    figures.push(Figure::new("load average before", load_before, "processes"));
    figures.push(Figure::new("load average after", load_after, "processes"));
    Ok(Report {
        setup: format!(
            "each provider by itself in one process, the fastest of many, the application and the issuer answering at \
             once; then streams with nothing asked for, opened by {THREADS} threads until the greeting for {seconds} s \
             for each credential, and the processor time of the hub's process over them"
        ),
        figures,
        charts: vec![(
            String::new(),
            Chart::bars(
                "Finding out who a request is, from the second request on",
                providers::LEGEND,
                "microseconds",
                bars,
            ),
        )],
    })
}

/// Connects with each credential.
fn connects(stand: &Stand, root: &Path, seconds: u64, figures: &mut Vec<Figure>) -> Result<()> {
    let fixture = |name: &str| -> Result<Value> {
        let path = root.join("crates/tidings-auth/tests/fixtures").join(name);
        Ok(serde_json::from_str(&fs::read_to_string(path)?)?)
    };
    let (sessions, tokens) = (fixture("sessions.json")?, fixture("tokens.json")?);
    let text = |value: &Value, pointer: &str| {
        let found = value.pointer(pointer).and_then(Value::as_str);
        found
            .map(str::to_owned)
            .context("the fixture is another one")
    };
    let all = tokens["algorithms"].as_array().context("no algorithms")?;
    let signed = all.iter().find(|one| one["algorithm"] == "RS256");
    let signed = signed.context("no token by RS256")?;

    let folder = tempfile::tempdir()?;
    let config = folder.path().join("tidings.toml");
    let key_set = serve(signed["jwks"].to_string())?;
    let issuer = format!(
        "[[auth.issuer]]\nname = \"main\"\nissuer = \"https://id.example.com\"\naudiences = [\"tidings\"]\n\
         algorithms = [\"RS256\"]\njwks_url = \"http://{key_set}/jwks.json\"\n"
    );
    fs::write(&config, issuer)?;
    let config = config
        .to_str()
        .context("the temporary directory is not UTF-8")?;
    let settings = [
        ("TIDINGS_CONFIG", config),
        (
            "TIDINGS_AUTH_SESSION_SECRET",
            &text(&sessions, "/secrets/0")?,
        ),
        ("TIDINGS_LIMITS_TICKETS_PER_IDENTITY_PER_MINUTE", "10000000"),
    ];
    let stand = Stand::with_settings(root, stand.binary(), &settings)?;
    let hub = stand.start()?;
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let cookie = |number: usize| -> Result<String> {
        let pair = format!("/valid/{number}/cookies/0");
        let name = text(&sessions, &format!("{pair}/0"))?;
        Ok(format!(
            "Cookie: {name}={}\r\n",
            text(&sessions, &format!("{pair}/1"))?
        ))
    };
    let credentials = [
        ("HS256 of the hub", Shown::Header(bearer(&hub.token))),
        (
            "RS256 by a published key set",
            Shown::Header(bearer(&text(signed, "/valid")?)),
        ),
        ("session cookie of NextAuth 4", Shown::Header(cookie(1)?)),
        ("session cookie of Auth.js 5", Shown::Header(cookie(0)?)),
        (
            "ticket, asked for by HS256 and used",
            Shown::Ticket(bearer(&hub.token)),
        ),
    ];
    let pid = hub.running.pid();
    for (name, shown) in &credentials {
        // The first one fetches what is to be fetched, and says what is wrong.
        connect(hub.running.address, shown).with_context(|| {
            format!(
                "no stream with `{name}`; the hub said: {}",
                stand.last_words()
            )
        })?;
        let before = processor_seconds(pid).context("the hub has ended")?;
        let began = Instant::now();
        let count = storm(hub.running.address, shown, Duration::from_secs(seconds))?;
        let took = began.elapsed().as_secs_f64();
        let spent = processor_seconds(pid).context("the hub has ended")? - before;
        let rate = count as f64 / took;
        figures.push(Figure::new(
            format!("connects with {name}"),
            rate,
            "per second",
        ));
        let each = spent * 1e6 / count as f64;
        let what = format!("processor time of the hub per connect with {name}");
        figures.push(Figure::new(what, each, "us"));
    }
    Ok(())
}

/// Connects on all threads until the time is over. How often.
fn storm(hub: SocketAddr, shown: &Shown, time: Duration) -> Result<u64> {
    let until = Instant::now() + time;
    let count = AtomicU64::new(0);
    thread::scope(|threads| {
        let work = || -> Result<()> {
            while Instant::now() < until {
                connect(hub, shown)?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        let threads: Vec<_> = (0..THREADS).map(|_| threads.spawn(work)).collect();
        for thread in threads {
            thread
                .join()
                .unwrap_or_else(|_| bail!("a thread that connects has panicked"))?;
        }
        Ok(count.load(Ordering::Relaxed))
    })
}

/// Opens a stream, waits for its greeting, and leaves.
fn connect(hub: SocketAddr, shown: &Shown) -> Result<()> {
    let (query, header) = match shown {
        Shown::Header(header) => (String::new(), header.as_str()),
        Shown::Ticket(header) => {
            let head = format!("POST /v1/tickets HTTP/1.1\r\n{header}Content-Length: 0\r\n");
            let answer = ask(hub, &head, "\"ticket\":\"")?;
            let ticket = answer.split("\"ticket\":\"").nth(1).unwrap_or_default();
            let ticket = ticket.split('"').next().unwrap_or_default();
            (format!("?ticket={ticket}"), "")
        }
    };
    let head = format!("GET /v1/stream{query} HTTP/1.1\r\nAccept: text/event-stream\r\n{header}");
    ask(hub, &head, "tidings.hello").map(drop)
}

/// Sends a request on a new connection and reads until these words and the end of their block.
fn ask(hub: SocketAddr, head: &str, words: &str) -> Result<String> {
    let mut socket = TcpStream::connect(hub)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.write_all(format!("{head}Host: {hub}\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = socket.read(&mut piece)?;
        answer.extend_from_slice(piece.get(..count).unwrap_or_default());
        let text = String::from_utf8_lossy(&answer);
        let found = text.find(words).map(|at| &text[at + words.len()..]);
        if found.is_some_and(|rest| rest.contains(['}', '\n'])) {
            return Ok(text.into_owned());
        }
        ensure!(count > 0, "the hub answered: {text}");
    }
}

/// Serves a key set for as long as the chore runs.
fn serve(body: String) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for mut socket in listener.incoming().flatten() {
            let length = body.len();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let answer = format!("{head}Content-Length: {length}\r\n\r\n{body}");
            // Whoever asked may have gone; the next one is served all the same.
            drop(socket.read(&mut [0; 4096]));
            drop(socket.write_all(answer.as_bytes()));
        }
    });
    Ok(address)
}
