//! The client reads what the hub's own encoders write.

use std::sync::Arc;

use bytes::Bytes;
use tidings_client::{Incoming, Reading, poll::PageSize};
use tidings_core::audience::{Audience, Key};
use tidings_core::event::{Content, Event};
use tidings_core::event_type::EventType;
use tidings_core::gap::{Gap, GapReason};
use tidings_core::pattern::Pattern;
use tidings_core::port::{Control, Encoder, Farewell, Hello};
use tidings_core::position::Position;
use tidings_core::priority::Priority;
use tidings_core::start::Replay;
use tidings_core::time::Timestamp;
use tidings_wire::page::{self, PageFrame, Published};
use tidings_wire::problem::{Code, Problem};
use tidings_wire::sse::{JSON, NATIVE, SSE_ENVELOPE, WireEncoder};

use crate::hub::{ONE, STREAM, THREE, TWO, accept, hub};

fn at(cursor: &str) -> Position {
    cursor.parse().expect(cursor)
}

fn event() -> Event {
    Event {
        position: at(TWO),
        timestamp: Timestamp(1),
        content: Content {
            id: None,
            event_type: EventType::parse("chapter.created").expect("a type"),
            priority: Priority::High,
            source: Arc::from("tests"),
            audience: Audience::new(vec![Key::parse("project/42").expect("a key")]),
            data: Bytes::from(r#"{"n":1}"#),
            metadata: Bytes::new(),
        },
    }
}

fn gap() -> Gap {
    Gap {
        from: Some(at(ONE)),
        to: at(TWO),
        reason: GapReason::Purged,
    }
}

#[tokio::test]
async fn every_word_of_a_stream_is_understood() {
    let controls = [
        Control::Hello(Hello {
            connection_id: "c1".to_owned(),
            cursor: at(ONE),
            cursor_is_told: true,
            head: at(TWO),
            replay: Replay::Gap,
            narrowed: Some(vec![Pattern::parse("project/*").expect("a pattern")]),
            heartbeat_ms: 15_000,
            expires_at: Some(Timestamp(7)),
            server_time: Timestamp(1),
        }),
        Control::Ping {
            cursor: at(TWO),
            time: Timestamp(1),
        },
        Control::Reauth {
            expires_at: Timestamp(9),
        },
        Control::Bye {
            cursor: Some(at(THREE)),
            farewell: Farewell {
                code: "kicked",
                reason: "tests".to_owned(),
                retry_after_ms: None,
                spread_ms: 0,
                retry_ms: Some(1),
            },
        },
    ];
    let mut bytes = STREAM.as_bytes().to_vec();
    WireEncoder::default().event(SSE_ENVELOPE, &event(), Some(at(TWO)), &mut bytes);
    WireEncoder::default().gap(&gap(), &mut bytes);
    for control in &controls {
        WireEncoder::default().control(NATIVE, control, &mut bytes);
    }
    let text = String::from_utf8(bytes).expect("UTF-8");

    let (listener, client) = hub().await;
    let mut stream = client.stream(Reading::default());
    let script = async {
        let mut request = accept(&listener).await;
        request.say(&text).await;
        request
    };
    let read = async {
        let mut all = Vec::new();
        while let Some(incoming) = stream.next().await.expect("no error") {
            all.push(incoming);
        }
        all
    };
    let (all, _request) = tokio::join!(read, script);
    let [
        Incoming::Event(event),
        Incoming::Gap(gap),
        Incoming::Hello(hello),
        Incoming::Ping(ping),
        Incoming::Reauth(ends),
        Incoming::Bye(bye),
    ] = all.as_slice()
    else {
        panic!("not all were understood: {all:?}");
    };
    assert_eq!(
        (event.cursor, event.event_type.as_str()),
        (Some(at(TWO)), "chapter.created")
    );
    assert!(event.data.contains(r#""data":{"n":1}"#), "{}", event.data);
    assert_eq!((hello.head, hello.replay.as_str()), (at(TWO), "gap"));
    assert_eq!(
        hello.topics.as_deref(),
        Some(["project/*".to_owned()].as_slice())
    );
    assert_eq!(hello.expires_at, Some(Timestamp(7)));
    assert_eq!((gap.from, gap.reason.as_str()), (Some(at(ONE)), "purged"));
    assert_eq!((*ping, *ends), (Some(at(TWO)), Timestamp(9)));
    assert_eq!((bye.code.as_str(), bye.retry_after), ("kicked", None));
}

#[tokio::test]
async fn pages_and_answers_are_understood() {
    let mut events = Vec::new();
    WireEncoder::default().event(JSON, &event(), Some(at(TWO)), &mut events);
    let frame = PageFrame {
        cursor: at(THREE),
        more: true,
        gap: Some(gap()),
    };
    let mut body = Vec::new();
    page::push_page(&events, &frame, &mut body);
    let page_text = String::from_utf8(body).expect("UTF-8");

    let published = Published {
        id: "x".to_owned(),
        cursor: at(TWO),
        subscribers: None,
        duplicate: true,
    };
    let problem = Problem::new(Code::LogBusy, "busy").with_retry_after_ms(5);
    let mut body = Vec::new();
    page::push_published_line(1, Ok(&published), &mut body);
    page::push_published_line(2, Err(&problem), &mut body);
    let lines_text = String::from_utf8(body).expect("UTF-8");

    let (listener, client) = hub().await;
    let script = async {
        let mut request = accept(&listener).await;
        request.answer("200 OK", "", &page_text).await;
        let mut request = crate::hub::next_request(request.socket).await;
        let kind = format!("content-type: {}\r\n", page::NDJSON_CONTENT_TYPE);
        request.answer("200 OK", &kind, &lines_text).await;
        request
    };
    let ask = async {
        let page = client.poll(&Reading::default(), PageSize::default()).await;
        let lines = client.publish_ndjson(Bytes::from("{}\n{}\n")).await;
        (page.expect("a page"), lines.expect("lines"))
    };
    let ((page, answer), _request) = tokio::join!(ask, script);
    assert_eq!(
        (page.cursor, page.more, page.events.len()),
        (at(THREE), true, 1)
    );
    assert_eq!(page.events[0].cursor, Some(at(TWO)));
    assert_eq!(page.gap.expect("a gap").to, at(TWO));
    assert_eq!(answer.lines[0].outcome.as_ref(), Ok(&published));
    let refusal = answer.lines[1].outcome.as_ref().expect_err("refused");
    assert_eq!(
        (refusal.code.as_str(), refusal.is_transient()),
        ("log_busy", true)
    );
    assert!(refusal.retry_after.is_some());
}
