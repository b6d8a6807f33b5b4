//! What issuers need around them: a clock that tests set, policies, and ways to fetch.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tidings_auth::address::{Address, PlainHttp};
use tidings_auth::fetch::{Fetch, FetchError, FetchFuture, FetchRequest};
use tidings_auth::issuer::{Issuers, Keys, Policy, SetupError};
use tidings_auth::jwt::{Algorithm, JwtAuthenticator};
use tidings_auth::provider::Proven;
use tidings_auth::secret::Secret;
use tidings_auth::web_fetch::WebFetch;
use tidings_core::port::{AuthFailure, Clock};
use tidings_core::time::{Moment, Timestamp};

use crate::forge::{NOW, SECRET};
use crate::signer::Signer;

/// The `iss` of most tests.
pub(crate) const ISSUER: &str = "https://issuer.example";

/// A clock that stands still until it is told.
#[derive(Debug, Default)]
pub(crate) struct HandClock(AtomicU64);

impl HandClock {
    pub(crate) fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(NOW * 1_000)
    }

    fn moment(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}

/// Refuses to fetch, and counts.
#[derive(Debug, Default)]
pub(crate) struct NoFetch(AtomicUsize);

impl NoFetch {
    pub(crate) fn calls(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Fetch for NoFetch {
    fn fetch(&self, _: FetchRequest) -> FetchFuture<'_> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Box::pin(async { Err(FetchError::Unreachable("there is no network".to_owned())) })
    }
}

/// Issuers, and the clock on which they look.
pub(crate) struct World {
    pub(crate) issuers: Arc<Issuers>,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) unused: Arc<NoFetch>,
}

impl World {
    /// The hub's own secret and these issuers, of which none publishes its keys.
    pub(crate) fn new(policies: Vec<Policy>) -> Result<Self, SetupError> {
        let unused = Arc::new(NoFetch::default());
        let fetch: Arc<dyn Fetch> = Arc::<NoFetch>::clone(&unused);
        Self::with_fetch(policies, &fetch, unused)
    }

    /// The same, with issuers that publish their keys over HTTP.
    pub(crate) fn online(policies: Vec<Policy>) -> Self {
        let fetch: Arc<dyn Fetch> = Arc::new(WebFetch::new().expect("a client"));
        Self::with_fetch(policies, &fetch, Arc::default()).expect("good policies")
    }

    pub(crate) fn with_fetch(
        policies: Vec<Policy>,
        fetch: &Arc<dyn Fetch>,
        unused: Arc<NoFetch>,
    ) -> Result<Self, SetupError> {
        let clock = Arc::new(HandClock::default());
        let shared: Arc<dyn Clock> = Arc::<HandClock>::clone(&clock);
        let own = JwtAuthenticator::new(&Secret::from(SECRET), Duration::from_secs(5));
        let own = own.expect("a good secret");
        let issuers = Issuers::new(Some(own), policies, fetch, &shared)?;
        Ok(Self {
            issuers: Arc::new(issuers),
            clock,
            unused,
        })
    }

    /// The same after another, as when settings are read again.
    pub(crate) fn following(self, before: &Self) -> Self {
        let issuers = Arc::into_inner(self.issuers).expect("nobody else has them");
        Self {
            issuers: Arc::new(issuers.following(&before.issuers)),
            ..self
        }
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<Proven, AuthFailure> {
        self.issuers.verify(token, Timestamp(NOW * 1_000)).await
    }
}

/// A policy of these keys for [`ISSUER`], by the name of `main`.
pub(crate) fn policy(keys: Keys, algorithms: &[Algorithm]) -> Policy {
    let name = "main".parse().expect("a name");
    Policy::new(name, ISSUER, keys, algorithms.to_vec())
}

/// A policy of one signer's key.
pub(crate) fn policy_of(signer: &Signer) -> Policy {
    let keys = Keys::Static(vec![signer.json_key().to_string()]);
    policy(keys, &[signer.algorithm])
}

/// A policy of keys that are published here.
pub(crate) fn published(url: &str, algorithms: &[Algorithm]) -> Policy {
    let address = Address::parse(url, PlainHttp::Loopback).expect("an address");
    policy(Keys::Published(address), algorithms)
}

/// Good claims of [`ISSUER`].
pub(crate) fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "u1", "exp": NOW + 3_600, "iat": NOW - 10})
}

/// Good claims, of which one is something else.
pub(crate) fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}
