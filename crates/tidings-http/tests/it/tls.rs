//! TLS that ends in the hub: what it shows, what it takes, and how it changes its certificate.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tidings_http::limits::{TLS_HANDSHAKE_BYTES_MAX, TLS_HANDSHAKE_MS_MAX, TLS_HANDSHAKES_MAX};
use tidings_http::{Certificate, Tls};
use tidings_testkit::certificate::{MadeCertificate, Validity, certificate};
use tidings_wire::sse::{Item, Parser};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{PATIENCE, Request};
use crate::world::{Wish, World};

const HOST: &str = "hub.test";

pub(crate) fn made() -> (MadeCertificate, Certificate) {
    let made = certificate(&[HOST], Validity::Now);
    let read = Certificate::read(made.chain.as_bytes(), made.key.as_bytes());
    (made, read.expect("they go together"))
}

pub(crate) async fn world(tls: Tls) -> World {
    World::start_with(Wish {
        tls: Some(tls),
        connections_max: TLS_HANDSHAKES_MAX,
        ..Wish::default()
    })
    .await
}

/// A client that believes this certificate alone.
pub(crate) fn connector(trusted: &MadeCertificate, alpn: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let own = CertificateDer::from_pem_slice(trusted.chain.as_bytes()).expect("PEM");
    roots.add(own).expect("a root");
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|one| one.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

pub(crate) async fn connect(
    world: &World,
    connector: &TlsConnector,
) -> std::io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect(world.address).await?;
    let name = ServerName::try_from(HOST).expect("a name");
    connector.connect(name, socket).await
}

pub(crate) fn request(
    method: &str,
    target: &str,
    body: impl Into<Bytes>,
) -> http::Request<Full<Bytes>> {
    http::Request::builder()
        .method(method)
        .uri(target)
        .header("host", HOST)
        .header("authorization", "Bearer writer")
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .expect("a request")
}

/// The names of the blocks of a stream, as they come.
struct Blocks<B> {
    body: B,
    parser: Parser,
    names: std::collections::VecDeque<String>,
}

impl<B: http_body::Body<Data = Bytes, Error: std::fmt::Debug> + Unpin> Blocks<B> {
    fn new(body: B) -> Self {
        Self {
            body,
            parser: Parser::default(),
            names: std::collections::VecDeque::new(),
        }
    }

    /// The name of the next block; none at the end.
    async fn next(&mut self) -> Option<String> {
        while self.names.is_empty() {
            let frame = timeout(PATIENCE, self.body.frame())
                .await
                .expect("in time")?;
            let bytes = frame.expect("it goes on").into_data().expect("data");
            let names = &mut self.names;
            let fed = self.parser.feed(&bytes, |item| {
                if let Item::Message(message) = item {
                    names.push_back(message.event_type.into_owned());
                }
            });
            fed.expect("blocks of a sane size");
        }
        self.names.pop_front()
    }
}

async fn handshakes(world: &World, outcome: &str) -> u64 {
    let series = format!("tidings_http_tls_handshakes_total{{outcome=\"{outcome}\"}}");
    world.labelled(&series).await
}

