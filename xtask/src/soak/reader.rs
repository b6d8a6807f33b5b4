//! A reader: it cuts its stream in every way there is, comes back with the last id that it had, and says
//! everything that it is shown to the oracle.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tidings_testkit::plain_client::{Block, offset_of};
use tidings_testkit::random::Random;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use super::asking::ask;
use super::oracle::{Event, Topics};
use super::publisher::EVENT_TYPE;
use super::stream::{Opened, Stream, Wish};
use super::world::{Stage, TOPICS, Token, World, topic};

/// Of so many readers one reads all topics.
const EVERYTHING_EACH: usize = 6;

/// Of a hundred streams, so many are read slowly, and so many stay in the HTTP library.
const SLOW_PERCENT: u64 = 10;
const KEPT_PERCENT: u64 = 25;

/// Of a hundred credentials that are about to end, so many are renewed.
const RENEWED_PERCENT: u64 = 85;

/// The longest pause of a slow reader between two blocks.
const PAUSE_MS_MAX: u64 = 200;

/// How long a stream that nobody reads is left standing.
const STANDING_MS_MAX: u64 = 8_000;

/// The longest wait before coming back.
const WAIT_MS_MAX: u64 = 500;

/// A stream whose reader has closed its half ends long before that.
const END_WITHIN: Duration = Duration::from_secs(30);

/// One reader.
#[derive(Debug)]
pub(super) struct Reader {
    number: usize,
    world: Arc<World>,
    random: Random,
    topics: Topics,
    pattern: String,
    /// The longest that a stream lasts before it is cut.
    life_max: Duration,
    token: Option<Token>,
    /// How often its subject had been revoked when the token was made.
    revoked: u64,
    cursor: Option<String>,
    told: u64,
    /// When the last stream ended.
    ended: Option<Instant>,
    /// Streams that nobody reads any more.
    standing: JoinSet<()>,
}

/// A stream while it is read.
struct Reading {
    stream: Stream,
    connection: String,
    is_slow: bool,
    /// How often its subject had been revoked when the credential behind it was made.
    revoked: u64,
    cut_at: Option<Instant>,
    renew_at: Option<Instant>,
    /// By when it must have ended, once this side has closed its half.
    end_by: Option<Instant>,
}

/// What goes on next.
enum Next {
    Block(Option<Block>),
    Cut,
    Renew,
    Stage,
    Stuck,
}

/// How a stream ended.
enum Ending {
    /// Somebody ended it.
    Over,
    /// Everything has been read.
    Complete,
}

impl Reader {
    pub(super) fn new(number: usize, world: &Arc<World>, seed: u64, life_max: Duration) -> Self {
        let mut random = Random::new(seed);
        let (topics, pattern) = if number.is_multiple_of(EVERYTHING_EACH) {
            (Topics::ALL, "soak/*".to_owned())
        } else {
            let first = random.below(TOPICS as u64) as usize;
            let count = 1 + random.below(3) as usize;
            let own: Vec<usize> = (0..count).map(|step| (first + 5 * step) % TOPICS).collect();
            let names: Vec<String> = own.iter().map(|number| topic(*number)).collect();
            (Topics::of(&own), names.join(","))
        };
        Self {
            number,
            world: Arc::clone(world),
            random,
            topics,
            pattern,
            life_max,
            token: None,
            revoked: 0,
            cursor: None,
            told: 0,
            ended: None,
            standing: JoinSet::new(),
        }
    }

    /// Reads to the end of the soak.
    pub(super) async fn run(mut self) -> Result<()> {
        loop {
            let Some(reading) = self.open().await? else {
                let wait = self.random.below(WAIT_MS_MAX);
                sleep(Duration::from_millis(wait)).await;
                continue;
            };
            let ending = self.read(reading).await;
            match ending.with_context(|| format!("reader {}", self.number))? {
                Ending::Complete => return Ok(()),
                Ending::Over => {
                    self.ended = Some(Instant::now());
                    while self.standing.try_join_next().is_some() {}
                }
            }
        }
    }

