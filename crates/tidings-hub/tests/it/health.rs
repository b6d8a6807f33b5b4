//! How the hub says that it is.

use std::future::Future as _;
use std::task::{Context, Waker};
use std::time::Duration;

use tidings_core::limits::SHARD_COMMANDS_MAX;
use tidings_core::port::{Backlog, Health};
use tidings_core::topic::Topic;
use tidings_hub::{HubHealth, Options, ShardHealth, WindowSize};
use tidings_log::memory::MemoryOptions;

use crate::fixture::{Fixture, one_shard, soon, two_shards};

async fn health(fixture: &Fixture) -> HubHealth {
    soon(fixture.hub.health()).await
}

#[tokio::test]
async fn a_hub_that_is_well_says_what_it_holds() {
    let options = Options {
        window_events: 2,
        ..two_shards()
    };
    let fixture = Fixture::with(&options, MemoryOptions::default());
    let stored = health(&fixture).await.stored.expect("it is read");
    assert_eq!((stored.volume.events, stored.earliest), (0, None));
    fixture.publish_numbers("a", 0..3).await;
    let health = health(&fixture).await;
    assert_eq!(health.log, Health::Writable);
    assert_eq!(
        (health.backlog, health.is_stalled()),
        (Backlog::default(), false)
    );
    assert_eq!(health.shards, [ShardHealth::Well; 2]);
    let stored = health.stored.expect("it is read");
    let earliest = stored.earliest.expect("there is one");
    assert_eq!((stored.volume.events, earliest.offset.0), (3, 1));
    assert!(stored.volume.bytes > 0);
    let WindowSize { events, bytes } = health.window;
    assert_eq!(events, 2, "no more than the window has room for");
    assert!(bytes > 2 * 512, "{bytes}");
    assert!(!health.is_draining);
}

#[tokio::test]
async fn a_shard_that_has_too_much_to_do_is_late() {
    let fixture = Fixture::with(&one_shard(), MemoryOptions::default());
    let mut reader = fixture.live(&["a"]).await;
    fixture.stall("a", 1).await;
    let topic = Topic::parse("a").expect("a topic");
    let mut context = Context::from_waker(Waker::noop());
    let mut asked = Vec::new();
    for _ in 0..SHARD_COMMANDS_MAX {
        let mut state = Box::pin(fixture.hub.topic(&topic));
        assert!(state.as_mut().poll(&mut context).is_pending());
        asked.push(state);
    }
    assert_eq!(health(&fixture).await.shards, [ShardHealth::Late]);
    fixture.encoder.open_gate();
    reader.expect(1..2).await;
    for state in asked {
        soon(state).await.expect("read");
    }
    assert_eq!(health(&fixture).await.shards, [ShardHealth::Well]);
}

#[tokio::test]
async fn a_hub_that_is_shutting_down_says_so() {
    let fixture = Fixture::new();
    let none = Duration::ZERO;
    soon(fixture.hub.drain(none, none, none)).await;
    assert!(health(&fixture).await.is_draining);
}
