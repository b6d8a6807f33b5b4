//! Reading page by page.

use std::time::Duration;

use tidings_client::{Reading, RequestError, poll::PageSize};

use crate::hub::{ONE, TWO, accept, hub};

#[tokio::test]
async fn a_page_is_read_with_its_cursor_and_gap() {
    let (listener, client) = hub().await;
    let envelope = format!(r#"{{"id":"x","type":"a","data":{{"n": 1}},"cursor":"{ONE}"}}"#);
    let script = async {
        let mut request = accept(&listener).await;
        assert_eq!(
            request.target(),
            "/v1/events?since=earliest&limit=5&wait=25000ms"
        );
        let gap = format!(r#"{{"from":null,"to":"{ONE}","reason":"retention"}}"#);
        let body = format!(r#"{{"events":[{envelope}],"cursor":"{TWO}","more":true,"gap":{gap}}}"#);
        request.answer("200 OK", "", &body).await;
    };
    let reading = Reading {
        since: Some("earliest".to_owned()),
        ..Reading::default()
    };
    let size = PageSize {
        limit: Some(5),
        wait: Some(Duration::from_secs(25)),
    };
    let (page, ()) = tokio::join!(client.poll(&reading, size), script);
    let page = page.expect("a page");
    assert_eq!((page.cursor.to_string().as_str(), page.more), (TWO, true));
    assert_eq!(page.events[0].data, envelope);
    assert_eq!(page.events[0].cursor.expect("a cursor").to_string(), ONE);
    assert_eq!(page.gap.expect("a gap").reason, "retention");
}

#[tokio::test]
async fn something_else_than_a_page_is_an_error() {
    let (listener, client) = hub().await;
    let reading = Reading::default();
    let script = async {
        accept(&listener).await.answer("200 OK", "", "[]").await;
    };
    let (page, ()) = tokio::join!(client.poll(&reading, PageSize::default()), script);
    let error = page.expect_err("no page");
    assert!(matches!(error, RequestError::NotAHub { .. }), "{error:?}");
}
