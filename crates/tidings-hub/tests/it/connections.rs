//! Connections as an operator sees them, over real shards.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tidings_core::audience::Subject;
use tidings_core::limits::SURVEYED_PER_SLICE_MAX;
use tidings_core::start::Start;
use tidings_hub::{
    CONNECTIONS_LISTED_MAX, ConnectionId, ConnectionState, DisconnectReason, OpenRequest, Options,
    Sweep, SweptAll, Transport, Which,
};
use tidings_log::memory::MemoryOptions;

use crate::fixture::{Fixture, Told, identity, page_request, request, soon, two_shards};

fn of(subject: &str) -> OpenRequest {
    OpenRequest {
        identity: Arc::new(identity(subject)),
        ..request(&["a"], Start::Now)
    }
}

async fn open(fixture: &Fixture, subject: &str) -> Told {
    let mut stream = fixture.open(of(subject)).await.expect("opened");
    assert_eq!(stream.word().await, "hello none");
    stream
}

async fn ids(fixture: &Fixture, which: Which, limit: usize) -> Vec<ConnectionId> {
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = fixture.hub.connections(which.clone(), after, limit);
        let page = soon(page).await.expect("listed");
        assert!(page.connections.len() <= limit);
        ids.extend(page.connections.iter().map(|one| one.facts.id));
        after = page.next;
        if after.is_none() {
            assert_eq!(page.census.total(), ids.len() as u64);
            return ids;
        }
    }
}

#[tokio::test]
async fn all_connections_of_all_shards_are_listed_once_page_after_page() {
    let fixture = Fixture::new();
    let mut streams = Vec::new();
    for number in 0..25 {
        streams.push(open(&fixture, &format!("u{}", number % 5)).await);
    }
    let all: HashSet<ConnectionId> = streams
        .iter()
        .map(|stream| stream.reader.connection_id())
        .collect();
    for limit in [1, 7, 24, 25, 100] {
        let listed = ids(&fixture, Which::default(), limit).await;
        assert_eq!(listed.len(), 25, "{limit}");
        assert_eq!(listed.into_iter().collect::<HashSet<_>>(), all);
    }
    let which = Which {
        subject: Subject::parse("u3").ok(),
        ..Which::default()
    };
    assert_eq!(ids(&fixture, which, 2).await.len(), 5);
    // The one after which a page begins may have ended.
    let first = soon(fixture.hub.connections(Which::default(), None, 5)).await;
    let first = first.expect("listed");
    let after = first.next.expect("there is more");
    streams.retain(|stream| stream.reader.connection_id() != after);
    fixture.turn_shards().await;
    let second = soon(fixture.hub.connections(Which::default(), Some(after), 100)).await;
    assert_eq!(second.expect("listed").connections.len(), 20);
}

#[tokio::test]
async fn a_list_is_no_longer_than_its_limit_and_counts_what_it_leaves_out() {
    let count = CONNECTIONS_LISTED_MAX + SURVEYED_PER_SLICE_MAX;
    let options = Options {
        connections_per_identity: count,
        connections_per_address: count,
        ..two_shards()
    };
    let fixture = Fixture::with(&options, MemoryOptions::default());
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(fixture.open(of("reader")).await.expect("opened"));
    }
    let page = fixture.hub.connections(Which::default(), None, usize::MAX);
    let page = soon(page).await.expect("listed");
    assert_eq!(page.connections.len(), CONNECTIONS_LISTED_MAX);
    assert_eq!(page.census.total(), count as u64);
    assert!(page.next.is_some());
}

#[tokio::test]
async fn a_connection_is_described_with_its_address_while_it_is_there() {
    let fixture = Fixture::new();
    let stream = open(&fixture, "ann").await;
    let waiting = page_request(&["a"], Start::Now, 1, 50_000);
    let page = soon(fixture.hub.open(waiting)).await.expect("opened");
    let id = stream.reader.connection_id();
    let described = soon(fixture.hub.connection(id)).await.expect("asked");
    let described = described.expect("it is there");
    assert_eq!(described.address, Some(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    assert_eq!(described.facts.id, id);
    let census = soon(fixture.hub.census()).await;
    for transport in Transport::ALL {
        assert_eq!(census.of(transport, ConnectionState::Connected), 1);
    }
    let (census, subjects) = soon(fixture.hub.census_by_subject()).await;
    assert_eq!(census.total(), 2);
    assert_eq!(subjects.len(), 2);
    assert!(subjects.values().all(|count| *count == 1));
    drop((stream, page));
    fixture.turn_shards().await;
    assert_eq!(soon(fixture.hub.connection(id)).await, Ok(None));
}

#[tokio::test]
async fn one_stream_or_all_of_them_are_pinged() {
    let fixture = Fixture::new();
    let mut one = open(&fixture, "ann").await;
    let mut other = open(&fixture, "ben").await;
    fixture.turn_shards().await;
    let id = one.reader.connection_id();
    assert_eq!(soon(fixture.hub.ping(id)).await, Ok(Some(true)));
    assert!(one.word().await.starts_with("ping"));
    fixture.turn_shards().await;
    let both = SweptAll {
        done: 2,
        passed_over: 0,
    };
    assert_eq!(soon(fixture.hub.sweep(Sweep::Ping)).await, Ok(both));
    for stream in [&mut one, &mut other] {
        assert!(stream.word().await.starts_with("ping"));
    }
    drop(one);
    fixture.turn_shards().await;
    assert_eq!(soon(fixture.hub.ping(id)).await, Ok(None));
}

#[tokio::test]
async fn all_connections_of_a_subject_end_wherever_they_are() {
    let fixture = Fixture::new();
    let mut mine = [open(&fixture, "ann").await, open(&fixture, "ann").await];
    let mut other = open(&fixture, "ben").await;
    let subject = Subject::parse("ann").expect("a subject");
    let reason = DisconnectReason::parse("enough").expect("a reason");
    let sweep = Sweep::Disconnect(subject, reason);
    let swept = soon(fixture.hub.sweep(sweep.clone())).await.expect("done");
    assert_eq!(swept.done, 2);
    for stream in &mut mine {
        assert_eq!(stream.word().await, "bye disconnected");
        assert_eq!(stream.next().await, None);
    }
    assert_eq!(soon(fixture.hub.sweep(sweep)).await.expect("done").done, 0);
    fixture.publish_numbers("a", 1..2).await;
    other.expect(1..2).await;
}
