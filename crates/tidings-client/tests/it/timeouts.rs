//! A hub that does not answer, or cannot be reached, is not waited for without end.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tidings_client::poll::PageSize;
use tidings_client::{Client, Incoming, Options, Reading, RequestError};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Far beyond what a slow machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

const SHORT: Duration = Duration::from_millis(20);

fn client_of(address: SocketAddr, options: Options) -> Client {
    Client::with_options(&format!("http://{address}"), None, options).expect("a client")
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_given_up() {
    // Nobody accepts: the system takes the connections, and what is written into them.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let options = Options {
        answer_timeout: SHORT,
        ..Options::default()
    };
    let client = client_of(silent.local_addr().expect("bound"), options);
    let within = |error| match error {
        RequestError::Timeout { within, .. } => within,
        other => panic!("not given up: {other:?}"),
    };
    let event = json!({});
    let published = timeout(PATIENCE, client.publish_json(&event)).await;
    let error = published.expect("soon").expect_err("no answer");
    assert_eq!(within(error), SHORT);

    let size = PageSize {
        limit: None,
        wait: Some(SHORT),
    };
    let reading = Reading::default();
    let page = timeout(PATIENCE, client.poll(&reading, size)).await;
    let error = page.expect("soon").expect_err("no answer");
    assert_eq!(within(error), SHORT * 2, "beyond what the hub may wait");

    let mut stream = client.stream(Reading::default());
    let first = timeout(PATIENCE, stream.next()).await.expect("soon");
    let Ok(Some(Incoming::Interrupted { cause, .. })) = first else {
        panic!("not given up: {first:?}");
    };
    assert!(cause.contains("20ms"), "{cause}");
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_is_given_up() {
    // A listener with room for next to nobody: once it is full, the system lets others wait.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    let full = socket.listen(1).expect("listens");
    let address = full.local_addr().expect("bound");
    let mut filling = JoinSet::new();
    for _ in 0..4 {
        filling.spawn(tokio::net::TcpStream::connect(address));
    }
    let mut taken = Vec::new();
    while let Ok(Some(one)) = timeout(SHORT, filling.join_next()).await {
        taken.push(one);
    }
    assert!(taken.len() < 4, "there was room for all");
    let options = Options {
        connect_timeout: SHORT,
        ..Options::default()
    };
    let client = client_of(address, options);
    let event = json!({});
    let published = timeout(PATIENCE / 2, client.publish_json(&event)).await;
    match published.expect("soon").expect_err("no connection") {
        RequestError::Connect { cause, .. } => assert_eq!(cause.kind(), ErrorKind::TimedOut),
        other => panic!("not given up: {other:?}"),
    }
}
