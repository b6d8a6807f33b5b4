//! Readers whose hub goes: they leave when it ends their streams, and come back as it has asked.

use std::cmp::Reverse;
use std::io;
use std::time::Duration;

use super::crew::Crew;
use crate::load::clock::now_us;
use crate::load::limits::{ABSENCE_MAX_US, UNASKED_RETURN_MS};
use crate::load::tally::Absence;

/// How often it is checked that all are back.
const CHECK: Duration = Duration::from_millis(50);

impl Crew {
    /// Waits until every reader has left and is back, or has had enough time for both.
    pub(super) fn return_as_asked(&mut self) -> io::Result<()> {
        let begun_us = now_us();
        let (readers, before) = (self.readers.len(), self.tally.interrupted);
        self.tally.absence = Absence::default();
        self.sent_away_us = Some(begun_us);
        let are_back = |crew: &Self| {
            crew.tally.interrupted - before >= readers as u64 && crew.tally.open == readers
        };
        while !are_back(self) && now_us() < begun_us + ABSENCE_MAX_US {
            self.turn(CHECK)?;
        }
        self.sent_away_us = None;
        Ok(())
    }

    /// A reader has lost its stream, or found no hub. Like a browser, it waits for as long as the stream
    /// has asked for, each time.
    pub(super) fn sent_away(&mut self, index: usize) {
        let now = now_us();
        let Some((reader, begun_us)) = self.readers.get_mut(index).zip(self.sent_away_us) else {
            return;
        };
        let retry_ms = reader.retry_ms().unwrap_or(UNASKED_RETURN_MS);
        let absence = &mut self.tally.absence;
        if reader.is_open() {
            absence.left.count(now - begun_us);
            absence.retries.record(retry_ms * 1_000);
            absence.unasked += u64::from(reader.retry_ms().is_none());
        } else {
            absence.in_vain += 1;
        }
        reader.leave();
        self.returning
            .push(Reverse((now + retry_ms * 1_000, index)));
    }

    /// A reader has a stream.
    pub(super) fn came_back(&mut self, now_us: u64) {
        if let Some(begun_us) = self.sent_away_us {
            self.tally.absence.back.count(now_us - begun_us);
        }
    }
}