async fn until_handshakes(world: &World, outcome: &str, count: u64) {
    let reached = async {
        while handshakes(world, outcome).await < count {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, reached).await.expect(outcome);
}

/// Publishes over a connection of its own.
async fn publish(world: &World, trusted: &MadeCertificate) {
    let stream = connect(world, &connector(trusted, &[])).await.expect("TLS");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    let body = r#"{"type":"t","topics":["project/1"],"data":1}"#;
    let answer = sender
        .send_request(request("POST", "/v1/events", body))
        .await;
    assert_eq!(answer.expect("an answer").status(), 200);
}

#[tokio::test]
async fn streams_and_publishes_go_over_tls_by_both_protocols() {
    let (made, own) = made();
    let world = world(Tls::new(own).expect("TLS")).await;
    let target = "/v1/stream?topics=project/1";

    let stream = connect(&world, &connector(&made, &[b"http/1.1"]))
        .await
        .expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let (mut first, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    let answer = first
        .send_request(request("GET", target, ""))
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    let mut first_blocks = Blocks::new(answer.into_body());

    let stream = connect(&world, &connector(&made, &[b"h2", b"http/1.1"]))
        .await
        .expect("TLS");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut second, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    let answer = second
        .send_request(request("GET", &format!("https://{HOST}{target}"), ""))
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    let mut second_blocks = Blocks::new(answer.into_body());

    assert_eq!(world.figure("tidings_hub_connections").await, 2);
    // Nothing but the mailbox can write through TLS.
    assert_eq!(world.figure("tidings_hub_sockets").await, 0);
    publish(&world, &made).await;
    for blocks in [&mut first_blocks, &mut second_blocks] {
        assert_eq!(blocks.next().await.as_deref(), Some("tidings.hello"));
        assert_eq!(blocks.next().await.as_deref(), Some("t"));
    }
    assert_eq!(handshakes(&world, "completed").await, 3);

    // A client that goes away takes its connection with it.
    drop((first, first_blocks));
    world.until_connections(1).await;
    drop((second, second_blocks));
    world.until_connections(0).await;
}

#[tokio::test]
async fn the_hub_knows_that_its_own_pages_come_by_https() {
    let (made, own) = made();
    let world = world(Tls::new(own).expect("TLS")).await;
    let stream = connect(&world, &connector(&made, &[])).await.expect("TLS");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    for (origin, allowed) in [
        (format!("https://{HOST}"), true),
        (format!("http://{HOST}"), false),
    ] {
        let mut request = request("GET", "/v1/stream?topics=project/1", "");
        *request.method_mut() = http::Method::HEAD;
        let value = origin.parse().expect("a header");
        request.headers_mut().insert("origin", value);
        let answer = sender.send_request(request).await.expect("an answer");
        let told = answer.headers().get("access-control-allow-origin");
        assert_eq!(told.is_some(), allowed, "{origin}");
    }
}

#[tokio::test]
async fn a_drain_says_goodbye_through_tls() {
    let (made, own) = made();
    let mut world = world(Tls::new(own).expect("TLS")).await;
    let stream = connect(&world, &connector(&made, &[])).await.expect("TLS");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    let asked = request("GET", "/v1/stream?topics=project/1", "");
    let answer = sender.send_request(asked).await.expect("an answer");
    let mut blocks = Blocks::new(answer.into_body());
    assert_eq!(blocks.next().await.as_deref(), Some("tidings.hello"));
    // One has not even begun, and one is amid its handshake.
    let _silent = TcpStream::connect(world.address).await.expect("connects");
    let mut half = TcpStream::connect(world.address).await.expect("connects");
    half.write_all(&[0x16, 3, 1]).await.expect("sent");
    world.ask_to_end();
    assert_eq!(blocks.next().await.as_deref(), Some("tidings.bye"));
    assert_eq!(blocks.next().await, None, "an orderly end");
    world.ended().await;
}

#[tokio::test]
async fn n11_a_certificate_is_replaced_under_load_and_no_connection_drops() {
    let ((old, old_read), (new, new_read)) = (made(), made());
    let tls = Tls::new(old_read).expect("TLS");
    let world = world(tls.clone()).await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let stream = connect(&world, &connector(&old, &[])).await.expect("TLS");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        let asked = request("GET", "/v1/stream?topics=project/1", "");
        let answer = sender.send_request(asked).await.expect("an answer");
        let mut blocks = Blocks::new(answer.into_body());
        assert_eq!(blocks.next().await.as_deref(), Some("tidings.hello"));
        open.push((sender, blocks));
    }
    publish(&world, &old).await;
    tls.replace(new_read);
    let refused = connect(&world, &connector(&old, &[])).await;
    refused.expect_err("the old one is not shown any more");
    publish(&world, &new).await;
    for (_, blocks) in &mut open {
        for _ in 0..2 {
            assert_eq!(blocks.next().await.as_deref(), Some("t"), "it goes on");
        }
    }
    assert_eq!(world.figure("tidings_hub_connections").await, 20);
}

#[tokio::test]
async fn a_request_in_the_clear_is_answered_in_the_clear_and_counted() {
    let (_, own) = made();
    let world = world(Tls::new(own).expect("TLS")).await;
    for begun in 1..=2 {
        let answer = world.send(Request::get("/healthz")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_request")
        );
        assert_eq!(answer.json()["hint"], "use `https://`");
        assert_eq!(handshakes(&world, "plain_http").await, begun);
    }
    // What a proxy says before it passes a connection on is HTTP in the clear, too.
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    let line = b"PROXY TCP4 192.0.2.9 192.0.2.8 1 2\r\n\x16\x03\x01";
    socket.write_all(line).await.expect("sent");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 400 "));
}

#[tokio::test]
async fn n11_garbage_ends_its_own_connection_and_nothing_else() {
    let (made, own) = made();
    let world = world(Tls::new(own).expect("TLS")).await;
    // A probe that says nothing.
    drop(TcpStream::connect(world.address).await.expect("connects"));
    until_handshakes(&world, "silent", 1).await;

    let record = |content: &[u8]| {
        let length = u16::try_from(content.len()).expect("a record");
        [&[0x16, 3, 1], &length.to_be_bytes()[..], content].concat()
    };
    // The greatest length that fits, in records of which each is as long as they may be.
    let large = [&[1, 0, 0xff, 0xff][..], &vec![0; 0xffff]].concat();
    let large: Vec<u8> = large.chunks(16_384).flat_map(record).collect();
    assert!(large.len() as u64 > TLS_HANDSHAKE_BYTES_MAX);
    let garbage = [
        record(b"no handshake"),
        vec![0x16, 3, 1, 0xff, 0xff],
        vec![0x80, 0x2e, 1, 0, 2],
        vec![0; 300],
        b"\r\n\r\n\0\0\0QUIT\n".to_vec(),
        large,
        record(&hello_for(b"\0\xff.\x1b[2J'; --")),
        record(&hello_for(&[b'a'; 400])),
    ];
    for (index, bytes) in garbage.iter().enumerate() {
        let mut socket = TcpStream::connect(world.address).await.expect("connects");
        // It may be reset before all is sent, and on the way out of the answer.
        let _sent = socket.write_all(bytes).await;
        let _finished = socket.shutdown().await;
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, socket.read_to_end(&mut rest)).await;
        let _reset = read.expect("it is closed");
        until_handshakes(&world, "failed", index as u64 + 1).await;
    }
    publish(&world, &made).await;
    assert_eq!(world.figure("tidings_http_panics_total").await, 0);
}

