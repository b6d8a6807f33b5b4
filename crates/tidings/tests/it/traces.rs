//! Spans of publishes and of streams that are opened, as a collector gets them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tempfile::tempdir;

use crate::running::{Hub, PATIENCE};

/// A collector: what it was sent, as bytes and understood.
#[derive(Debug, Default)]
struct Collector {
    got: Mutex<Got>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Got {
    requests: Vec<String>,
    bodies: Vec<u8>,
    services: Vec<String>,
    spans: Vec<Span>,
}

impl Collector {
    fn start() -> (SocketAddr, Arc<Self>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let collector = Arc::new(Self::default());
        let taking = collector.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let taking = taking.clone();
                std::thread::spawn(move || taking.serve(connection));
            }
        });
        (address, collector)
    }

    fn serve(&self, mut connection: TcpStream) {
        let mut held = Vec::new();
        while let Some((head, body)) = next_request(&mut connection, &mut held) {
            let export = ExportTraceServiceRequest::decode(body.as_slice()).expect("an export");
            let mut got = self.got.lock().expect("the collector");
            got.requests.push(head);
            got.bodies.extend(body);
            for resource in export.resource_spans {
                let attributes = resource.resource.expect("a resource").attributes;
                got.services.extend(text_of(&attributes, "service.name"));
                let scopes = resource.scope_spans.into_iter();
                got.spans.extend(scopes.flat_map(|scope| scope.spans));
            }
            drop(got);
            self.more.notify_all();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\n\
                           content-length: 0\r\n\r\n";
            connection.write_all(answer).expect("answered");
        }
    }

    /// The spans, once there are so many.
    fn spans(&self, count: usize) -> Vec<Span> {
        let got = self.got.lock().expect("the collector");
        let waiting = self
            .more
            .wait_timeout_while(got, PATIENCE, |got| got.spans.len() < count);
        let (got, waited) = waiting.expect("the collector");
        assert!(!waited.timed_out(), "not {count} spans: {got:#?}");
        got.spans.clone()
    }
}

/// The head and the body of the next request; none at the end.
fn next_request(connection: &mut TcpStream, held: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end_of_head = |held: &[u8]| held.windows(4).position(|four| four == b"\r\n\r\n");
    while end_of_head(held).is_none() {
        more(connection, held)?;
    }
    let end = end_of_head(held)? + 4;
    let lines: Vec<u8> = held.drain(..end).collect();
    let lines = String::from_utf8(lines).expect("a head").to_lowercase();
    let (_, length) = lines.split_once("content-length: ").expect("a length");
    let length: usize = length.lines().next()?.parse().expect("a length");
    while held.len() < length {
        more(connection, held)?;
    }
    Some((lines, held.drain(..length).collect()))
}

fn more(connection: &mut TcpStream, held: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 4_096];
    let read = connection.read(&mut piece).ok().filter(|read| *read > 0)?;
    held.extend_from_slice(&piece[..read]);
    Some(())
}

fn value_of<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    let AnyValue { value } = found.value.as_ref()?;
    value.as_ref()
}

