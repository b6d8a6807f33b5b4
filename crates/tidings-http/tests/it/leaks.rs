//! A12: what clients send in confidence is in no log line, no answer and no figure.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use http::HeaderValue;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::handshake;
use hyper_util::rt::{TokioExecutor, TokioIo};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;
use tracing_subscriber::fmt::MakeWriter;

use crate::client::{PATIENCE, Request, Stream};
use crate::sinks::Sink;
use crate::world::{Wish, World};

/// Keeps everything that is logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What no log line, no answer and no figure may hold.
const CANARY: &str = "canary";

/// Where credentials stand in URLs, here and elsewhere.
const NAMES: [&str; 20] = [
    "ticket",
    "%74icket",
    "token",
    "Token",
    "access_token",
    "sse_token",
    "session_id",
    "jwt",
    "id_token",
    "api_key",
    "apikey",
    "apiKey",
    "auth",
    "authorization",
    "bearer",
    "secret",
    "key",
    "userId",
    "password",
    "meta_token",
];

/// The log of the whole binary, from when it is first asked for: the threads of the hub and the other
/// tests leak nothing either.
fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("the only one");
        log
    })
}

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("the log").clone();
        String::from_utf8(bytes).expect("text")
    }

    /// Waits for words: lines about connections come from a thread of their own.
    async fn until(&self, words: &str) {
        let said = async {
            while !self.text().contains(words) {
                tokio::task::yield_now().await;
            }
        };
        let in_time = timeout(PATIENCE, said).await;
        assert!(in_time.is_ok(), "no `{words}` in {}", self.text());
    }

    /// What has come since this place, which moves on.
    fn since(&self, place: &mut usize) -> String {
        let all = self.0.lock().expect("the log");
        let bytes = all[*place..].to_vec();
        *place = all.len();
        drop(all);
        String::from_utf8(bytes).expect("text")
    }
}

#[tokio::test]
async fn a12_no_credential_query_value_or_payload_is_logged() {
    let log = log();
    let world = World::start().await;
    let event = r#"{"type":"t","topics":["project/1"],"data":"canary-data"}"#;
    for request in [
        Request::get("/v1/events?topics=canary-topic").bearer("canary-token"),
        Request::get("/v1/stream?token=canary-query").bearer("writer"),
        Request::get("/v1/events?topics=project/1&events=canary-type").bearer("writer"),
        Request::get("/v1/stream?canary-name=1").header("cookie", "canary-cookie"),
        Request::post("/v1/events").bearer("writer").json(event),
        Request::post("/v1/events")
            .bearer("writer")
            .json("canary-json"),
        Request::get("/v1/events")
            .bearer("expired")
            .header("last-event-id", "canary-id"),
    ] {
        world.send(request).await;
    }
    for sink in [Sink::Socket, Sink::Mailbox] {
        let stream = Request::get("/v1/stream?topics=project/1&meta_tab=canary-meta");
        drop(world.stream(stream.bearer("reader").through(sink)).await);
        world.until_connections(0).await;
    }
    for expected in [
        "request answered",
        "credential refused",
        "connection added",
        "connection removed",
        "no connections",
    ] {
        log.until(expected).await;
    }
    let logged = log.text();
    assert!(!logged.contains("canary"), "{logged}");
}

