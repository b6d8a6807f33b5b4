//! A publisher: events one by one, in arrays and as lines, with ids of its own or without, and with requests
//! that are cut off and repeated.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tidings_testkit::plain_client::{Connection, offset_of};
use tidings_testkit::random::Random;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::oracle::{Event, Topics};
use super::world::{Stage, TOPICS, World, topic};

/// The type of all events.
pub(super) const EVENT_TYPE: &str = "soak.event";

/// Of a hundred requests of a publisher that may, so many are cut off before they are made in earnest.
const CUT_PERCENT: u64 = 25;

/// Of a hundred events, so many have two topics, and so many are large.
const TWO_TOPICS_PERCENT: u64 = 10;
const LARGE_PERCENT: u64 = 1;

const TEXT_BYTES_MAX: u64 = 300;
const LARGE_TEXT_BYTES: usize = 20_000;

/// How long a publisher waits when the log is busy.
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// How a publisher publishes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habit {
    form: Form,
    /// Events of a request, at most.
    events_max: u64,
    has_ids: bool,
    /// Whether it is cut off now and then, which takes ids.
    is_cut: bool,
    each: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    One,
    Array,
    Lines,
}

const fn habit(form: Form, events_max: u64, has_ids: bool, is_cut: bool, each_ms: u64) -> Habit {
    Habit {
        form,
        events_max,
        has_ids,
        is_cut,
        each: Duration::from_millis(each_ms),
    }
}

/// One publisher for each of these.
pub(super) const HABITS: [Habit; 8] = [
    habit(Form::One, 1, true, false, 25),
    habit(Form::One, 1, true, true, 40),
    habit(Form::One, 1, false, false, 25),
    habit(Form::Array, 20, true, true, 200),
    habit(Form::Array, 20, false, false, 200),
    habit(Form::Lines, 50, true, false, 250),
    habit(Form::Lines, 50, true, true, 250),
    habit(Form::Lines, 50, false, false, 250),
];

/// One publisher.
#[derive(Debug)]
pub(super) struct Publisher {
    number: usize,
    habit: Habit,
    world: Arc<World>,
    random: Random,
    token: String,
    next: u64,
}

/// A request that is to be answered.
struct Batch {
    events: Vec<(Event, Topics)>,
    media_type: &'static str,
    body: String,
}

impl Publisher {
    pub(super) fn new(number: usize, world: &Arc<World>, seed: u64, token: &str) -> Self {
        Self {
            number,
            habit: HABITS[number],
            world: Arc::clone(world),
            random: Random::new(seed),
            token: token.to_owned(),
            next: 1,
        }
    }

    /// Publishes until the soak ends.
    pub(super) async fn run(mut self) -> Result<()> {
        let mut connection = Connection::open(self.world.address, &self.token).await?;
        let mut each = interval(self.habit.each);
        each.set_missed_tick_behavior(MissedTickBehavior::Skip);
        while self.world.stage() == Stage::Running {
            each.tick().await;
            let batch = self.batch();
            let is_cut = self.habit.is_cut && self.random.percent(CUT_PERCENT);
            if is_cut {
                self.publish_and_cut(&batch).await?;
            }
            self.publish(&mut connection, &batch, is_cut)
                .await
                .with_context(|| format!("publisher {}", self.number))?;
        }
        Ok(())
    }

