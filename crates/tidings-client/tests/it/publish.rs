//! Publishing, and what the answers come to.

use std::io::ErrorKind;

use bytes::Bytes;
use serde_json::json;
use tidings_client::RequestError;
use tidings_client::limits::{ANSWER_BYTES_MAX, IDLE_CONNECTIONS_MAX};
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

use crate::hub::{ONE, TWO, accept, hub, next_request};

const LINES: &str = "content-type: application/x-ndjson\r\n";

#[tokio::test]
async fn an_event_is_published_and_its_answer_read() {
    let (listener, client) = hub().await;
    let script = async {
        let mut request = accept(&listener).await;
        assert!(request.head.starts_with("post /v1/events http/1.1\r\n"));
        assert_eq!(
            request.header("content-type").as_deref(),
            Some("application/json")
        );
        assert_eq!(request.body, br#"{"type":"a"}"#);
        let body = format!(r#"{{"id":"{ONE}","cursor":"{ONE}","subscribers":null}}"#);
        request.answer("200 OK", "", &body).await;
        // The same connection serves the next request.
        let mut request = next_request(request.socket).await;
        let body = format!(r#"{{"id":"x","cursor":"{TWO}","subscribers":3,"duplicate":true}}"#);
        request.answer("200 OK", "", &body).await;
        request
    };
    let publish = async {
        let first = client
            .publish_json(&json!({"type": "a"}))
            .await
            .expect("published");
        assert_eq!(
            (first.id.as_str(), first.subscribers, first.duplicate),
            (ONE, None, false)
        );
        let second = client
            .publish_json(&json!({"type": "a"}))
            .await
            .expect("published");
        assert_eq!(second.cursor.to_string(), TWO);
        assert_eq!((second.subscribers, second.duplicate), (Some(3), true));
    };
    let ((), _request) = tokio::join!(publish, script);
}

#[tokio::test]
async fn lines_are_answered_one_by_one_whatever_the_status() {
    let (listener, client) = hub().await;
    let script = async {
        let mut request = accept(&listener).await;
        assert_eq!(
            request.header("content-type").as_deref(),
            Some("application/x-ndjson")
        );
        let body = format!(
            "{{\"line\":1,\"error\":{{\"status\":400,\"code\":\"invalid_json\",\"detail\":\"d\"}}}}\n\
             {{\"line\":3,\"id\":\"x\",\"cursor\":\"{ONE}\",\"subscribers\":0}}\n\
             {{\"accepted\":1,\"line\":4,\"error\":{{\"status\":503,\"code\":\"log_busy\",\
             \"detail\":\"busy\",\"retryAfterMs\":9}}}}\n"
        );
        request.answer("400 Bad Request", LINES, &body).await;
    };
    let (answer, ()) = tokio::join!(client.publish_ndjson(Bytes::from("x\n")), script);
    let answer = answer.expect("lines");
    assert_eq!(answer.lines.len(), 2);
    let refusal = answer.lines[0].outcome.as_ref().expect_err("refused");
    assert_eq!(
        (answer.lines[0].line, refusal.code.as_str()),
        (1, "invalid_json")
    );
    assert!(!refusal.is_transient());
    let published = answer.lines[1].outcome.as_ref().expect("published");
    assert_eq!((answer.lines[1].line, published.id.as_str()), (3, "x"));
    let stopped = answer.stopped.expect("stopped");
    assert_eq!((stopped.line, stopped.accepted), (4, 1));
    assert!(stopped.refusal.is_transient() && stopped.refusal.retry_after.is_some());
}

#[tokio::test]
async fn a_refusal_of_the_whole_body_is_an_error() {
    let (listener, client) = hub().await;
    let script = async {
        let mut request = accept(&listener).await;
        request
            .answer("401 Unauthorized", "", r#"{"code":"invalid_token"}"#)
            .await;
    };
    let (answer, ()) = tokio::join!(client.publish_ndjson(Bytes::new()), script);
    let error = answer.expect_err("refused");
    assert!(!error.is_transient());
    assert!(matches!(error, RequestError::Refused(refusal) if refusal.code == "invalid_token"));
}

#[tokio::test]
async fn a_kept_connection_that_the_hub_closed_is_replaced() {
    let (listener, client) = hub().await;
    let answer = format!(r#"{{"id":"x","cursor":"{ONE}","subscribers":0}}"#);
    let event = json!({"type": "a"});
    let script = async {
        let mut request = accept(&listener).await;
        request.answer("200 OK", "", &answer).await;
        drop(request);
    };
    let (published, ()) = tokio::join!(client.publish_json(&event), script);
    published.expect("published");
    // The client may learn of the end before or after it writes; either way it must not hang.
    let again = async {
        let mut outcome = client.publish_json(&event).await;
        if outcome.is_err() {
            outcome = client.publish_json(&event).await;
        }
        outcome.expect("published on a new connection")
    };
    let script = async {
        accept(&listener).await.answer("200 OK", "", &answer).await;
    };
    tokio::join!(again, script);
}

#[tokio::test]
async fn only_so_many_idle_connections_are_kept() {
    let (listener, client) = hub().await;
    let answer = format!(r#"{{"id":"x","cursor":"{ONE}","subscribers":0}}"#);
    let mut publishers = JoinSet::new();
    for _ in 0..=IDLE_CONNECTIONS_MAX {
        let client = client.clone();
        publishers.spawn(async move { client.publish_json(&json!({"type": "a"})).await });
    }
    // Each publisher has a connection of its own before any of them is answered.
    let mut requests = Vec::new();
    for _ in 0..=IDLE_CONNECTIONS_MAX {
        requests.push(accept(&listener).await);
    }
    for request in &mut requests {
        request.answer("200 OK", "", &answer).await;
    }
    for published in publishers.join_all().await {
        published.expect("published");
    }
    let mut closed = JoinSet::new();
    for mut request in requests {
        closed.spawn(async move { request.socket.read_u8().await });
    }
    let first = closed.join_next().await.expect("one").expect("no panic");
    assert_eq!(first.expect_err("closed").kind(), ErrorKind::UnexpectedEof);
    assert!(closed.try_join_next().is_none(), "the others are kept");
    drop(client);
}

#[tokio::test]
async fn a_lost_connection_is_an_error_that_is_worth_another_try() {
    let (listener, client) = hub().await;
    let event = json!({});
    let script = async { drop(accept(&listener).await) };
    let (outcome, ()) = tokio::join!(client.publish_json(&event), script);
    let error = outcome.expect_err("lost");
    assert!(matches!(error, RequestError::Broken { .. }), "{error:?}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let (listener, client) = hub().await;
    let event = json!({});
    let script = async {
        let mut request = accept(&listener).await;
        let length = ANSWER_BYTES_MAX + 1;
        request
            .say(&format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n"
            ))
            .await;
        let piece = "x".repeat(64 * 1024);
        loop {
            use tokio::io::AsyncWriteExt;
            if request.socket.write_all(piece.as_bytes()).await.is_err() {
                break;
            }
        }
    };
    let (outcome, ()) = tokio::join!(client.publish_json(&event), script);
    let error = outcome.expect_err("too large").to_string();
    assert!(
        error.contains(&format!("more than {ANSWER_BYTES_MAX} bytes")),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_as_large_as_allowed_is_read() {
    let (listener, client) = hub().await;
    let event = json!({});
    let mut answer = format!("{{\"id\":\"{ONE}\",\"cursor\":\"{ONE}\",\"subscribers\":0}}");
    answer += &" ".repeat(ANSWER_BYTES_MAX - answer.len());
    let script = async {
        accept(&listener).await.answer("200 OK", "", &answer).await;
    };
    let (outcome, ()) = tokio::join!(client.publish_json(&event), script);
    assert_eq!(outcome.expect("an answer").id, ONE);
}
