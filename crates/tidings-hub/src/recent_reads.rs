//! What was read of the log a moment ago, for readers that come by the same place a little later.
//!
//! Thousands that come back at once read the same blocks one after the other, each at its own speed.
//! What lies before a position in the log does not change, but for retention, so a block that was
//! read is right for a while.

use std::collections::{HashMap, VecDeque};

use tidings_core::shard::{ReadRequest, Replayed};
use tidings_core::time::Moment;

use crate::limits::{RECENT_READ_MS_MAX, RECENT_READS_BYTES_MAX, RECENT_READS_MAX};

/// Blocks by what was asked for, the oldest first to go.
#[derive(Debug, Default)]
pub(crate) struct RecentReads {
    blocks: HashMap<ReadRequest, Replayed>,
    order: VecDeque<(Moment, ReadRequest)>,
    bytes: usize,
}

impl RecentReads {
    /// The block that answers a request, if it was read a moment ago.
    pub(crate) fn get(&mut self, request: &ReadRequest, now: Moment) -> Option<Replayed> {
        self.forget(now);
        self.blocks.get(request).cloned()
    }

    /// Keeps a block for others. A page may wait for what comes next, and a block that leads nowhere
    /// would be asked for again at once: those are read anew each time.
    pub(crate) fn keep(&mut self, request: ReadRequest, block: &Replayed, now: Moment) {
        let leads_on = block.considered > request.after;
        if request.page_events_max.is_some() || !leads_on {
            return;
        }
        self.bytes += block.bytes.len();
        match self.blocks.insert(request.clone(), block.clone()) {
            Some(before) => self.bytes -= before.bytes.len(),
            None => self.order.push_back((now, request)),
        }
        self.forget(now);
    }

    fn forget(&mut self, now: Moment) {
        while let Some((read_at, _)) = self.order.front() {
            let is_old = now.ms_since(*read_at) >= RECENT_READ_MS_MAX;
            let is_too_much =
                self.bytes > RECENT_READS_BYTES_MAX || self.order.len() > RECENT_READS_MAX;
            if !is_old && !is_too_much {
                return;
            }
            if let Some((_, request)) = self.order.pop_front()
                && let Some(block) = self.blocks.remove(&request)
            {
                self.bytes -= block.bytes.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tidings_core::coding::{CheckSum, Coding};
    use tidings_core::event_type::TypeFilter;
    use tidings_core::port::Shape;
    use tidings_core::position::Offset;
    use tidings_core::scope::Scope;

    use super::*;

    fn request(after: u64) -> ReadRequest {
        ReadRequest {
            scope: Scope::Everything,
            types: TypeFilter::default(),
            after: Offset(after),
            shape: Shape(0),
            coding: Coding::Identity,
            page_events_max: None,
        }
    }

    fn block(through: u64, bytes: usize) -> Replayed {
        Replayed {
            bytes: Bytes::from(vec![b'x'; bytes]),
            check_sum: CheckSum::default(),
            events: 1,
            considered: Offset(through),
            gap: None,
            more: true,
        }
    }

    #[test]
    fn a_block_is_there_for_a_while() {
        let mut recent = RecentReads::default();
        recent.keep(request(1), &block(2, 10), Moment(0));
        assert_eq!(recent.get(&request(2), Moment(0)), None);
        let last = Moment(RECENT_READ_MS_MAX - 1);
        assert_eq!(recent.get(&request(1), last), Some(block(2, 10)));
        assert_eq!(recent.get(&request(1), Moment(RECENT_READ_MS_MAX)), None);
        assert_eq!((recent.bytes, recent.order.len()), (0, 0));
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_too_large_ones() {
        let mut recent = RecentReads::default();
        let half = RECENT_READS_BYTES_MAX / 2;
        for after in 1..=3 {
            recent.keep(request(after), &block(9, half), Moment(0));
        }
        assert_eq!(recent.get(&request(1), Moment(0)), None);
        assert!(recent.get(&request(2), Moment(0)).is_some());
        let mut recent = RecentReads::default();
        for after in 0..=RECENT_READS_MAX as u64 {
            recent.keep(request(after), &block(after + 1, 1), Moment(0));
        }
        assert_eq!(recent.get(&request(0), Moment(0)), None);
        assert!(recent.get(&request(1), Moment(0)).is_some());
    }

    #[test]
    fn what_leads_nowhere_and_what_is_a_page_is_read_anew() {
        let mut recent = RecentReads::default();
        recent.keep(request(5), &block(5, 0), Moment(0));
        let page = ReadRequest {
            page_events_max: Some(10),
            ..request(1)
        };
        recent.keep(page.clone(), &block(2, 1), Moment(0));
        assert_eq!(recent.get(&request(5), Moment(0)), None);
        assert_eq!(recent.get(&page, Moment(0)), None);
    }
}