    /// Opens a stream; none if that failed, which is counted.
    async fn open(&mut self) -> Result<Option<Reading>> {
        let token = self.current_token().await?;
        let is_running = self.world.stage() == Stage::Running;
        let is_slow = is_running && self.random.percent(SLOW_PERCENT);
        let wish = Wish {
            topics: &self.pattern,
            token: &token.text,
            last_event_id: self.cursor.as_deref(),
            is_slow,
            is_kept: self.random.percent(KEPT_PERCENT),
        };
        let counts = &self.world.counts;
        counts.connects.inc();
        match Stream::open(self.world.address, wish).await {
            Ok(Opened::Stream(stream)) => {
                let life = self.random.below(self.life_max.as_millis() as u64);
                Ok(Some(Reading {
                    stream,
                    connection: String::new(),
                    is_slow,
                    revoked: self.revoked,
                    cut_at: Some(Instant::now() + Duration::from_millis(life)),
                    renew_at: None,
                    end_by: None,
                }))
            }
            Ok(Opened::Refused(401, _)) if self.is_ended_on_purpose(&token) => {
                counts.connects_too_late.inc();
                self.token = None;
                Ok(None)
            }
            Ok(Opened::Refused(status, body)) => {
                counts.connects_failed.inc();
                println!("reader {} is refused with {status}: {body}", self.number);
                Ok(None)
            }
            Err(error) => {
                counts.connects_failed.inc();
                println!("reader {} cannot connect: {error:#}", self.number);
                Ok(None)
            }
        }
    }

    async fn current_token(&mut self) -> Result<Token> {
        if let Some(token) = &self.token
            && token.ends > Instant::now()
        {
            return Ok(token.clone());
        }
        self.fresh_token().await
    }

    async fn fresh_token(&mut self) -> Result<Token> {
        self.revoked = self.world.revoked(self.number).get();
        let (subject, life) = (subject(self.number), self.world.token_life);
        let grants = ["--subscribe", "soak/*"];
        let token = self.world.token(&subject, &grants, life).await?;
        self.token = Some(token.clone());
        Ok(token)
    }

    /// Whether the token's time is over, or somebody revoked it.
    fn is_ended_on_purpose(&self, token: &Token) -> bool {
        let revoked = self.world.revoked(self.number).get();
        token.ends <= Instant::now() || revoked > self.revoked
    }

    /// Reads a stream until it ends, or is ended.
    async fn read(&mut self, mut reading: Reading) -> Result<Ending> {
        let mut stage = self.world.stage.clone();
        loop {
            if let Stage::Last(end) = *stage.borrow_and_update() {
                reading.cut_at = None;
                if self.told >= end {
                    return Ok(Ending::Complete);
                }
            }
            if reading.is_slow && reading.cut_at.is_some() {
                sleep(Duration::from_millis(self.random.below(PAUSE_MS_MAX))).await;
            }
            let next = tokio::select! {
                biased;
                () = at(reading.cut_at) => Next::Cut,
                () = at(reading.renew_at) => Next::Renew,
                () = at(reading.end_by) => Next::Stuck,
                block = reading.stream.next() => Next::Block(block),
                changed = stage.changed() => changed.map(|()| Next::Stage)?,
            };
            match next {
                Next::Stage => {}
                Next::Stuck => bail!("a half-closed stream does not end"),
                Next::Block(Some(block)) => {
                    if self.take(&mut reading, &block).await? {
                        return Ok(Ending::Over);
                    }
                }
                Next::Block(None) => {
                    let is_explained = reading.end_by.is_some() || reading.is_slow;
                    if !is_explained && !self.is_revoked(&reading) {
                        self.world.counts.unexplained.inc();
                    }
                    return Ok(Ending::Over);
                }
                Next::Renew => self.renew(&mut reading).await?,
                Next::Cut => match self.cut(reading).await? {
                    Some(half_closed) => reading = half_closed,
                    None => return Ok(Ending::Over),
                },
            }
        }
    }

    /// Whether somebody has revoked the credential behind a stream.
    fn is_revoked(&self, reading: &Reading) -> bool {
        self.world.revoked(self.number).get() > reading.revoked
    }

