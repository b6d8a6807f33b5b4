//! Counters: as much as the quota and no more, for each owner alone.

use std::thread;

use tidings_core::port::{Bucket, Quota, SharedStore, Spent};
use tidings_core::time::Timestamp;

use super::{START, StoreUnderTest, after, answer};

const QUOTA: Quota = Quota {
    units: 10,
    period_ms: 1_000,
};

fn bucket(kind: &'static str, whose: &str) -> Bucket {
    Bucket {
        kind,
        whose: whose.into(),
    }
}

fn spend(store: &dyn SharedStore, quota: Quota, units: u32, now: Timestamp) -> Spent {
    answer(store.spend(bucket("tickets", "u1"), quota, units, now)).expect("answered")
}

/// Over a minute of asking for far more than the quota, what is allowed is the quota (A24).
pub fn a24_what_is_allowed_stays_within_five_percent_of_the_quota<S: StoreUnderTest>() {
    let minute = 60_000;
    for (units, period_ms, each, every_ms) in [
        (100, 1_000, 1, 3),
        (100, 1_000, 7, 20),
        (3, 1_000, 1, 10),
        (7, 10_000, 1, 100),
        (1_000, 60_000, 1, 13),
    ] {
        let store = S::create().open();
        let quota = Quota { units, period_ms };
        // All units are there at the beginning; what is measured is what comes back.
        assert!(spend(&store, quota, units, START).is_allowed);
        let times = (1..=minute / every_ms).map(|step| after(step * every_ms));
        let allowed = times.filter(|now| spend(&store, quota, each, *now).is_allowed);
        let allowed = allowed.count() as f64 * f64::from(each);
        let expected = f64::from(units) * minute as f64 / f64::from(period_ms);
        let share = allowed / expected;
        assert!((0.95..=1.05).contains(&share), "{quota:?}: {share}");
    }
}

/// A burst of the whole quota, and then one unit for each share of the period.
pub fn all_units_are_there_at_once_and_come_back_steadily<S: StoreUnderTest>() {
    let store = S::create().open();
    for _ in 0..QUOTA.units {
        assert!(spend(&store, QUOTA, 1, START).is_allowed);
    }
    assert!(!spend(&store, QUOTA, 1, START).is_allowed);
    assert!(!spend(&store, QUOTA, 1, after(99)).is_allowed);
    assert!(spend(&store, QUOTA, 1, after(100)).is_allowed);
    assert!(!spend(&store, QUOTA, 1, after(199)).is_allowed);
    assert!(spend(&store, QUOTA, 3, after(400)).is_allowed);
    assert!(
        spend(&store, QUOTA, 10, after(1_400)).is_allowed,
        "all are back"
    );
    assert!(
        !spend(&store, QUOTA, 1, after(1_400)).is_allowed,
        "and no more"
    );
}

/// Asking in vain does not put off the next success.
pub fn what_was_refused_costs_nothing<S: StoreUnderTest>() {
    let store = S::create().open();
    assert!(spend(&store, QUOTA, 9, START).is_allowed);
    for _ in 0..100 {
        assert!(!spend(&store, QUOTA, 2, START).is_allowed);
    }
    assert!(spend(&store, QUOTA, 1, START).is_allowed);
    for ms in 0..100 {
        assert!(!spend(&store, QUOTA, 1, after(ms)).is_allowed);
    }
    assert!(spend(&store, QUOTA, 1, after(100)).is_allowed);
}

