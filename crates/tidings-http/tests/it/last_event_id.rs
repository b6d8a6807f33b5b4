//! N13: whatever a client sends as its last event id.

use crate::client::{Answer, Request, exchange};
use crate::sinks::{Sink, for_each_sink};
use crate::world::World;

for_each_sink!(
    n13_an_unknown_id_is_a_gap_and_never_an_error,
    n13_bytes_that_are_no_text_are_a_foreign_id_or_no_header,
    n13_an_empty_id_is_none,
);

fn reader(sink: Sink) -> Request {
    let request = Request::get("/v1/stream?topics=project/1");
    request.bearer("reader").through(sink)
}

async fn n13_an_unknown_id_is_a_gap_and_never_an_error(sink: Sink) {
    let world = World::start().await;
    world.publish("project/1", 1).await;
    world.publish("project/1/other", 2).await;
    let head = world.hub.head();
    let epoch = head
        .to_string()
        .split('-')
        .nth(1)
        .expect("an epoch")
        .to_owned();
    let huge = "9".repeat(4_000);
    let ids = [
        "-1".to_owned(),
        "0".to_owned(),
        huge,
        "18446744073709551616-0000000007".to_owned(),
        "5-zzzzzzzzzz".to_owned(),
        format!("{}-{epoch}", u64::MAX),
        format!("99999-{epoch}"),
        format!("-5-{epoch}"),
        "b5-0000000007".to_owned(),
        "some-other-id".to_owned(),
        "../../etc/passwd".to_owned(),
        "a b\tc".to_owned(),
        "'; drop table events; --".to_owned(),
    ];
    for id in ids {
        let request = reader(sink);
        let mut stream = world.stream(request.header("last-event-id", &id)).await;
        assert_eq!(stream.head.status, 200, "{id:.40}");
        let hello = stream.next().await.expect("a block");
        assert_eq!(hello.json()["replay"], "gap", "{id:.40}");
        assert_eq!(hello.id, None, "{id:.40}");
        let gap = stream.next().await.expect("a block");
        assert_eq!(gap.kind, "tidings.gap", "{id:.40}");
        world.publish("project/1", 3).await;
        let event = stream.next_event().await;
        assert_eq!(event.json()["data"], 3, "{id:.40}");
    }
}

async fn n13_bytes_that_are_no_text_are_a_foreign_id_or_no_header(sink: Sink) {
    let world = World::start().await;
    for (id, is_header) in [
        (b"\xff\xfe\x80".as_slice(), true),
        (b"a\0b", false),
        (b"a\rb", false),
        (b"a\x1bb", false),
    ] {
        let request = reader(sink).header("last-event-id", "SLOT");
        let text = request.header("connection", "close").to_bytes();
        let at = text
            .windows(4)
            .position(|four| four == b"SLOT")
            .expect("the slot");
        let bytes = [&text[..at], id, &text[at + 4..]].concat();
        if is_header {
            let mut socket = tokio::net::TcpStream::connect(world.address)
                .await
                .expect("connects");
            tokio::io::AsyncWriteExt::write_all(&mut socket, &bytes)
                .await
                .expect("sent");
            let mut stream = crate::client::Stream::read_head(socket).await;
            assert_eq!(stream.head.status, 200);
            assert_eq!(stream.next().await.expect("hello").json()["replay"], "gap");
        } else {
            let answer = Answer::parse(&exchange(world.address, &bytes).await).expect("an answer");
            assert_eq!(answer.status, 400);
        }
    }
}

async fn n13_an_empty_id_is_none(sink: Sink) {
    let world = World::start().await;
    world.publish("project/1", 1).await;
    let request = Request::get("/v1/stream?topics=project/1&since=earliest");
    let request = request.bearer("reader").through(sink);
    let mut stream = world.stream(request.header("last-event-id", "")).await;
    assert_eq!(stream.next_event().await.json()["data"], 1);
}
