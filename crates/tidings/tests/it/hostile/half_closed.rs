//! N3: clients that close the half that they send on, in the middle of whatever they have asked for, are gone,
//! and cost nothing while they look on.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use tempfile::tempdir;

use super::reader::{Reader, USUAL, Wish};
use super::{CROWDED, report};
use crate::running::{Hub, until};

/// Of each kind.
const CLIENTS: usize = 40;

/// Signs of life, one a second, during which its processor time is measured.
const PINGS: usize = 3;

/// Of a core: a loop that asks a closed socket again and again would take all of it.
const PROCESSOR_PERCENT_MAX: f64 = 10.0;

/// Requests that are not over when they have been sent.
const UNFINISHED: [&str; 5] = [
    "GET /v1/events?userId=me&topics=n3&wait=55s HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "POST /v1/events?userId=me HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
     content-length: 100\r\n\r\n{",
    "POST /v1/events?userId=me HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n\
     transfer-encoding: chunked\r\n\r\n2\r\n{\"\r\n",
    "GET /healthz HTTP/1.1\r\nhost: loc",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
];

#[test]
fn n3_half_closed_clients_are_gone_and_cost_nothing() {
    let directory = tempdir().expect("a directory");
    let settings = [CROWDED[0], CROWDED[1], ("TIDINGS_HEARTBEAT", "1s")];
    let hub = Hub::start(directory.path(), &settings);
    let mut healthy = Reader::ask(hub.address, "n3", "now", USUAL);
    healthy.until("tidings.hello");
    let sockets = hub.sockets();
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let wish = Wish {
            is_taken_over: number % 2 == 0,
            ..USUAL
        };
        let mut reader = Reader::ask(hub.address, "n3", "now", wish);
        reader.until("tidings.hello");
        clients.push(reader.socket);
        for unfinished in UNFINISHED {
            let mut socket = TcpStream::connect(hub.address).expect("the hub listens");
            socket.write_all(unfinished.as_bytes()).expect("sent");
            clients.push(socket);
        }
    }
    until(|| hub.sockets() >= sockets + clients.len(), "all are there");
    for client in &clients {
        client.shutdown(Shutdown::Write).expect("half-closed");
    }
    // Each still has its own half open, and the hub has let go of it.
    until(|| hub.sockets() <= sockets, "the hub has closed all");
    hub.until_figure("tidings_hub_connections", 1);

    let (measured, used) = (Instant::now(), hub.processor_ticks());
    healthy.until_pings(PINGS);
    let used = (hub.processor_ticks() - used) as f64 / 100.0;
    let percent = 100.0 * used / measured.elapsed().as_secs_f64();
    report(&format!(
        "{percent:.1} % of a core beside {} half-closed clients",
        clients.len()
    ));
    assert!(percent < PROCESSOR_PERCENT_MAX, "{percent} %");
    assert_eq!(hub.logged("ERROR"), [""; 0]);
}