/// What the answer says comes true, to the millisecond.
pub fn what_is_left_and_how_long_to_wait_is_said_right<S: StoreUnderTest>() {
    let store = S::create().open();
    let first = spend(&store, QUOTA, 4, START);
    let expected = Spent {
        is_allowed: true,
        remaining: 6,
        wait_ms: 400,
    };
    assert_eq!(first, expected);
    let refused = spend(&store, QUOTA, 8, after(10));
    let expected = Spent {
        is_allowed: false,
        remaining: 6,
        wait_ms: 190,
    };
    assert_eq!(refused, expected);
    assert!(!spend(&store, QUOTA, 8, after(199)).is_allowed);
    let allowed = spend(&store, QUOTA, 8, after(200));
    let expected = Spent {
        is_allowed: true,
        remaining: 0,
        wait_ms: 1_000,
    };
    assert_eq!(allowed, expected);
    assert_eq!(spend(&store, QUOTA, 1, after(250)).wait_ms, 50);
    // Thirds of a second have no whole milliseconds.
    let store = S::create().open();
    let thirds = Quota {
        units: 3,
        period_ms: 1_000,
    };
    assert_eq!(spend(&store, thirds, 3, START).wait_ms, 1_000);
    assert_eq!(spend(&store, thirds, 1, START).wait_ms, 334);
    assert!(!spend(&store, thirds, 1, after(333)).is_allowed);
    assert!(spend(&store, thirds, 1, after(334)).is_allowed);
}

/// Whoever must fit several limits at once looks at each before spending from any.
pub fn who_asks_for_nothing_is_told_what_is_left_and_spends_nothing<S: StoreUnderTest>() {
    let store = S::create().open();
    let look = |now| {
        let spent = spend(&store, QUOTA, 0, now);
        assert!(spent.is_allowed, "nothing always fits");
        spent.remaining
    };
    for _ in 0..100 {
        assert_eq!(look(START), 10);
    }
    assert!(spend(&store, QUOTA, 10, START).is_allowed);
    assert_eq!(look(START), 0);
    assert_eq!(look(after(250)), 2);
    assert!(spend(&store, QUOTA, 2, after(250)).is_allowed);
}

/// No wait makes room for more than the whole quota.
pub fn more_than_all_is_never_allowed<S: StoreUnderTest>() {
    let store = S::create().open();
    for now in [START, after(1), after(1_000_000)] {
        let refused = spend(&store, QUOTA, QUOTA.units + 1, now);
        let expected = Spent {
            is_allowed: false,
            remaining: QUOTA.units,
            wait_ms: u64::MAX,
        };
        assert_eq!(refused, expected);
    }
    assert!(spend(&store, QUOTA, QUOTA.units, START).is_allowed);
}

/// Names that would meet if they were joined do not (A17).
pub fn a17_kinds_and_owners_never_share<S: StoreUnderTest>() {
    let store = S::create().open();
    let owners = [
        bucket("tickets", "u1"),
        bucket("tickets", "u2"),
        bucket("tickets", ""),
        bucket("tickets", "a_b"),
        bucket("tickets_a", "b"),
        bucket("tickets_a", "_b"),
        bucket("tickets", "a:b"),
        bucket("tickets:a", "b"),
        bucket("publishes", "u1"),
    ];
    for owner in &owners {
        let spent = answer(store.spend(owner.clone(), QUOTA, 10, START)).expect("answered");
        assert!(spent.is_allowed, "{owner:?}");
    }
    for owner in &owners {
        let spent = answer(store.spend(owner.clone(), QUOTA, 1, START)).expect("answered");
        assert!(!spent.is_allowed, "{owner:?}");
    }
}

/// However many ask at once, no more than the quota is allowed.
pub fn a24_simultaneous_spending_never_exceeds_the_quota<S: StoreUnderTest>() {
    let store = S::create().open();
    let quota = Quota {
        units: 500,
        period_ms: 1_000,
    };
    let ask = || {
        let asked = (0..400).map(|_| spend(&store, quota, 1, START));
        asked.filter(|spent| spent.is_allowed).count()
    };
    let allowed: usize = thread::scope(|scope| {
        let threads = [scope.spawn(ask), scope.spawn(ask), scope.spawn(ask)];
        let counts = threads.map(|thread| thread.join().expect("no panic"));
        counts.iter().sum()
    });
    assert_eq!(allowed, 500);
}
