//! A log in a directory of its own, a clock that is set, and drafts by the line.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use tidings_core::audience::{Audience, Key};
use tidings_core::event::{Content, DedupeKey, Draft, Event};
use tidings_core::event_type::{EventType, TypeFilter};
use tidings_core::gap::Hole;
use tidings_core::id::EventId;
use tidings_core::pattern::Pattern;
use tidings_core::port::{
    AppendError, Appended, Clock, EventStore, Page, PageItem, Query, Sequencer,
};
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::scope::{Scope, Selector};
use tidings_core::time::{Moment, Timestamp};
use tidings_log::{EmbeddedLog, Options};

/// Wall-clock time and monotonic time, each set by the test.
#[derive(Debug)]
pub(crate) struct SetClock {
    pub(crate) wall: AtomicU64,
    pub(crate) moment: AtomicU64,
}

impl SetClock {
    /// Lets time pass on both clocks.
    pub(crate) fn pass(&self, ms: u64) {
        self.wall.fetch_add(ms, Ordering::SeqCst);
        self.moment.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.wall.load(Ordering::SeqCst))
    }

    fn moment(&self) -> Moment {
        Moment(self.moment.load(Ordering::SeqCst))
    }
}

/// A directory and a clock that outlive the logs opened on them.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Arc<SetClock>,
    random: Arc<AtomicU64>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            dir: directory(),
            clock: Arc::new(SetClock {
                wall: AtomicU64::new(1_000_000_000),
                moment: AtomicU64::new(0),
            }),
            random: Arc::new(AtomicU64::new(1)),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// Options with small segments.
    pub(crate) fn options(&self) -> Options {
        self.options_in(&self.path())
    }

    pub(crate) fn options_in(&self, dir: &Path) -> Options {
        let random = Arc::clone(&self.random);
        let next = move || {
            let number = random.fetch_add(1, Ordering::SeqCst);
            number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Options {
            segment_bytes: 32 * 1024,
            ..Options::new(dir, clock, Arc::new(next))
        }
    }

    pub(crate) fn open(&self) -> EmbeddedLog {
        EmbeddedLog::open(&self.options()).expect("the log opens")
    }
}

/// A directory in memory where there is one: these tests sync often, and ask nothing of a device.
pub(crate) fn directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.expect("a directory")
}

/// An event for these keys; the id, if any, also makes the dedupe key.
pub(crate) fn draft(keys: &[&str], id: Option<&str>, data: &str) -> Draft {
    let keys = keys.iter().map(|key| Key::parse(key).expect("key"));
    Draft {
        content: Content {
            id: id.map(|id| EventId::parse(id).expect("id")),
            event_type: EventType::parse("test").expect("type"),
            priority: Priority::Normal,
            source: "suite".into(),
            audience: Audience::new(keys.collect()),
            data: Bytes::from(data.to_owned()),
            metadata: Bytes::new(),
        },
        dedupe: id.map(|id| dedupe_key(id, data)),
    }
}

pub(crate) fn dedupe_key(id: &str, data: &str) -> DedupeKey {
    let fold = |text: &str| {
        let mut sum = [0_u8; 16];
        for (place, byte) in text.bytes().enumerate() {
            sum[place % 16] = sum[place % 16].wrapping_mul(31).wrapping_add(byte);
        }
        sum
    };
    DedupeKey {
        publisher_id: fold(id),
        content: fold(data),
    }
}

/// Appends and waits for the outcome.
pub(crate) fn append(log: &EmbeddedLog, group: Vec<Draft>) -> Result<Vec<Appended>, AppendError> {
    append_later(log, group).recv().expect("an outcome")
}

/// Appends; the outcome comes through the channel.
pub(crate) fn append_later(
    log: &EmbeddedLog,
    group: Vec<Draft>,
) -> mpsc::Receiver<Result<Vec<Appended>, AppendError>> {
    let (sender, receiver) = mpsc::sync_channel(1);
    log.append(
        group,
        Box::new(move |outcome| {
            // A test that does not wait has dropped the other end.
            sender.send(outcome).unwrap_or_default();
        }),
    );
    receiver
}

/// Appends one event each, waiting for every one.
pub(crate) fn append_each(
    log: &EmbeddedLog,
    keys: &[&str],
    data: impl IntoIterator<Item = String>,
) {
    for data in data {
        append(log, vec![draft(keys, None, &data)]).expect("appended");
    }
}

pub(crate) fn scope(selectors: &[&str]) -> Scope {
    let selector = |text: &&str| match Key::parse(text) {
        Ok(key) => Selector::Key(key),
        Err(_) => Selector::of(Pattern::parse(text).expect("pattern")),
    };
    Scope::new(selectors.iter().map(selector).collect())
}

pub(crate) fn query(scope: &Scope, after: u64) -> Query {
    Query {
        scope: scope.clone(),
        types: TypeFilter::default(),
        after: Offset(after),
        events_max: 100,
        bytes_max: usize::MAX,
    }
}

/// One thing read, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read {
    Event(u64, String),
    Hole(u64, &'static str),
}

fn short(item: PageItem) -> Read {
    match item {
        PageItem::Event(event) => Read::Event(event.position.offset.0, text(&event)),
        PageItem::Hole(Hole { through, reason }) => Read::Hole(through.0, reason.as_str()),
    }
}

pub(crate) fn text(event: &Event) -> String {
    String::from_utf8(event.content.data.to_vec()).expect("text")
}

/// Reads everything after an offset, page by page.
pub(crate) fn read_all(log: &EmbeddedLog, scope: &Scope, after: u64) -> Vec<Read> {
    let mut found = Vec::new();
    let mut query = query(scope, after);
    loop {
        let Page {
            items,
            considered,
            more,
        } = log.read(&query).expect("a page");
        assert!(considered >= query.after && (!more || considered > query.after));
        found.extend(items.into_iter().map(short));
        query.after = considered;
        if !more {
            return found;
        }
    }
}

pub(crate) fn events(found: &[Read]) -> Vec<(u64, String)> {
    let mut events = Vec::new();
    for one in found {
        if let Read::Event(offset, data) = one {
            events.push((*offset, data.clone()));
        }
    }
    events
}

pub(crate) fn offsets(found: &[Read]) -> Vec<u64> {
    events(found)
        .into_iter()
        .map(|(offset, _)| offset)
        .collect()
}

/// Names of the log's files with an ending, in order.
pub(crate) fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .expect("directory")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    files.sort();
    files
}
