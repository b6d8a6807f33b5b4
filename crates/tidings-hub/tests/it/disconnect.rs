//! An operator ends one connection by its id, and nothing by an id that is only nearly one.

use std::future::Future as _;
use std::task::{Context, Waker};

use tidings_core::limits::SHARD_COMMANDS_MAX;
use tidings_core::topic::Topic;
use tidings_hub::{
    ConnectionId, DisconnectError, DisconnectReason, NotSurveyed, RenewError, Sweep, Which,
};
use tidings_log::memory::MemoryOptions;

use crate::fixture::{Fixture, identity, number_event, one_shard, soon};

fn reason() -> DisconnectReason {
    DisconnectReason::parse("maintenance").expect("a reason")
}

#[tokio::test]
async fn the_connection_of_an_id_ends_and_no_other() {
    let fixture = Fixture::new();
    let mut one = fixture.live(&["a"]).await;
    let mut other = fixture.live(&["a"]).await;
    let id = one.reader.connection_id();
    let text = id.to_string();
    assert_eq!(ConnectionId::parse(&text), Ok(id));
    let parts: Vec<&str> = text.split('.').collect();
    for (place, wrong) in [(0, "9"), (1, "7"), (2, "9"), (3, "9"), (4, "12345678")] {
        let mut parts = parts.clone();
        parts[place] = wrong;
        let wrong = ConnectionId::parse(&parts.join(".")).expect("an id");
        let found = soon(fixture.hub.disconnect(wrong, reason())).await;
        assert_eq!(found, Ok(false), "{wrong}");
    }
    assert_eq!(soon(fixture.hub.disconnect(id, reason())).await, Ok(true));
    assert_eq!(one.word().await, "bye disconnected");
    assert_eq!(one.next().await, None);
    assert_eq!(soon(fixture.hub.disconnect(id, reason())).await, Ok(false));
    fixture.publish(number_event("a", 1)).await;
    other.expect(1..2).await;
}

#[tokio::test]
async fn a_shard_that_is_asked_too_much_says_so() {
    let fixture = Fixture::with(&one_shard(), MemoryOptions::default());
    let reader = fixture.live(&["a"]).await;
    fixture.stall("a", 0).await;
    let id = reader.reader.connection_id();
    let mut context = Context::from_waker(Waker::noop());
    let topic = Topic::parse("a").expect("a topic");
    let mut asked = Vec::new();
    for _ in 0..SHARD_COMMANDS_MAX {
        let mut state = Box::pin(fixture.hub.topic(&topic));
        assert!(state.as_mut().poll(&mut context).is_pending());
        asked.push(state);
    }
    let owner = identity("reader");
    let renewed = soon(fixture.hub.renew(id, &owner)).await;
    assert!(
        matches!(renewed, Err(RenewError::Busy { .. })),
        "{renewed:?}"
    );
    let kicked = soon(fixture.hub.disconnect(id, reason())).await;
    assert!(
        matches!(kicked, Err(DisconnectError::Busy { .. })),
        "{kicked:?}"
    );
    let (all, ping) = (Which::default(), Sweep::Ping);
    for busy in [
        soon(fixture.hub.connections(all, None, 1)).await.err(),
        soon(fixture.hub.connection(id)).await.err(),
        soon(fixture.hub.ping(id)).await.err(),
        soon(fixture.hub.sweep(ping)).await.err(),
    ] {
        assert!(matches!(busy, Some(NotSurveyed::Busy { .. })), "{busy:?}");
    }
    assert_eq!(
        soon(fixture.hub.census()).await.total(),
        0,
        "it is left out"
    );
    fixture.encoder.open_gate();
    for state in asked {
        soon(state).await.expect("read");
    }
    soon(fixture.hub.renew(id, &owner)).await.expect("renewed");
    assert_eq!(soon(fixture.hub.disconnect(id, reason())).await, Ok(true));
}
