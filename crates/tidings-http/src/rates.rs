//! How much may be asked in which time, and who has used it up.
//!
//! What is spent is counted in the shared store, so that all nodes count together. If the store does
//! not answer, requests and publishes pass, are counted as not limited, and the log says so: a limit
//! is there to keep the hub working, and stopping it would do the opposite. A ticket is not given
//! then: the store that cannot count it cannot keep it either.

mod blocked;
mod headers;
mod publishes;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use tidings_core::audience::Subject;
use tidings_core::identity::Identity;
use tidings_core::port::{Bucket, Quota, SharedStore, Spent, StoreError};
use tidings_core::time::{Moment, Timestamp};
use tidings_wire::problem::{Code, Problem};

use crate::app::App;
use crate::forwarded::counted;
use crate::limits::STORE_RETRY_MS;
use crate::metrics::LimitLabels;
use crate::reply::Refusal;
use crate::seldom::Seldom;

use blocked::Blocked;
pub(crate) use headers::{Item, Taken, Told, telling};
pub(crate) use publishes::{count_events, fitting_lines};

/// How much may be asked in which time. None is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Requests of one address; the addresses of one IPv6 /64 are one. Behind a proxy that is not
    /// trusted, all its clients are one address.
    pub requests_per_address: Option<Quota>,
    /// Credentials from one address that are refused because they prove nothing. When they are used
    /// up, no credential from there is looked at until one more would be allowed, so that guessing
    /// is slow. A good credential behind the same address waits too. What is checked at the same
    /// time may go beyond it once.
    pub refused_credentials_per_address: Option<Quota>,
    /// Tickets that one identity gets.
    pub tickets_per_identity: Option<Quota>,
    /// Events that one identity publishes.
    pub published_events_per_identity: Option<Quota>,
    /// Bytes of events, as they are sent, that one identity publishes.
    pub published_bytes_per_identity: Option<Quota>,
}

impl Default for RateLimits {
    fn default() -> Self {
        let per_minute = |units| {
            Some(Quota {
                units,
                period_ms: 60_000,
            })
        };
        Self {
            requests_per_address: None,
            refused_credentials_per_address: per_minute(120),
            tickets_per_identity: per_minute(120),
            published_events_per_identity: None,
            published_bytes_per_identity: None,
        }
    }
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Requests,
    RefusedCredentials,
    Tickets,
    PublishedEvents,
    PublishedBytes,
}

impl Limit {
    /// The word for it: in the store, in headers and in figures.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::RefusedCredentials => "refused_credentials",
            Self::Tickets => "tickets",
            Self::PublishedEvents => "published_events",
            Self::PublishedBytes => "published_bytes",
        }
    }

    fn quota(self, limits: &RateLimits) -> Option<Quota> {
        match self {
            Self::Requests => limits.requests_per_address,
            Self::RefusedCredentials => limits.refused_credentials_per_address,
            Self::Tickets => limits.tickets_per_identity,
            Self::PublishedEvents => limits.published_events_per_identity,
            Self::PublishedBytes => limits.published_bytes_per_identity,
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Requests => "requests from this address",
            Self::RefusedCredentials => "refused credentials from this address",
            Self::Tickets => "tickets of this identity",
            Self::PublishedEvents => "events of this identity",
            Self::PublishedBytes => "bytes of events of this identity",
        }
    }
}

/// Counts what is spent.
#[derive(Debug)]
pub(crate) struct Rates {
    limits: RateLimits,
    store: Arc<dyn SharedStore>,
    remembered: Arc<Remembered>,
}

/// What goes on when the limits change.
#[derive(Debug, Default)]
struct Remembered {
    blocked: Blocked,
    reached_log: Seldom,
    unavailable_log: Seldom,
}

/// Who spends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spender<'a> {
    Address(IpAddr),
    Subject(&'a Subject),
}

impl<'a> Spender<'a> {
    /// Nobody is as many as there are addresses.
    fn of(identity: &'a Identity, client: IpAddr) -> Self {
        identity
            .subject
            .as_ref()
            .map_or_else(|| Self::Address(counted(client)), Self::Subject)
    }
}

/// The kind stands first and ends at the first colon, so that no subject is an address.
impl fmt::Display for Spender<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "address:{address}"),
            Self::Subject(subject) => write!(f, "subject:{}", subject.as_str()),
        }
    }
}

impl Rates {
    pub(crate) fn new(limits: RateLimits, store: Arc<dyn SharedStore>) -> Self {
        Self {
            limits,
            store,
            remembered: Arc::default(),
        }
    }

    /// The same with other limits. What was spent is spent, and whoever has to wait goes on waiting.
    pub(crate) fn with_limits(&self, limits: RateLimits) -> Self {
        Self {
            limits,
            store: Arc::clone(&self.store),
            remembered: Arc::clone(&self.remembered),
        }
    }

    async fn ask(
        &self,
        limit: Limit,
        quota: Quota,
        spender: &Spender<'_>,
        units: u32,
        now: Timestamp,
    ) -> Result<Spent, StoreError> {
        let bucket = Bucket {
            kind: limit.as_str(),
            whose: spender.to_string().into(),
        };
        self.store.spend(bucket, quota, units, now).await
    }
}

/// Counts one request of an address. What a successful answer tells of it, if it is limited.
///
/// # Cancel safety
///
/// A dropped call may have counted it.
pub(crate) async fn count_request(app: &App, client: IpAddr) -> Result<Option<Told>, Refusal> {
    let spender = Spender::Address(counted(client));
    match spend(app, Limit::Requests, &spender, 1).await {
        Ok(told) => match told {
            Some(told) if !told.is_allowed() => Err(reached(app, &told)),
            told => Ok(told),
        },
        Err(_) => Ok(None),
    }
}

