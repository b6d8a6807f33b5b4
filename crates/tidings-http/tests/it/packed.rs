//! Packed streams as programs that people have read them: each event is told at once, what was before
//! is replayed, and the end is in order, with the check sum right.
//!
//! An event is published only after the client has written the one before, so that a client that holds
//! text back gets nothing more and fails the test.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use tokio::task::spawn_blocking;

use crate::client::Request;
use crate::world::World;

/// Seconds after which a client gives up.
const PATIENCE: &str = "60";

/// Bytes of text on both sides of where compression begins, and beyond what one read brings.
const SIZES: [usize; 7] = [10, 500, 2_000, 100, 70_000, 250_000, 50];

/// How many of them are published before the client comes.
const REPLAYED: usize = 3;

/// Reads a gzip stream with the standard library: `http.client` does not decode, `zlib` does. Succeeds
/// if the stream ends where the member does, with the right check sum.
const PYTHON: &str = r#"
import http.client, sys, zlib
address, target, token, patience = sys.argv[1:5]
connection = http.client.HTTPConnection(address, timeout=float(patience))
headers = {"Accept-Encoding": "gzip", "Authorization": "Bearer " + token}
connection.request("GET", target, headers=headers)
response = connection.getresponse()
print("content-encoding:", response.headers["content-encoding"], flush=True)
decoder = zlib.decompressobj(wbits=31)
while part := response.read1(65536):
    sys.stdout.buffer.write(decoder.decompress(part))
    sys.stdout.buffer.flush()
sys.exit(0 if decoder.eof and not decoder.unused_data else "the member has no end")
"#;

const TARGET: &str = "/v1/stream?topics=project/1&since=earliest";

/// A client, and what it writes.
struct Client {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Client {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the client is installed");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, output }
    }

    /// Reads on until a line begins with these words; returns the line.
    async fn until(mut self, words: String) -> (Self, String) {
        let reading = spawn_blocking(move || {
            loop {
                let mut line = String::new();
                let read = self.output.read_line(&mut line).expect("text");
                assert!(read > 0, "ended without `{words}`");
                if line.to_ascii_lowercase().starts_with(&words) {
                    return (self, line);
                }
            }
        });
        reading.await.expect("the client writes")
    }

    /// Reads to the end, with which the client is content.
    async fn end(mut self) -> String {
        let reading = spawn_blocking(move || {
            let mut rest = String::new();
            self.output.read_to_string(&mut rest).expect("text");
            let status = self.child.wait().expect("it ends");
            assert_eq!(status.code(), Some(0), "{rest}");
            rest
        });
        reading.await.expect("the client ends")
    }
}

fn text(number: usize) -> String {
    format!("{number}:{}", "some text ".repeat(SIZES[number] / 10))
}

async fn publish(world: &World, number: usize) {
    let data = text(number);
    let event = format!(r#"{{"type":"t","topics":["project/1"],"data":"{data}"}}"#);
    let request = Request::post("/v1/events").bearer("writer").json(&event);
    assert_eq!(world.send(request).await.status, 200);
}

/// Lets a client read a stream to its end: one that is packed like this, over so many sockets of
/// shards.
async fn check(coding: &str, sockets: u64, command: impl FnOnce(&World) -> Command) {
    let mut world = World::start().await;
    for number in 0..REPLAYED {
        publish(&world, number).await;
    }
    let mut client = Client::start(&mut command(&world));
    let head;
    (client, head) = client.until("content-encoding: ".to_owned()).await;
    assert_eq!(
        head.trim_end().split_once(": ").expect("a header").1,
        coding
    );
    for number in 0..SIZES.len() {
        if number >= REPLAYED {
            publish(&world, number).await;
        }
        let line;
        (client, line) = client.until("data: {\"id\":".to_owned()).await;
        let data = line.strip_prefix("data: ").expect("data");
        let envelope: serde_json::Value = serde_json::from_str(data).expect("JSON");
        assert!(envelope["data"] == text(number), "event {number}");
    }
    assert_eq!(world.figure("tidings_hub_connections").await, 1);
    assert_eq!(world.figure("tidings_hub_sockets").await, sockets);
    world.ask_to_end();
    let rest = client.end().await;
    assert!(rest.contains("event: tidings.bye\n"), "{rest}");
    world.ended().await;
}

/// curl, with a version of HTTP and what it accepts.
fn curl(world: &World, version: &str, accepted: Option<&str>) -> Command {
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--no-buffer", "--include"])
        .args(["--compressed", "--max-time", PATIENCE, version])
        .args(["--header", "authorization: Bearer reader"]);
    if let Some(accepted) = accepted {
        let header = format!("accept-encoding: {accepted}");
        command.args(["--header", &header]);
    }
    command.arg(format!("http://{}{TARGET}", world.address));
    command
}

/// The best that this curl knows: zstd where it was built with it, as Debian's is.
fn best_of_curl() -> &'static str {
    let version = Command::new("curl").arg("--version").output();
    let version = version.expect("`curl` is installed").stdout;
    if String::from_utf8_lossy(&version).contains("zstd") {
        "zstd"
    } else {
        "gzip"
    }
}

#[tokio::test]
async fn curl_reads_gzip_over_each_version_of_http() {
    for (version, sockets) in [
        ("--http1.1", 1),
        ("--http1.0", 1),
        ("--http2-prior-knowledge", 0),
    ] {
        check("gzip", sockets, |world| curl(world, version, Some("gzip"))).await;
    }
}

#[tokio::test]
async fn curl_reads_the_best_coding_that_it_knows_over_each_version_of_http() {
    for (version, sockets) in [
        ("--http1.1", 1),
        ("--http1.0", 1),
        ("--http2-prior-knowledge", 0),
    ] {
        check(best_of_curl(), sockets, |world| curl(world, version, None)).await;
    }
}

/// Python before 3.14 has no zstd.
#[tokio::test]
async fn python_reads_gzip_and_finds_the_check_sum_right() {
    let python = |world: &World| {
        let mut command = Command::new("python3");
        let address = world.address.to_string();
        command.args(["-c", PYTHON, &address, TARGET, "reader", PATIENCE]);
        command
    };
    check("gzip", 1, python).await;
}