fn text_of(attributes: &[KeyValue], key: &str) -> Option<String> {
    match value_of(attributes, key)? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn number_of(attributes: &[KeyValue], key: &str) -> Option<i64> {
    match value_of(attributes, key)? {
        Value::IntValue(number) => Some(*number),
        _ => None,
    }
}

/// Sends a request with these headers, and reads the answer up to these words.
fn ask(hub: &Hub, line: &str, headers: &str, body: &str, until: &str) -> TcpStream {
    let mut socket = TcpStream::connect(hub.address).expect("the hub listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    let length = if body.is_empty() {
        String::new()
    } else {
        format!("content-length: {}\r\n", body.len())
    };
    let request = format!("{line} HTTP/1.1\r\nhost: localhost\r\n{length}{headers}\r\n{body}");
    socket.write_all(request.as_bytes()).expect("sent");
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains(until) {
        more(&mut socket, &mut text).unwrap_or_else(|| {
            panic!("no `{until}` in {}", String::from_utf8_lossy(&text));
        });
    }
    socket
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PUBLISH: &str = "POST /v1/events?userId=canary-user";
const STREAM: &str = "GET /v1/stream?topics=project/42&userId=canary-user";
const EVENT: &str = r#"{"type":"t","topics":["project/42"],"data":"canary-data"}"#;

/// Headers of a caller whose trace this is, with secrets among them.
fn traced(trace: &str, parent: &str, flags: &str) -> String {
    format!(
        "traceparent: 00-{trace}-{parent}-{flags}\r\ncookie: session=canary-cookie\r\n\
         content-type: application/json\r\n"
    )
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[test]
fn a_publish_and_a_connect_are_spans_of_their_callers_traces() {
    let directory = tempdir().expect("a directory");
    let (address, collector) = Collector::start();
    let endpoint = format!("http://{address}");
    let settings = [
        ("TIDINGS_TRACES_ENDPOINT", endpoint.as_str()),
        ("TIDINGS_TRACES_SERVICE", "my-hub"),
    ];
    let hub = Hub::start(directory.path(), &settings);
    assert_eq!(hub.threads_named("OpenTelemetry"), 1);
    let connecting = traced(TRACE, "b7ad6b7169203331", "01");
    let _stream = ask(&hub, STREAM, &connecting, "", "tidings.hello");
    let publishing = traced(TRACE, "00f067aa0ba902b7", "01");
    ask(&hub, PUBLISH, &publishing, EVENT, "\"subscribers\":1");
    let spans = collector.spans(2);
    let named = |name: &str| {
        let mut spans = spans.iter().filter(|span| span.name == name);
        let span = spans
            .next()
            .unwrap_or_else(|| panic!("no `{name}` in {spans:?}"));
        assert_eq!(hex(&span.trace_id), TRACE, "{name}");
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
        span
    };
    let connect = named("connect");
    assert_eq!(hex(&connect.parent_span_id), "b7ad6b7169203331");
    let publish = named("publish");
    assert_eq!(hex(&publish.parent_span_id), "00f067aa0ba902b7");
    assert_ne!(connect.span_id, publish.span_id);
    for (span, method, route) in [
        (connect, "GET", "/v1/stream"),
        (publish, "POST", "/v1/events"),
    ] {
        let text = |key: &str| text_of(&span.attributes, key).unwrap_or_default();
        assert_eq!(text("http.request.method"), method);
        assert_eq!(text("http.route"), route);
        assert_eq!(text("tidings.profile"), "native");
        assert_eq!(text("tidings.request").len(), 16);
        let status = number_of(&span.attributes, "http.response.status_code");
        assert_eq!(status, Some(200));
    }
    let attributes = &publish.attributes;
    assert_eq!(
        number_of(attributes, "messaging.batch.message_count"),
        Some(1)
    );
    let topic = text_of(attributes, "messaging.destination.name");
    assert_eq!(topic.as_deref(), Some("project/42"));
    let got = collector.got.lock().expect("the collector");
    assert!(got.services.iter().all(|service| service == "my-hub"));
    assert!(got.requests[0].starts_with("post /v1/traces http/1.1"));
    // A12: nothing that was sent in confidence is in a span.
    let bodies = String::from_utf8_lossy(&got.bodies);
    assert!(!bodies.contains("canary"), "{bodies}");
}

#[test]
fn whether_there_is_a_span_is_the_callers_choice_or_the_share() {
    let directory = tempdir().expect("a directory");
    let (address, collector) = Collector::start();
    let endpoint = format!("http://{address}/v1/traces");
    // By the names that OpenTelemetry itself uses.
    let settings = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()),
        ("OTEL_SERVICE_NAME", "another-hub"),
        ("TIDINGS_TRACES_SAMPLE", "0"),
    ];
    let hub = Hub::start(directory.path(), &settings);
    let parent = "00f067aa0ba902b7";
    let json = "content-type: application/json\r\n";
    let unsampled = traced(TRACE, parent, "00");
    let malformed = traced("no-trace", parent, "01");
    for headers in [json, unsampled.as_str(), malformed.as_str()] {
        ask(&hub, PUBLISH, headers, EVENT, "\"subscribers\"");
    }
    ask(
        &hub,
        PUBLISH,
        &traced(TRACE, parent, "01"),
        EVENT,
        "\"subscribers\"",
    );
    // What waits is sent at the end.
    hub.signal("TERM");
    assert!(hub.end().success());
    let spans = collector.spans(1);
    let [span] = spans.as_slice() else {
        panic!("one of four: {spans:#?}");
    };
    assert_eq!(hex(&span.parent_span_id), parent);
    let got = collector.got.lock().expect("the collector");
    assert_eq!(got.services, ["another-hub"]);
}

#[test]
fn without_traces_nothing_is_sent_anywhere() {
    let directory = tempdir().expect("a directory");
    let (_address, collector) = Collector::start();
    let hub = Hub::start(directory.path(), &[]);
    let headers = traced(TRACE, "00f067aa0ba902b7", "01");
    ask(&hub, PUBLISH, &headers, EVENT, "\"subscribers\"");
    assert_eq!(hub.threads_named("OpenTelemetry"), 0);
    hub.signal("TERM");
    assert!(hub.end().success());
    assert!(
        collector
            .got
            .lock()
            .expect("the collector")
            .requests
            .is_empty()
    );
}

#[test]
fn a_collector_that_is_away_harms_nobody_and_is_told_of_once() {
    let directory = tempdir().expect("a directory");
    // A port that was free a moment ago, and where nobody listens.
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = format!("http://{}", nobody.local_addr().expect("an address"));
    drop(nobody);
    let settings = [("TIDINGS_TRACES_ENDPOINT", endpoint.as_str())];
    let hub = Hub::start(directory.path(), &settings);
    let json = "content-type: application/json\r\n";
    for _ in 0..20 {
        ask(&hub, PUBLISH, json, EVENT, "\"subscribers\"");
    }
    hub.log_until("spans could not be sent");
    for _ in 0..20 {
        ask(&hub, PUBLISH, json, EVENT, "\"subscribers\"");
    }
    assert_eq!(hub.logged("spans could not be sent").len(), 1);
    assert_eq!(hub.logged("ERROR"), [""; 0]);
    assert!(!hub.logged("spans")[0].contains("127.0.0.1"));
}
