//! Damage, torn tails and whole records are told apart, byte by byte.

use super::*;

const TAG: u64 = 5;

/// A segment's bytes, put together record by record.
struct Builder {
    bytes: Vec<u8>,
}

impl Builder {
    fn new() -> Self {
        Self { bytes: vec![0; 64] }
    }

    /// A record of one event with this offset, proven end and write, with `size` bytes of content.
    fn record(mut self, base: u64, synced_end: u64, write: u64, size: usize) -> Self {
        let header = RecordHeader {
            length: 0,
            count: 1,
            tag: TAG,
            base,
            synced_end,
            timestamp: base,
            write,
            epoch: 1,
        };
        let event = vec![b'x'; size];
        header.encode([event.as_slice()], &mut self.bytes);
        self
    }

    /// The same with a flipped bit.
    fn broken(mut self, base: u64, synced_end: u64, write: u64) -> Self {
        let start = self.bytes.len();
        self = self.record(base, synced_end, write, 24);
        self.bytes[start + 70] ^= 4;
        self
    }

    fn scan(self, sealed_at: Option<u64>) -> Found {
        let known = Known {
            log_id: 1,
            tag: TAG,
            first: 1,
            start_bytes: 64,
            proven: sealed_at.unwrap_or(0),
            sealed: sealed_at.is_some(),
        };
        scan(&Bytes::from(self.bytes), &known)
    }
}

fn kept(found: &Found) -> (u64, Vec<u64>) {
    let tail = found.tail.iter().map(|(header, _)| header.base);
    (found.table.summary().last, tail.collect())
}

#[test]
fn what_a_later_record_proves_is_kept_and_the_rest_is_tail() {
    let found = Builder::new()
        .record(1, 0, 1, 24)
        .record(2, 1, 2, 24)
        .record(3, 1, 2, 24)
        .scan(None);
    assert_eq!(kept(&found), (1, vec![2, 3]));
    assert!(found.damage.is_empty() && found.dropped_bytes == 0);
}

#[test]
fn a_bad_record_below_a_proven_end_is_damage_and_keeps_its_offset() {
    let found = Builder::new()
        .record(1, 0, 1, 24)
        .broken(2, 1, 2)
        .record(3, 2, 3, 24)
        .scan(None);
    assert_eq!(kept(&found), (2, vec![3]));
    let stretch = Stretch {
        from: 2,
        through: 2,
    };
    assert_eq!(found.damage, [Damage { at: 152, stretch }]);
}

#[test]
fn a_bad_record_of_the_unfinished_write_ends_the_tail() {
    // Of one write with three records the middle one did not reach the disk.
    let found = Builder::new().record(1, 0, 1, 24).record(2, 1, 2, 24);
    let found = found.broken(3, 1, 2).record(4, 1, 2, 24).scan(None);
    assert_eq!(kept(&found), (1, vec![2]));
    assert!(found.damage.is_empty());
    assert!(found.dropped_bytes > 100);
}

#[test]
fn leftovers_of_an_earlier_write_are_not_taken_for_records() {
    // Write 2 was refused, and write 3 is shorter: the second record of write 2 stands behind it.
    let found = Builder::new()
        .record(1, 0, 1, 24)
        .record(2, 1, 3, 24)
        .record(3, 1, 2, 24);
    assert_eq!(kept(&found.scan(None)), (1, vec![2]));
}

#[test]
fn nothing_behind_the_seal_counts() {
    let found = Builder::new()
        .record(1, 0, 1, 24)
        .record(2, 1, 2, 24)
        .record(3, 2, 3, 24);
    let found = found.scan(Some(2));
    assert_eq!(kept(&found), (2, vec![]));
    let found = Builder::new()
        .record(1, 0, 1, 24)
        .broken(2, 1, 2)
        .scan(Some(2));
    assert_eq!(found.damage.len(), 1, "a sealed segment has no torn tail");
}

#[test]
fn records_of_other_segments_are_foreign() {
    let mut other = Builder::new().record(1, 0, 1, 24);
    other.bytes[80] ^= 1;
    let found = other.scan(None);
    assert_eq!(kept(&found), (0, vec![]));
    assert_eq!(
        first_tag(&Builder::new().record(1, 0, 1, 24).bytes),
        Some(TAG)
    );
    assert_eq!(first_tag(&[0; 300]), None);
}