    /// Takes a block, and says whether it was the last.
    async fn take(&mut self, reading: &mut Reading, block: &Block) -> Result<bool> {
        let said = |name: &str| {
            let data: Value = serde_json::from_str(&block.data).unwrap_or_default();
            data[name].clone()
        };
        let offset = block.id.as_deref().and_then(offset_of);
        match block.event.as_str() {
            "" | "tidings.ping" => {}
            "tidings.hello" => {
                said("connectionId")
                    .as_str()
                    .unwrap_or_default()
                    .clone_into(&mut reading.connection);
                if let Some(ended) = self.ended.take() {
                    self.world.counts.note_return(ended.elapsed());
                }
                if self.cursor.is_none() {
                    let offset = offset.context("a greeting without a cursor")?;
                    self.world.oracle().begin(self.number, self.topics, offset);
                }
            }
            "tidings.gap" => self.world.oracle().gap(self.number, &block.data),
            "tidings.reauth" => self.plan_renewal(reading),
            "tidings.bye" => {
                return self
                    .bye(reading, &said("code"), &said("retryAfterMs"))
                    .await;
            }
            EVENT_TYPE => {
                let data = said("data");
                let (publisher, number) = (data["p"].as_u64(), data["n"].as_u64());
                let event = Event {
                    publisher: publisher.context("an event of nobody")? as usize,
                    number: number.context("an event without a number")?,
                };
                let offset = offset.context("an event without a cursor")?;
                self.world.oracle().shown(self.number, offset, event);
            }
            other => bail!("is sent `{other}`: {}", block.data),
        }
        if let (Some(id), Some(offset)) = (&block.id, offset) {
            self.cursor = Some(id.clone());
            self.told = offset;
            self.world.oracle().told(self.number, offset);
        }
        Ok(false)
    }

    /// Plans to renew the credential at some time before it ends, or not at all.
    fn plan_renewal(&mut self, reading: &mut Reading) {
        let left = self.token.as_ref().map(|token| token.ends - Instant::now());
        let percent = 20 + self.random.below(50) as u32;
        reading.renew_at = left
            .filter(|_| self.random.percent(RENEWED_PERCENT))
            .map(|left| Instant::now() + left * percent / 100);
    }

    async fn renew(&mut self, reading: &mut Reading) -> Result<()> {
        reading.renew_at = None;
        let token = self.fresh_token().await?;
        let line = format!("POST /v1/connections/{}/credential", reading.connection);
        let (status, answer) = ask(self.world.address, &line, &token.text, "").await?;
        match status {
            200 => {
                self.world.counts.renewals.inc();
                reading.revoked = self.revoked;
            }
            // It has ended meanwhile, or the new one was revoked at once.
            401 | 404 => self.world.counts.renewals_refused.inc(),
            _ => bail!("a renewal is answered with {answer}"),
        }
        Ok(())
    }

    /// Takes a farewell. A reader that is to come back at some time does.
    async fn bye(&mut self, reading: &Reading, code: &Value, retry_after: &Value) -> Result<bool> {
        let counts = &self.world.counts;
        match code.as_str().unwrap_or_default() {
            "slow_reader" => counts.slow_readers.inc(),
            "credential_expired" => {
                counts.expired.inc();
                self.token = None;
            }
            "credential_revoked" => {
                counts.revoked.inc();
                ensure!(
                    self.is_revoked(reading),
                    "is told of a revocation that nobody made"
                );
                self.token = None;
            }
            other => bail!("is told to go for `{other}`"),
        }
        let wait = retry_after.as_u64().unwrap_or(0).min(WAIT_MS_MAX);
        sleep(Duration::from_millis(wait)).await;
        Ok(true)
    }

    /// Cuts a stream in one of the ways there are. One that is half-closed goes on to its end.
    async fn cut(&mut self, mut reading: Reading) -> Result<Option<Reading>> {
        let counts = &self.world.counts;
        match self.random.below(100) {
            0..35 => {
                counts.resets.inc();
                reading.stream.reset()?;
            }
            35..60 => {
                counts.closes.inc();
                drop(reading);
            }
            60..80 => {
                counts.half_closes.inc();
                reading.cut_at = None;
                reading.renew_at = None;
                reading.end_by = Some(Instant::now() + END_WITHIN);
                // The hub may have ended it at the same time.
                drop(reading.stream.half_close().await);
                return Ok(Some(reading));
            }
            _ => {
                counts.left_standing.inc();
                let life = Duration::from_millis(self.random.below(STANDING_MS_MAX));
                self.standing.spawn(async move {
                    sleep(life).await;
                    drop(reading);
                });
            }
        }
        Ok(None)
    }
}

/// Who a reader is.
pub(super) fn subject(number: usize) -> String {
    format!("reader-{number}")
}

/// Waits for a time; for ever without one.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}
