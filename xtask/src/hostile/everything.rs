//! M4: every attack at once, at a hub that may have 256 MiB: it is not killed, sheds what it cannot hold, and
//! goes on serving those who behave.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use socket2::{Domain, Socket, Type};
use tidings_testkit::h2_attack::{Attack, Attacker};
use tidings_testkit::malformed::{Grammar, corpus};
use tidings_testkit::random::Random;

use super::memory_limit::MemoryLimit;
use super::visitor::Visitor;
use super::{check, need_descriptors};
use crate::bench::machine::resident_bytes;
use crate::bench::stand::Stand;
use crate::program;
use crate::suite::tally::Tally;

const LIMIT_BYTES: u64 = 256 * 1024 * 1024;

const LASTS: Duration = Duration::from_secs(30);

/// Connections that an attack holds at a time.
const STALLED_READERS: usize = 300;
const SLOW_HEADS: usize = 500;
const LARGE_HEADS: usize = 300;
const SLOW_BODIES: usize = 100;
const LARGE_BODIES: usize = 40;

/// Bytes of a body that is announced, and of what of it is sent before nothing more comes.
const LARGE_BODY_BYTES: usize = 15 * 1024 * 1024;

/// How long an attacker waits for a hub that does not take what is sent, and how long it holds a connection.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
const HOLDS_MAX: Duration = Duration::from_secs(15);

/// Of the events that everybody reads.
const EVENT_BYTES: usize = 100_000;

const PUBLISH_EACH: Duration = Duration::from_millis(200);

const VISIT_P99_MS_MAX: f64 = 1_000.0;

/// An attack: what it does with a connection that it has made, for as long as it should last.
type Deed = fn(TcpStream, &AtomicBool);

/// An attacker, what it is called, how many there are, and what each does.
const DEEDS: [(&str, usize, Deed); 6] = [
    ("heads that drip", SLOW_HEADS, |socket, stop| {
        drip(socket, b"GET /healthz HTTP/1.1\r\nx: ", stop);
    }),
    (
        "heads that end in the middle",
        LARGE_HEADS,
        |socket, stop| {
            let head = format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(15_000));
            hold(socket, head.as_bytes(), stop);
        },
    ),
    ("bodies that drip", SLOW_BODIES, |socket, stop| {
        drip(socket, &publish(100), stop);
    }),
    (
        "large bodies that end in the middle",
        LARGE_BODIES,
        |socket, stop| {
            let body = [publish(16 * 1024 * 1024 - 1), vec![b' '; LARGE_BODY_BYTES]].concat();
            hold(socket, &body, stop);
        },
    ),
    (
        "readers that read nothing",
        STALLED_READERS,
        |socket, stop| hold(socket, STREAM, stop),
    ),
    ("readers that reset in the middle", 8, |mut socket, _| {
        drop(socket.write_all(STREAM));
        // Closed with unread bytes, a connection is reset.
        drop(socket.read(&mut [0; 4_096]));
    }),
];

const STREAM: &[u8] =
    b"GET /v1/stream?userId=me&topics=m4&since=earliest HTTP/1.1\r\nhost: localhost\r\n\r\n";

