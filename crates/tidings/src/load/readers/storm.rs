//! Readers that connect only to leave: what a connection costs a hub.

use std::io;
use std::time::Duration;

use super::crew::Crew;
use crate::load::clock::now_us;
use crate::load::tally::{Latencies, Tally};

const CHECK: Duration = Duration::from_millis(50);

/// How long connections that were begun in time may take to be answered.
const GRACE_US: u64 = 5_000_000;

impl Crew {
    /// Keeps every reader connecting until the time has come.
    pub(super) fn storm(&mut self, until_us: u64) -> io::Result<Tally> {
        self.tally.openings = Latencies::default();
        self.storm_until = Some(until_us);
        self.waiting = (0..self.readers.len()).collect();
        while now_us() < until_us || (self.opening > 0 && now_us() < until_us + GRACE_US) {
            self.turn(CHECK)?;
            if now_us() >= until_us {
                self.waiting.clear();
            }
        }
        self.leave();
        self.storm_until = None;
        Ok(self.tally.clone())
    }
}
