//! A stream that reconnects by itself, and goes on where it was.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt, Full};
use tidings_core::limits::HEARTBEAT_MS_DEFAULT;
use tidings_wire::sse::{Item, Parser};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::backoff::{Backoff, random_of};
use crate::client::Client;
use crate::exchange::Opened;
use crate::failure::RequestError;
use crate::incoming::{self, Bye, Incoming};
use crate::limits::{ASKED_WAIT_MAX, SILENT_HEARTBEATS_MAX};
use crate::reading::{Query, Reading};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const EVENT_STREAM: &str = "text/event-stream";

/// Events as they come, over as many connections as it takes.
///
/// After a loss it reconnects after a random wait with the id of the last complete block, so that
/// the hub goes on exactly there; nothing is filtered here. It ends when the hub says so for good:
/// with a refusal that will not change, or with a `bye` that names no time to come back.
#[derive(Debug)]
pub struct Stream {
    client: Client,
    reading: Reading,
    state: State,
    backoff: Backoff,
    last_event_id: String,
    heartbeat: Duration,
    /// Read, and not yet handed out. Holds what one read brought.
    ready: VecDeque<Incoming>,
    /// Why nothing more will come, once what is ready has been handed out.
    failure: Option<RequestError>,
}

#[derive(Debug)]
enum State {
    /// No connection before then.
    Waiting { until: Instant },
    /// Reading.
    Open(Box<Open>),
    /// Nothing more will come.
    Over,
}

#[derive(Debug)]
struct Open {
    opened: Opened,
    parser: Parser,
    last_byte_at: Instant,
}

impl Client {
    /// A stream of what is asked. It connects when it is first asked for what comes.
    pub fn stream(&self, reading: Reading) -> Stream {
        Stream {
            client: self.clone(),
            reading,
            state: State::Waiting {
                until: Instant::now(),
            },
            backoff: Backoff::new(self.options.backoff_base, self.options.backoff_max),
            last_event_id: String::new(),
            heartbeat: Duration::from_millis(HEARTBEAT_MS_DEFAULT),
            ready: VecDeque::new(),
            failure: None,
        }
    }
}

impl Stream {
    /// What comes next; `None` after a `bye` for good. After an error nothing more comes.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped: what was read is handed out by the next call.
    pub async fn next(&mut self) -> Result<Option<Incoming>, RequestError> {
        loop {
            if let Some(incoming) = self.ready.pop_front() {
                return Ok(Some(incoming));
            }
            match &mut self.state {
                State::Over => return self.failure.take().map_or(Ok(None), Err),
                State::Waiting { until } => {
                    sleep_until(*until).await;
                    let connected = self.connect().await;
                    self.state = match connected {
                        Ok(open) => State::Open(Box::new(open)),
                        Err(error) if error.is_transient() => {
                            self.interrupted(shown(&error), error.retry_after())
                        }
                        Err(error) => {
                            self.failure = Some(error);
                            State::Over
                        }
                    };
                }
                State::Open(open) => {
                    // The clock starts with the last byte and not with this call, so that a caller
                    // that does other things in between does not keep a dead stream alive.
                    let silence = self.heartbeat * SILENT_HEARTBEATS_MAX;
                    let deadline = open.last_byte_at + silence;
                    let cause = match timeout_at(deadline, open.opened.body.frame()).await {
                        Ok(Some(Ok(frame))) => {
                            open.last_byte_at = Instant::now();
                            if let Ok(bytes) = frame.into_data() {
                                self.take_in(&bytes);
                            }
                            continue;
                        }
                        Ok(Some(Err(error))) => {
                            format!("the connection broke: {}", shown(&error))
                        }
                        Ok(None) => "the hub closed the connection".to_owned(),
                        Err(_) => format!("nothing came for {silence:?}"),
                    };
                    self.state = self.interrupted(cause, None);
                }
            }
        }
    }

