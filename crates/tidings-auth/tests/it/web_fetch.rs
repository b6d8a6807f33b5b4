//! The hub's own requests: to where they were sent, and no further, for as long as they may take.

use std::time::Duration;

use tidings_auth::address::{Address, PlainHttp};
use tidings_auth::fetch::{Fetch, FetchAnswer, FetchError, FetchMethod, FetchRequest};
use tidings_auth::web_fetch::WebFetch;

use crate::key_server::{Answer, KeyServer};

async fn fetch(request: FetchRequest) -> Result<FetchAnswer, FetchError> {
    WebFetch::new().expect("a client").fetch(request).await
}

fn get(url: &str) -> FetchRequest {
    FetchRequest {
        method: FetchMethod::Get,
        address: Address::parse(url, PlainHttp::Loopback).expect("an address"),
        headers: Vec::new(),
        timeout: Duration::from_secs(30),
        body_bytes_max: 1_000,
    }
}

#[tokio::test]
async fn an_answer_comes_back_whatever_its_status() {
    let server = KeyServer::new("hello");
    for status in [200, 404, 500] {
        server.answers(Answer::Plain(status, "hello".to_owned()));
        let mut request = get(&server.url());
        request.method = FetchMethod::Post;
        request.headers = vec![("x-test".to_owned(), b"\xe9t\xe9".to_vec())];
        let answer = fetch(request).await.expect("an answer");
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (status, &b"hello"[..])
        );
        let length = ("content-length".to_owned(), "5".to_owned());
        assert!(answer.headers.contains(&length));
    }
    let head = server.heads().remove(0);
    assert!(head.starts_with("post /keys "), "{head}");
    assert!(head.contains("content-length: 0\r\n"), "{head}");
    assert!(head.contains("x-test: "), "{head}");
}

#[tokio::test]
async fn a8_a_redirect_is_an_answer_and_not_an_errand() {
    let elsewhere = KeyServer::new("{}");
    let server = KeyServer::new("");
    server.answers(Answer::Redirect(elsewhere.url()));
    let answer = fetch(get(&server.url())).await.expect("an answer");
    assert_eq!(answer.status, 302);
    assert_eq!((server.requests(), elsewhere.requests()), (1, 0));
}

#[tokio::test]
async fn a8_a_body_is_read_up_to_its_limit() {
    let server = KeyServer::new(&"x".repeat(1_000));
    let answer = fetch(get(&server.url())).await.expect("as much as allowed");
    assert_eq!(answer.body.len(), 1_000);
    server.publishes(&"x".repeat(1_001));
    assert_eq!(
        fetch(get(&server.url())).await,
        Err(FetchError::TooLarge(1_000))
    );
    server.answers(Answer::Endless(10 * 1024 * 1024));
    assert_eq!(
        fetch(get(&server.url())).await,
        Err(FetchError::TooLarge(1_000))
    );
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a8_a_server_that_stalls_in_the_middle_is_given_up() {
    let server = KeyServer::new("");
    server.answers(Answer::Stalled);
    let mut request = get(&server.url());
    request.timeout = Duration::from_millis(200);
    // On a busy machine the time may be over before the request has come.
    while server.requests() == 0 {
        let failure = fetch(request.clone()).await;
        let failure = failure.expect_err("nothing more came");
        assert_eq!(failure, FetchError::TimedOut(Duration::from_millis(200)));
    }
}

#[tokio::test]
async fn a12_no_failure_shows_what_was_sent() {
    let server = KeyServer::new("");
    server.answers(Answer::Down);
    let secret = "CANARY";
    let mut request = get(&format!("{}?{secret}", server.url()));
    request.headers = vec![("cookie".to_owned(), secret.as_bytes().to_vec())];
    let failure = fetch(request.clone()).await.expect_err("it is down");
    assert!(!failure.to_string().contains(secret), "{failure}");
    request.headers = vec![("bad name".to_owned(), secret.as_bytes().to_vec())];
    let failure = fetch(request).await.expect_err("no header");
    assert!(!format!("{failure:?}").contains(secret), "{failure}");
}
