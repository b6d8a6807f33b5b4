//! Publishing: one event or a group as JSON, or many events line by line.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::CONTENT_TYPE;
use http_body_util::Full;
use serde::Deserialize;
use serde_json::Value;
use tidings_core::limits::READER_WAIT_MS_MAX;
use tidings_core::position::Position;
use tidings_wire::page;

pub use tidings_wire::page::Published;

use crate::client::Client;
use crate::exchange::Answer;
use crate::failure::{Document, Refusal, RequestError};

/// What became of a body of lines. A line without an answer was not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinesAnswer {
    /// Answers in the order of the lines.
    pub lines: Vec<LineAnswer>,
    /// Why the hub stopped reading before the end, if it did.
    pub stopped: Option<Stopped>,
}

/// What became of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineAnswer {
    /// Which line of the body, from one; empty lines count too.
    pub line: u64,
    /// Published, or refused.
    pub outcome: Result<Published, Refusal>,
}

/// Why the hub stopped reading lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The first line that was not accepted because of it.
    pub line: u64,
    /// How many lines were accepted before.
    pub accepted: u64,
    /// Why.
    pub refusal: Refusal,
}

#[derive(Deserialize)]
struct PublishedText {
    id: String,
    cursor: String,
    subscribers: Option<u64>,
    #[serde(default)]
    duplicate: bool,
}

#[derive(Deserialize)]
struct LineText {
    line: u64,
    accepted: Option<u64>,
    error: Option<Document>,
    #[serde(flatten)]
    published: Option<PublishedText>,
}

impl PublishedText {
    fn read(self) -> Result<Published, String> {
        let cursor: Position = self.cursor.parse().map_err(|_| "a cursor that is none")?;
        Ok(Published {
            id: self.id,
            cursor,
            subscribers: self.subscribers,
            duplicate: self.duplicate,
        })
    }
}

impl Client {
    /// Publishes one event, an object with at least `type`. If it is to `wait` for readers, the answer
    /// may take so much longer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves it open whether the event was published. With an `id` of its own
    /// it can be published again.
    pub async fn publish_json(&self, event: &Value) -> Result<Published, RequestError> {
        let body = Bytes::from(event.to_string());
        let mut within = self.options.answer_timeout;
        if event.get("wait").is_some() {
            within += Duration::from_millis(READER_WAIT_MS_MAX);
        }
        let answer = self
            .post_events(page::CONTENT_TYPE, body, within)
            .await?
            .success()?;
        serde_json::from_slice::<PublishedText>(&answer.body)
            .map_err(|error| error.to_string())
            .and_then(PublishedText::read)
            .map_err(|problem| self.exchange.not_a_hub(problem))
    }

    /// Publishes a body of NDJSON: one event per line, each answered by itself. Keep it to a few
    /// MiB; there may be any number of bodies.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves it open which lines were published. Lines whose events have ids
    /// of their own can be published again.
    pub async fn publish_ndjson(&self, body: Bytes) -> Result<LinesAnswer, RequestError> {
        let within = self.options.answer_timeout;
        let answer = self
            .post_events(page::NDJSON_CONTENT_TYPE, body, within)
            .await?;
        // The status is that of the first line, so the type of the answer decides.
        let by_line = answer.headers.get(CONTENT_TYPE).is_some_and(|value| {
            value
                .as_bytes()
                .starts_with(page::NDJSON_CONTENT_TYPE.as_bytes())
        });
        if !by_line {
            let answer = answer.success()?;
            let problem = format!("a status of {} without lines", answer.status.as_u16());
            return Err(self.exchange.not_a_hub(problem));
        }
        read_lines(&answer).map_err(|problem| self.exchange.not_a_hub(problem))
    }

    async fn post_events(
        &self,
        kind: &str,
        body: Bytes,
        within: Duration,
    ) -> Result<Answer, RequestError> {
        let request = self
            .exchange
            .request(Method::POST, "/v1/events", "")
            .header(CONTENT_TYPE, kind)
            .body(Full::new(body))
            .map_err(|_| RequestError::Invalid("its path is not valid"))?;
        self.exchange.ask(request, within).await
    }
}

fn read_lines(answer: &Answer) -> Result<LinesAnswer, String> {
    let mut lines = Vec::new();
    let mut stopped = None;
    let texts = answer.body.split(|byte| *byte == b'\n');
    for text in texts.filter(|text| !text.is_empty()) {
        let text: LineText = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let line = text.line;
        let refusal = text
            .error
            .map(|document| document.refusal(answer.status.as_u16()));
        match (refusal, text.accepted, text.published) {
            (Some(refusal), Some(accepted), _) => {
                stopped = Some(Stopped {
                    line,
                    accepted,
                    refusal,
                });
            }
            (Some(refusal), None, _) => lines.push(LineAnswer {
                line,
                outcome: Err(refusal),
            }),
            (None, _, Some(published)) => lines.push(LineAnswer {
                line,
                outcome: Ok(published.read()?),
            }),
            (None, _, None) => return Err(format!("line {line} is neither published nor refused")),
        }
    }
    Ok(LinesAnswer { lines, stopped })
}
