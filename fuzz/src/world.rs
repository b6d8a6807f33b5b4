//! What the targets have in common: a time, secrets, a request, and a hub without a network.

use std::net::Ipv4Addr;
use std::sync::Arc;

use futures_util::FutureExt as _;
use serde_json::Value;
use tidings_auth::fetch::{Fetch, FetchFuture, FetchRequest};
use tidings_auth::provider::{Proven, Provider};
use tidings_core::port::{AuthFailure, Clock, Presented, Purpose};
use tidings_core::time::Timestamp;
use tidings_testkit::clock::ManualClock;

/// The time of every run, for which the fixtures' tokens and sessions are valid.
pub(crate) const NOW: Timestamp = Timestamp(1_900_000_000_000);

/// The hub's own secret.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A request without anything.
pub(crate) fn nothing() -> Presented<'static> {
    Presented::nothing(Purpose::Read, Ipv4Addr::LOCALHOST.into(), NOW)
}

/// What a provider that asks nobody says.
pub(crate) fn prove(
    provider: &dyn Provider,
    presented: Presented<'_>,
) -> Result<Option<Proven>, AuthFailure> {
    let proven = provider.prove(presented).now_or_never();
    proven.expect("nothing has to be waited for")
}

/// Sessions that Auth.js and `NextAuth` made.
pub(crate) fn sessions() -> Value {
    serde_json::from_str(include_str!(
        "../../crates/tidings-auth/tests/fixtures/sessions.json"
    ))
    .expect("a fixture is JSON")
}

/// Tokens that other libraries made.
pub(crate) fn tokens() -> Value {
    serde_json::from_str(include_str!(
        "../../crates/tidings-auth/tests/fixtures/tokens.json"
    ))
    .expect("a fixture is JSON")
}

/// The text at a JSON pointer.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.expect("the fixture has this text")
}

/// No network: whatever tries to reach out has been made to by an input.
#[derive(Debug)]
struct NoFetch;

impl Fetch for NoFetch {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        panic!("an input made the hub ask {}", request.address)
    }
}

/// A clock that stands still.
pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(NOW))
}

/// A way to fetch that is never to be used.
pub(crate) fn no_fetch() -> Arc<dyn Fetch> {
    Arc::new(NoFetch)
}
