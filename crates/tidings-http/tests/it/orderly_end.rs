//! How a stream ends in order: its last word, the end of its body, and the end of its connection.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::client::{PATIENCE, Request};
use crate::sinks::{Sink, for_each_sink};
use crate::world::{Wish, World};

for_each_sink!(
    a_chunked_stream_ends_with_its_last_chunk_and_its_connection,
    a_stream_of_http_1_0_ends_with_its_connection,
    a_stream_that_has_told_nothing_yet_ends_as_well,
    readers_whose_sockets_are_full_hear_the_farewell_when_they_read_on,
    curl_is_content_with_the_end,
);

fn reader(sink: Sink) -> Request {
    let request = Request::get("/v1/stream?topics=project/1");
    request.bearer("reader").through(sink)
}

/// What tells that the event has come.
const EVENT: &str = "\"data\":1,";

/// All that comes after a request until the connection is closed, which must be in order. An event is
/// published once the first bytes are here, and the server is asked to end once the event is: a
/// farewell overtakes what its reader has not been told yet.
async fn whole(request: Request) -> String {
    let mut world = World::start().await;
    let mut socket = TcpStream::connect(world.address).await.expect("connects");
    socket.write_all(&request.to_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    let begun = socket.read_buf(&mut bytes).await.expect("reads");
    assert!(begun > 0, "the head");
    world.publish("project/1", 1).await;
    while !bytes
        .windows(EVENT.len())
        .any(|part| part == EVENT.as_bytes())
    {
        let read = timeout(PATIENCE, socket.read_buf(&mut bytes)).await;
        assert!(read.expect("in time").expect("reads") > 0, "the event");
    }
    world.ask_to_end();
    let end = timeout(PATIENCE, socket.read_to_end(&mut bytes)).await;
    end.expect("in time").expect("closed and not reset");
    world.ended().await;
    String::from_utf8(bytes).expect("text")
}

fn assert_farewell(text: &str) {
    assert!(text.contains(EVENT), "{text}");
    assert_bye(text);
}

fn assert_bye(text: &str) {
    assert!(text.contains("event: tidings.bye\n"), "{text}");
    assert!(text.contains("\nretry: "), "{text}");
}

async fn a_chunked_stream_ends_with_its_last_chunk_and_its_connection(sink: Sink) {
    let text = whole(reader(sink)).await;
    assert_farewell(&text);
    assert!(text.ends_with("\n\n\r\n0\r\n\r\n"), "{text}");
    assert_eq!(text.matches("\r\n0\r\n").count(), 1, "{text}");
}

async fn a_stream_of_http_1_0_ends_with_its_connection(sink: Sink) {
    let text = whole(reader(sink).http_10()).await;
    assert_farewell(&text);
    assert!(text.ends_with("\n\n"), "{text}");
    assert!(!text.ends_with("\r\n"), "{text}");
}

async fn a_stream_that_has_told_nothing_yet_ends_as_well(sink: Sink) {
    let mut world = World::start().await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut socket = TcpStream::connect(world.address).await.expect("connects");
        let request = reader(sink).to_bytes();
        socket.write_all(&request).await.expect("sent");
        streams.push(socket);
    }
    world.until_opened(20).await;
    world.ask_to_end();
    for mut socket in streams {
        let mut bytes = Vec::new();
        let end = timeout(PATIENCE, socket.read_to_end(&mut bytes)).await;
        end.expect("in time").expect("closed and not reset");
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        assert!(text.contains("event: tidings.bye\n"), "{text}");
        assert!(text.ends_with("\n\n\r\n0\r\n\r\n"), "{text}");
    }
    world.ended().await;
}

