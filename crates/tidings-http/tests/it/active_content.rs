//! A25: what a browser makes of an answer that it was led to: text, and never a page. There is no console, no
//! login and no default credential: whoever shows nothing administers nothing.

use std::collections::BTreeSet;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::{Answer, Request, Stream, exchange};
use crate::world::World;

/// What no browser takes for anything that it runs.
const HARMLESS: [&str; 6] = [
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
    "text/event-stream; charset=utf-8",
    "text/plain; charset=utf-8",
];

fn assert_harmless(answer: &Answer, shown: &str) {
    let kind = answer.header("content-type").expect("a type");
    assert!(HARMLESS.contains(&kind), "{shown}: {kind}");
    assert_eq!(
        answer.header("x-content-type-options"),
        Some("nosniff"),
        "{shown}"
    );
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("default-src 'none'"), "{shown}: {policy}");
    assert!(
        policy.contains("frame-ancestors 'none'"),
        "{shown}: {policy}"
    );
}

#[tokio::test]
async fn a25_no_answer_of_any_route_is_a_page_or_can_be_framed() {
    let world = World::start().await;
    let mut kinds = BTreeSet::new();
    let paths = tidings_http::ROUTES.iter().map(|route| route.path);
    for path in paths.chain(["/nowhere", "/events", "/v1/stream?topics=project/1"]) {
        for method in ["GET", "POST", "PUT", "DELETE"] {
            for token in ["reader", "admin", "made-up"] {
                let request = Request::new(method, path)
                    .bearer(token)
                    .header("content-length", "0");
                let answer = world.stream(request).await.head;
                let shown = format!("{method} {path} {token}: {answer:?}");
                if answer.status != 204 {
                    assert_harmless(&answer, &shown);
                    kinds.extend(answer.header("content-type").map(str::to_owned));
                }
            }
        }
    }
    assert!(kinds.len() >= 4, "{kinds:?}");
}

#[tokio::test]
async fn a25_what_is_refused_unread_is_no_page_either() {
    let world = World::start().await;
    for bytes in ["G<T / HTTP/1.1\r\n\r\n", "GET /<script> HTTP/9.9\r\n\r\n"] {
        let answer = exchange(world.address, bytes.as_bytes()).await;
        assert_harmless(&Answer::parse(&answer).expect("an answer"), bytes);
    }
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    let long = format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "a".repeat(9_000));
    socket.write_all(long.as_bytes()).await.expect("sent");
    assert_harmless(&Stream::read_head(socket).await.head, "a long target");
}

#[tokio::test]
async fn a25_nobody_administers_without_a_credential_of_his_own() {
    let world = World::start().await;
    let administered = ["/v1/revocations", "/v1/auth/explain", "/v1/connections/x"];
    for path in administered {
        for method in ["GET", "POST", "DELETE"] {
            for credential in [
                None,
                Some("admin:admin"),
                Some("root:"),
                Some("tidings:tidings"),
            ] {
                let mut request = Request::new(method, path).header("content-length", "0");
                if let Some(credential) = credential {
                    let basic = base64(credential);
                    request = request.header("authorization", &format!("Basic {basic}"));
                }
                let status = world.stream(request).await.head.status;
                assert!(
                    matches!(status, 401 | 405),
                    "{method} {path} {credential:?}: {status}"
                );
            }
        }
    }
}

/// Base64 (RFC 4648, section 4).
fn base64(text: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | u32::from(three.get(at).copied().unwrap_or(0))
        });
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= three.len() {
                letter as char
            } else {
                '='
            });
        }
    }
    out
}
