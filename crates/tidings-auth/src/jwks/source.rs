//! The published keys of one issuer, kept.
//!
//! Each issuer has a source of its own, so no key of one is ever found under the name of another's.
//! There is one fetch at a time and one per [`KEY_SET_FETCH_INTERVAL_MS`], whatever is presented. It
//! runs as a task of its own: a request that goes away cannot use up the one fetch that others wait
//! for.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidings_core::port::{AuthFailure, Clock, KeyStanding};
use tidings_core::time::Moment;
use tokio::sync::watch;

use super::KeySet;
use crate::address::Address;
use crate::fetch::{Fetch, FetchMethod, FetchRequest};
use crate::issuer::IssuerName;
use crate::jwt::{Algorithm, Compact};
use crate::limits::{
    KEY_SET_BYTES_MAX, KEY_SET_FETCH_INTERVAL_MS, KEY_SET_FETCH_MS_MAX, KEY_SET_FRESH_MS,
    KEY_SET_REFRESH_MS, KEY_SET_STALE_MS_MAX,
};

/// Where an issuer's keys come from, and the ones that it last published.
#[derive(Clone)]
pub(crate) struct Source(Arc<Inner>);

struct Inner {
    issuer: IssuerName,
    address: Address,
    algorithms: Vec<Algorithm>,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    flight: Mutex<Flight>,
    held: watch::Sender<Held>,
}

/// The fetch that is under way, or the last one.
#[derive(Default)]
struct Flight {
    is_under_way: bool,
    began_at: Option<Moment>,
}

#[derive(Clone, Default)]
struct Held {
    /// The newest published keys, and when they were asked for.
    keys: Option<(Arc<KeySet>, Moment)>,
    /// Whether the last fetch brought none.
    is_issuer_down: bool,
}

/// How old the held keys are, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    /// There are none, or none that may still be used.
    Missing,
    /// To be used only while the issuer cannot be reached.
    Stale,
    /// To be renewed when there is time.
    Ripe,
    Fresh,
}

