//! Streams over TLS by HTTP/1, which leave hyper, and large requests.

use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tidings_http::Tls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::client::PATIENCE;
use crate::tls::{connect, connector, made, request, world};
use crate::world::{Wish, World};

const ASKED: &str = "GET /v1/stream?topics=project/1 HTTP/1.1\r\nhost: hub.test\r\n\
                     authorization: Bearer reader\r\n\r\n";

/// Reads until the answer holds these words, or to its end if they are empty.
async fn read_until(stream: &mut TlsStream<TcpStream>, text: &mut String, words: &str) {
    while words.is_empty() || !text.contains(words) {
        let mut bytes = vec![0; 16_384];
        let read = timeout(PATIENCE, stream.read(&mut bytes))
            .await
            .expect("in time");
        match read {
            Ok(0) if words.is_empty() => return,
            Ok(0) => panic!("no `{words}` in {text}"),
            Ok(count) => *text += str::from_utf8(&bytes[..count]).expect("text"),
            Err(error) => panic!("{error}: {text}"),
        }
    }
}

#[tokio::test]
async fn a_large_request_may_follow_its_handshake_at_once() {
    let (made, own) = made();
    let world = world(Tls::new(own).expect("TLS")).await;
    let connector = connector(&made, &[]);
    for bytes in [10, 16_000, 16_384, 20_000, 70_000, 250_000] {
        let stream = connect(&world, &connector).await.expect("TLS");
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        let data = "x".repeat(bytes);
        let body = format!(r#"{{"type":"t","topics":["project/1"],"data":"{data}"}}"#);
        let answer = sender
            .send_request(request("POST", "/v1/events", body))
            .await;
        assert_eq!(answer.expect("an answer").status(), 200, "{bytes}");
    }
}

#[tokio::test]
async fn a_stream_over_tls_is_framed_as_its_version_of_http_asks_for() {
    let (made, own) = made();
    let mut world = world(Tls::new(own).expect("TLS")).await;
    let mut answers = Vec::new();
    for version in ["HTTP/1.1", "HTTP/1.0"] {
        let mut stream = connect(&world, &connector(&made, &[])).await.expect("TLS");
        let asked = ASKED.replace("HTTP/1.1", version);
        stream.write_all(asked.as_bytes()).await.expect("sent");
        let mut text = String::new();
        read_until(&mut stream, &mut text, "tidings.hello").await;
        answers.push((stream, text));
    }
    let large = "x".repeat(200_000);
    let body = format!(r#"{{"type":"t","topics":["project/1"],"data":"{large}"}}"#);
    let stream = connect(&world, &connector(&made, &[])).await.expect("TLS");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    let publish = request("POST", "/v1/events", body);
    let answer = sender.send_request(publish).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    drop(sender);
    world.ask_to_end();
    for ((mut stream, mut text), version) in answers.into_iter().zip(["HTTP/1.1", "HTTP/1.0"]) {
        read_until(&mut stream, &mut text, "").await;
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with(&format!("{version} 200 OK\r\n")), "{head}");
        assert!(head.contains("\r\ndate: "), "{head}");
        let is_chunked = version == "HTTP/1.1";
        assert_eq!(head.contains("transfer-encoding: chunked"), is_chunked);
        assert_eq!(
            body.ends_with("\r\n0\r\n\r\n"),
            is_chunked,
            "an orderly end"
        );
        assert!(body.contains(&large) && body.contains("tidings.bye"));
    }
    world.ended().await;
}

#[tokio::test]
async fn a_request_behind_a_stream_over_tls_is_not_answered_and_ends_it() {
    let (made, own) = made();
    let world = world(Tls::new(own).expect("TLS")).await;
    let mut stream = connect(&world, &connector(&made, &[])).await.expect("TLS");
    stream.write_all(ASKED.as_bytes()).await.expect("sent");
    let mut text = String::new();
    read_until(&mut stream, &mut text, "tidings.hello").await;
    world.until_connections(1).await;
    stream.write_all(ASKED.as_bytes()).await.expect("sent");
    world.until_connections(0).await;

    // In one go with it.
    let mut stream = connect(&world, &connector(&made, &[])).await.expect("TLS");
    let both = ASKED.repeat(2);
    stream.write_all(both.as_bytes()).await.expect("sent");
    let mut rest = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut rest)).await;
    let _without_goodbye = read.expect("it ends");
    world.until_connections(0).await;
    assert!(!rest.windows(5).any(|five| five == b"hello"));
}

#[tokio::test]
async fn a_reader_over_tls_that_takes_nothing_is_told_to_go() {
    let (made, own) = made();
    let world = World::start_with(Wish {
        tls: Some(Tls::new(own).expect("TLS")),
        slow_reader_ms: 10_000,
        ..Wish::default()
    })
    .await;
    let mut stream = connect(&world, &connector(&made, &[])).await.expect("TLS");
    stream.write_all(ASKED.as_bytes()).await.expect("sent");
    let mut text = String::new();
    read_until(&mut stream, &mut text, "tidings.hello").await;
    // More than any socket takes whose peer does not read.
    let large = "x".repeat(200_000);
    let body = format!(r#"{{"type":"t","topics":["project/1"],"data":"{large}"}}"#);
    let connector = connector(&made, &[]);
    let writer = connect(&world, &connector).await.expect("TLS");
    let (mut sender, connection) = http1::handshake(TokioIo::new(writer)).await.expect("HTTP");
    tokio::spawn(connection);
    for _ in 0..100 {
        let publish = request("POST", "/v1/events", body.clone());
        let answer = sender.send_request(publish).await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.into_body().collect().await.expect("a body");
    }
    world.advance(11_000);
    let wake = r#"{"type":"t","topics":["project/2"]}"#;
    let publish = request("POST", "/v1/events", wake);
    let answer = sender.send_request(publish).await.expect("an answer");
    assert_eq!(answer.status(), 200);
    world.until_connections(0).await;
}
