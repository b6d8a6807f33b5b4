//! Tickets that wait to be used, found by their hash and forgotten in the order in which they end.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use tidings_core::port::StoreError;
use tidings_core::time::Timestamp;

use crate::limits::{TICKETS_BYTES_MAX, TICKETS_MAX};

type Hash = [u8; 32];

/// All of them. Who holds the lock around it is alone, so a ticket is taken once.
#[derive(Default)]
pub(super) struct WaitingTickets {
    by_hash: HashMap<Hash, Waiting>,
    by_end: BTreeSet<(Timestamp, Hash)>,
    bytes: usize,
}

struct Waiting {
    content: Arc<[u8]>,
    ends_at: Timestamp,
}

impl WaitingTickets {
    pub(super) fn put(
        &mut self,
        hash: Hash,
        content: Arc<[u8]>,
        ends_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.forget_ended(now);
        self.remove(&hash);
        let full = |what, max| Err(StoreError::Full { what, max });
        if self.by_hash.len() >= TICKETS_MAX {
            return full("tickets", TICKETS_MAX);
        }
        if self.bytes + content.len() > TICKETS_BYTES_MAX {
            return full("bytes of tickets", TICKETS_BYTES_MAX);
        }
        self.bytes += content.len();
        self.by_end.insert((ends_at, hash));
        self.by_hash.insert(hash, Waiting { content, ends_at });
        Ok(())
    }

    pub(super) fn take(&mut self, hash: &Hash, now: Timestamp) -> Option<Arc<[u8]>> {
        self.remove(hash)
            .filter(|waiting| now < waiting.ends_at)
            .map(|waiting| waiting.content)
    }

    fn remove(&mut self, hash: &Hash) -> Option<Waiting> {
        let waiting = self.by_hash.remove(hash)?;
        self.by_end.remove(&(waiting.ends_at, *hash));
        self.bytes -= waiting.content.len();
        Some(waiting)
    }

    fn forget_ended(&mut self, now: Timestamp) {
        while let Some((ends_at, hash)) = self.by_end.first().copied()
            && ends_at <= now
        {
            self.remove(&hash);
        }
    }
}

impl fmt::Debug for WaitingTickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingTickets")
            .field("count", &self.by_hash.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: usize) -> Hash {
        let mut hash = [7; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        hash
    }

    #[test]
    fn only_so_many_tickets_wait_and_ended_ones_make_room() {
        let mut tickets = WaitingTickets::default();
        let content: Arc<[u8]> = b"x".as_slice().into();
        let mut put = |number, ends_at, now| {
            let content = Arc::clone(&content);
            tickets.put(hash(number), content, Timestamp(ends_at), Timestamp(now))
        };
        for number in 0..TICKETS_MAX {
            let ends_at = if number == 5 { 50 } else { 100 };
            put(number, ends_at, 0).expect("room");
        }
        let full = StoreError::Full {
            what: "tickets",
            max: TICKETS_MAX,
        };
        assert_eq!(put(TICKETS_MAX, 100, 49), Err(full.clone()));
        put(7, 100, 49).expect("it is there already");
        put(TICKETS_MAX, 100, 50).expect("one has ended");
        assert_eq!(put(TICKETS_MAX + 1, 100, 99), Err(full));
        put(TICKETS_MAX + 1, 200, 100).expect("all others have ended");
        assert_eq!((tickets.by_hash.len(), tickets.by_end.len()), (1, 1));
        assert_eq!(tickets.bytes, 1);
    }

    #[test]
    fn what_tickets_stand_for_is_bounded() {
        let mut tickets = WaitingTickets::default();
        let half: Arc<[u8]> = vec![0; TICKETS_BYTES_MAX / 2].into();
        let mut put = |number| {
            let content = Arc::clone(&half);
            tickets.put(hash(number), content, Timestamp(100), Timestamp(0))
        };
        put(0).expect("room");
        put(1).expect("room");
        put(2).map(|()| "room").expect_err("no room");
        assert!(tickets.take(&hash(0), Timestamp(1)).is_some());
        assert_eq!(tickets.bytes, TICKETS_BYTES_MAX / 2);
    }
}