    fn batch(&mut self) -> Batch {
        let count = 1 + self.random.below(self.habit.events_max);
        let (mut events, mut texts) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (event, topics, text) = self.event();
            events.push((event, topics));
            texts.push(text);
        }
        let (media_type, body) = match self.habit.form {
            Form::One => ("application/json", texts.concat()),
            Form::Array => ("application/json", format!("[{}]", texts.join(","))),
            Form::Lines => ("application/x-ndjson", texts.join("\n")),
        };
        Batch {
            events,
            media_type,
            body,
        }
    }

    fn event(&mut self) -> (Event, Topics, String) {
        let event = Event {
            publisher: self.number,
            number: self.next,
        };
        self.next += 1;
        let first = self.random.below(TOPICS as u64) as usize;
        let mut topics = vec![first];
        if self.random.percent(TWO_TOPICS_PERCENT) {
            topics.push((first + 1) % TOPICS);
        }
        let bytes = if self.random.percent(LARGE_PERCENT) {
            LARGE_TEXT_BYTES
        } else {
            self.random.below(TEXT_BYTES_MAX) as usize
        };
        let names: Vec<String> = topics.iter().map(|number| topic(*number)).collect();
        let data = json!({ "p": event.publisher, "n": event.number, "x": "x".repeat(bytes) });
        let mut text = json!({ "type": EVENT_TYPE, "topics": names, "data": data });
        if self.habit.has_ids {
            text["id"] = event.to_string().into();
        }
        (event, Topics::of(&topics), text.to_string())
    }

    /// Sends a part of a request, or all of it, and resets the connection.
    async fn publish_and_cut(&mut self, batch: &Batch) -> Result<()> {
        let mut request = String::new();
        write!(
            request,
            "POST /v1/events HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\
             content-type: {}\r\ncontent-length: {}\r\n\r\n{}",
            self.token,
            batch.media_type,
            batch.body.len(),
            batch.body
        )?;
        let part = 1 + self.random.below(request.len() as u64) as usize;
        // Half of the time all of it, so that the hub is at it when it is cut off.
        let part = if self.random.percent(50) {
            request.len()
        } else {
            part
        };
        let mut socket = TcpStream::connect(self.world.address).await?;
        socket.write_all(&request.as_bytes()[..part]).await?;
        sleep(Duration::from_micros(self.random.below(3_000))).await;
        socket.set_zero_linger()?;
        self.world.counts.publishes_cut.inc();
        Ok(())
    }

    /// Publishes until everything is answered. Where the log was busy, lines with ids are repeated, and
    /// those without are not published.
    async fn publish(
        &self,
        connection: &mut Connection,
        batch: &Batch,
        mut is_repeat: bool,
    ) -> Result<()> {
        loop {
            let body = batch.body.clone();
            let answer = connection.publish(batch.media_type, body).await?;
            let text = String::from_utf8_lossy(&answer.body);
            let is_busy = text.contains("\"log_busy\"");
            ensure!(
                answer.status.is_success() || is_busy,
                "is answered with {}: {text}",
                answer.status
            );
            let told: Vec<Value> = match self.habit.form {
                Form::Array if !is_busy => serde_json::from_str(&text)?,
                _ => text
                    .lines()
                    .map(serde_json::from_str)
                    .collect::<Result<_, _>>()?,
            };
            let taken: Vec<&Value> = told
                .iter()
                .filter(|told| told["cursor"].is_string())
                .collect();
            let is_whole = taken.len() == batch.events.len();
            ensure!(is_whole || is_busy, "{} events: {text}", batch.events.len());
            if is_whole || (!self.habit.has_ids && !taken.is_empty()) {
                return self.note(batch, &taken, is_repeat);
            }
            is_repeat = true;
            sleep(BUSY_WAIT).await;
        }
    }

    /// Says where the events of a request are, as far as they were taken.
    fn note(&self, batch: &Batch, taken: &[&Value], is_repeat: bool) -> Result<()> {
        let counts = &self.world.counts;
        counts.publishes.inc();
        counts.events.add(taken.len() as u64);
        for ((event, topics), told) in batch.events.iter().zip(taken) {
            let cursor = told["cursor"].as_str().unwrap_or_default();
            let offset = offset_of(cursor).with_context(|| format!("no cursor in {told}"))?;
            if told["duplicate"] == json!(true) {
                counts.duplicates.inc();
                if !is_repeat {
                    bail!("{event} was there already: {told}");
                }
            }
            self.world.oracle().published(offset, *event, *topics);
        }
        Ok(())
    }
}
