//! Addresses from which no credential is looked at for a while.
//!
//! Each node remembers what the store told it about an address after a refusal, so that the requests
//! that go well never ask the store.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tidings_core::time::Moment;

use crate::limits::BLOCKED_ADDRESSES_MAX;

#[derive(Debug, Default)]
pub(super) struct Blocked {
    until: Mutex<HashMap<IpAddr, Moment>>,
}

impl Blocked {
    /// How long an address has to wait, if it has to.
    pub(super) fn wait_ms(&self, address: IpAddr, now: Moment) -> Option<u64> {
        let mut until = self.lock();
        let wait_ms = until.get(&address)?.ms_since(now);
        if wait_ms == 0 {
            until.remove(&address);
        }
        (wait_ms > 0).then_some(wait_ms)
    }

    /// Lets an address wait. If there are too many, those that have waited are forgotten, and if
    /// there are none, any other: it is blocked again at its next refusal.
    pub(super) fn block(&self, address: IpAddr, until: Moment, now: Moment) {
        let mut all = self.lock();
        if all.len() >= BLOCKED_ADDRESSES_MAX && !all.contains_key(&address) {
            all.retain(|_, until| *until > now);
            if all.len() >= BLOCKED_ADDRESSES_MAX
                && let Some(any) = all.keys().next().copied()
            {
                all.remove(&any);
            }
        }
        all.insert(address, until);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Moment>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(number: usize) -> IpAddr {
        Ipv4Addr::from_bits(number as u32).into()
    }

    #[test]
    fn an_address_waits_until_its_time_and_no_other_does() {
        let blocked = Blocked::default();
        blocked.block(address(1), Moment(500), Moment(0));
        assert_eq!(blocked.wait_ms(address(1), Moment(100)), Some(400));
        assert_eq!(blocked.wait_ms(address(2), Moment(100)), None);
        assert_eq!(blocked.wait_ms(address(1), Moment(500)), None);
        assert!(blocked.lock().is_empty());
    }

    #[test]
    fn blocked_addresses_are_bounded_and_those_that_have_waited_go_first() {
        let blocked = Blocked::default();
        for number in 0..BLOCKED_ADDRESSES_MAX {
            let until = Moment(if number < 10 { 5 } else { 500 });
            blocked.block(address(number), until, Moment(0));
        }
        let newest = address(BLOCKED_ADDRESSES_MAX);
        blocked.block(newest, Moment(500), Moment(6));
        assert_eq!(blocked.lock().len(), BLOCKED_ADDRESSES_MAX - 9);
        for number in BLOCKED_ADDRESSES_MAX..2 * BLOCKED_ADDRESSES_MAX {
            blocked.block(address(number), Moment(500), Moment(6));
            assert!(blocked.lock().len() <= BLOCKED_ADDRESSES_MAX);
            assert!(blocked.wait_ms(address(number), Moment(6)).is_some());
        }
    }
}
