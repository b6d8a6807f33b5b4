//! A stream that goes on with another credential, or with another subscription, over real shards.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use tidings_core::audience::Role;
use tidings_core::grant::Grants;
use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::port::Clock as _;
use tidings_core::start::Start;
use tidings_core::subscription::{SubscribeRefused, Subscription};
use tidings_hub::{OpenRequest, RenewError};
use tidings_log::memory::MemoryOptions;
use tidings_testkit::draft::DraftBuilder;

use crate::fixture::{
    Fixture, Told, asked, identity, number_event, one_shard, page_request, request, soon,
};

/// A reader who may read these, and has these roles.
fn granted(patterns: &[&str], roles: &[&str]) -> Identity {
    let mut identity = identity("reader");
    identity.grants.subscribe = patterns_of(patterns);
    let role = |role: &&str| Role::parse(role).expect("a role");
    identity.roles = roles.iter().map(role).collect();
    identity
}

fn patterns_of(patterns: &[&str]) -> Vec<Pattern> {
    let pattern = |pattern: &&str| Pattern::parse(pattern).expect("a pattern");
    patterns.iter().map(pattern).collect()
}

fn role_event(role: &str, number: u64) -> DraftBuilder {
    number_event(&format!("@role/{role}"), number)
}

async fn open(fixture: &Fixture, identity: Identity, patterns: &[&str]) -> Told {
    let request = OpenRequest {
        identity: Arc::new(identity),
        ..request(patterns, Start::Now)
    };
    let mut stream = fixture.open(request).await.expect("opened");
    assert_eq!(stream.word().await, "hello none");
    stream
}

#[tokio::test]
async fn a_renewed_stream_reads_what_the_new_credential_grants_of_what_it_asked() {
    let fixture = Fixture::new();
    let mut stream = open(&fixture, granted(&["a/1"], &["OLD"]), &["a/*", "b"]).await;
    assert_eq!(stream.reader.narrowed(), Some(&patterns_of(&["a/1"])[..]));
    let id = stream.reader.connection_id();
    fixture.publish_numbers("a/2", 0..1).await;
    fixture.publish_numbers("a/1", 1..2).await;
    fixture.publish(role_event("OLD", 2)).await;
    fixture.publish(role_event("NEW", 0)).await;
    stream.expect(1..3).await;

    let mut wider = granted(&["**"], &["NEW"]);
    wider.expires_at = Some(fixture.clock.now().plus(Duration::from_secs(600)));
    let renewed = soon(fixture.hub.renew(id, &wider)).await.expect("renewed");
    assert_eq!(
        (renewed.expires_at, renewed.narrowed),
        (wider.expires_at, None)
    );
    assert_eq!(renewed.cursor, fixture.hub.head());
    fixture.publish(role_event("OLD", 0)).await;
    fixture.publish(role_event("NEW", 3)).await;
    fixture.publish_numbers("c", 0..1).await;
    for (number, key) in [(4, "a/2"), (5, "b"), (6, "a/1")] {
        fixture.publish_numbers(key, number..number + 1).await;
    }
    stream.expect(3..7).await;

    let narrow = granted(&["a/2", "c"], &[]);
    let renewed = soon(fixture.hub.renew(id, &narrow)).await.expect("renewed");
    assert_eq!(renewed.narrowed, Some(patterns_of(&["a/2"])));
    fixture.publish_numbers("a/1", 0..1).await;
    fixture.publish_numbers("c", 0..1).await;
    fixture.publish_numbers("a/2", 7..8).await;
    stream.expect(7..8).await;
}

#[tokio::test]
async fn what_waits_at_the_change_is_read_by_the_new_scope_from_the_cursor_on() {
    let fixture = Fixture::new();
    let request = OpenRequest {
        identity: Arc::new(granted(&["a"], &[])),
        ..request(&["a", "b"], Start::Now)
    };
    // Its hello is not taken, so all of this waits.
    let mut stream = fixture.open(request).await.expect("opened");
    let id = stream.reader.connection_id();
    let before = fixture.hub.head();
    for (number, key) in [(0, "a"), (1, "b"), (0, "a"), (2, "b")] {
        fixture.publish_numbers(key, number..number + 1).await;
    }
    let renewed = soon(fixture.hub.renew(id, &granted(&["b"], &[]))).await;
    assert_eq!(renewed.expect("renewed").cursor, before);
    assert_eq!(stream.word().await, "hello none");
    fixture.publish_numbers("b", 3..4).await;
    stream.expect(1..4).await;
}