/// Counts one ticket of an identity, before it is made. Where tickets cannot be counted, there are
/// none.
///
/// # Cancel safety
///
/// A dropped call may have counted it.
pub(crate) async fn count_ticket(
    app: &App,
    identity: &Identity,
    client: IpAddr,
) -> Result<Option<Told>, Refusal> {
    let spender = Spender::of(identity, client);
    match spend(app, Limit::Tickets, &spender, 1).await {
        Ok(Some(told)) if !told.is_allowed() => Err(reached(app, &told)),
        Ok(told) => Ok(told),
        Err(_) => Err(Problem::new(
            Code::StoreUnavailable,
            "the hub cannot count another one now",
        )
        .with_retry_after_ms(STORE_RETRY_MS)
        .into()),
    }
}

/// Refuses to look at any credential from an address from which too many were refused.
pub(crate) fn check_refusals(app: &App, client: IpAddr) -> Result<(), Refusal> {
    let now = app.clock().moment();
    let Some(wait_ms) = app.rates().remembered.blocked.wait_ms(counted(client), now) else {
        return Ok(());
    };
    let limit = Limit::RefusedCredentials;
    let quota = limit.quota(&app.rates().limits);
    let spent = Spent {
        is_allowed: false,
        remaining: 0,
        wait_ms,
    };
    match quota {
        Some(quota) => Err(reached(
            app,
            &Told {
                limit,
                quota,
                spent,
            },
        )),
        None => Ok(()),
    }
}

/// Counts a credential that was refused. The answer is the refusal, with what is left.
///
/// # Cancel safety
///
/// A dropped call may have counted it.
pub(crate) async fn count_refusal(app: &App, client: IpAddr, refusal: Refusal) -> Refusal {
    let address = counted(client);
    let spender = Spender::Address(address);
    let Ok(Some(told)) = spend(app, Limit::RefusedCredentials, &spender, 1).await else {
        return refusal;
    };
    if told.spent.remaining == 0 {
        // What the store says to wait for after the last one is that all are back.
        let wait_ms = if told.is_allowed() {
            u64::from(told.quota.period_ms / told.quota.units.max(1)).max(1)
        } else {
            told.spent.wait_ms
        };
        let until: Moment = app.clock().moment().plus_ms(wait_ms);
        app.rates()
            .remembered
            .blocked
            .block(address, until, app.clock().moment());
    }
    refusal.telling(Item::Rate(told))
}

/// Spends units; none if nothing limits them. A store that does not answer is counted and logged.
async fn spend(
    app: &App,
    limit: Limit,
    spender: &Spender<'_>,
    units: u32,
) -> Result<Option<Told>, StoreError> {
    let rates = app.rates();
    let Some(quota) = limit.quota(&rates.limits) else {
        return Ok(None);
    };
    match rates
        .ask(limit, quota, spender, units, app.clock().now())
        .await
    {
        Ok(spent) => Ok(Some(Told {
            limit,
            quota,
            spent,
        })),
        Err(error) => {
            let labels = LimitLabels {
                limit: limit.as_str(),
            };
            app.metrics().rates_uncounted.get_or_create(&labels).inc();
            if let Some(suppressed) = rates.remembered.unavailable_log.say(app.clock().moment()) {
                tracing::warn!(
                    limit = limit.as_str(), cause = %error, suppressed, "rate not counted"
                );
            }
            Err(error)
        }
    }
}

/// The refusal of what is used up, counted and logged.
fn reached(app: &App, told: &Told) -> Refusal {
    let Told {
        limit,
        quota,
        spent,
    } = *told;
    let labels = LimitLabels {
        limit: limit.as_str(),
    };
    app.metrics().rate_limited.get_or_create(&labels).inc();
    if let Some(suppressed) = app.rates().remembered.reached_log.say(app.clock().moment()) {
        tracing::warn!(limit = limit.as_str(), suppressed, "rate limit reached");
    }
    let code = match limit {
        Limit::RefusedCredentials => Code::TooManyRefusals,
        _ => Code::RateLimited,
    };
    let detail = format!(
        "{} {} in {} ms are allowed, and they are used up",
        quota.units,
        limit.what(),
        quota.period_ms
    );
    let problem = Problem::new(code, detail)
        .with_retry_after_ms(spent.wait_ms)
        .with_number("limit", u64::from(quota.units));
    Refusal::from(problem).telling(Item::Rate(*told))
}

#[cfg(test)]
mod tests {
    use tidings_core::credential::Credential;
    use tidings_core::grant::Grants;

    use super::*;

    #[test]
    fn a17_no_subject_spends_what_an_address_has() {
        let identity = |subject| Identity {
            subject: Subject::parse(subject).ok(),
            roles: Vec::new(),
            grants: Grants::default(),
            home: Vec::new(),
            expires_at: None,
            method: "test",
            credential: Credential::default(),
        };
        let client = "2001:db8::5".parse().expect("an address");
        let nobody = identity("");
        assert_eq!(nobody.subject, None);
        let network = Spender::of(&nobody, client).to_string();
        assert_eq!(network, "address:2001:db8::");
        let spellings = [
            network.as_str(),
            "2001:db8::",
            "subject:x",
            "x",
            "address:x",
        ];
        let subjects = spellings.map(|text| Spender::of(&identity(text), client).to_string());
        for (index, one) in subjects.iter().enumerate() {
            assert!(
                *one != network && !subjects[index + 1..].contains(one),
                "{one}"
            );
        }
    }
}
