//! A publisher: one event after the other, each repeated with its id until it is answered.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tidings_testkit::plain_client::{self, Connection, offset_of};
use tokio::sync::watch;

use super::ledger::{Ledger, Name};
use super::load::{Address, TOPICS, topic};
use super::payload;

/// Type of the event after which there is no other.
pub(crate) const THE_END: &str = "torture.end";

const EVENT: &str = "torture.event";

/// Payloads are short mostly, and sometimes long enough that a kill falls into their write.
const TEXT_BYTES: [usize; 8] = [16, 40, 300, 80, 1_200, 7, 30_000, 150];

/// One publisher.
#[derive(Debug)]
pub(crate) struct Publisher {
    index: usize,
    next: u64,
    token: String,
    ledger: Arc<Ledger>,
}

/// What a publish was answered.
struct Answer {
    offset: u64,
    duplicate: bool,
}

impl Publisher {
    pub(crate) fn new(index: usize, token: &str, ledger: &Arc<Ledger>) -> Self {
        Self {
            index,
            next: 0,
            token: token.to_owned(),
            ledger: Arc::clone(ledger),
        }
    }

    /// Publishes until it is told to stop and its last event is answered.
    pub(crate) async fn run(
        mut self,
        mut address: Address,
        stop: watch::Receiver<bool>,
    ) -> Result<()> {
        loop {
            let at = *address.borrow_and_update();
            if let Some(at) = at
                && let Ok(mut connection) = Connection::open(at, &self.token).await
            {
                self.repeat_the_last(&mut connection).await?;
                while self.publish_the_next(&mut connection).await? {
                    if *stop.borrow() {
                        return Ok(());
                    }
                }
            }
            address.changed().await?;
        }
    }

    /// Publishes the event that was answered last once more, as a publisher does that is not sure.
    async fn repeat_the_last(&self, connection: &mut Connection) -> Result<()> {
        let Some(number) = self.next.checked_sub(1) else {
            return Ok(());
        };
        let event = Name {
            publisher: self.index,
            number,
        };
        if let Some(answer) = self.publish(connection, event).await? {
            self.ledger.note_repeat(event, answer.offset);
            if !answer.duplicate {
                self.ledger
                    .complain(format!("{event} was published again as if it were new"));
            }
        }
        Ok(())
    }

    /// Publishes the next event, and says whether it was answered.
    async fn publish_the_next(&mut self, connection: &mut Connection) -> Result<bool> {
        let event = Name {
            publisher: self.index,
            number: self.next,
        };
        let Some(answer) = self.publish(connection, event).await? else {
            return Ok(false);
        };
        self.ledger
            .note_answer(event, answer.offset, answer.duplicate);
        self.next += 1;
        Ok(true)
    }

    /// Publishes an event; nothing is answered when the connection is gone.
    async fn publish(&self, connection: &mut Connection, event: Name) -> Result<Option<Answer>> {
        let body = self.body(event).to_string();
        let answer = loop {
            match connection.publish("application/json", body.clone()).await {
                // The disk of the machine stalls: nothing was taken.
                Ok(answer) if is_busy(&answer) => {}
                Ok(answer) => break answer,
                Err(error) => {
                    if error.was_sent() {
                        self.ledger.note_unanswered();
                    }
                    return Ok(None);
                }
            }
        };
        ensure!(
            answer.status.is_success(),
            "the publish of {event} was refused: {answer:?}"
        );
        let answer: Value = serde_json::from_slice(&answer.body)?;
        let id = event.to_string();
        ensure!(
            answer["id"] == json!(id),
            "the publish of {event} was answered with another id: {answer}"
        );
        let cursor = answer["cursor"].as_str().unwrap_or_default();
        let offset = offset_of(cursor).with_context(|| format!("no cursor in: {answer}"))?;
        Ok(Some(Answer {
            offset,
            duplicate: answer["duplicate"] == json!(true),
        }))
    }

    fn body(&self, event: Name) -> Value {
        let length = TEXT_BYTES[(event.number as usize + self.index) % TEXT_BYTES.len()];
        let text = payload::text(event, length);
        json!({
            "id": event.to_string(),
            "type": EVENT,
            "topics": [topic(self.index)],
            "data": {
                "publisher": event.publisher,
                "number": event.number,
                "sha256": payload::sha256(&text),
                "text": text,
            },
        })
    }
}

/// Whether the log has too much to write already.
fn is_busy(answer: &plain_client::Answer) -> bool {
    let problem = serde_json::from_slice::<Value>(&answer.body);
    problem.is_ok_and(|problem| problem["code"] == json!("log_busy"))
}

/// Publishes the event after which there is no other, on all topics.
pub(crate) async fn publish_the_end(address: SocketAddr, token: &str) -> Result<()> {
    let topics: Vec<String> = (0..TOPICS).map(topic).collect();
    let body = json!({ "id": "the-end", "type": THE_END, "topics": topics }).to_string();
    let mut connection = Connection::open(address, token).await?;
    let answer = connection.publish("application/json", body).await?;
    ensure!(
        answer.status.is_success(),
        "the end was refused: {answer:?}"
    );
    Ok(())
}
