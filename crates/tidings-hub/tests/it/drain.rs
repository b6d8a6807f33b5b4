//! A drain tells everybody to leave, spread over time, and takes nothing new.

use std::future::Future as _;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tidings_core::limits::SHARD_COMMANDS_MAX;
use tidings_core::start::Start;
use tidings_hub::{Framing, OpenError, Options, PublishError, Readiness};
use tidings_log::memory::MemoryOptions;
use tidings_testkit::PATIENCE_S;
use tidings_testkit::draft::draft;

use crate::fixture::{Fixture, Told, one_shard, page_request, request, soon, words};

const GRACE: Duration = Duration::from_secs(PATIENCE_S);

/// Whether a reader has been told to leave by now.
fn has_bye(told: &mut Told) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    match told.reader.poll_next(&mut context) {
        Poll::Pending => false,
        Poll::Ready(delivery) => {
            let delivery = delivery.expect("a last word");
            assert!(delivery.last);
            assert_eq!(words(&delivery), ["bye drain"]);
            true
        }
    }
}

#[tokio::test]
async fn everybody_is_told_within_the_spread_and_the_drain_ends_when_all_have_left() {
    let fixture = Fixture::new();
    let mut readers = Vec::new();
    for _ in 0..40 {
        readers.push(fixture.live(&["a"]).await);
    }
    // Their hello is taken; the shards know it after this.
    fixture.wake_shards().await;
    let spread = Duration::from_secs(10);
    let drain = fixture.hub.drain(spread, GRACE, Duration::from_secs(1));
    let leave = async {
        let mut left = Vec::new();
        // The plan is made before time passes.
        fixture.wake_shards().await;
        for _ in 0..10 {
            fixture.clock.advance(spread / 10);
            // Asked in one round, done in it; the second answer says that the first round is over.
            fixture.wake_shards().await;
            fixture.wake_shards().await;
            let before = readers.len();
            readers.retain_mut(|reader| !has_bye(reader));
            left.push(before - readers.len());
        }
        assert!(readers.is_empty(), "somebody was not told");
        left
    };
    let ((), left) = soon(async { tokio::join!(drain, leave) }).await;
    let busiest = left.iter().max().copied().unwrap_or_default();
    assert!(busiest <= 15, "not spread: {left:?}");
    assert_eq!(fixture.hub.figures().connections, 0);
}

#[tokio::test]
async fn a_draining_hub_takes_no_publish_and_no_reader() {
    let fixture = Fixture::new();
    assert_eq!(fixture.hub.readiness(), Readiness::Ready);
    let drained = fixture.hub.drain(Duration::ZERO, GRACE, Duration::ZERO);
    soon(drained).await;
    assert_eq!(fixture.hub.readiness(), Readiness::Draining);
    let refused = fixture.publish_group(vec![draft("a")]).await;
    assert_eq!(refused, Err(PublishError::Draining));
    let refused = fixture.open(request(&["a"], Start::Now)).await;
    assert!(matches!(refused, Err(OpenError::Draining)));
}

#[tokio::test]
async fn a_long_poll_is_answered_by_a_drain() {
    let fixture = Fixture::new();
    let request = page_request(&["a"], Start::Now, 10, 50_000);
    let mut poll = fixture.open(request).await.expect("opened");
    let drain = fixture.hub.drain(Duration::ZERO, GRACE, Duration::ZERO);
    let leave = async {
        let page = poll.reader.next().await.expect("an answer");
        drop(poll);
        page
    };
    let ((), page) = soon(async { tokio::join!(drain, leave) }).await;
    assert_eq!(
        (page.events, page.last, page.cursor),
        (0, true, fixture.hub.head())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_was_let_in_while_the_drain_began_is_told_as_well() {
    for _ in 0..20 {
        let fixture = Arc::new(Fixture::new());
        let mut opens = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let fixture = fixture.clone();
            opens.spawn(async move {
                // By way of a reader thread, so that some registrations come late.
                let opened = fixture.open(request(&["a"], Start::Earliest)).await;
                let Ok(mut told) = opened else { return 0 };
                let mut last = String::new();
                while let Some(word) = told.next().await {
                    last = word;
                }
                assert_eq!(last, "bye drain");
                1
            });
        }
        let drain = fixture.hub.drain(Duration::ZERO, GRACE, Duration::ZERO);
        soon(drain).await;
        soon(opens.join_all()).await;
        assert_eq!(fixture.hub.figures().connections, 0);
    }
}

#[tokio::test]
async fn a_shard_with_no_room_for_commands_refuses_readers_and_drains_all_the_same() {
    let roomy = Options {
        connections_per_identity: usize::MAX,
        connections_per_address: usize::MAX,
        ..one_shard()
    };
    let fixture = Fixture::with(&roomy, MemoryOptions::default());
    let mut stalled = fixture.live(&["a"]).await;
    fixture.stall("a", 0).await;
    let mut context = Context::from_waker(Waker::noop());
    let mut opens = Vec::new();
    for _ in 0..SHARD_COMMANDS_MAX {
        let mut open = Box::pin(fixture.hub.open(request(&["b"], Start::Now)));
        assert!(open.as_mut().poll(&mut context).is_pending());
        opens.push(open);
    }
    let refused = fixture.open(request(&["b"], Start::Now)).await;
    assert!(
        matches!(refused, Err(OpenError::Busy { .. })),
        "{refused:?}"
    );
    let with_a_socket = fixture
        .hub
        .open_socket(request(&["b"], Start::Now), Framing::Chunked)
        .await;
    assert!(
        matches!(with_a_socket, Err(OpenError::Busy { .. })),
        "{with_a_socket:?}"
    );

    let drain = fixture.hub.drain(Duration::ZERO, GRACE, Duration::ZERO);
    let leave = async {
        fixture.encoder.open_gate();
        for open in opens {
            let mut reader = open.await.expect("registered");
            let mut last = false;
            while let Some(delivery) = reader.next().await {
                last = delivery.last;
            }
            assert!(last, "not told to leave");
        }
        assert_eq!(stalled.words(2).await, ["0", "bye drain"]);
        drop(stalled);
    };
    soon(async { tokio::join!(drain, leave) }).await;
}

#[tokio::test]
async fn a_drain_ends_with_its_grace_though_somebody_stays() {
    let fixture = Fixture::new();
    let stays = fixture.live(&["a"]).await;
    let drain = fixture
        .hub
        .drain(Duration::ZERO, Duration::ZERO, Duration::ZERO);
    soon(drain).await;
    assert_eq!(fixture.hub.figures().connections, 1);
    drop(stays);
}
