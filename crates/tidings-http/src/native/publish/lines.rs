//! Events line by line: each line is an event of its own, answered by a line of its own in the same
//! order, while the body still arrives.
//!
//! A line that is no event, or is refused by itself (no grant, an id used for other content), is
//! answered with its error, and the lines after it go on. When the log refuses (busy, full, not
//! writable, draining), when a rate is used up, when the credential ends, or when the body breaks
//! off, nothing more is read, and the last line of the answer is `{"accepted", "line", "error"}`: how
//! many lines were accepted in all, and the line at which reading stopped. The status is that of the
//! first line.
//!
//! A line that waits for readers waits alone: what came before it is committed and answered, and what
//! comes behind it keeps its order. The lines of one body wait for a limited time together, and after
//! it no more.
//!
//! At most one batch is in flight, and no line is read before the answers to the last batch are
//! taken: a client reads answers while it sends.

mod batch;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tidings_core::awaited::ReaderWait;
use tidings_core::event::Content;
use tidings_core::identity::Identity;
use tidings_core::limits::READER_WAIT_MS_MAX;
use tidings_core::port::AppendError;
use tidings_hub::{PublishError, Published};
use tidings_wire::limits::NDJSON_LINE_BYTES_MAX;
use tidings_wire::page;
use tidings_wire::problem::{Code, Problem};
use tidings_wire::publish::LineSplitter;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::authenticate::ended;
use crate::body::{BodyFault, Patience, RequestBody, Share};
use crate::call::Call;
use crate::limits::{BATCH_BYTES_MAX, LINGER_MS_MAX};
use crate::rates::{self, Told};
use crate::refusals;
use crate::reply::{self, Body, Refusal};
use crate::request_id::RequestId;
use batch::{Batch, Read};

/// Answers with one line per line.
pub(super) async fn answer(
    app: &App,
    call: Call,
    identity: Arc<Identity>,
) -> Result<Response<Body>, Refusal> {
    let mut share = app.bodies().share();
    if !share.grow(NDJSON_LINE_BYTES_MAX + BATCH_BYTES_MAX) {
        return Err(refusals::body(&BodyFault::NoRoom).into());
    }
    let mut intake = Intake {
        app: app.clone(),
        identity,
        client: call.source.client,
        request_id: call.request_id,
        body: call.body,
        splitter: Some(LineSplitter::default()),
        patience: Patience::new(),
        accepted: 0,
        next_line: 1,
        status: None,
        retry_after_ms: None,
        told: Vec::new(),
        is_over: false,
        set_aside: None,
        wait_left: Duration::from_millis(READER_WAIT_MS_MAX),
        _share: share,
    };
    let Some(first) = intake.answer_batch().await else {
        let problem = Problem::new(Code::InvalidEvent, "the body has no line with an event");
        return Err(problem.into());
    };
    let status = intake.status.unwrap_or(StatusCode::OK);
    let retry_after_ms = intake.retry_after_ms;
    let told = std::mem::take(&mut intake.told);
    let rest = stream::unfold(intake, async |mut intake| {
        let answers = intake.answer_batch().await?;
        Some((answers, intake))
    });
    let answers = stream::iter([first])
        .chain(rest)
        .map(|answers| Ok(Frame::data(answers)));
    let body = Body::new(StreamBody::new(Box::pin(answers)));
    let mut response = reply::with_body(status, page::NDJSON_CONTENT_TYPE, body);
    if let Some(retry_after_ms) = retry_after_ms {
        reply::retry_after(retry_after_ms, response.headers_mut());
    }
    rates::telling(Ok(response), told)
}

