//! The local store: the conformance suite, and what is its own.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use tempfile::{TempDir, tempdir};
use tidings_auth::journal::{Journal, Kind};
use tidings_auth::limits::{JOURNAL_REWRITE_LINES_MIN, REVOCATIONS_MAX};
use tidings_auth::store::LocalStore;
use tidings_core::port::{SharedStore, StoreError};
use tidings_core::revocation::{Revocation, Revoked};
use tidings_core::time::Timestamp;
use tidings_testkit::store_conformance;
use tidings_testkit::store_conformance::StoreUnderTest;

use crate::person::{NOW, after};

/// A data directory of its own.
struct Place(TempDir);

impl StoreUnderTest for Place {
    type Store = LocalStore;

    fn create() -> Self {
        Self(tempdir().expect("a directory"))
    }

    fn open(&self) -> LocalStore {
        LocalStore::open(self.0.path()).expect("readable")
    }

    fn notice(&self, store: &LocalStore, now: Timestamp) {
        store.poll(now).expect("readable");
    }
}

store_conformance!(Place);

const KIND: Kind = Kind {
    name: "revocations",
    version: 1,
};

fn revocation(text: &str, until: Timestamp) -> Revocation {
    Revocation {
        what: Revoked::parse(text).expect(text),
        at: NOW,
        until,
        issued_before: None,
    }
}

fn revoke(store: &LocalStore, revocation: Revocation) -> Result<(), StoreError> {
    let revoked = store.revoke(revocation).now_or_never();
    revoked.expect("the file is at hand")
}

#[test]
fn a_revocation_is_forgotten_after_its_end_and_the_listener_is_told() {
    let place = Place::create();
    let store = place.open();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    store.on_revocations(Box::new(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
    }));
    revoke(&store, revocation("subject:u1", after(1_000))).expect("kept");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    assert!(!store.poll(after(999)).expect("readable"));
    assert_eq!(calls.load(Ordering::SeqCst), 2, "nothing changed");
    assert!(store.poll(after(1_000)).expect("readable"));
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    assert!(store.revocations().is_empty());
}

#[test]
fn only_so_many_revocations_are_kept_and_ended_ones_make_room() {
    let place = Place::create();
    let line = |number: usize| {
        let until = if number == 0 { after(10) } else { after(1_000) };
        format!(r#"{{"revoke":{{"what":"key:{number}","at":5,"until":{until}}}}}"#)
    };
    let mut journal = Journal::new(place.0.path(), KIND);
    let mut writing = journal.write().expect("the right to write");
    writing
        .rewrite((0..REVOCATIONS_MAX).map(line))
        .expect("written");
    drop(writing);
    let store = place.open();
    let full = Err(StoreError::Full {
        what: "revocations",
        max: REVOCATIONS_MAX,
    });
    let one_more = |at| {
        let revocation = revocation("subject:u1", after(1_000));
        revoke(&store, Revocation { at, ..revocation })
    };
    assert_eq!(one_more(after(9)), full);
    revoke(&store, revocation("key:7", after(2_000))).expect("it is there already");
    one_more(after(10)).expect("one has ended");
    assert_eq!(store.revocations().iter().count(), REVOCATIONS_MAX);
}

#[test]
fn a_journal_of_history_is_written_anew() {
    let place = Place::create();
    let store = place.open();
    revoke(&store, revocation("subject:u1", after(1_000))).expect("kept");
    let mut journal = Journal::new(place.0.path(), KIND);
    let mut writing = journal.write().expect("the right to write");
    let lines = JOURNAL_REWRITE_LINES_MIN as usize + 10;
    let line = r#"{"revoke":{"what":"key:k1","at":5,"until":9000000000000}}"#;
    writing
        .rewrite(vec![line.to_owned(); lines])
        .expect("written");
    drop(writing);
    revoke(&store, revocation("subject:u2", after(1_000))).expect("kept");
    let path = place.0.path().join("auth/revocations.jsonl");
    let text = fs::read_to_string(path).expect("readable");
    assert_eq!(text.lines().count(), 3, "what it is, and two that count");
    assert_eq!(*place.open().revocations(), *store.revocations());
    let lifted = store.lift(Revoked::parse("key:k1").expect("a key"));
    assert_eq!(lifted.now_or_never(), Some(Ok(true)), "and written on");
    assert_eq!(place.open().revocations().iter().count(), 1);
}

#[test]
fn damage_stops_a_hub_from_starting_and_leaves_a_running_one_what_it_knows() {
    let place = Place::create();
    let store = place.open();
    revoke(&store, revocation("subject:u1", after(1_000))).expect("kept");
    let mut journal = Journal::new(place.0.path(), KIND);
    let mut writing = journal.write().expect("the right to write");
    writing
        .append(r#"{"revoke":{"what":"who?","at":1,"until":2}}"#)
        .expect("written");
    drop(writing);
    for _ in 0..2 {
        let refused = store.poll(NOW).expect_err("no sense").to_string();
        assert!(refused.contains("at line 3"), "{refused}");
        let refused = revoke(&store, revocation("subject:u2", after(5)));
        let refused = refused.expect_err("no sense").to_string();
        assert!(refused.contains("at line 3"), "{refused}");
    }
    assert_eq!(store.revocations().iter().count(), 1);
    LocalStore::open(place.0.path())
        .map(|_| ())
        .expect_err("no sense");
}

#[test]
fn a12_no_store_shows_a_ticket() {
    let place = Place::create();
    let store = place.open();
    let content: Arc<[u8]> = b"CANARY".as_slice().into();
    let put = store.put_ticket([67; 32], content, after(1_000), NOW);
    put.now_or_never().expect("at hand").expect("kept");
    let shown = format!("{store:?} {store:#?}");
    assert!(shown.contains("count: 1"), "{shown}");
    assert!(
        !shown.contains("67, 65") && !shown.contains("67, 67"),
        "{shown}"
    );
}