#[tokio::test]
async fn a15_another_subscription_of_too_many_patterns_leaves_the_stream_as_it_is() {
    let fixture = Fixture::new();
    let texts = |count, form: fn(usize) -> String| (0..count).map(form).collect::<Vec<_>>();
    let grants = texts(33, |number| format!("{number}/*"));
    let wanted = texts(32, |number| format!("*/{number}"));
    let all = |texts: &[String]| {
        texts
            .iter()
            .map(|text| Pattern::parse(text).expect(text))
            .collect()
    };
    let identity = Identity {
        grants: Grants {
            subscribe: all(&grants),
            ..Grants::default()
        },
        ..identity("reader")
    };
    let mut stream = open(&fixture, identity.clone(), &["1/1"]).await;
    let id = stream.reader.connection_id();
    let ask = |wanted: &[String]| Subscription {
        patterns: all(wanted),
        ..asked(&[], &[])
    };
    let too_many = fixture.hub.resubscribe(id, &identity, ask(&wanted));
    let refused = SubscribeRefused::TooMany(33 * 32);
    assert_eq!(
        soon(too_many).await,
        Err(RenewError::TooManyPatterns(refused))
    );
    fixture.publish_numbers("2/2", 0..1).await;
    fixture.publish_numbers("1/1", 1..2).await;
    stream.expect(1..2).await;
    let fewer = fixture.hub.resubscribe(id, &identity, ask(&wanted[1..]));
    soon(fewer).await.expect("as many as may be");
    fixture.publish_numbers("2/2", 2..3).await;
    stream.expect(2..3).await;
}