/// One reader more has one event more that it does not read: the first have room for a farewell, the
/// last have not even for their events, least of all the very last, and somewhere between them are
/// those whose events were all taken and whose farewell is not.
async fn readers_whose_sockets_are_full_hear_the_farewell_when_they_read_on(sink: Sink) {
    const READERS: usize = 80;
    // More than a socket and the rest of one delivery hold.
    const MOST: usize = 1_000;
    let mut world = World::start_with(Wish {
        stands_still: true,
        ..Wish::default()
    })
    .await;
    let events = |number| match number {
        _ if number == READERS - 1 => MOST,
        _ => number,
    };
    let mut readers = Vec::new();
    for number in 0..READERS {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a setting");
        let mut socket = socket.connect(world.address).await.expect("connects");
        let request = Request::get(&format!("/v1/stream?topics=project/{number}"));
        let request = request.bearer("reader").through(sink).to_bytes();
        socket.write_all(&request).await.expect("sent");
        readers.push(socket);
    }
    world.until_opened(READERS as u64).await;
    let data = "x".repeat(500);
    for number in 0..READERS {
        let event = format!(r#"{{"type":"t","topics":["project/{number}"],"data":"{data}"}}"#);
        let lines = vec![event; events(number)].join("\n");
        let publish = Request::post("/v1/events").bearer("writer");
        let publish = publish.body("application/x-ndjson", &lines);
        assert!(number == 0 || world.send(publish).await.status == 200);
    }
    world.ask_to_end();
    // All are asked at once, so the others have been asked as well.
    let told = async {
        while world.hub.figures().connections_closed == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, told).await.expect("the first are told");
    // All read at once: none has long for its farewell.
    let reading = readers.into_iter().map(|mut socket| async move {
        let mut bytes = Vec::new();
        let end = timeout(PATIENCE, socket.read_to_end(&mut bytes)).await;
        end.expect("in time").expect("closed and not reset");
        String::from_utf8(bytes).expect("text")
    });
    let mut told = 0;
    for (number, text) in join_all(reading).await.into_iter().enumerate() {
        told = text.matches("event: t\n").count();
        // For what comes behind a farewell, its reader comes back.
        assert!(told <= events(number), "{number}: {text}");
        assert!(text.contains("event: tidings.bye\n"), "{number}: {text}");
        assert!(text.ends_with("\n\n\r\n0\r\n\r\n"), "{number}: {text}");
    }
    if sink == Sink::Socket {
        assert!(told < MOST, "the last one's socket was full");
    }
    world.ended().await;
}

/// curl with a stream, and what is still to come of its output: its first line has.
async fn curl(arguments: Vec<String>) -> (Child, BufReader<std::process::ChildStdout>) {
    let started = spawn_blocking(move || {
        let mut child = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--no-buffer",
                "--max-time",
                "60",
            ])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`curl` is installed");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        assert_eq!(line, "event: tidings.hello\n");
        (child, output)
    });
    started.await.expect("curl starts")
}

/// Reads on until it has told the event.
async fn event(
    mut output: BufReader<std::process::ChildStdout>,
) -> BufReader<std::process::ChildStdout> {
    let told = spawn_blocking(move || {
        let mut line = String::new();
        while !line.contains(EVENT) {
            line.clear();
            let read = output.read_line(&mut line).expect("a line");
            assert!(read > 0, "the event");
        }
        output
    });
    told.await.expect("curl tells it")
}

/// What the rest of its output was, if it ended without a complaint.
async fn content(mut child: Child, mut output: BufReader<std::process::ChildStdout>) -> String {
    let ended = spawn_blocking(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).expect("text");
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{text}");
        text
    });
    ended.await.expect("curl ends")
}

async fn curl_is_content_with_the_end(sink: Sink) {
    let versions = match sink {
        Sink::Socket => &["--http1.1", "--http1.0"][..],
        Sink::Mailbox => &["--http1.1", "--http1.0", "--http2-prior-knowledge"],
    };
    for version in versions {
        let mut world = World::start().await;
        let mut arguments = vec![(*version).to_owned()];
        arguments.extend(["--header", "authorization: Bearer reader"].map(str::to_owned));
        if sink == Sink::Mailbox && !version.starts_with("--http2") {
            // A body keeps the stream in hyper, as HTTP/2 does by itself.
            arguments.extend(["--request", "GET", "--data", "-"].map(str::to_owned));
        }
        arguments.push(format!(
            "http://{}/v1/stream?topics=project/1",
            world.address
        ));
        let (child, output) = curl(arguments).await;
        world.publish("project/1", 1).await;
        let output = event(output).await;
        world.ask_to_end();
        assert_bye(&content(child, output).await);
        world.ended().await;
    }
}