    async fn connect(&mut self) -> Result<Open, RequestError> {
        let exchange = &self.client.exchange;
        let query = Query::of(&self.reading);
        let mut request = exchange
            .request(Method::GET, "/v1/stream", query.as_str())
            .header(ACCEPT, EVENT_STREAM);
        if !self.last_event_id.is_empty() {
            let id = HeaderValue::from_str(&self.last_event_id)
                .map_err(|_| exchange.not_a_hub("an id that no header may hold"))?;
            request = request.header(LAST_EVENT_ID, id);
        }
        let request = request
            .body(Full::new(Bytes::new()))
            .map_err(|_| RequestError::Invalid("its query is too long"))?;
        let within = self.client.options.answer_timeout;
        let response = exchange.open(request, within).await?;
        let is_stream = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(EVENT_STREAM.as_bytes()));
        if !is_stream {
            return Err(exchange.not_a_hub(format!("it is not `{EVENT_STREAM}`")));
        }
        // What an earlier connection asked for was about that one; this one says it again.
        self.backoff.at_least(Duration::ZERO);
        Ok(Open {
            opened: response.into_body(),
            parser: Parser::default(),
            last_byte_at: Instant::now(),
        })
    }

    /// Reads what arrived, and acts on what the hub says about the connection.
    fn take_in(&mut self, bytes: &[u8]) {
        let State::Open(open) = &mut self.state else {
            return;
        };
        let mut problem = None;
        let mut bye = None;
        let fed = open.parser.feed(bytes, |item| {
            if let Item::Retry(ms) = item {
                self.backoff.at_least(Duration::from_millis(ms));
            }
            match incoming::read(item) {
                Ok(Some(incoming)) => {
                    match &incoming {
                        Incoming::Hello(hello) => self.heartbeat = hello.heartbeat,
                        // A hello alone is no success: a hub that greets and ends, again and
                        // again, must not be asked as fast as it answers.
                        Incoming::Event(_) | Incoming::Ping(_) => self.backoff.reset(),
                        Incoming::Bye(said) => bye = Some(said.clone()),
                        _ => {}
                    }
                    self.ready.push_back(incoming);
                }
                Ok(None) => {}
                Err(found) => problem = problem.take().or(Some(found)),
            }
        });
        if !open.parser.last_event_id().is_empty() {
            open.parser
                .last_event_id()
                .clone_into(&mut self.last_event_id);
        }
        if let Some(problem) = problem.or_else(|| fed.err().map(|error| error.to_string())) {
            self.failure = Some(self.client.exchange.not_a_hub(problem));
            self.state = State::Over;
        } else if let Some(bye) = bye {
            self.state = self.after_bye(&bye);
        }
    }

    /// Where the stream stands after the hub's last word: it comes back when it is told to, and the
    /// later the more often that came to nothing.
    fn after_bye(&mut self, bye: &Bye) -> State {
        let Some(asked) = bye.retry_after else {
            return State::Over;
        };
        let asked = asked.min(ASKED_WAIT_MAX) + random_of(bye.spread.min(ASKED_WAIT_MAX));
        let wait = self.backoff.after_failure(Some(asked));
        State::Waiting {
            until: Instant::now() + wait,
        }
    }

    /// Tells the reader, and waits.
    fn interrupted(&mut self, cause: String, asked: Option<Duration>) -> State {
        let retry_in = self.backoff.after_failure(asked);
        self.ready
            .push_back(Incoming::Interrupted { cause, retry_in });
        State::Waiting {
            until: Instant::now() + retry_in,
        }
    }
}

/// An error with its causes, in one line.
fn shown(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Options;

    const SECOND: Duration = Duration::from_secs(1);

    /// How long the stream stays away after one more farewell.
    fn wait_after(stream: &mut Stream, bye: &Bye) -> Duration {
        let before = Instant::now();
        match stream.after_bye(bye) {
            State::Waiting { until } => until - before,
            other => panic!("it comes back: {other:?}"),
        }
    }

    #[test]
    fn each_farewell_in_a_row_is_obeyed_and_followed_by_a_longer_wait() {
        let options = Options {
            backoff_base: SECOND,
            backoff_max: SECOND * 1_000,
            ..Options::default()
        };
        let client = Client::with_options("http://127.0.0.1:1", None, options).expect("a client");
        let mut stream = client.stream(Reading::default());
        let bye = Bye {
            code: "drain".to_owned(),
            reason: String::new(),
            retry_after: Some(SECOND * 100),
            spread: Duration::ZERO,
        };
        let first = wait_after(&mut stream, &bye);
        assert!((SECOND * 100..SECOND * 200).contains(&first), "{first:?}");
        let later: Vec<_> = (0..100).map(|_| wait_after(&mut stream, &bye)).collect();
        assert!(later.iter().all(|wait| *wait >= SECOND * 100));
        // Random parts of up to a thousand seconds: not all of a hundred are small.
        assert!(later.iter().any(|wait| *wait > SECOND * 500), "{later:?}");
        let forever = Bye {
            retry_after: Some(Duration::MAX),
            spread: Duration::MAX,
            ..bye
        };
        let longest = wait_after(&mut stream, &forever);
        assert!(
            (ASKED_WAIT_MAX..ASKED_WAIT_MAX * 4).contains(&longest),
            "{longest:?}"
        );
    }
}