#[tokio::test]
async fn a_renewal_that_leaves_nothing_ends_the_stream_and_names_what_was_asked() {
    let fixture = Fixture::new();
    let mut stream = open(&fixture, granted(&["a"], &[]), &["a", "b"]).await;
    let id = stream.reader.connection_id();
    let refused = soon(fixture.hub.renew(id, &granted(&["c"], &[]))).await;
    let names = patterns_of(&["a", "b"]);
    assert_eq!(refused, Err(RenewError::NotGranted(names)));
    assert_eq!(stream.word().await, "bye not_granted");
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn only_the_subject_of_a_stream_renews_it() {
    let fixture = Fixture::new();
    let mut stream = fixture.live(&["a"]).await;
    let id = stream.reader.connection_id();
    let not_found = Err(RenewError::NotFound);
    let nobody = Identity {
        subject: None,
        ..identity("reader")
    };
    for stranger in [identity("other"), nobody] {
        assert_eq!(soon(fixture.hub.renew(id, &stranger)).await, not_found);
        let subscription = asked(&["b"], &[]);
        let changed = fixture.hub.resubscribe(id, &stranger, subscription);
        assert_eq!(soon(changed).await, not_found);
    }
    let page = page_request(&["a"], Start::Now, 10, 25_000);
    let page = soon(fixture.hub.open(page)).await.expect("opened");
    let owner = identity("reader");
    let renewed = fixture.hub.renew(page.connection_id(), &owner);
    assert_eq!(soon(renewed).await, not_found);
    fixture.publish(number_event("a", 1)).await;
    stream.expect(1..2).await;
    drop(stream);
    assert_eq!(soon(fixture.hub.renew(id, &owner)).await, not_found);
}

#[tokio::test]
async fn a_stream_asks_for_something_else_and_stays_as_it_is_if_that_is_not_granted() {
    let fixture = Fixture::new();
    let reader = granted(&["a", "b"], &[]);
    let mut stream = open(&fixture, reader.clone(), &["a"]).await;
    let id = stream.reader.connection_id();
    let refused = fixture.hub.resubscribe(id, &reader, asked(&["c"], &[]));
    let names = patterns_of(&["c"]);
    assert_eq!(soon(refused).await, Err(RenewError::NotGranted(names)));
    fixture.publish_numbers("a", 1..2).await;
    stream.expect(1..2).await;
    let changed = fixture
        .hub
        .resubscribe(id, &reader, asked(&["b", "c"], &[]));
    let changed = soon(changed).await.expect("changed");
    assert_eq!(changed.narrowed, Some(patterns_of(&["b"])));
    fixture.publish_numbers("a", 0..1).await;
    fixture.publish_numbers("b", 2..3).await;
    stream.expect(2..3).await;
    // It is what it asks for from now on, whatever the next credential grants.
    let wider = soon(fixture.hub.renew(id, &granted(&["**"], &[]))).await;
    assert_eq!(wider.expect("renewed").narrowed, None);
    fixture.publish_numbers("a", 0..1).await;
    fixture.publish_numbers("c", 3..4).await;
    stream.expect(3..4).await;
}

#[tokio::test]
async fn a9_a_renewed_stream_is_warned_again_and_ends_with_its_new_credential() {
    let fixture = Fixture::new();
    let until = |s: u64| Some(fixture.clock.now().plus(Duration::from_secs(s)));
    let first = Identity {
        expires_at: until(90),
        ..identity("reader")
    };
    let mut stream = open(&fixture, first, &["a"]).await;
    let id = stream.reader.connection_id();
    fixture.clock.advance(Duration::from_secs(31));
    fixture.wake_shards().await;
    assert_eq!(stream.word().await, "reauth");
    let second = Identity {
        expires_at: until(120),
        ..identity("reader")
    };
    soon(fixture.hub.renew(id, &second)).await.expect("renewed");
    fixture.clock.advance(Duration::from_secs(59));
    fixture.wake_shards().await;
    fixture.publish_numbers("a", 1..2).await;
    stream.expect(1..2).await;
    fixture.clock.advance(Duration::from_secs(2));
    fixture.wake_shards().await;
    assert_eq!(stream.word().await, "reauth");
    fixture.clock.advance(Duration::from_secs(59));
    fixture.publish_numbers("a", 0..1).await;
    assert_eq!(stream.word().await, "bye credential_expired");
    assert_eq!(stream.next().await, None);
}

/// Polls a future while the shard stalls, so that what it asks is answered only afterwards.
async fn poll_while_stalled<F: Future>(fixture: &Fixture, busy: &mut Told, future: Pin<&mut F>) {
    fixture.stall("busy", 0).await;
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.poll(&mut context).is_pending());
    fixture.encoder.open_gate();
    busy.expect(0..1).await;
    fixture.wake_shards().await;
}

#[tokio::test]
async fn a_renewal_is_worked_out_again_if_the_stream_is_changed_meanwhile_but_not_for_ever() {
    let fixture = Fixture::with(&one_shard(), MemoryOptions::default());
    let reader = identity("reader");
    let mut busy = fixture.live(&["busy"]).await;
    let mut stream = fixture.live(&["a"]).await;
    let id = stream.reader.connection_id();
    for (changes, is_busy) in [(2, false), (3, true)] {
        let mut renewal = pin!(fixture.hub.renew(id, &reader));
        for change in 0..changes {
            poll_while_stalled(&fixture, &mut busy, renewal.as_mut()).await;
            // It has been told what the stream asks for; now that is so no longer.
            let topic = format!("b/{changes}/{change}");
            let changed = fixture.hub.resubscribe(id, &reader, asked(&[&topic], &[]));
            soon(changed).await.expect("changed");
            poll_while_stalled(&fixture, &mut busy, renewal.as_mut()).await;
        }
        let renewed = soon(renewal).await;
        assert_eq!(renewed.is_ok(), !is_busy, "{renewed:?}");
        assert_eq!(matches!(renewed, Err(RenewError::Busy { .. })), is_busy);
    }
    fixture.publish_numbers("b/3/2", 1..2).await;
    stream.expect(1..2).await;
}
