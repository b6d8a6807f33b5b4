//! The embedded log does what every log must, on the operating system's files.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;
use tidings_core::port::{Clock, EventStore, Sequencer};
use tidings_core::scope::Selector;
use tidings_log::{EmbeddedLog, KeeperMode, Options, Retention, RetentionRule};
use tidings_testkit::clock::ManualClock;
use tidings_testkit::log_conformance::{DurableLogUnderTest, LogOptions, LogUnderTest};

#[derive(Debug)]
struct OnDisk {
    log: EmbeddedLog,
    options: Options,
    dir: TempDir,
}

fn age_ms(age: std::time::Duration) -> u64 {
    age.as_millis() as u64
}

impl LogUnderTest for OnDisk {
    fn open(options: &LogOptions, clock: Arc<ManualClock>) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let bits = AtomicU64::new(1);
        let random = move || bits.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let rules = options.rules.iter().map(|(pattern, age)| RetentionRule {
            selector: Selector::of(pattern.clone()),
            age_ms: Some(age_ms(*age)),
            bytes: None,
            events: None,
        });
        let options = Options {
            segment_bytes: 64 * 1024,
            dedupe_window_ms: options.dedupe_window.as_millis() as u64,
            dedupe_ids_max: options.dedupe_ids_max,
            retention: Retention {
                age_ms: options.retention_age.map(age_ms),
                rules: rules.collect(),
                ..Retention::default()
            },
            // The suite compares reads with a model, so retention must not run in between.
            keeper: KeeperMode::OnRequest,
            ..Options::new(dir.path(), clock as Arc<dyn Clock>, Arc::new(random))
        };
        let log = EmbeddedLog::open(&options).expect("the log opens");
        Self { log, options, dir }
    }

    fn sequencer(&self) -> Arc<dyn Sequencer> {
        Arc::new(self.log.clone())
    }

    fn store(&self) -> Arc<dyn EventStore> {
        Arc::new(self.log.clone())
    }

    /// An opening begins a segment, but takes the unproven end of the last one with it; what the
    /// first opening has synced stays behind at the second.
    fn seal(&mut self) {
        for _ in 0..2 {
            self.log.close();
            self.log = EmbeddedLog::open(&self.options).expect("the log opens");
        }
    }

    fn run_retention(&mut self) {
        self.log.retain_now();
    }
}

impl DurableLogUnderTest for OnDisk {
    fn reopen(self) -> Self {
        let Self { log, options, dir } = self;
        drop(log);
        let log = EmbeddedLog::open(&options).expect("the log opens");
        Self { log, options, dir }
    }
}

tidings_testkit::log_conformance!(OnDisk);
tidings_testkit::durable_log_conformance!(OnDisk);
