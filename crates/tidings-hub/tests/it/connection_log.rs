//! Log lines about connections: who comes, who goes, how many are left, and what nobody reads.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tidings_core::start::Start;
use tidings_hub::{Introduce, Introduction, OpenRequest};
use tidings_testkit::PATIENCE_S;
use tracing_subscriber::fmt::MakeWriter;

use crate::fixture::{Fixture, number_event, page_request, request};

/// Keeps everything that is logged at the default level; of the whole binary.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("the log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::INFO)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("the only one");
        log
    })
}

impl Log {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("the log").clone();
        String::from_utf8(bytes).expect("text")
    }

    /// The lines with these words, once there are so many.
    async fn lines(&self, words: &str, count: usize) -> Vec<String> {
        let find = || {
            let text = self.text();
            let lines = text.lines().filter(|line| line.contains(words));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let said = async {
            while find().len() < count {
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(PATIENCE_S), said).await;
        assert!(
            in_time.is_ok(),
            "not {count} lines with `{words}`: {}",
            self.text()
        );
        find()
    }
}

/// A stream of somebody who is introduced.
fn introduced(patterns: &[&str], start: Start) -> OpenRequest {
    let words = || Introduction {
        profile: "portal".to_owned(),
        request: "a-request".to_owned(),
        client: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    };
    OpenRequest {
        introduce: Some(Introduce::new(words)),
        ..request(patterns, start)
    }
}

#[track_caller]
fn has(line: &str, fields: &[&str]) {
    for field in fields {
        assert!(line.contains(field), "no `{field}` in {line}");
    }
}

#[tokio::test]
async fn who_comes_and_goes_is_a_line_each_with_how_many_are_left() {
    let (log, fixture) = (log(), Fixture::new());
    let open = async |patterns: &[&str]| {
        let opened = fixture.open(introduced(patterns, Start::Now)).await;
        opened.expect("opened")
    };
    let first = open(&["lines/a"]).await;
    let id = first.reader.connection_id().to_string();
    let lines = log.lines("topic=\"lines/a\"", 1).await;
    has(
        &lines[0],
        &[
            "INFO",
            "connection added",
            &format!("connection={id} "),
            "topics=1",
            "remaining=1",
            "subject=\"reader\"",
            "profile=\"portal\"",
            "client=192.0.2.1",
            "request=\"a-request\"",
            "resume=\"none\"",
        ],
    );
    let second = open(&["other/b", "lines/a"]).await;
    let lines = log.lines("topic=\"lines/a\"", 2).await;
    has(&lines[1], &["connection added", "topics=2", "remaining=2"]);
    let pattern = open(&["lines/*"]).await;
    let lines = log.lines("topic=\"lines/*\"", 1).await;
    // One reads by this pattern, three read what it matches.
    has(&lines[0], &["connection added", "remaining=1"]);
    fixture.publish(number_event("lines/a", 1)).await;
    for (mut reader, topics, left) in [(first, 1, 2), (second, 2, 1)] {
        assert!(reader.word().await.starts_with("hello"));
        reader.expect(1..2).await;
        drop(reader);
        let words = format!("topic=\"lines/a\" topics={topics} remaining={left} ");
        let words = format!("{words}subject=\"reader\" cause=\"left\"");
        let lines = log.lines(&words, 1).await;
        has(
            &lines[0],
            &["connection removed", "open_ms=", "events=1", "bytes="],
        );
    }
    drop(pattern);
    let lines = log.lines("topic=\"lines/*\"", 2).await;
    has(
        &lines[1],
        &["connection removed", "remaining=0", "events=0"],
    );
}

#[tokio::test]
async fn what_of_the_past_a_reader_gets_is_told_and_pages_are_not() {
    let (log, fixture) = (log(), Fixture::new());
    fixture.publish(number_event("resumes/a", 1)).await;
    let page = OpenRequest {
        introduce: None,
        ..page_request(&["resumes/a"], Start::Earliest, 10, 0)
    };
    fixture.page(page).await;
    let _complete = fixture
        .open(introduced(&["resumes/a"], Start::Earliest))
        .await;
    let lines = log.lines("topic=\"resumes/a\"", 1).await;
    has(&lines[0], &["connection added", "resume=\"complete\""]);
    let _gap = fixture
        .open(introduced(&["resumes/a"], Start::Foreign))
        .await;
    let lines = log.lines("topic=\"resumes/a\"", 2).await;
    has(&lines[1], &["connection added", "resume=\"gap\""]);
}

#[tokio::test]
async fn an_event_that_finds_nobody_is_told_once_a_second_for_each_topic() {
    let (log, fixture) = (log(), Fixture::new());
    for number in 0..5 {
        fixture.publish(number_event("nobody/1", number)).await;
    }
    fixture.publish(number_event("nobody/2", 5)).await;
    let lines = log.lines("no connections", 2).await;
    let of = |topic: &str| {
        let lines = lines.iter().filter(|line| line.contains(topic));
        lines.cloned().collect::<Vec<_>>()
    };
    assert_eq!(of("topic=nobody/1").len(), 1);
    has(
        &of("topic=nobody/2")[0],
        &["INFO", "suppressed=4", "cursor=6-"],
    );
    fixture.clock.advance(Duration::from_secs(1));
    fixture.publish(number_event("nobody/1", 6)).await;
    let _reader = fixture.live(&["nobody/2"]).await;
    fixture.clock.advance(Duration::from_secs(1));
    fixture.publish(number_event("nobody/2", 7)).await;
    assert_eq!(log.lines("topic=nobody/1", 2).await.len(), 2);
    assert_eq!(log.lines("topic=nobody/2", 1).await.len(), 1);
}
