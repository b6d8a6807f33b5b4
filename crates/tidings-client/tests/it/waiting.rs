//! How long a stream waits, as far as it says so itself, and what ends a silent one.

use std::time::Duration;

use tidings_client::limits::REFUSAL_BYTES_MAX;
use tidings_client::{Client, Incoming, Options, Reading, Stream};

use crate::hub::{STREAM, TWO, accept, event, hello, hub};

async fn next(stream: &mut Stream) -> Incoming {
    stream.next().await.expect("no error").expect("not over")
}

async fn retry_in(stream: &mut Stream) -> Duration {
    match next(stream).await {
        Incoming::Interrupted { retry_in, .. } => retry_in,
        other => panic!("no interruption: {other:?}"),
    }
}

#[tokio::test]
async fn a_retry_line_is_the_least_wait_and_a_new_connection_forgets_it() {
    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading::default());
    let script = async {
        let mut first = accept(&listener).await;
        first
            .say(&format!("{STREAM}retry: 20\n{}", hello(15_000)))
            .await;
        drop(first);
        let mut second = accept(&listener).await;
        second.say(&format!("{STREAM}{}", hello(15_000))).await;
        drop(second);
    };
    let read = async {
        next(&mut stream).await;
        assert!(retry_in(&mut stream).await >= Duration::from_millis(20));
        next(&mut stream).await;
        assert!(retry_in(&mut stream).await <= Duration::from_millis(2));
    };
    tokio::join!(read, script);
}

#[tokio::test]
async fn a_refusal_for_now_is_waited_out() {
    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading::default());
    // Of what is too long to be read only the status counts.
    let padded = |length: usize| {
        let problem = r#"{"detail":"away","retryAfterMs":9}"#;
        problem.to_owned() + &" ".repeat(length - problem.len())
    };
    let (just_read, too_many_words) = (padded(REFUSAL_BYTES_MAX), padded(REFUSAL_BYTES_MAX + 1));
    let script = async {
        for (status, headers, body) in [
            (
                "503 Service Unavailable",
                "",
                r#"{"detail":"full","retryAfterMs":7}"#,
            ),
            ("429 Too Many Requests", "retry-after: 0\r\n", ""),
            ("500 Internal Server Error", "", ""),
            ("502 Bad Gateway", "", just_read.as_str()),
            ("502 Bad Gateway", "", too_many_words.as_str()),
        ] {
            accept(&listener).await.answer(status, headers, body).await;
        }
        let mut open = accept(&listener).await;
        open.say(&format!("{STREAM}{}", hello(15_000))).await;
    };
    let read = async {
        assert!(retry_in(&mut stream).await >= Duration::from_millis(7));
        for _ in 0..2 {
            retry_in(&mut stream).await;
        }
        assert!(retry_in(&mut stream).await >= Duration::from_millis(9));
        assert!(retry_in(&mut stream).await <= Duration::from_millis(2));
        assert!(matches!(next(&mut stream).await, Incoming::Hello(_)));
    };
    tokio::join!(read, script);
}

#[tokio::test]
async fn a_silent_stream_is_given_up_after_three_heartbeats() {
    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading::default());
    let mut first = {
        let open = async {
            let mut first = accept(&listener).await;
            first.say(&format!("{STREAM}{}", hello(5))).await;
            first
        };
        let (incoming, first) = tokio::join!(next(&mut stream), open);
        assert!(matches!(incoming, Incoming::Hello(_)));
        first
    };
    // The first connection stays open, and says nothing.
    let Incoming::Interrupted { cause, .. } = next(&mut stream).await else {
        panic!("not given up");
    };
    assert!(cause.contains("15ms"), "{cause}");
    let read_on = async {
        loop {
            next(&mut stream).await;
        }
    };
    tokio::select! {
        () = read_on => {}
        second = accept(&listener) => assert!(second.header("last-event-id").is_some()),
    }
    let mut rest = Vec::new();
    let gone = tokio::io::AsyncReadExt::read_to_end(&mut first.socket, &mut rest).await;
    assert!(gone.is_err() || rest.is_empty(), "the client left it");
}

#[tokio::test]
async fn a_farewell_with_a_time_is_followed_and_one_without_ends_the_stream() {
    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading::default());
    let bye = |retry: &str| {
        format!(
            "retry: 600000\nevent: tidings.bye\ndata: {{\"code\":\"drain\",\"reason\":\"r\",\
             \"retryAfterMs\":{retry},\"spreadMs\":3}}\nid: {TWO}\n\n"
        )
    };
    let script = async {
        let mut first = accept(&listener).await;
        first
            .say(&format!("{STREAM}{}{}", hello(15_000), bye("1")))
            .await;
        let mut second = accept(&listener).await;
        assert_eq!(second.header("last-event-id").as_deref(), Some(TWO));
        second.say(&format!("{STREAM}{}", bye("null"))).await;
        (first, second)
    };
    let read = async {
        assert!(matches!(next(&mut stream).await, Incoming::Hello(_)));
        for expected in [Some(Duration::from_millis(1)), None] {
            let Incoming::Bye(bye) = next(&mut stream).await else {
                panic!("no farewell");
            };
            assert_eq!((bye.code.as_str(), bye.retry_after), ("drain", expected));
        }
        assert!(stream.next().await.expect("no error").is_none());
        assert!(stream.next().await.expect("still none").is_none());
    };
    let ((), _connections) = tokio::join!(read, script);
}

#[tokio::test]
async fn a_hub_that_greets_and_says_farewell_again_and_again_is_asked_ever_later() {
    /// Waits double with each, from next to nothing to some milliseconds.
    const FAREWELLS: usize = 24;
    let (listener, _) = hub().await;
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let base = Duration::from_nanos(1);
    let options = Options {
        backoff_base: base,
        ..Options::default()
    };
    let client = Client::with_options(&url, None, options).expect("a client");
    let mut stream = client.stream(Reading::default());
    let script = async {
        let greeting = format!("{STREAM}{}", hello(15_000));
        for _ in 0..FAREWELLS {
            let bye = "event: tidings.bye\ndata: {\"code\":\"drain\",\"reason\":\"r\",\
                       \"retryAfterMs\":0,\"spreadMs\":0}\n\n";
            let mut request = accept(&listener).await;
            request.say(&format!("{greeting}{bye}")).await;
        }
        for said in [String::new(), event(TWO, "two")] {
            let mut request = accept(&listener).await;
            request.say(&format!("{greeting}{said}")).await;
        }
    };
    let read = async {
        for _ in 0..FAREWELLS {
            assert!(matches!(next(&mut stream).await, Incoming::Hello(_)));
            assert!(matches!(next(&mut stream).await, Incoming::Bye(_)));
        }
        assert!(matches!(next(&mut stream).await, Incoming::Hello(_)));
        // A random part of millions of times what a second failure would wait.
        let waits = retry_in(&mut stream).await;
        assert!(waits > base * 2, "{waits:?}");
        assert!(matches!(next(&mut stream).await, Incoming::Hello(_)));
        assert!(matches!(next(&mut stream).await, Incoming::Event(_)));
        // What gives events works, and its next failure is a first one.
        let waits = retry_in(&mut stream).await;
        assert!(waits <= base, "{waits:?}");
    };
    tokio::join!(read, script);
}

#[tokio::test]
async fn a_hub_that_is_away_is_waited_for() {
    let (listener, client) = hub().await;
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let mut stream = client.stream(Reading::default());
    let Incoming::Interrupted { cause, .. } = next(&mut stream).await else {
        panic!("nobody listens");
    };
    assert!(cause.contains(&address.to_string()), "{cause}");
}
