//! Programs that people have read a packed stream block by block: what is sent is told at once and
//! not when the stream ends.
//!
//! A block is sent only after the client has written the text of the one before, so that a client
//! that holds text back gets nothing more, gives up, and fails the test.
#![expect(
    clippy::disallowed_methods,
    reason = "a real client is a process, and reaches this one by the network"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use tidings_core::coding::{CheckSum, Coding};
use tidings_core::port::Coder as _;
use tidings_wire::coding::{BlockCoder, content_encoding, negotiate};

/// Seconds after which a client gives up.
const PATIENCE: &str = "60";

/// Reads a gzip stream with the standard library: `http.client` does not decode, `zlib` does.
/// Succeeds if the stream ends where the member does, with the right check sum.
const PYTHON: &str = r#"
import http.client, sys, zlib
address, patience = sys.argv[1], float(sys.argv[2])
connection = http.client.HTTPConnection(address, timeout=patience)
connection.request("GET", "/", headers={"Accept-Encoding": "gzip"})
response = connection.getresponse()
decoder = zlib.decompressobj(wbits=31)
while part := response.read1(65536):
    sys.stdout.buffer.write(decoder.decompress(part))
    sys.stdout.buffer.flush()
sys.exit(0 if decoder.eof and not decoder.unused_data else "the member has no end")
"#;

/// Events from below the limit of compression to several segments, beginning with a small one.
fn texts() -> Vec<String> {
    let event = |n: usize, bytes: usize| {
        format!(
            "event: note\ndata: {}{n}\nid: {n}\n\n",
            "some text ".repeat(bytes / 10)
        )
    };
    let sizes = [10, 500, 2_000, 100, 70_000, 300_000, 50];
    sizes
        .into_iter()
        .enumerate()
        .map(|(n, bytes)| event(n, bytes))
        .collect()
}

/// Starts a client with its output to be read.
fn start(program: &str, arguments: &[&str]) -> Child {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start `{program}`, is it installed?: {error}"))
}

/// The coding that the request on this connection gets.
fn negotiated(connection: &TcpStream) -> Coding {
    let mut accept_encoding = None;
    let mut user_agent = None;
    for line in BufReader::new(connection).lines() {
        let line = line.expect("the head of a request");
        if line.is_empty() {
            break;
        }
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("accept-encoding") => {
                accept_encoding = Some(value.to_owned());
            }
            Some((name, value)) if name.eq_ignore_ascii_case("user-agent") => {
                user_agent = Some(value.to_owned());
            }
            _ => {}
        }
    }
    negotiate(accept_encoding.as_deref(), user_agent.as_deref())
}

fn send_chunk(connection: &mut TcpStream, bytes: &[u8]) {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    connection.write_all(&chunk).expect("the client listens");
}

/// Serves one stream to a client that writes what it is told, and says in which coding.
fn check(start_client: impl FnOnce(&str) -> Child) -> Coding {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let mut client = start_client(&address);
    let mut output = client.stdout.take().expect("its output");
    let (mut connection, _) = listener.accept().expect("its connection");
    let coding = negotiated(&connection);
    let name = content_encoding(coding).expect("the client accepts a coding");
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: {name}\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    connection
        .write_all(head.as_bytes())
        .expect("the client listens");

    let coder = BlockCoder::default();
    let mut block = Vec::new();
    let mut all = CheckSum::default();
    coder.begin(coding, &mut block);
    for text in texts() {
        let check_sum = coder.block(coding, text.as_bytes(), &mut block);
        all = coder.join(all, check_sum);
        send_chunk(&mut connection, &block);
        block.clear();
        let mut told = vec![0; text.len()];
        output
            .read_exact(&mut told)
            .expect("the client writes a text before it gets the next");
        assert!(told == text.as_bytes(), "what is told is what was sent");
    }
    coder.end(coding, all, &mut block);
    send_chunk(&mut connection, &block);
    connection
        .write_all(b"0\r\n\r\n")
        .expect("the client listens");

    let mut rest = Vec::new();
    output
        .read_to_end(&mut rest)
        .expect("the end of its output");
    assert!(rest.is_empty(), "the end tells nothing");
    let status = client.wait().expect("its status");
    assert!(
        status.success(),
        "the client is content with the end: {status}"
    );
    coding
}

/// Arguments of curl for a stream that it decodes and writes at once.
const CURL: [&str; 6] = [
    "--silent",
    "--show-error",
    "--no-buffer",
    "--compressed",
    "--max-time",
    PATIENCE,
];

#[test]
fn curl_tells_each_gzip_block_at_once() {
    let gzip = ["--header", "accept-encoding: gzip"];
    let coding = check(|address| start("curl", &[&CURL[..], &gzip, &[address]].concat()));
    assert_eq!(coding, Coding::Gzip);
}

/// That is zstd where curl was built with it, as Debian's is.
#[test]
fn curl_tells_each_block_at_once_in_the_best_coding_that_it_knows() {
    let version = Command::new("curl")
        .arg("--version")
        .output()
        .expect("`curl` is installed");
    let version = String::from_utf8_lossy(&version.stdout);
    let best = if version.contains("zstd") {
        Coding::Zstd
    } else {
        Coding::Gzip
    };
    let coding = check(|address| start("curl", &[&CURL[..], &[address]].concat()));
    assert_eq!(coding, best);
}

/// Python before 3.14 has no zstd.
#[test]
fn python_tells_each_gzip_block_at_once_and_finds_the_check_sum_right() {
    let coding = check(|address| start("python3", &["-c", PYTHON, address, PATIENCE]));
    assert_eq!(coding, Coding::Gzip);
}