impl Source {
    /// The source of one issuer. Nothing is fetched before a token asks for it.
    pub(crate) fn new(
        issuer: IssuerName,
        address: Address,
        algorithms: Vec<Algorithm>,
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner {
            issuer,
            address,
            algorithms,
            fetch,
            clock,
            flight: Mutex::default(),
            held: watch::Sender::new(Held::default()),
        }))
    }

    /// Whether another has the same keys, read alike.
    pub(crate) fn asks_as(&self, other: &Self) -> bool {
        let (own, other) = (&self.0, &other.0);
        own.issuer == other.issuer
            && own.address == other.address
            && own.algorithms == other.algorithms
    }

    /// Whether a token was signed with one of the issuer's keys.
    pub(crate) async fn check(&self, token: &Compact<'_>) -> Result<(), AuthFailure> {
        let is_down = self.0.held.borrow().is_issuer_down;
        let has_waited = match self.age() {
            Age::Missing => self.renew().await,
            Age::Stale if !is_down => self.renew().await,
            Age::Stale | Age::Ripe => {
                drop(self.begin());
                false
            }
            Age::Fresh => false,
        };
        if self.accepts(token) {
            return Ok(());
        }
        // The key may be newer than the set.
        if !has_waited && self.renew().await && self.accepts(token) {
            return Ok(());
        }
        let is_down = self.0.held.borrow().is_issuer_down;
        if is_down || self.age() == Age::Missing {
            Err(AuthFailure::Unavailable)
        } else {
            Err(AuthFailure::NotTrusted)
        }
    }

    /// How the keys are. Fetches nothing.
    pub(crate) fn standing(&self) -> KeyStanding {
        let was_asked = self.0.flight().began_at.is_some();
        let is_down = self.0.held.borrow().is_issuer_down;
        match self.age() {
            Age::Missing if !was_asked => KeyStanding::Unasked,
            Age::Missing => KeyStanding::Missing,
            Age::Fresh | Age::Ripe | Age::Stale if is_down => KeyStanding::Old,
            Age::Fresh | Age::Ripe | Age::Stale => KeyStanding::Known,
        }
    }

    fn accepts(&self, token: &Compact<'_>) -> bool {
        let held = self.0.held.borrow().clone();
        let is_usable = self.age() != Age::Missing;
        held.keys
            .is_some_and(|(keys, _)| is_usable && keys.accepts(token))
    }

    fn age(&self) -> Age {
        let fetched_at = self.0.held.borrow().keys.as_ref().map(|keys| keys.1);
        let now = self.0.clock.moment();
        match fetched_at.map(|at| now.ms_since(at)) {
            Some(0..KEY_SET_REFRESH_MS) => Age::Fresh,
            Some(KEY_SET_REFRESH_MS..KEY_SET_FRESH_MS) => Age::Ripe,
            Some(KEY_SET_FRESH_MS..KEY_SET_STALE_MS_MAX) => Age::Stale,
            _ => Age::Missing,
        }
    }

    /// Waits for a fetch, if one is under way or may begin. Whether there was one.
    async fn renew(&self) -> bool {
        match self.begin() {
            Some(mut landing) => landing.changed().await.is_ok(),
            None => false,
        }
    }

    /// Begins a fetch, or joins the one under way; none if the last one is too recent.
    fn begin(&self) -> Option<watch::Receiver<Held>> {
        let mut flight = self.0.flight();
        if !flight.is_under_way {
            let now = self.0.clock.moment();
            let is_too_soon = |at| now.ms_since(at) < KEY_SET_FETCH_INTERVAL_MS;
            if flight.began_at.is_some_and(is_too_soon) {
                return None;
            }
            flight.is_under_way = true;
            flight.began_at = Some(now);
            let landing = Landing {
                inner: Arc::clone(&self.0),
                began_at: now,
                keys: None,
            };
            drop(tokio::spawn(landing.fly()));
        }
        // Subscribed under the lock, under which the landing is announced: it cannot be missed.
        Some(self.0.held.subscribe())
    }
}

impl Inner {
    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> Result<KeySet, String> {
        let request = FetchRequest {
            method: FetchMethod::Get,
            address: self.address.clone(),
            headers: vec![("accept".to_owned(), b"application/json".to_vec())],
            timeout: Duration::from_millis(KEY_SET_FETCH_MS_MAX),
            body_bytes_max: KEY_SET_BYTES_MAX,
        };
        let answer = self.fetch.fetch(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status != 200 {
            return Err(format!(
                "the answer has the status {} and not 200",
                answer.status
            ));
        }
        KeySet::parse(&answer.body, &self.algorithms).map_err(|fault| fault.to_string())
    }
}

/// The obligation to announce how a fetch ended, also if its task is stopped.
struct Landing {
    inner: Arc<Inner>,
    began_at: Moment,
    keys: Option<KeySet>,
}

impl Landing {
    async fn fly(mut self) {
        let issuer = &self.inner.issuer;
        match self.inner.fetch().await {
            Ok(keys) => {
                for fault in keys.ignored() {
                    tracing::debug!(%issuer, %fault, "a published key is not used");
                }
                tracing::info!(%issuer, keys = keys.len(), "fetched the issuer's keys");
                self.keys = Some(keys);
            }
            Err(problem) => tracing::warn!(
                %issuer, %problem,
                "the issuer's keys cannot be fetched; those known are used for at most a day"
            ),
        }
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flight = self.inner.flight();
        flight.is_under_way = false;
        self.inner.held.send_modify(|held| {
            held.is_issuer_down = self.keys.is_none();
            if let Some(keys) = self.keys.take() {
                held.keys = Some((Arc::new(keys), self.began_at));
            }
        });
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("issuer", &self.0.issuer)
            .field("address", &self.0.address)
            .finish_non_exhaustive()
    }
}
