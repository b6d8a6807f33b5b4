//! Going on after a loss, exactly where the last complete block ended.

use tidings_client::{Incoming, Reading, Stream};
use tidings_core::event_type::TypeGlob;
use tidings_core::pattern::Pattern;

use crate::hub::{ONE, Request, STREAM, THREE, TWO, accept, event, hello, hub};

async fn next(stream: &mut Stream) -> Incoming {
    stream.next().await.expect("no error").expect("not over")
}

async fn next_data(stream: &mut Stream) -> String {
    match next(stream).await {
        Incoming::Event(event) => event.data,
        other => panic!("no event: {other:?}"),
    }
}

async fn interrupted(stream: &mut Stream) -> String {
    match next(stream).await {
        Incoming::Interrupted { cause, .. } => cause,
        other => panic!("no interruption: {other:?}"),
    }
}

#[tokio::test]
async fn a_request_says_what_is_asked_and_who_asks() {
    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading {
        topics: vec![Pattern::parse("project/*").expect("a pattern")],
        types: vec![TypeGlob::parse("chapter.*").expect("a glob")],
        since: Some("10m".to_owned()),
        without_audience: false,
    });
    let script = async {
        let mut request = accept(&listener).await;
        assert_eq!(
            request.target(),
            "/v1/stream?topics=project/*&events=chapter.*&since=10m"
        );
        assert_eq!(
            request.header("authorization").as_deref(),
            Some("bearer the.to.ken")
        );
        assert_eq!(
            request.header("accept").as_deref(),
            Some("text/event-stream")
        );
        let host = listener.local_addr().expect("bound").to_string();
        assert_eq!(request.header("host"), Some(host));
        assert_eq!(request.header("last-event-id"), None);
        request.say(&format!("{STREAM}{}", hello(15_000))).await;
        request
    };
    let (incoming, _request) = tokio::join!(next(&mut stream), script);
    let Incoming::Hello(hello) = incoming else {
        panic!("no hello: {incoming:?}");
    };
    assert_eq!(hello.cursor.to_string(), ONE);
    assert_eq!(hello.connection_id, "c1");
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_block_resumes_after_the_last_complete_one() {
    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading::default());
    let script = async {
        let mut first = accept(&listener).await;
        let whole = format!("{STREAM}{}{}", hello(15_000), event(TWO, "two"));
        let cut = event(THREE, "three");
        first.say(&whole).await;
        // Everything but the empty line that completes the block.
        first.say(&cut[..cut.len() - 1]).await;
        drop(first);

        let mut second = accept(&listener).await;
        assert_eq!(second.header("last-event-id").as_deref(), Some(TWO));
        second.say(&format!("{STREAM}{}{cut}", hello(15_000))).await;
        drop(second);

        // A hello that carries an id sets it too, and the block after it moves it on.
        let third = accept(&listener).await;
        assert_eq!(third.header("last-event-id").as_deref(), Some(THREE));
    };
    let read = async {
        assert!(matches!(next(&mut stream).await, Incoming::Hello(_)));
        assert_eq!(next_data(&mut stream).await, "two");
        interrupted(&mut stream).await;
        assert!(matches!(next(&mut stream).await, Incoming::Hello(_)));
        assert_eq!(next_data(&mut stream).await, "three");
        interrupted(&mut stream).await;
        interrupted(&mut stream).await;
    };
    tokio::join!(read, script);
}

#[tokio::test]
async fn ids_without_data_and_pings_move_the_place_on() {
    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading::default());
    let script = async {
        let mut first = accept(&listener).await;
        first.say(&format!("{STREAM}{}", hello(15_000))).await;
        first
            .say(&format!(
                "id: {TWO}\n\n: comment\n\nevent: tidings.later\ndata: x\n\n"
            ))
            .await;
        drop(first);
        let mut second = accept(&listener).await;
        assert_eq!(second.header("last-event-id").as_deref(), Some(TWO));
        let ping = format!("event: tidings.ping\ndata: {{\"time\":1}}\nid: {THREE}\n\n");
        let gap = format!(
            "event: tidings.gap\ndata: {{\"from\":null,\"to\":\"{THREE}\",\"reason\":\"retention\"}}\n\n"
        );
        second.say(&format!("{STREAM}{ping}{gap}")).await;
        drop(second);
        let third = accept(&listener).await;
        assert_eq!(third.header("last-event-id").as_deref(), Some(THREE));
    };
    let read = async {
        assert!(matches!(next(&mut stream).await, Incoming::Hello(_)));
        interrupted(&mut stream).await;
        assert_eq!(next(&mut stream).await, Incoming::Ping(THREE.parse().ok()));
        let Incoming::Gap(gap) = next(&mut stream).await else {
            panic!("no gap");
        };
        assert_eq!((gap.from, gap.reason.as_str()), (None, "retention"));
        interrupted(&mut stream).await;
        interrupted(&mut stream).await;
    };
    tokio::join!(read, script);
}

#[tokio::test]
async fn what_the_hub_repeats_is_not_filtered() {
    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading::default());
    let script = async {
        let mut request: Request = accept(&listener).await;
        let twice = event(TWO, "two").repeat(2);
        request.say(&format!("{STREAM}{twice}")).await;
        request
    };
    let read = async {
        assert_eq!(next_data(&mut stream).await, "two");
        assert_eq!(next_data(&mut stream).await, "two");
    };
    let ((), _request) = tokio::join!(read, script);
}

#[tokio::test]
async fn a_reader_that_gives_up_waiting_loses_nothing() {
    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading::default());
    let mut connection = {
        let open = async {
            let mut request = accept(&listener).await;
            request.say(&format!("{STREAM}{}", hello(15_000))).await;
            request
        };
        let (incoming, request) = tokio::join!(next(&mut stream), open);
        assert!(matches!(incoming, Incoming::Hello(_)));
        request
    };
    for data in ["two", "three"] {
        // Nothing is there yet, so the wait is given up at once.
        tokio::select! {
            biased;
            incoming = stream.next() => panic!("too early: {incoming:?}"),
            () = std::future::ready(()) => {}
        }
        connection.say(&event(TWO, data)).await;
        assert_eq!(next_data(&mut stream).await, data);
    }
}
