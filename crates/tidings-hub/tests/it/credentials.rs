//! A connection ends with its credential.
//!
//! Shards sleep until their next deadline by the clock port. Here time moves only when a test moves
//! it, so the test wakes them as well.

use std::sync::Arc;
use std::time::Duration;

use tidings_core::port::Clock as _;
use tidings_core::start::Start;

use crate::fixture::{Fixture, identity, number_event, request};

#[tokio::test]
async fn a_stream_is_warned_and_ends_with_its_credential() {
    let fixture = Fixture::new();
    let mut request = request(&["a"], Start::Now);
    let mut expiring = identity("reader");
    expiring.expires_at = Some(fixture.clock.now().plus(Duration::from_secs(90)));
    request.identity = Arc::new(expiring);
    let mut stream = fixture.open(request).await.expect("opened");
    let mut other = fixture.live(&["a"]).await;
    assert_eq!(stream.word().await, "hello none");
    fixture.publish(number_event("a", 1)).await;
    stream.expect(1..2).await;
    fixture.wake_shards().await;

    fixture.clock.advance(Duration::from_secs(31));
    fixture.wake_shards().await;
    assert_eq!(stream.word().await, "reauth");
    fixture.publish(number_event("a", 2)).await;
    stream.expect(2..3).await;
    fixture.wake_shards().await;

    fixture.clock.advance(Duration::from_secs(59));
    // Publishing wakes them too, and comes too late for the stream.
    fixture.publish(number_event("a", 3)).await;
    assert_eq!(stream.word().await, "bye credential_expired");
    assert_eq!(stream.next().await, None);
    other.expect(1..4).await;
}
