//! What arrives on a stream.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tidings_core::event_type::RESERVED_PREFIX;
use tidings_core::position::Position;
use tidings_core::time::Timestamp;
use tidings_wire::sse::{Item, Message};

/// Something that a reader should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// The stream is open; the first word of every connection.
    Hello(Hello),
    /// An event.
    Event(Event),
    /// Events are missing here.
    Gap(Gap),
    /// A sign of life: everything up to this cursor has been considered.
    Ping(Option<Position>),
    /// The credential ends then, and with it the stream.
    Reauth(Timestamp),
    /// The hub ends the connection. The stream reconnects if the hub says when.
    Bye(Bye),
    /// The connection was lost or not established, and is tried again.
    Interrupted {
        /// What happened, for people.
        cause: String,
        /// After how long the next attempt is made.
        retry_in: Duration,
    },
}

/// The first word on a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The connection's public name.
    pub connection_id: String,
    /// Where it starts.
    pub cursor: Position,
    /// The newest position that the hub knows.
    pub head: Position,
    /// `complete`, `gap` or `none`: whether the reader gets what it asked for of the past.
    pub replay: String,
    /// What may be read, if that is less than was asked.
    pub topics: Option<Vec<String>>,
    /// How often a sign of life comes.
    pub heartbeat: Duration,
    /// When the credential ends.
    pub expires_at: Option<Timestamp>,
}

/// An event as the hub sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place, if the block carried one.
    pub cursor: Option<Position>,
    /// What kind of thing happened.
    pub event_type: String,
    /// The envelope as it was sent: a JSON object.
    pub data: String,
}

/// Events that cannot be had any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The reader's cursor before it, if that meant anything to the hub.
    pub from: Option<Position>,
    /// Reading goes on after this.
    pub to: Position,
    /// `retention`, `overrun`, `rewound`, `unknown`, `purged` or `damaged`.
    pub reason: String,
}

/// The last word on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bye {
    /// A stable word: `drain`, `credential_expired`, `kicked`.
    pub code: String,
    /// For people.
    pub reason: String,
    /// When to come back; never, if none.
    pub retry_after: Option<Duration>,
    /// Over how long everyone told so spreads.
    pub spread: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HelloText {
    connection_id: String,
    cursor: String,
    head: String,
    replay: String,
    topics: Option<Vec<String>>,
    heartbeat_ms: u64,
    expires_at: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct GapText {
    from: Option<String>,
    to: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReauthText {
    expires_at: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ByeText {
    code: String,
    reason: String,
    retry_after_ms: Option<u64>,
    #[serde(default)]
    spread_ms: u64,
}

/// What an item of the stream comes to: nothing for a comment, for an id alone, and for a control
/// event of a later hub. Fails on a control event that is not what it must be.
pub(crate) fn read(item: Item<'_>) -> Result<Option<Incoming>, String> {
    let Item::Message(message) = item else {
        return Ok(None);
    };
    let Some(control) = message.event_type.strip_prefix(RESERVED_PREFIX) else {
        return Ok(Some(Incoming::Event(Event {
            cursor: position(&message),
            event_type: message.event_type.into_owned(),
            data: message.data.into_owned(),
        })));
    };
    match control {
        "hello" => json(&message)
            .and_then(HelloText::read)
            .map(Incoming::Hello),
        "gap" => json(&message).and_then(GapText::read).map(Incoming::Gap),
        "ping" => Ok(Incoming::Ping(position(&message))),
        "reauth" => {
            json(&message).map(|text: ReauthText| Incoming::Reauth(Timestamp(text.expires_at)))
        }
        "bye" => json(&message).map(|text: ByeText| Incoming::Bye(text.into())),
        _ => return Ok(None),
    }
    .map(Some)
}

fn position(message: &Message<'_>) -> Option<Position> {
    message.id.and_then(|id| id.parse().ok())
}

fn json<T: DeserializeOwned>(message: &Message<'_>) -> Result<T, String> {
    serde_json::from_str(&message.data)
        .map_err(|error| format!("the control event `{}`: {error}", message.event_type))
}

fn cursor(text: &str) -> Result<Position, String> {
    text.parse().map_err(|_| "a cursor that is none".to_owned())
}

impl HelloText {
    fn read(self) -> Result<Hello, String> {
        Ok(Hello {
            connection_id: self.connection_id,
            cursor: cursor(&self.cursor)?,
            head: cursor(&self.head)?,
            replay: self.replay,
            topics: self.topics,
            heartbeat: Duration::from_millis(self.heartbeat_ms.max(1)),
            expires_at: self.expires_at.map(Timestamp),
        })
    }
}

impl GapText {
    pub(crate) fn read(self) -> Result<Gap, String> {
        Ok(Gap {
            from: self.from.as_deref().map(cursor).transpose()?,
            to: cursor(&self.to)?,
            reason: self.reason,
        })
    }
}

impl From<ByeText> for Bye {
    fn from(text: ByeText) -> Self {
        Self {
            code: text.code,
            reason: text.reason,
            retry_after: text.retry_after_ms.map(Duration::from_millis),
            spread: Duration::from_millis(text.spread_ms),
        }
    }
}
