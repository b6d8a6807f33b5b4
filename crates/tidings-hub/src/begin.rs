//! From where a reader asks to start to where it starts, against the log as it is.

use tidings_core::gap::Gap;
use tidings_core::lineage::Lineage;
use tidings_core::port::{EventStore, ReadError};
use tidings_core::position::{Offset, Position};
use tidings_core::scope::Scope;
use tidings_core::shard::{Begin, unknown};
use tidings_core::start::{Replay, Resumed, Start, resume};
use tidings_core::time::Timestamp;

/// What a start is resolved against.
pub(crate) struct Resolver<'a> {
    pub(crate) store: &'a dyn EventStore,
    pub(crate) lineage: &'a Lineage,
    pub(crate) scope: &'a Scope,
    pub(crate) now: Timestamp,
}

impl Resolver<'_> {
    /// Resolves a start; one that means nothing here falls back, with a gap that says so.
    pub(crate) fn resolve(&self, start: &Start, fallback: &Start) -> Result<Begin, ReadError> {
        if let Some(begin) = self.try_resolve(start)? {
            return Ok(begin);
        }
        Ok(match self.try_resolve(fallback)? {
            None | Some(Begin::Now { .. }) => Begin::Now { unknown: true },
            Some(Begin::Last { .. }) => Begin::Last { unknown: true },
            Some(Begin::After { offset, .. }) => {
                let gap = Some(unknown(self.lineage.position(offset)));
                Begin::After {
                    offset,
                    gap,
                    replay: Replay::Gap,
                }
            }
        })
    }

    /// Resolves a start, or says that it means nothing here.
    fn try_resolve(&self, start: &Start) -> Result<Option<Begin>, ReadError> {
        match start {
            Start::Now => Ok(Some(Begin::Now { unknown: false })),
            Start::Last => Ok(Some(Begin::Last { unknown: false })),
            Start::Earliest => self
                .after(self.store.bounds().before_earliest, None)
                .map(Some),
            Start::After(cursor) => self.after_cursor(*cursor),
            Start::Since(time) => self.since(*time).map(Some),
            Start::Ago(duration) => self.since(self.now.minus(*duration)).map(Some),
            Start::AfterId(id) => match self.store.first_by_id(self.scope, id)? {
                Some(event) => self.after(event.position.offset, None).map(Some),
                None => Ok(None),
            },
            Start::Foreign => Ok(None),
        }
    }

    fn after_cursor(&self, cursor: Position) -> Result<Option<Begin>, ReadError> {
        let end = self.store.bounds().end;
        match resume(cursor, self.lineage, end) {
            Resumed::After(offset) => self.after(offset, None).map(Some),
            Resumed::Gap(gap) => self.after(gap.to.offset, Some(gap)).map(Some),
            Resumed::Unknown => Ok(None),
        }
    }

    /// Everything from a time on. Where the time lies before the oldest event that is held, events
    /// may have been removed after it, and the reader is told if any of its own were.
    fn since(&self, time: Timestamp) -> Result<Begin, ReadError> {
        let offset = self.store.before_time(time)?;
        let asks_for_removed = offset <= self.store.bounds().before_earliest;
        self.after(
            if asks_for_removed {
                Offset::ZERO
            } else {
                offset
            },
            None,
        )
    }

    fn after(&self, offset: Offset, gap: Option<Gap>) -> Result<Begin, ReadError> {
        // The hole itself is told where reading meets it.
        let removed = self.store.removed_after(self.scope, offset)?.is_some();
        let replay = if removed || gap.is_some() {
            Replay::Gap
        } else {
            Replay::Complete
        };
        Ok(Begin::After {
            offset,
            gap,
            replay,
        })
    }
}
