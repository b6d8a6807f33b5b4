//! A reader: it resumes after every kill with the last id it had, and checks all it is shown.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tidings_testkit::plain_client::{Block, Connection, OpenError, offset_of};

use super::ledger::{Ledger, Name};
use super::load::{Address, PUBLISHERS, TOPICS, topic};
use super::payload;
use super::publisher::THE_END;

/// One reader, of one topic or of all.
#[derive(Debug)]
pub(crate) struct Reader {
    topic: Option<usize>,
    token: String,
    ledger: Arc<Ledger>,
    /// The number that each publisher's next event must have.
    next: Vec<u64>,
    last_offset: u64,
    last_event_id: Option<String>,
}

/// Why a stream ended.
enum Ending {
    /// The program was killed.
    Cut,
    /// The event after which there is no other.
    Complete,
}

impl Reader {
    pub(crate) fn new(topic: Option<usize>, token: String, ledger: &Arc<Ledger>) -> Self {
        Self {
            topic,
            token,
            ledger: Arc::clone(ledger),
            next: vec![0; PUBLISHERS],
            last_offset: 0,
            last_event_id: None,
        }
    }

    /// Reads until the end of the torture.
    pub(crate) async fn run(mut self, mut address: Address) -> Result<()> {
        loop {
            let at = *address.borrow_and_update();
            if let Some(at) = at
                && let Ending::Complete = self.read(at).await?
            {
                return Ok(());
            }
            address.changed().await?;
        }
    }

    async fn read(&mut self, address: SocketAddr) -> Result<Ending> {
        let pattern = self.topic.map_or_else(|| "torture/*".to_owned(), topic);
        let path = format!("/v1/stream?topics={pattern}&since=earliest");
        let Ok(connection) = Connection::open(address, &self.token).await else {
            return Ok(Ending::Cut);
        };
        // A connection that the kill cut off before its head is an ending like any other; a refusal is not.
        let mut stream = match connection
            .stream(&path, self.last_event_id.as_deref())
            .await
        {
            Ok(stream) => stream,
            Err(OpenError::Request(_)) => return Ok(Ending::Cut),
            Err(refusal) => return Err(refusal.into()),
        };
        if self.last_event_id.is_some() {
            self.ledger.note_resumed();
        }
        while let Some(block) = stream.next().await {
            if self.take(&block)? {
                return Ok(Ending::Complete);
            }
            if block.id.is_some() {
                self.last_event_id = block.id;
            }
        }
        Ok(Ending::Cut)
    }

    /// Checks one block, and says whether it was the last.
    fn take(&mut self, block: &Block) -> Result<bool> {
        match block.event.as_str() {
            "" | "tidings.hello" | "tidings.ping" => return Ok(false),
            "tidings.gap" => {
                self.complain(&format!("is told of a gap: {}", block.data));
                return Ok(false);
            }
            control if control.starts_with("tidings.") => {
                self.complain(&format!("is sent `{control}`: {}", block.data));
                return Ok(false);
            }
            _ => {}
        }
        let id = block.id.as_deref().unwrap_or_default();
        let offset =
            offset_of(id).with_context(|| format!("an event without a cursor: {block:?}"))?;
        if offset <= self.last_offset {
            self.complain(&format!(
                "is at {}, and is shown {offset}",
                self.last_offset
            ));
        }
        self.last_offset = offset;
        if block.event == THE_END {
            self.check_all_is_here();
            return Ok(true);
        }
        let envelope: Value = serde_json::from_str(&block.data)
            .with_context(|| format!("an event is not whole: {block:?}"))?;
        self.check(&envelope, offset)?;
        Ok(false)
    }

    fn check(&mut self, envelope: &Value, offset: u64) -> Result<()> {
        let data = &envelope["data"];
        let publisher = data["publisher"].as_u64().context("an event of nobody")? as usize;
        let number = data["number"]
            .as_u64()
            .context("an event without a number")?;
        let event = Name { publisher, number };
        self.ledger.note_seen(event, offset);

        let text = data["text"].as_str().unwrap_or_default();
        if data["sha256"] != json!(payload::sha256(text))
            || envelope["id"] != json!(event.to_string())
        {
            self.complain(&format!("is shown {event} altered"));
        }
        if self.topic.is_some_and(|topic| topic != publisher % TOPICS) {
            self.complain(&format!("is shown {event} of another topic"));
        }
        let Some(next) = self.next.get_mut(publisher) else {
            bail!("an event of a publisher that does not exist: {publisher}");
        };
        let expected = *next;
        *next = number + 1;
        if number != expected {
            let what = if number > expected {
                "lost"
            } else {
                "repeated"
            };
            self.complain(&format!(
                "expects number {expected} of {publisher}, is shown {number}: {what}"
            ));
        }
        Ok(())
    }

    /// Once nothing is published any more, a reader has every event that was answered.
    fn check_all_is_here(&self) {
        let mine = |publisher: &usize| self.topic.is_none_or(|topic| topic == publisher % TOPICS);
        for (publisher, next) in self
            .next
            .iter()
            .enumerate()
            .filter(|(publisher, _)| mine(publisher))
        {
            let answered = self.ledger.answered_to(publisher);
            if *next != answered {
                self.complain(&format!(
                    "has {next} events of {publisher}, who published {answered}"
                ));
            }
        }
    }

    fn complain(&self, what: &str) {
        let topic = self.topic.map_or_else(|| "everything".to_owned(), topic);
        let after = self.last_event_id.as_deref().unwrap_or("the beginning");
        self.ledger
            .complain(format!("a reader of {topic}, after {after}, {what}"));
    }
}
