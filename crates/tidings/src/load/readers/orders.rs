//! How a thread carries out an order.

use std::io;
use std::time::Duration;

use super::crew::{Aim, Crew};
use super::reader::{Reader, Reading};
use super::{Accepted, Order};
use crate::load::clock::now_us;
use crate::load::limits::OPEN_MAX_US;
use crate::load::tally::{Latencies, Tally};

/// How often it is checked that patience has not run out.
const CHECK: Duration = Duration::from_millis(50);

impl Crew {
    /// Carries out an order, and says what has been counted.
    pub(super) fn obey(&mut self, order: &Order) -> io::Result<Tally> {
        match order {
            Order::Open => self.open()?,
            Order::Window { from_us, to_us } => {
                self.window = (*from_us, *to_us);
                self.tally.deliveries = Latencies::default();
            }
            Order::Count => {}
            Order::Stop { readers } => {
                let stops = |reader: &&mut Reader| reader.number() < *readers;
                for reader in self.readers.iter_mut().filter(stops) {
                    reader.reading = Reading::Stopped;
                }
            }
            Order::Leave => self.leave(),
            Order::Return => self.return_as_asked()?,
            Order::Finish(accepted) => return self.finish(accepted),
            Order::Storm { until_us } => return self.storm(*until_us),
        }
        let counts_only = Tally {
            deliveries: Latencies::default(),
            returns: Latencies::default(),
            ..self.tally.clone()
        };
        Ok(counts_only)
    }

    /// Connects all readers, and waits until each is connected or refused.
    fn open(&mut self) -> io::Result<()> {
        self.tally.openings = Latencies::default();
        self.waiting = (0..self.readers.len()).collect();
        let deadline = now_us() + OPEN_MAX_US;
        while !self.is_settled() && now_us() < deadline {
            self.turn(CHECK)?;
        }
        let silent = self.readers.iter().filter(|reader| reader.is_opening());
        let silent = silent.count();
        if silent > 0 {
            self.tally.failed += silent;
            self.tally.cause = Some("no answer in time".to_owned());
        }
        Ok(())
    }

    /// Waits until every reader has everything, or nothing more arrives.
    fn finish(&mut self, accepted: &Accepted) -> io::Result<Tally> {
        let total = |topic| accepted.on(topic).map(u64::from).sum();
        let began_us = now_us();
        self.tally.returns = Latencies::default();
        self.stirred_us = began_us;
        self.aim = Some(Aim {
            expected: (0..self.plan.topics).map(total).collect(),
            began_us,
            incomplete: self.readers.len(),
        });
        for index in 0..self.readers.len() {
            let Some(reader) = self.readers.get_mut(index) else {
                continue;
            };
            reader.is_complete = false;
            if reader.reading == Reading::Stopped {
                reader.reading = Reading::Again;
            }
            // Those that are on their way back already are not sent twice.
            if reader.is_away() && reader.returns == 0 {
                self.waiting.push_back(index);
            }
            // What came while a reader had stopped rings no more.
            self.look(index);
            self.check_complete(index);
        }
        while self.incomplete() > 0
            && now_us().saturating_sub(self.stirred_us) < self.plan.patience_us
        {
            self.turn(CHECK)?;
        }
        // What is repeated after the last event is seen as well.
        self.turn(Duration::ZERO)?;
        let mut tally = self.tally.clone();
        tally.late = self.incomplete();
        tally.missing = self
            .readers
            .iter()
            .map(|reader| reader.ledger.missing(accepted.on(reader.topic)))
            .sum();
        self.aim = None;
        Ok(tally)
    }

    fn incomplete(&self) -> usize {
        self.aim.as_ref().map_or(0, |aim| aim.incomplete)
    }
}
