//! What must hold in the played world: at every moment, and once everything has come to rest.

use std::sync::atomic::Ordering;

use tidings_core::delivery::Sink as _;
use tidings_core::limits::DISMISSAL_WAIT_MS_MAX;
use tidings_core::shard::{Begin, Cause};
use tidings_core::start::Replay;

use super::model::{Phase, Plan};
use super::reader::Stage;
use super::world::{HEARTBEAT_MS, Open, World};

/// How much later than due something may happen because a deadline found its sink full.
const SLACK_MS: u64 = 1_000;

impl World {
    /// What must hold whenever the shard has nothing left to do for now.
    pub(super) fn check(&mut self) {
        let now = self.now;
        let may_be_late = now.moment.ms_since(self.stalled_until) < SLACK_MS;
        for reader in self
            .readers
            .iter_mut()
            .filter(|reader| matches!(reader.stage, Stage::Open))
        {
            reader.listen(now.moment);
            let dismissed_ms = reader.dismissed_ms(now).unwrap_or(0);
            let limit_ms = DISMISSAL_WAIT_MS_MAX + SLACK_MS;
            assert!(
                may_be_late || dismissed_ms < limit_ms,
                "it may read no longer"
            );
            let sink = self.shard.sink(reader.key).expect("it is open");
            let (_, had) = reader.heard;
            if !sink.is_free() {
                let since = reader.stuck.filter(|(_, before)| *before == had);
                let (since, _) = *reader.stuck.insert(since.unwrap_or((now.moment, had)));
                let silent_ms = now.moment.ms_since(since);
                let limit_ms = self.patience_ms.saturating_add(SLACK_MS);
                assert!(
                    may_be_late || silent_ms < limit_ms,
                    "it is still waited for"
                );
                continue;
            }
            reader.stuck = None;
            assert_eq!(
                reader.dismissed_ms(now),
                None,
                "it could have been told that it may read no longer"
            );
            if self.reading.contains(&reader.key) {
                continue;
            }
            let silent_ms = now.moment.ms_since(reader.heard.0);
            let limit_ms = u64::from(HEARTBEAT_MS) + SLACK_MS;
            assert!(may_be_late || silent_ms <= limit_ms, "no sign of life");
            if let Some(owed) = reader
                .owed
                .take_if(|owed| *owed > self.log.removed_through().0)
            {
                let word = format!("{owed};");
                let received = &reader.peer.borrow().received;
                let mut windows = received.windows(word.len()).rev();
                assert!(
                    windows.any(|found| found == word.as_bytes()),
                    "{owed} is held back"
                );
            }
        }
    }

    /// Compares everybody's bytes with the model, once everything has come to rest.
    pub(super) fn compare(&self) {
        for reader in &self.readers {
            let (told, is_whole) = reader.told(&self.log);
            match (&reader.stage, reader.cause) {
                (Stage::Open, _) => assert!(told.is_complete && told.bye.is_none(), "{told:?}"),
                (_, Some(Cause::Told(code))) => {
                    if reader.is_sent && !reader.is_cut && !reader.peer.borrow().is_dead {
                        assert_eq!(told.bye.as_deref(), Some(code));
                        assert!(is_whole, "the end is told");
                    }
                    assert!(told.bye.is_none_or(|bye| bye == code));
                }
                _ => assert_eq!(told.bye, None),
            }
        }
    }

    /// Everybody whose connection has ended comes back with the last id that it has got.
    pub(super) fn come_back(&mut self) {
        for index in 0..self.readers.len() {
            let reader = &self.readers[index];
            let (told, _) = reader.told(&self.log);
            let Some(offset) = told.id.filter(|_| !matches!(reader.stage, Stage::Open)) else {
                continue;
            };
            let phase = Phase {
                after: offset,
                ..reader.plan.now().clone()
            };
            let plan = Plan {
                phases: vec![phase],
                start: offset,
                hello: format!("hello@{offset}:complete"),
                gap: None,
                has_snapshot: false,
                ..reader.plan.clone()
            };
            let begin = Begin::After {
                offset,
                gap: None,
                replay: Replay::Complete,
            };
            let (framing, coding) = (reader.framing, reader.coding);
            let whim = reader.peer.borrow().whim;
            self.open(Open {
                plan,
                begin,
                framing,
                coding,
                expires_in_ms: None,
                whim,
            });
        }
    }

    /// Nothing is held for connections that are gone.
    pub(super) fn end(self) {
        let Self {
            shard,
            gate,
            inbox,
            readers,
            ..
        } = self;
        drop((shard, readers));
        assert_eq!((gate.count(), gate.sockets()), (0, 0));
        assert_eq!(inbox.load.load(Ordering::Relaxed), 0);
    }
}
