//! How many connections there may be, and that places become free again.

use std::net::IpAddr;
use std::sync::Arc;

use tidings_core::start::Start;
use tidings_hub::{Allowed, LimitScope, OpenError, OpenRequest, Options};
use tidings_log::memory::MemoryOptions;

use crate::fixture::{Fixture, Told, identity, page_request, request, two_shards};

fn limited(connections: usize, per_identity: usize, per_address: usize) -> Fixture {
    let options = Options {
        connections,
        connections_per_identity: per_identity,
        connections_per_address: per_address,
        ..two_shards()
    };
    Fixture::with(&options, MemoryOptions::default())
}

fn of(subject: &str, address: &str) -> OpenRequest {
    let mut request = request(&["a"], Start::Now);
    request.identity = Arc::new(identity(subject));
    request.address = address.parse::<IpAddr>().expect("an address");
    request
}

fn refused(outcome: Result<Told, OpenError>) -> (LimitScope, usize) {
    match outcome {
        Err(OpenError::TooManyConnections {
            scope,
            max,
            retry_after_ms,
        }) => {
            assert!(retry_after_ms > 0);
            (scope, max)
        }
        other => panic!("not refused by a limit: {other:?}"),
    }
}

#[tokio::test]
async fn m2_the_limit_of_the_hub_is_reached_and_freed_again() {
    let fixture = limited(2, 9, 9);
    let first = fixture.open(of("u1", "10.0.0.1")).await.expect("opened");
    let _second = fixture.open(of("u2", "10.0.0.2")).await.expect("opened");
    let third = fixture.open(of("u3", "10.0.0.3")).await;
    assert_eq!(refused(third), (LimitScope::Hub, 2));
    assert_eq!(fixture.hub.figures().connections, 2);
    drop(first);
    fixture
        .open(of("u3", "10.0.0.3"))
        .await
        .expect("a free place");
}

#[tokio::test]
async fn m2_the_limit_of_an_identity_holds_from_wherever_it_comes() {
    let fixture = limited(9, 2, 9);
    let first = fixture.open(of("u1", "10.0.0.1")).await.expect("opened");
    let _second = fixture.open(of("u1", "10.0.0.2")).await.expect("opened");
    let third = fixture.open(of("u1", "10.0.0.3")).await;
    assert_eq!(refused(third), (LimitScope::Identity, 2));
    fixture.open(of("u2", "10.0.0.1")).await.expect("another's");
    drop(first);
    fixture
        .open(of("u1", "10.0.0.3"))
        .await
        .expect("a free place");
}

#[tokio::test]
async fn m2_an_address_is_the_same_in_both_of_its_spellings() {
    let fixture = limited(9, 9, 2);
    let first = fixture.open(of("u1", "192.0.2.1")).await.expect("opened");
    let mapped = of("u2", "::ffff:192.0.2.1");
    let _second = fixture.open(mapped.clone()).await.expect("opened");
    let third = fixture.open(mapped.clone()).await;
    assert_eq!(refused(third), (LimitScope::Address, 2));
    fixture.open(of("u3", "192.0.2.2")).await.expect("another");
    drop(first);
    fixture.open(mapped).await.expect("a free place");
}

#[tokio::test]
async fn m2_a_page_has_a_place_only_while_it_is_read() {
    let fixture = limited(1, 1, 1);
    for _ in 0..20 {
        fixture
            .page(page_request(&["a"], Start::Earliest, 10, 0))
            .await;
    }
    let waiting = fixture
        .open(page_request(&["a"], Start::Now, 10, 50_000))
        .await
        .expect("opened");
    let second = fixture.open(request(&["a"], Start::Now)).await;
    assert_eq!(refused(second), (LimitScope::Hub, 1));
    drop(waiting);
    fixture.live(&["a"]).await;
}

#[tokio::test]
async fn a_subscription_without_a_grant_takes_no_place() {
    let fixture = limited(1, 1, 1);
    let mut nobody = identity("nobody");
    nobody.grants.subscribe.clear();
    let mut refused = request(&["a", "b/*"], Start::Now);
    refused.identity = Arc::new(nobody);
    let Err(OpenError::NotGranted(patterns)) = fixture.open(refused).await else {
        panic!("not refused");
    };
    let patterns: Vec<_> = patterns.iter().map(ToString::to_string).collect();
    assert_eq!(patterns, ["a", "b/*"]);
    assert_eq!(fixture.hub.figures().connections, 0);
    fixture.live(&["a"]).await;
}

#[tokio::test]
async fn other_limits_hold_for_those_who_come_and_those_who_are_there_stay() {
    let fixture = limited(3, 9, 9);
    let mut open = Vec::new();
    for (subject, address) in [("u1", "10.0.0.1"), ("u2", "10.0.0.2"), ("u3", "10.0.0.3")] {
        open.push(fixture.open(of(subject, address)).await.expect("opened"));
    }
    let allow = |hub, per_identity, per_address| {
        fixture.hub.allow(Allowed {
            hub,
            per_identity,
            per_address,
        });
    };
    for ((hub, per_identity, per_address), expected) in [
        ((2, 9, 9), (LimitScope::Hub, 2)),
        ((9, 1, 9), (LimitScope::Identity, 1)),
        ((9, 9, 1), (LimitScope::Address, 1)),
    ] {
        allow(hub, per_identity, per_address);
        let another = fixture.open(of("u1", "10.0.0.1")).await;
        assert_eq!(refused(another), expected);
    }
    assert_eq!(fixture.hub.figures().connections, 3);
    allow(4, 2, 2);
    let another = fixture.open(of("u1", "10.0.0.1")).await;
    another.expect("there is a place now");
}
