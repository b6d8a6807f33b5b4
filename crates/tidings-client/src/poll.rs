//! Reading page by page.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::Full;
use serde::Deserialize;
use serde_json::value::RawValue;
use tidings_core::position::Position;

use crate::client::Client;
use crate::failure::RequestError;
use crate::incoming::{Event, Gap, GapText};
use crate::reading::{Query, Reading};

/// One page of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The events in order; possibly none although there is more.
    pub events: Vec<Event>,
    /// Everything up to here has been considered: the `since` of the next page.
    pub cursor: Position,
    /// Whether there is more to read now.
    pub more: bool,
    /// What of the asked is missing.
    pub gap: Option<Gap>,
}

/// How much of it at once, and whether to wait for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PageSize {
    /// Events at most; the hub's default is 100.
    pub limit: Option<usize>,
    /// How long the hub may wait for the first event.
    pub wait: Option<Duration>,
}

#[derive(Deserialize)]
struct PageText<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    cursor: String,
    more: bool,
    gap: Option<GapText>,
}

#[derive(Deserialize)]
struct EnvelopeText {
    #[serde(rename = "type")]
    event_type: String,
    cursor: Option<String>,
}

impl PageText<'_> {
    fn read(self) -> Result<Page, String> {
        let events = self
            .events
            .into_iter()
            .map(|raw| {
                let envelope: EnvelopeText =
                    serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
                Ok(Event {
                    cursor: envelope.cursor.and_then(|text| text.parse().ok()),
                    event_type: envelope.event_type,
                    data: raw.get().to_owned(),
                })
            })
            .collect::<Result<_, String>>()?;
        Ok(Page {
            events,
            cursor: self.cursor.parse().map_err(|_| "a cursor that is none")?,
            more: self.more,
            gap: self.gap.map(GapText::read).transpose()?,
        })
    }
}

impl Client {
    /// Reads one page.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect; the same page can be read again.
    pub async fn poll(&self, reading: &Reading, size: PageSize) -> Result<Page, RequestError> {
        let mut query = Query::of(reading);
        if let Some(limit) = size.limit {
            query.pair("limit", &limit.to_string());
        }
        let wait = size.wait.unwrap_or_default();
        if !wait.is_zero() {
            query.pair("wait", &format!("{}ms", wait.as_millis()));
        }
        let request = self
            .exchange
            .request(Method::GET, "/v1/events", query.as_str())
            .body(Full::new(Bytes::new()))
            .map_err(|_| RequestError::Invalid("its query is too long"))?;
        let within = self.options.answer_timeout + wait;
        let answer = self.exchange.ask(request, within).await?.success()?;
        serde_json::from_slice::<PageText<'_>>(&answer.body)
            .map_err(|error| error.to_string())
            .and_then(PageText::read)
            .map_err(|problem| self.exchange.not_a_hub(problem))
    }
}
