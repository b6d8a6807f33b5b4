//! Revocations: kept for good, told to whoever listens, whoever made them.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tidings_core::port::SharedStore;
use tidings_core::revocation::{Revocation, Revocations, Revoked};

use super::{START, StoreUnderTest, after, answer};

const DAY_MS: u64 = 86_400_000;

fn what(text: &str) -> Revoked {
    Revoked::parse(text).expect(text)
}

fn revocation(text: &str, until_ms: u64) -> Revocation {
    Revocation {
        what: what(text),
        at: START,
        until: after(until_ms),
        issued_before: Some(after(until_ms / 2)),
    }
}

fn revoke(store: &dyn SharedStore, revocation: &Revocation) {
    answer(store.revoke(revocation.clone())).expect("kept");
}

fn lift(store: &dyn SharedStore, text: &str) -> bool {
    answer(store.lift(what(text))).expect("answered")
}

fn sorted(revocations: &Revocations) -> Vec<Revocation> {
    let mut all: Vec<Revocation> = revocations.iter().cloned().collect();
    all.sort_by(|a, b| a.what.cmp(&b.what));
    all
}

/// What a listener was told, one entry for each call.
type Told = Arc<Mutex<Vec<Vec<Revocation>>>>;

fn listen(store: &dyn SharedStore) -> Told {
    let told = Told::default();
    let place = Arc::clone(&told);
    store.on_revocations(Box::new(move |revocations| {
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        place.push(sorted(&revocations));
    }));
    told
}

fn last(told: &Told) -> Vec<Revocation> {
    let told = told.lock().unwrap_or_else(PoisonError::into_inner);
    told.last().cloned().expect("it was called")
}

/// A listener knows what is so when it comes, and whatever changes.
pub fn a_listener_is_told_at_once_and_of_every_change<S: StoreUnderTest>() {
    let place = S::create();
    let store = place.open();
    let first = listen(&store);
    assert_eq!(last(&first), []);
    let (one, two) = (
        revocation("subject:u1", DAY_MS),
        revocation("token:main:t1", DAY_MS),
    );
    revoke(&store, &one);
    place.notice(&store, START);
    assert_eq!(last(&first), std::slice::from_ref(&one));
    let second = listen(&store);
    assert_eq!(last(&second), std::slice::from_ref(&one));
    revoke(&store, &two);
    place.notice(&store, START);
    for told in [&first, &second] {
        assert_eq!(last(told), [one.clone(), two.clone()]);
    }
    assert!(lift(&store, "subject:u1"));
    place.notice(&store, START);
    for told in [&first, &second] {
        assert_eq!(last(told), std::slice::from_ref(&two));
    }
    assert_eq!(sorted(&store.revocations()), [two]);
}

/// What was answered is there after a restart, as it was.
pub fn a_revocation_survives_a_restart<S: StoreUnderTest>() {
    let place = S::create();
    let kept = [
        revocation("key:k1", DAY_MS),
        revocation("subject:Zoë Müller", DAY_MS),
        Revocation {
            issued_before: None,
            ..revocation("token:main:a:b", DAY_MS)
        },
    ];
    {
        let store = place.open();
        for revocation in &kept {
            revoke(&store, revocation);
        }
    }
    let store = place.open();
    place.notice(&store, START);
    let mut expected = kept.to_vec();
    expected.sort_by(|a, b| a.what.cmp(&b.what));
    assert_eq!(sorted(&store.revocations()), expected);
    assert_eq!(last(&listen(&store)), expected);
}

/// Of the same, the later one counts.
pub fn a_later_revocation_of_the_same_replaces_an_earlier_one<S: StoreUnderTest>() {
    let place = S::create();
    let store = place.open();
    revoke(&store, &revocation("subject:u1", DAY_MS));
    let later = revocation("subject:u1", 2 * DAY_MS);
    revoke(&store, &later);
    for store in [store, place.open()] {
        place.notice(&store, START);
        assert_eq!(sorted(&store.revocations()), std::slice::from_ref(&later));
    }
}

/// What is lifted does not come back; what is not there cannot be lifted.
pub fn what_is_lifted_is_forgotten_for_good<S: StoreUnderTest>() {
    let place = S::create();
    let store = place.open();
    assert!(!lift(&store, "subject:u1"));
    revoke(&store, &revocation("subject:u1", DAY_MS));
    assert!(!lift(&store, "subject:u2"));
    assert!(lift(&store, "subject:u1"));
    assert!(!lift(&store, "subject:u1"));
    for store in [store, place.open()] {
        place.notice(&store, START);
        assert!(store.revocations().is_empty());
    }
}

/// What another process or node revokes and lifts is told here too.
pub fn others_revocations_are_noticed<S: StoreUnderTest>() {
    let place = S::create();
    let (store, other) = (place.open(), place.open());
    let told = listen(&store);
    let revoked = revocation("subject:u1", DAY_MS);
    revoke(&other, &revoked);
    place.notice(&store, START);
    assert_eq!(last(&told), std::slice::from_ref(&revoked));
    // Each knows what the other did before it changes something itself.
    revoke(&store, &revocation("key:k1", DAY_MS));
    assert!(lift(&other, "key:k1"));
    assert!(lift(&store, "subject:u1"));
    for store in [&store, &other] {
        place.notice(store, START);
        assert!(store.revocations().is_empty());
    }
    assert_eq!(last(&told), []);
}

/// Many at once lose none.
pub fn simultaneous_revocations_are_all_kept<S: StoreUnderTest>() {
    let place = S::create();
    let (store, other) = (place.open(), place.open());
    let told = listen(&store);
    let run = |store: &S::Store, first: u32| {
        for number in first..first + 20 {
            revoke(store, &revocation(&format!("key:k{number}"), DAY_MS));
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| run(&store, 100));
        scope.spawn(|| run(&store, 200));
        scope.spawn(|| run(&other, 300));
    });
    place.notice(&store, START);
    assert_eq!(last(&told).len(), 60);
    assert_eq!(sorted(&store.revocations()), last(&told));
}
