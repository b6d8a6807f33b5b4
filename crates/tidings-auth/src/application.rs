//! The application provider: whoever it takes is asked of the application itself.
//!
//! For sessions that only the application can read, such as those in its database: the credentials of
//! a request, listed by name in the settings, go to one address of the settings, and the answer says
//! who it is. Answers are kept for a short time, requests with the same credentials ask once, and an
//! application that is slow or down costs its own users their sign-in and nobody else anything.

mod answer;
mod breaker;
mod forwarded;
mod gate;
mod policy;

use std::fmt;
use std::sync::Arc;

use moka::future::Cache;
use tidings_core::credential::{Credential, Serves};
use tidings_core::port::{AuthFailure, Clock, Presented};
use tidings_core::time::{Moment, Timestamp};

use crate::claims::refuse;
use crate::fetch::{Fetch, FetchAnswer, FetchError, FetchRequest};
use crate::limits::{ANSWER_BYTES_MAX, ANSWERS_KEPT_BYTES_MAX, REFUSAL_KEPT_MS_MAX};
use crate::provider::{ProofFuture, Proven, Provider};

use answer::Answer;
use forwarded::{Forwarded, Key};
use gate::Gate;

pub use answer::Shape;
pub use breaker::Patience;
pub use policy::{Policy, SetupError};

/// Asks the application.
pub struct Application {
    policy: Policy,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    gate: Gate,
    kept: Cache<Key, Kept>,
}

/// What came of a question, and how long that counts.
#[derive(Clone)]
struct Kept {
    outcome: Result<Arc<Confirmed>, AuthFailure>,
    until: Moment,
    /// Bytes in memory, roughly.
    weight: u32,
}

/// What an entry costs by itself, and each byte of an answer once it has become claims.
const ENTRY_BYTES: u32 = 512;
const BYTES_PER_BYTE: u32 = 4;

/// What the application has confirmed, and when.
struct Confirmed {
    answer: Answer,
    at: Timestamp,
    ends: Timestamp,
}

impl Application {
    /// A provider that asks one application.
    pub fn new(
        policy: Policy,
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        policy.check_setup()?;
        Ok(Self {
            gate: Gate::new(policy.asking, policy.patience),
            kept: Cache::builder()
                .max_capacity(ANSWERS_KEPT_BYTES_MAX)
                .weigher(|_, kept: &Kept| kept.weight)
                .time_to_live(policy.kept)
                .build(),
            policy,
            fetch,
            clock,
        })
    }

    async fn check(&self, presented: Presented<'_>) -> Result<Option<Proven>, AuthFailure> {
        let policy = &self.policy;
        let forwarded = Forwarded::gather(&presented, &policy.cookies, &policy.headers)?;
        let Some(forwarded) = forwarded else {
            return Ok(None);
        };
        let moment = self.clock.moment();
        let entry = self.kept.entry(forwarded.key());
        let kept = entry
            .or_insert_with_if(self.ask(&forwarded, presented.now), |kept| {
                moment >= kept.until
            })
            .await
            .into_value();
        let confirmed = kept.outcome?;
        if presented.now >= confirmed.ends {
            return Err(AuthFailure::Expired);
        }
        let answer = &confirmed.answer;
        let subject = answer.subject.clone();
        Ok(Some(Proven {
            subject: Some(policy.name.subject(
                subject,
                policy.shape.subject(),
                policy.qualify,
                &policy.others,
            )?),
            roles: answer.roles.clone(),
            grants: answer.grants.clone(),
            claims: Arc::clone(&answer.claims),
            issuer: Some(policy.name.shared()),
            expires_at: Some(confirmed.ends),
            credential: Credential {
                id: None,
                issued_at: Some(confirmed.at),
                is_ambient: forwarded.is_ambient(),
                serves: Serves::Anything,
            },
            is_final: false,
        }))
    }

    /// Asks once. What is not known is not kept: the next request asks again, unless the breaker
    /// says no.
    async fn ask(&self, forwarded: &Forwarded<'_>, now: Timestamp) -> Kept {
        let unknown = Kept {
            outcome: Err(AuthFailure::Unavailable),
            until: Moment(0),
            weight: ENTRY_BYTES,
        };
        let Some(leave) = self.gate.enter(&*self.clock).await else {
            return unknown;
        };
        let request = FetchRequest {
            method: self.policy.method,
            address: self.policy.address.clone(),
            headers: forwarded.headers(),
            timeout: self.policy.timeout,
            body_bytes_max: ANSWER_BYTES_MAX,
        };
        let mut weight = ENTRY_BYTES;
        let outcome = match self.fetch.fetch(request).await {
            Ok(answer) if is_out_of_order(answer.status) => {
                leave.failed();
                return unknown;
            }
            Err(FetchError::Unreachable(_) | FetchError::TimedOut(_)) => {
                leave.failed();
                return unknown;
            }
            Err(FetchError::TooLarge(_)) => {
                let problem = format!("of the application has more than {ANSWER_BYTES_MAX} bytes");
                Err(refuse("(answer)", problem))
            }
            Ok(answer) => {
                weight += answer.body.len() as u32 * BYTES_PER_BYTE;
                self.read(&answer, now)
            }
        };
        leave.answered();
        Kept {
            until: self.clock.moment().plus_ms(self.kept_for(&outcome, now)),
            outcome: outcome.map(Arc::new),
            weight,
        }
    }

    fn read(&self, answer: &FetchAnswer, now: Timestamp) -> Result<Confirmed, AuthFailure> {
        // Whatever else it says, such as a redirection to where one signs in, means no.
        if answer.status != 200 {
            return Err(AuthFailure::Denied);
        }
        let answer = Answer::read(&self.policy.shape, &answer.body, now)?;
        let latest = now.plus(self.policy.life);
        let ends = answer.ends.map_or(latest, |ends| ends.min(latest));
        let at = now;
        Ok(Confirmed { answer, at, ends })
    }

    /// Milliseconds for which an outcome is kept.
    fn kept_for(&self, outcome: &Result<Confirmed, AuthFailure>, now: Timestamp) -> u64 {
        let kept = self.policy.kept.as_millis() as u64;
        match outcome {
            Ok(confirmed) => kept.min(confirmed.ends.since(now).as_millis() as u64),
            Err(_) => kept.min(REFUSAL_KEPT_MS_MAX),
        }
    }
}

/// Statuses that say nothing about the credentials: the application is down, or asks for patience.
fn is_out_of_order(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

impl Provider for Application {
    fn name(&self) -> &'static str {
        "application"
    }

    fn prove<'a>(&'a self, presented: Presented<'a>) -> ProofFuture<'a> {
        Box::pin(self.check(presented))
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application")
            .field("policy", &self.policy)
            .field("gate", &self.gate)
            .finish_non_exhaustive()
    }
}
