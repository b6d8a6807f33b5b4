//! The memory log does what every log must.

use std::sync::Arc;

use tidings_core::port::{Clock, EventStore, Sequencer};
use tidings_core::position::Epoch;
use tidings_log::memory::{MemoryLog, MemoryOptions, MemoryRetention, MemoryRule};
use tidings_testkit::clock::ManualClock;
use tidings_testkit::log_conformance::{LogOptions, LogUnderTest};

#[derive(Debug)]
struct InMemory(MemoryLog);

impl LogUnderTest for InMemory {
    fn open(options: &LogOptions, clock: Arc<ManualClock>) -> Self {
        let rule = |(pattern, age): &(_, _)| MemoryRule {
            pattern: Clone::clone(pattern),
            age_max: Some(*age),
            events_max: None,
        };
        let options = MemoryOptions {
            dedupe_window: options.dedupe_window,
            dedupe_ids_max: options.dedupe_ids_max,
            retention: MemoryRetention {
                age_max: options.retention_age,
                rules: options.rules.iter().map(rule).collect(),
                ..MemoryRetention::default()
            },
        };
        let clock = clock as Arc<dyn Clock>;
        Self(MemoryLog::open(options, clock, Epoch::from_bits(7)))
    }

    fn sequencer(&self) -> Arc<dyn Sequencer> {
        Arc::new(self.0.clone())
    }

    fn store(&self) -> Arc<dyn EventStore> {
        Arc::new(self.0.clone())
    }

    fn seal(&mut self) {}

    fn run_retention(&mut self) {
        self.0.run_retention();
    }
}

tidings_testkit::log_conformance!(InMemory);