/// A body on its way in, line by line.
struct Intake {
    app: App,
    identity: Arc<Identity>,
    client: IpAddr,
    request_id: RequestId,
    body: RequestBody,
    /// None once the body has ended.
    splitter: Option<LineSplitter>,
    patience: Patience,
    accepted: u64,
    /// The number of the line that comes next, as far as is known.
    next_line: u64,
    /// The status of the first line, once it is known.
    status: Option<StatusCode>,
    /// When the first line may be repeated, if it was refused for a time.
    retry_after_ms: Option<u64>,
    /// What is left of the limits after the last lines that were counted; the head tells of the first.
    told: Vec<Told>,
    is_over: bool,
    /// A line that begins the next batch.
    set_aside: Option<Read>,
    /// How long lines may still wait for readers.
    wait_left: Duration,
    /// Room for a batch and the beginning of the line after it.
    _share: Share,
}

impl Intake {
    /// The answers to the next lines; none after the last.
    async fn answer_batch(&mut self) -> Option<Bytes> {
        if self.is_over {
            self.linger().await;
            return None;
        }
        let (batch, broken_off) = self.read_batch().await;
        let mut answers = Vec::with_capacity(batch.lines.len() * 96 + 256);
        let stopped = if let Some(failure) = ended(&self.app, &self.identity) {
            let first = batch
                .lines
                .first()
                .map_or(self.next_line, |(line, _)| *line);
            Some((first, Problem::from(&failure)))
        } else {
            let refused = self.publish(batch, &mut answers).await;
            refused.or_else(|| broken_off.map(|problem| (self.next_line, problem)))
        };
        if let Some((line, problem)) = stopped {
            self.stop(line, problem, &mut answers);
        }
        self.is_over |= self.splitter.is_none() && self.set_aside.is_none();
        (!answers.is_empty()).then(|| answers.into())
    }

    /// Takes what still comes of the body for a while: a connection that is closed with unread bytes
    /// may be reset, and the client would lose the last line.
    async fn linger(&mut self) {
        let deadline = Instant::now() + Duration::from_millis(LINGER_MS_MAX);
        while let Ok(Some(Ok(_))) = timeout_at(deadline, self.body.frame()).await {}
    }

    /// Reads lines until there are enough for a batch, or none without waiting; waits for the first.
    /// With the lines comes what broke the body off, if anything did.
    async fn read_batch(&mut self) -> (Batch, Option<Problem>) {
        let mut batch = Batch::default();
        // The time that the log and the client's reading took is not the body's.
        self.patience.renew();
        if let Some(line) = self.set_aside.take() {
            self.set_aside = batch.add(line);
        }
        while let Some(splitter) = &mut self.splitter {
            while !batch.is_full()
                && self.set_aside.is_none()
                && let Some(line) = splitter.next_line()
            {
                self.next_line = line.number + 1;
                self.patience.renew();
                self.set_aside = batch.add(Read::of(line));
            }
            if batch.is_full() || self.set_aside.is_some() {
                break;
            }
            let next = self.patience.next_piece(&mut self.body);
            let piece = if batch.lines.is_empty() {
                next.await
            } else if let Some(piece) = next.now_or_never() {
                piece
            } else {
                break;
            };
            match piece {
                Ok(Some(piece)) => splitter.push(&piece),
                Ok(None) => {
                    if let Some(line) = self.splitter.take().and_then(LineSplitter::finish) {
                        self.set_aside = batch.add(Read::of(line));
                    }
                }
                Err(fault) => return (batch, Some(refusals::body(&fault))),
            }
        }
        (batch, None)
    }