pub(super) fn run(root: &Path) -> Result<Tally> {
    need_descriptors(4_000)?;
    let limit = MemoryLimit::new(LIMIT_BYTES);
    println!("256 MiB by {}", limit.kind());
    let folder = tempfile::tempdir()?;
    let binary = limit.wrap(&program::build(root)?, folder.path())?;
    let stand = Stand::new(root, &binary)?.with(&[
        ("TIDINGS_WINDOW_BYTES", "16MiB"),
        ("TIDINGS_STREAMS_SLOW_READER", "3s"),
    ]);
    let hub = stand.start()?;
    let (address, process) = (hub.running.address, hub.running.pid());
    let visitor = Visitor::new(address);
    let stop = Arc::new(AtomicBool::new(false));
    let deeds: Vec<Arc<AtomicU64>> = DEEDS.iter().map(|_| Arc::default()).collect();
    let mut attackers = Vec::new();
    for ((_, count, deed), done) in DEEDS.iter().zip(&deeds) {
        for number in 0..*count {
            let (stop, done, deed) = (Arc::clone(&stop), Arc::clone(done), *deed);
            let from = Ipv4Addr::new(127, 0, 0, 2 + (number % 8) as u8);
            attackers.push(
                thread::Builder::new()
                    .stack_size(256 * 1024)
                    .spawn(move || {
                        while !stop.load(Ordering::Relaxed) {
                            if let Ok(socket) = connect(address, from) {
                                deed(socket, &stop);
                                done.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    })?,
            );
        }
    }
    for attack in Attack::ALL {
        let stop = Arc::clone(&stop);
        attackers.push(thread::spawn(move || attack_again(address, attack, &stop)));
    }
    let (malformed, stop_malformed) = (Arc::new(AtomicU64::new(0)), Arc::clone(&stop));
    let sent = Arc::clone(&malformed);
    attackers.push(thread::spawn(move || {
        send_malformed(address, &sent, &stop_malformed);
    }));

    let visiting = visitor.visit();
    let (begun, mut most, mut published, mut refused) = (Instant::now(), 0, 0, 0);
    let mut is_alive = true;
    while begun.elapsed() < LASTS && is_alive {
        match visitor.publish("m4", EVENT_BYTES) {
            Ok(()) => published += 1,
            Err(_) => refused += 1,
        }
        match resident_bytes(process) {
            Some(bytes) => most = most.max(bytes),
            None => is_alive = false,
        }
        thread::sleep(PUBLISH_EACH);
    }
    stop.store(true, Ordering::Relaxed);
    for attacker in attackers {
        // What an attacker has come to is nobody's concern.
        drop(attacker.join());
    }
    for ((name, ..), done) in DEEDS.iter().zip(&deeds) {
        println!("{} {name}", done.load(Ordering::Relaxed));
    }
    println!("{} malformed requests", malformed.load(Ordering::Relaxed));
    let p99 = visiting.p99_ms();
    let after = visitor.publish("m4", 10);
    Ok(check(
        "times that the system has killed the hub",
        limit.kills(),
        limit.kills() == 0,
    ) + check("the hub is still there", is_alive, is_alive)
        + check(
            "memory at its highest, MiB",
            format!("{:.0}", most as f64 / 1_048_576.0),
            most < LIMIT_BYTES,
        )
        + check(
            "events published meanwhile, and refused",
            format!("{published}, {refused}"),
            published > refused,
        )
        + check(
            "p99 of others meanwhile, ms",
            format!("{p99:.0?}"),
            p99.is_ok_and(|p99| p99 < VISIT_P99_MS_MAX),
        )
        + check(
            "it takes an event afterwards",
            format!("{after:?}"),
            after.is_ok(),
        )
        + check(
            "panics that it has written of",
            stand.lines_with("panicked"),
            stand.lines_with("panicked") == 0,
        ))
}

/// Connects with little room for what comes.
fn connect(hub: SocketAddr, from: Ipv4Addr) -> Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_recv_buffer_size(4_096)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect_timeout(&hub.into(), LONGEST_WAIT)?;
    socket.set_read_timeout(Some(LONGEST_WAIT))?;
    socket.set_write_timeout(Some(LONGEST_WAIT))?;
    Ok(socket.into())
}

/// The head of a publish of so many bytes, and the beginning of its body.
fn publish(length: usize) -> Vec<u8> {
    format!(
        "POST /v1/events?userId=attacker HTTP/1.1\r\nhost: localhost\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n["
    )
    .into_bytes()
}

/// Sends this, and nothing more, until the hub has enough of it, or this side has.
fn hold(mut socket: TcpStream, bytes: &[u8], stop: &AtomicBool) {
    let begun = Instant::now();
    let mut is_open = socket.write_all(bytes).is_ok();
    while is_open && begun.elapsed() < HOLDS_MAX && !stop.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(100));
        // Looked at without taking anything: whoever takes nothing is to be given up.
        let seen = socket.peek(&mut [0]);
        is_open = seen.map_or_else(
            |error| error.kind() == ErrorKind::WouldBlock,
            |bytes| bytes > 0,
        );
    }
}

/// Sends this, and then a byte a second, until the hub has enough of it.
fn drip(mut socket: TcpStream, bytes: &[u8], stop: &AtomicBool) {
    let mut is_sent = socket.write_all(bytes).is_ok();
    while is_sent && !stop.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_secs(1));
        is_sent = socket.write_all(b"y").is_ok();
    }
}

/// Carries an attack out, again and again.
fn attack_again(hub: SocketAddr, attack: Attack, stop: &AtomicBool) {
    let target = "/v1/events?userId=attacker&topics=m4&since=earliest&limit=1000";
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut attacker) = Attacker::begin(hub, attack, target) else {
            continue;
        };
        while !stop.load(Ordering::Relaxed) && attacker.round() {
            if attack.is_idle() {
                thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

fn send_malformed(hub: SocketAddr, sent: &AtomicU64, stop: &AtomicBool) {
    let known = corpus();
    for case in known.into_iter().chain(Grammar::new(Random::seed())) {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        if let Ok(mut socket) = TcpStream::connect(hub) {
            drop(socket.set_read_timeout(Some(Duration::from_millis(50))));
            drop(socket.set_write_timeout(Some(LONGEST_WAIT)));
            drop(socket.write_all(&case.bytes));
            while socket.read(&mut [0; 4_096]).is_ok_and(|read| read > 0) {}
            sent.fetch_add(1, Ordering::Relaxed);
        }
    }
}