/// One request with secrets in several places.
#[derive(Debug, Clone)]
struct Whisper {
    method: &'static str,
    path: &'static str,
    query: Vec<&'static str>,
    headers: Vec<(&'static str, String)>,
    content_type: &'static str,
    body: String,
    has_bearer: bool,
    /// Whether no credential is looked at any more.
    is_limited: bool,
}

fn whisper() -> impl Strategy<Value = Whisper> {
    let secret = "[A-Za-z0-9._-]{0,12}".prop_map(|more| format!("{CANARY}-{more}"));
    let name = prop::sample::select(&[
        "authorization",
        "cookie",
        "x-api-key",
        "referer",
        "proxy-authorization",
        "origin",
        "x-forwarded-for",
        "forwarded",
        "last-event-id",
        "user-agent",
        "x-request-id",
        "traceparent",
    ]);
    let form = prop::sample::select(&[
        "",
        "Bearer ",
        "Basic ",
        "session=",
        "a=1; ",
        "https://x/?token=",
    ]);
    let header = (name, form, secret.clone())
        .prop_map(|(name, form, secret)| (name, format!("{form}{secret}")));
    let body = prop_oneof![
        secret.clone(),
        secret.clone().prop_map(|secret| {
            format!(r#"{{"type":"t","topics":["project/1"],"data":"{secret}"}}"#)
        }),
        secret.prop_map(|secret| format!(r#"{{"type":"t","token":"{secret}"}}"#)),
    ];
    (
        prop::sample::select(&["GET", "POST", "HEAD", "OPTIONS", "PUT"]),
        prop::sample::select(&[
            "/v1/events",
            "/v1/stream",
            "/v1/events/x",
            "/v1/topics/project%2F1",
            "/metrics",
            "/none",
        ]),
        prop::collection::vec(prop::sample::select(&NAMES), 0..3),
        prop::collection::vec(header, 0..4),
        prop::sample::select(&["application/json", "application/x-ndjson", "text/plain"]),
        body,
        any::<[bool; 2]>(),
    )
        .prop_map(
            |(method, path, query, headers, content_type, body, [has_bearer, is_limited])| {
                Whisper {
                    method,
                    path,
                    query,
                    headers,
                    content_type,
                    body,
                    has_bearer,
                    is_limited,
                }
            },
        )
}

impl Whisper {
    fn request(&self) -> Request {
        let pairs = self.query.iter();
        let pairs: Vec<String> = pairs.map(|name| format!("{name}={CANARY}-query")).collect();
        let target = format!("{}?{}", self.path, pairs.join("&"));
        let mut request = Request::new(self.method, &target)
            .http_10()
            .body(self.content_type, &self.body);
        let has_one = self
            .headers
            .iter()
            .any(|(name, _)| *name == "authorization");
        if self.has_bearer && !has_one {
            request = request.bearer("writer");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }
}

#[test]
fn a12_no_secret_comes_out_anywhere() {
    let log = log();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let limited = Wish {
        rates: tidings_http::RateLimits {
            refused_credentials_per_address: Some(tidings_core::port::Quota {
                units: 1,
                period_ms: u32::MAX,
            }),
            ..Default::default()
        },
        ..Wish::default()
    };
    let worlds =
        runtime.block_on(async { [World::start().await, World::start_with(limited).await] });
    let forged = Request::get("/v1/events").bearer("forged");
    let answer = runtime.block_on(worlds[1].send(forged));
    assert_eq!(answer.status, 401, "the last that is looked at");
    let mut runner = TestRunner::new(Config {
        cases: 300,
        failure_persistence: None,
        ..Config::default()
    });
    let place = std::cell::RefCell::new(0);
    let outcome = runner.run(&whisper(), |whisper| {
        let world = &worlds[usize::from(whisper.is_limited)];
        let (head, body) = runtime.block_on(async {
            let mut socket = tokio::net::TcpStream::connect(world.address)
                .await
                .expect("connects");
            let bytes = whisper.request().to_bytes();
            socket.write_all(&bytes).await.expect("sent");
            let mut stream = Stream::read_head(socket).await;
            if !stream
                .head
                .header("content-type")
                .is_some_and(|kind| kind.contains("event-stream"))
            {
                stream.until_end().await;
            }
            (format!("{:?}", stream.head), stream.text())
        });
        // Who publishes may read it again, and is shown what of its own it sent wrongly.
        prop_assert!(!head.contains(CANARY), "{head}");
        prop_assert!(!body.contains(CANARY), "{body}");
        let logged = log.since(&mut place.borrow_mut());
        prop_assert!(!logged.contains(CANARY), "{logged}");
        Ok(())
    });
    outcome.expect("nothing comes out");
    for world in &worlds {
        let figures = runtime.block_on(world.figures());
        assert!(!figures.contains(CANARY), "{figures}");
    }
    let refused = runtime.block_on(
        worlds[1].labelled("tidings_http_rate_limited_total{limit=\"refused_credentials\"}"),
    );
    assert!(refused > 0, "limits were reached");
}

#[tokio::test]
async fn a12_what_is_handed_out_and_explained_is_seen_by_whoever_asks_alone() {
    let log = log();
    let world = World::start().await;
    let token = world.issue("token", "reader", "").await;
    let mut secrets = vec![token.clone()];
    for target in ["/v1/stream?topics=project/1", "/v1/events?topics=project/1"] {
        let ticket = world.issue("ticket", "reader", "").await;
        let with_ticket = || Request::get(&format!("{target}&ticket={ticket}"));
        let opened = world.stream(with_ticket()).await;
        assert_eq!(opened.head.status, 200);
        let head = format!("{:?}", opened.head);
        let again = world.send(with_ticket()).await;
        let elsewhere = Request::post(&format!("/v1/tickets?ticket={ticket}")).bearer("reader");
        let elsewhere = world.send(elsewhere).await;
        for shown in [head, opened.text(), format!("{again:?}{elsewhere:?}")] {
            assert!(!shown.contains(&ticket), "{shown}");
        }
        assert!(!again.text().contains(&ticket) && !elsewhere.text().contains(&ticket));
        secrets.push(ticket);
    }
    let publish = Request::post("/v1/events").bearer(&token).json("{}");
    let refused = world.send(publish).await;
    assert!(!refused.text().contains(&token), "{}", refused.text());
    let ask =
        format!(r#"{{"token": "{token}", "cookie": "session={CANARY}-cookie; b={CANARY}-b"}}"#);
    for body in [
        ask.as_str(),
        r#"{"cookie": "session=canary-c"}"#,
        r#"{"token": "canary-t"}"#,
    ] {
        let request = Request::post("/v1/auth/explain").bearer("admin").json(body);
        let answer = world.send(request).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.text().contains(CANARY) && !answer.text().contains(&token));
    }
    log.until("connection added").await;
    let (logged, figures) = (log.text(), world.figures().await);
    for secret in secrets.iter().map(String::as_str).chain([CANARY]) {
        assert!(!logged.contains(secret) && !figures.contains(secret));
    }
}

#[tokio::test]
async fn a12_no_secret_of_an_http_2_request_is_logged() {
    let log = log();
    let world = World::start().await;
    let socket = tokio::net::TcpStream::connect(world.address)
        .await
        .expect("connects");
    let socket = TokioIo::new(socket);
    let (mut sender, connection) = handshake(TokioExecutor::new(), socket)
        .await
        .expect("HTTP/2");
    tokio::spawn(connection);
    let mut request = http::Request::post("http://hub.test/v1/events?token=canary-query")
        .header("referer", "http://x/?token=canary-referer")
        .body(Full::<bytes::Bytes>::from("canary-body"))
        .expect("a request");
    for name in ["authorization", "cookie"] {
        let value = HeaderValue::from_static("Bearer canary-header");
        request.headers_mut().insert(name, value);
    }
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!(answer.status(), 401);
    let body = answer
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    assert!(!String::from_utf8_lossy(&body).contains(CANARY));
    let logged = log.text();
    assert!(!logged.contains(CANARY), "{logged}");
}
