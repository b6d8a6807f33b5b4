//! Tickets: each is given out once, and not after its end.

use std::sync::{Arc, Barrier};
use std::thread;

use tidings_core::port::SharedStore;
use tidings_core::time::Timestamp;

use super::{START, StoreUnderTest, after, answer};

/// Pairs of redemptions that race for one ticket each.
const RACES: u32 = 10_000;

fn hash(number: u32) -> [u8; 32] {
    let mut hash = [0xa5; 32];
    hash[28..].copy_from_slice(&number.to_be_bytes());
    hash
}

fn content(number: u32) -> Arc<[u8]> {
    number.to_string().into_bytes().into()
}

fn put(store: &dyn SharedStore, number: u32, ends_at: Timestamp) {
    let put = store.put_ticket(hash(number), content(number), ends_at, START);
    answer(put).expect("kept");
}

fn take(store: &dyn SharedStore, number: u32, now: Timestamp) -> Option<Arc<[u8]>> {
    answer(store.take_ticket(hash(number), now)).expect("answered")
}

/// A ticket comes back as it was kept, and then no more.
pub fn a_ticket_is_given_out_once<S: StoreUnderTest>() {
    let store = S::create().open();
    put(&store, 1, after(30_000));
    assert_eq!(take(&store, 1, after(5)), Some(content(1)));
    assert_eq!(take(&store, 1, after(5)), None);
    assert_eq!(
        take(&store, 1, START),
        None,
        "nor by a clock that is behind"
    );
    put(&store, 2, after(30_000));
    put(&store, 2, after(60_000));
    assert_eq!(take(&store, 2, after(59_999)), Some(content(2)));
    assert_eq!(take(&store, 2, after(5)), None, "kept twice is kept once");
}

/// Two threads take the same tickets at the same moments: each ticket has one winner.
pub fn a11_of_two_simultaneous_redemptions_exactly_one_succeeds<S: StoreUnderTest>() {
    let store = S::create().open();
    for number in 0..RACES {
        put(&store, number, after(30_000));
    }
    let start = Barrier::new(2);
    let racer = || {
        let wins = (0..RACES).map(|number| {
            start.wait();
            take(&store, number, after(1))
        });
        wins.collect::<Vec<_>>()
    };
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(racer);
        (racer(), other.join().expect("no panic"))
    });
    for (number, pair) in (0..RACES).zip(one.into_iter().zip(other)) {
        match pair {
            (Some(found), None) | (None, Some(found)) => assert_eq!(found, content(number)),
            (Some(_), Some(_)) => panic!("both got ticket {number}"),
            (None, None) => panic!("nobody got ticket {number}"),
        }
    }
}

/// The last moment of a ticket is the one before its end.
pub fn a11_a_ticket_that_ended_a_millisecond_ago_is_refused<S: StoreUnderTest>() {
    let store = S::create().open();
    for number in 1..=3 {
        put(&store, number, after(30_000));
    }
    assert_eq!(take(&store, 1, after(29_999)), Some(content(1)));
    assert_eq!(take(&store, 2, after(30_000)), None);
    assert_eq!(take(&store, 3, after(30_001)), None);
    assert_eq!(
        take(&store, 3, after(29_999)),
        None,
        "it was used up in vain"
    );
}

/// What was never kept is not found.
pub fn a_ticket_that_was_never_kept_is_unknown<S: StoreUnderTest>() {
    let store = S::create().open();
    assert_eq!(take(&store, 1, START), None);
    put(&store, 1, after(30_000));
    assert_eq!(take(&store, 2, START), None);
    assert_eq!(take(&store, 1, START), Some(content(1)));
}

/// Many tickets at once, taken in another order.
pub fn tickets_are_kept_apart<S: StoreUnderTest>() {
    let store = S::create().open();
    for number in 0..1_000 {
        let own = u64::from(number % 7);
        put(&store, number, after(30_000 + own));
    }
    for number in (0..1_000).rev() {
        assert_eq!(take(&store, number, after(29_999)), Some(content(number)));
    }
}