    /// Publishes a batch and appends the answers to its lines. Returns the first line that the log
    /// refused, with the reason.
    async fn publish(&mut self, mut batch: Batch, answers: &mut Vec<u8>) -> Option<(u64, Problem)> {
        // The lines that no longer fit a limit are refused like those behind a refusal of the log:
        // what came before them is committed, and whoever repeats them keeps their order.
        let mut fit =
            rates::fitting_lines(&self.app, &self.identity, self.client, &batch.sizes).await;
        self.told = std::mem::take(&mut fit.told);
        batch.events.truncate(fit.lines);
        let outcomes = match batch.wait.filter(|_| fit.lines > 0) {
            None => {
                let hub = self.app.hub();
                hub.publish_each(&self.identity, batch.events).await
            }
            Some(wait) => match self.publish_when_read(wait, batch.events).await {
                Ok(outcome) => vec![outcome],
                Err(problem) => {
                    (fit.lines, fit.refused) = (0, Some(problem));
                    Vec::new()
                }
            },
        };
        let mut outcomes = outcomes.into_iter();
        let mut fitting = fit.lines;
        let mut refused = None;
        for (line, decoded) in batch.lines {
            let outcome = match decoded {
                Err(problem) => Err((problem, false)),
                Ok(()) if fitting == 0 => {
                    let problem = fit.refused.clone().unwrap_or_else(lost_outcome);
                    Err((problem, true))
                }
                Ok(()) => {
                    fitting -= 1;
                    match outcomes.next() {
                        Some(Ok(published)) => Ok(super::shown(published)),
                        Some(Err(error)) => {
                            let stops = stops(&error);
                            Err((refusals::publish(error), stops))
                        }
                        None => Err((lost_outcome(), true)),
                    }
                }
            };
            match outcome {
                Ok(published) => {
                    self.status.get_or_insert(StatusCode::OK);
                    self.accepted += 1;
                    page::push_published_line(line, Ok(&published), answers);
                }
                Err((problem, stops)) => {
                    self.note_refusal(&problem);
                    page::push_published_line(line, Err(&problem), answers);
                    if stops && refused.is_none() {
                        refused = Some((line, problem));
                    }
                }
            }
        }
        refused
    }

    /// Publishes the event of a line that waits for readers, or says why nothing more is read.
    async fn publish_when_read(
        &mut self,
        wait: ReaderWait,
        event: Vec<Content>,
    ) -> Result<Result<Published, PublishError>, Problem> {
        let begun = Instant::now();
        let outcome = async {
            let admitted = self.app.hub().admit(&self.identity, event)?;
            let wait = wait.within(self.wait_left);
            admitted.until_read(&[Some(wait)]).await?;
            if let Some(failure) = ended(&self.app, &self.identity) {
                return Ok(Err(Problem::from(&failure)));
            }
            admitted.commit().await.map(Ok)
        };
        let outcome = outcome.await;
        self.wait_left = self.wait_left.saturating_sub(begun.elapsed());
        match outcome {
            Ok(Err(problem)) => Err(problem),
            Ok(Ok(mut published)) => published.pop().map(Ok).ok_or_else(lost_outcome),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Takes the status of a refusal for the whole answer, if it is that of the first line.
    fn note_refusal(&mut self, problem: &Problem) {
        if self.status.is_none() {
            self.status = Some(reply::status(problem));
            self.retry_after_ms = problem.retry_after_ms();
        }
    }

    /// Appends the last line, after which nothing is read.
    fn stop(&mut self, line: u64, problem: Problem, answers: &mut Vec<u8>) {
        self.note_refusal(&problem);
        self.is_over = true;
        let accepted = self.accepted;
        let opening = format!("{{\"accepted\":{accepted},\"line\":{line},\"error\":");
        answers.extend_from_slice(opening.as_bytes());
        problem
            .with_request_id(self.request_id.to_string())
            .push(answers);
        answers.extend_from_slice(b"}\n");
    }
}

/// Whether a refusal is about the log and not about the one event: the next lines would fare the
/// same, and their order would be lost.
fn stops(error: &PublishError) -> bool {
    match error {
        PublishError::Draining | PublishError::TooManyWaits(_) => true,
        PublishError::Append(error) => match error {
            AppendError::Busy { .. }
            | AppendError::Full
            | AppendError::NotWritable
            | AppendError::OutcomeUnknown => true,
            AppendError::IdReused { .. } | AppendError::TooLarge { .. } => false,
        },
        PublishError::NotGranted { .. }
        | PublishError::TooManyEvents { .. }
        | PublishError::TooLarge { .. } => false,
    }
}

/// The hub owes one outcome per event.
fn lost_outcome() -> Problem {
    Problem::new(Code::OutcomeUnknown, "the hub gave no outcome for the line")
}
