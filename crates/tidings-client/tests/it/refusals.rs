//! What ends a stream for good.

use tidings_client::{Incoming, Reading, RequestError};

use crate::hub::{STREAM, accept, event, hub};

#[tokio::test]
async fn a_refusal_for_good_ends_the_stream() {
    for status in [
        "204 No Content",
        "301 Moved Permanently",
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
    ] {
        let (listener, client) = hub().await;
        let mut stream = client.stream(Reading::default());
        let script = async {
            let mut request = accept(&listener).await;
            let body = if status.starts_with("204") {
                ""
            } else {
                r#"{"code":"not_granted","detail":"no grant","hint":"ask for one"}"#
            };
            request.answer(status, "", body).await;
        };
        let (ended, ()) = tokio::join!(stream.next(), script);
        let Err(RequestError::Refused(refusal)) = ended else {
            panic!("{status}: {ended:?}");
        };
        assert!(status.starts_with(&refusal.status.to_string()), "{refusal}");
        let over = stream.next().await.expect("no second error");
        assert!(over.is_none(), "{status}");
    }
}

#[tokio::test]
async fn something_that_is_no_hub_ends_the_stream() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n".to_owned(),
        format!("{STREAM}event: tidings.hello\ndata: {{}}\n\n"),
        format!("{STREAM}event: tidings.gap\ndata: nonsense\n\n"),
    ] {
        let (listener, client) = hub().await;
        let mut stream = client.stream(Reading::default());
        let script = async {
            let mut request = accept(&listener).await;
            request.say(&answer).await;
            request
        };
        let (ended, _request) = tokio::join!(stream.next(), script);
        assert!(
            matches!(ended, Err(RequestError::NotAHub { .. })),
            "{ended:?}"
        );
    }
}

#[tokio::test]
async fn a_block_without_end_ends_the_stream_after_what_came_before() {
    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading::default());
    let script = async {
        let mut request = accept(&listener).await;
        request
            .say(&format!("{STREAM}{}", event("1-k3x9f2m4q7", "one")))
            .await;
        let line = format!("data: {}\n", "x".repeat(64 * 1024));
        loop {
            use tokio::io::AsyncWriteExt;
            // The client goes away at some point, which is the point.
            if request.socket.write_all(line.as_bytes()).await.is_err() {
                break;
            }
        }
    };
    let read = async {
        assert!(matches!(stream.next().await, Ok(Some(Incoming::Event(_)))));
        let ended = stream.next().await;
        assert!(
            matches!(ended, Err(RequestError::NotAHub { .. })),
            "{ended:?}"
        );
        drop(stream);
    };
    tokio::join!(read, script);
}