/// A `ClientHello` that asks for a host by this name, and for nothing that anybody could speak.
fn hello_for(name: &[u8]) -> Vec<u8> {
    let sized = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).expect("short");
        [&length.to_be_bytes()[..], bytes].concat()
    };
    let server_name = sized(&[&[0][..], &sized(name)].concat());
    let extensions = sized(&[&[0, 0][..], &sized(&server_name)].concat());
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0],
        &sized(&[0x13, 1]),
        &[1, 0],
        &extensions,
    ]
    .concat();
    let length = u32::try_from(body.len()).expect("short").to_be_bytes();
    [&[1][..], &length[1..], &body].concat()
}

#[tokio::test]
async fn n11_handshakes_that_stall_keep_nobody_out() {
    const STALLED: usize = 300;
    let (made, own) = made();
    let world = world(Tls::new(own).expect("TLS")).await;
    let mut stalled = Vec::new();
    for number in 0..STALLED {
        let mut socket = TcpStream::connect(world.address).await.expect("connects");
        // Some say nothing, some begin, some say half of what a client says first.
        let begin = [
            &[][..],
            &[0x16, 3, 1, 2],
            &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
        ];
        socket.write_all(begin[number % 3]).await.expect("sent");
        stalled.push(socket);
    }
    publish(&world, &made).await;
    assert_eq!(handshakes(&world, "completed").await, 1);
    assert_eq!(handshakes(&world, "refused").await, 0);
    drop(stalled);
    until_handshakes(&world, "silent", STALLED as u64 / 3).await;
    until_handshakes(&world, "failed", STALLED as u64 * 2 / 3).await;
}

#[tokio::test]
async fn n11_a_handshake_that_finds_no_place_is_refused_and_the_next_one_gets_in() {
    let (made, own) = made();
    let tls = Tls::new(own).expect("TLS").with_handshakes_max(1);
    let world = world(tls).await;
    let stalled = TcpStream::connect(world.address).await.expect("connects");
    let opened = async {
        while world.figure("tidings_http_connections_opened_total").await < 1 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, opened).await.expect("in time");
    let refused = async {
        // The first one may have its place only a moment after it is counted.
        while connect(&world, &connector(&made, &[])).await.is_ok() {}
    };
    timeout(PATIENCE, refused).await.expect("in time");
    assert_eq!(handshakes(&world, "refused").await, 1);
    drop(stalled);
    until_handshakes(&world, "silent", 1).await;
    publish(&world, &made).await;
}

#[tokio::test(start_paused = true)]
async fn n11_a_handshake_that_does_not_end_is_given_up() {
    let (_, own) = made();
    let world = world(Tls::new(own).expect("TLS")).await;
    let beginnings = [
        &[][..],
        &[0x16, 3, 1],
        &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
    ];
    for (index, beginning) in beginnings.into_iter().enumerate() {
        let begun = Instant::now();
        let mut socket = TcpStream::connect(world.address).await.expect("connects");
        socket.write_all(beginning).await.expect("sent");
        let mut rest = Vec::new();
        let read = socket.read_to_end(&mut rest).await;
        assert_eq!(read.expect("closed in order"), 0);
        assert!(begun.elapsed() >= Duration::from_millis(TLS_HANDSHAKE_MS_MAX));
        assert!(begun.elapsed() < Duration::from_millis(3 * TLS_HANDSHAKE_MS_MAX));
        assert_eq!(handshakes(&world, "timed_out").await, index as u64 + 1);
    }
}
