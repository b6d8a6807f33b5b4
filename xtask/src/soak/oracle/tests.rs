//! Records that are right, and records that were doctored.

use super::*;

const A: Topics = Topics(1);
const B: Topics = Topics(2);

fn event(number: u64) -> Event {
    Event {
        publisher: 0,
        number,
    }
}

/// All faults together.
fn faults(oracle: &Oracle) -> u64 {
    oracle.counts.values().sum()
}

/// Nine events at the offsets 11 to 19 whose topics take turns, and a reader of the first topic that
/// begins behind 10.
fn published() -> Oracle {
    let mut oracle = Oracle::new(1, 1);
    oracle.begin(0, A, 10);
    for number in 1..10 {
        oracle.published(
            10 + number,
            event(number),
            if number % 2 == 1 { A } else { B },
        );
    }
    oracle
}

/// What the reader is to be shown.
const RIGHT: [u64; 5] = [11, 13, 15, 17, 19];

/// The faults of a reader that is shown these offsets, and then told the last one.
fn faults_of(shown: &[u64]) -> Vec<(Fault, u64)> {
    let mut oracle = published();
    for offset in shown {
        oracle.shown(0, *offset, event(offset - 10));
    }
    oracle.told(0, 19);
    oracle.finish();
    oracle.counts.into_iter().collect()
}

#[test]
fn what_is_right_is_found_right() {
    assert_eq!(faults_of(&RIGHT), []);
}

#[test]
fn every_single_loss_is_noticed() {
    for left_out in RIGHT {
        let shown: Vec<u64> = RIGHT.into_iter().filter(|at| *at != left_out).collect();
        assert_eq!(faults_of(&shown), [(Fault::Lost, 1)], "{left_out}");
    }
}

#[test]
fn every_single_repeat_is_noticed_wherever_it_comes() {
    for (place, repeated) in RIGHT.into_iter().enumerate() {
        for later in place + 1..=RIGHT.len() {
            let mut shown = RIGHT.to_vec();
            shown.insert(later, repeated);
            assert_eq!(faults_of(&shown), [(Fault::Repeated, 1)], "{shown:?}");
        }
    }
}

#[test]
fn every_pair_out_of_order_is_noticed_and_not_taken_for_lost() {
    for place in 1..RIGHT.len() {
        let mut shown = RIGHT;
        shown.swap(place - 1, place);
        assert_eq!(faults_of(&shown), [(Fault::OutOfOrder, 1)], "{shown:?}");
    }
}

#[test]
fn what_was_for_others_or_altered_or_made_up_is_foreign() {
    assert_eq!(faults_of(&[11, 12, 13, 15, 17, 19]), [(Fault::Foreign, 1)]);
    let mut oracle = published();
    for offset in RIGHT {
        oracle.shown(0, offset, event(offset - 10 + u64::from(offset == 15)));
    }
    oracle.told(0, 19);
    oracle.finish();
    assert_eq!(oracle.count(Fault::Foreign), 1);
    assert_eq!(faults(&oracle), 1);
}

#[test]
fn a_reader_that_stops_short_is_unfinished_and_lacks_nothing_before_that() {
    let mut oracle = published();
    oracle.shown(0, 11, event(1));
    oracle.told(0, 12);
    oracle.finish();
    assert_eq!(oracle.count(Fault::Unfinished), 1);
    assert_eq!(faults(&oracle), 1);
}

#[test]
fn a_cursor_that_claims_too_much_makes_a_loss() {
    let mut oracle = published();
    oracle.told(0, 13);
    oracle.compare();
    assert_eq!(oracle.count(Fault::Lost), 2);
}

#[test]
fn nothing_is_compared_before_every_publisher_has_passed_it() {
    let mut oracle = Oracle::new(2, 1);
    oracle.begin(0, A, 0);
    oracle.published(5, event(1), A);
    oracle.told(0, 9);
    // The other publisher may still be answered 4.
    oracle.compare();
    assert_eq!(faults(&oracle), 0);
    let other = Event {
        publisher: 1,
        number: 1,
    };
    oracle.shown(0, 4, other);
    oracle.published(4, other, A);
    oracle.shown(0, 5, event(1));
    oracle.finish();
    assert_eq!((faults(&oracle), oracle.compared()), (0, 2));
}

#[test]
fn what_was_compared_is_forgotten_and_its_repeat_still_noticed() {
    let mut oracle = published();
    for offset in RIGHT {
        oracle.shown(0, offset, event(offset - 10));
        oracle.told(0, offset);
        oracle.compare();
    }
    assert!(oracle.published.is_empty());
    oracle.shown(0, 15, event(5));
    oracle.told(0, 18);
    oracle.published(18, event(20), A);
    oracle.gap(0, "{}");
    let expected = [
        Fault::Repeated,
        Fault::Backwards,
        Fault::Misplaced,
        Fault::Gap,
    ];
    for fault in expected {
        assert_eq!(oracle.count(fault), 1, "{fault:?}");
    }
    assert_eq!(oracle.described().len(), expected.len());
}
