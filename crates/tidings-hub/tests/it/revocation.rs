//! What is revoked ends: streams, waiting pages, sockets that take nothing, and whoever comes a moment
//! late. Everybody else goes on.

use std::sync::Arc;
use std::time::Duration;

use tidings_core::credential::{Credential, CredentialId};
use tidings_core::identity::Identity;
use tidings_core::revocation::{Revocation, Revocations, Revoked};
use tidings_core::start::Start;
use tidings_core::time::Timestamp;
use tidings_hub::OpenRequest;
use tidings_log::memory::MemoryOptions;

use crate::fixture::{Fixture, identity, number_event, one_shard, page_request, request, soon};

fn revoked(names: &[&str]) -> Arc<Revocations> {
    let entry = |name: &&str| Revocation {
        what: Revoked::parse(name).expect("a name"),
        at: Timestamp(0),
        until: Timestamp(u64::MAX),
        issued_before: None,
    };
    Arc::new(Revocations::new(names.iter().map(entry)))
}

/// The usual reader with a token of this name.
fn with_token(token: &str, request: OpenRequest) -> OpenRequest {
    let credential = Credential {
        id: Some(CredentialId::parse(token).expect("a name")),
        ..Credential::default()
    };
    let identity = Identity {
        credential,
        ..identity("reader")
    };
    OpenRequest {
        identity: Arc::new(identity),
        ..request
    }
}

#[tokio::test]
async fn a9_what_was_opened_with_a_revoked_token_ends_on_every_shard() {
    let fixture = Fixture::new();
    let mut doomed = Vec::new();
    for _ in 0..4 {
        let request = with_token("token:main:one", request(&["a"], Start::Now));
        let mut stream = fixture.open(request).await.expect("opened");
        assert_eq!(stream.word().await, "hello none");
        doomed.push(stream);
    }
    let other = with_token("token:main:two", request(&["a"], Start::Now));
    let mut other = fixture.open(other).await.expect("opened");
    assert_eq!(other.word().await, "hello none");
    let poll = with_token(
        "token:main:one",
        page_request(&["a"], Start::Now, 10, 25_000),
    );
    let mut poll = soon(fixture.hub.open(poll)).await.expect("opened");
    fixture.hub.revoke(&revoked(&["token:main:one"]));
    for mut stream in doomed {
        assert_eq!(stream.word().await, "bye credential_revoked");
        assert_eq!(stream.next().await, None);
    }
    let page = soon(poll.next()).await.expect("an answer");
    assert!(page.last && page.events == 0);
    fixture.publish(number_event("a", 1)).await;
    other.expect(1..2).await;
    fixture.hub.revoke(&revoked(&["subject:reader"]));
    assert_eq!(other.word().await, "bye credential_revoked");
}

#[tokio::test]
async fn a9_who_was_proven_before_the_revocation_and_is_registered_after_it_reads_nothing() {
    let fixture = Fixture::with(&one_shard(), MemoryOptions::default());
    fixture.publish(number_event("b", 0)).await;
    let mut busy = fixture.live(&["a"]).await;
    fixture.stall("a", 1).await;
    // It has been admitted, and its shard has not looked yet.
    let late = with_token("token:main:one", request(&["b"], Start::Earliest));
    let hub = fixture.hub.clone();
    let late = tokio::spawn(async move { hub.open(late).await });
    soon(async {
        while fixture.hub.figures().connections < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    fixture.hub.revoke(&revoked(&["token:main:one"]));
    fixture.encoder.open_gate();
    let mut late = soon(late).await.expect("it ran").expect("opened");
    let mut words = Vec::new();
    while let Some(delivery) = soon(late.next()).await {
        words.extend(crate::fixture::words(&delivery));
    }
    assert_eq!(words, ["hello complete", "bye credential_revoked"]);
    busy.expect(1..2).await;
}

#[tokio::test]
async fn a9_a_reader_that_takes_nothing_is_cut_in_time() {
    let fixture = Fixture::with(&one_shard(), MemoryOptions::default());
    let doomed = with_token("token:main:one", request(&["a"], Start::Now));
    let mut doomed = fixture.open(doomed).await.expect("opened");
    fixture.publish(number_event("a", 1)).await;
    fixture.hub.revoke(&revoked(&["token:main:one"]));
    fixture.wake_shards().await;
    fixture.wake_shards().await;
    let figures = fixture.hub.figures();
    assert_eq!(
        figures.connections_closed, 0,
        "its hello has not been taken"
    );
    // The product promises two seconds.
    fixture.clock.advance(Duration::from_secs(1));
    fixture.wake_shards().await;
    fixture.wake_shards().await;
    let figures = fixture.hub.figures();
    assert_eq!((figures.connections_closed, figures.connections), (1, 0));
    assert_eq!(
        doomed.words(2).await,
        ["hello none", "bye credential_revoked"]
    );
    assert_eq!(doomed.next().await, None);
}
