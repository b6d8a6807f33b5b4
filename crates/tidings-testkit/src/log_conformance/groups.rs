//! Appending: groups are atomic, ordered, bounded, and visible only once committed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use tidings_core::event::Event;
use tidings_core::limits::{COMMIT_QUEUE_BYTES_MAX, COMMIT_QUEUE_WAIT_MS_MAX, GROUP_BYTES_MAX};
use tidings_core::port::{AppendError, Bounds, CommitFeed, Health, Sequencer};
use tidings_core::position::Offset;
use tidings_core::priority::Priority;
use tidings_core::scope::Scope;

use super::{Fixture, LogUnderTest};
use crate::PATIENCE_S;
use crate::append::submit;
use crate::draft::{data_of_bytes, draft, group};
use crate::reading::{check_page, events_of, query};
use crate::recording_feed::Recording;

/// A fresh log has no event, one epoch, and takes writes.
pub fn a_fresh_log_is_writable_and_empty<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    assert_eq!(fixture.log.sequencer().health(), Health::Writable);
    assert_eq!(fixture.end(), Offset::ZERO);
    assert_eq!(
        fixture.log.store().bounds(),
        Bounds {
            before_earliest: Offset::ZERO,
            end: Offset::ZERO
        }
    );
    let lineage = fixture.log.sequencer().lineage();
    assert_eq!(lineage.epochs(), [(lineage.current(), Offset(1))]);
    let page = fixture.page(Scope::Everything, 0);
    assert_eq!((page.items.len(), page.considered), (0, Offset::ZERO));
}

/// An empty group is answered, and changes nothing.
pub fn an_empty_group_is_answered_with_an_empty_list<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    assert_eq!(fixture.append(group::<crate::draft::DraftBuilder>([])), []);
    assert_eq!(fixture.end(), Offset::ZERO);
}

/// The answer has one entry per draft, in order; the first event of a log has offset 1.
pub fn a_group_gets_rising_positions_of_the_current_epoch<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let appended = fixture.append(["a", "b", "c"].map(draft));
    let epoch = fixture.log.sequencer().lineage().current();
    let offsets: Vec<u64> = appended.iter().map(|one| one.position.offset.0).collect();
    assert_eq!(offsets.len(), 3);
    assert_eq!(offsets.first(), Some(&1));
    assert!(offsets.is_sorted_by(|a, b| a < b), "{offsets:?}");
    assert!(appended.iter().all(|one| one.position.epoch == epoch));
    assert!(appended.iter().all(|one| !one.duplicate));
    assert_eq!(Some(&fixture.end().0), offsets.last());
    for (event, answer) in fixture.all().iter().zip(&appended) {
        assert_eq!(event.position, answer.position);
        assert_eq!(event.timestamp, answer.timestamp);
    }
}

/// A reader that looks all the time never sees part of a group.
pub fn a_group_is_visible_together_or_not_at_all<L: LogUnderTest>() {
    const EVENTS_PER_GROUP: usize = 3;
    let fixture = Fixture::<L>::new();
    let (store, sequencer) = (fixture.log.store(), fixture.log.sequencer());
    let done = AtomicBool::new(false);
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let mut looks = 0_u32;
            loop {
                let last_look = done.load(Ordering::SeqCst);
                let everything = query(Scope::Everything, Offset::ZERO);
                let page = store.read(&everything).expect("readable");
                check_page(&everything, &page);
                if !page.more {
                    assert_eq!(events_of(&page).len() % EVENTS_PER_GROUP, 0);
                }
                assert!(store.bounds().end >= page.considered);
                looks += 1;
                if last_look {
                    return looks;
                }
            }
        });
        for _ in 0..100 {
            let outcome = submit(&*sequencer, group(["a", "b", "c"].map(draft)));
            outcome.wait().expect("committed");
        }
        done.store(true, Ordering::SeqCst);
        assert!(reader.join().expect("no torn group") > 0);
    });
    assert_eq!(fixture.all().len(), 100 * EVENTS_PER_GROUP);
}

/// No other group's event comes between those of a group.
pub fn the_events_of_a_group_stand_next_to_each_other<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    thread::scope(|threads| {
        for writer in 0..4 {
            let sequencer = fixture.log.sequencer();
            threads.spawn(move || {
                for round in 0..25 {
                    let name = format!("\"{writer}.{round}\"");
                    let drafts = ["a", "b", "c"].map(|topic| draft(topic).data(name.clone()));
                    submit(&*sequencer, group(drafts))
                        .wait()
                        .expect("committed");
                }
            });
        }
    });
    let all = fixture.all();
    assert_eq!(all.len(), 300);
    for together in all.chunks(3) {
        let said: Vec<_> = together.iter().map(|event| &event.content.data).collect();
        assert!(said.windows(2).all(|two| two[0] == two[1]), "{said:?}");
        let topics: Vec<_> = together
            .iter()
            .flat_map(|event| event.content.audience.topics())
            .map(ToString::to_string)
            .collect();
        assert_eq!(topics, ["a", "b", "c"]);
    }
}

/// One thread's groups are committed in the order of its calls, even if it does not wait.
pub fn groups_of_one_thread_keep_their_order<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let outcomes: Vec<_> = (0..200)
        .map(|n: u32| fixture.submit([draft("a").data(n.to_string())]))
        .collect();
    let offsets: Vec<Offset> = outcomes
        .into_iter()
        .flat_map(|outcome| outcome.wait().expect("committed"))
        .map(|one| one.position.offset)
        .collect();
    assert!(offsets.is_sorted_by(|a, b| a < b), "{offsets:?}");
    for (n, event) in fixture.all().iter().enumerate() {
        assert_eq!(event.content.data, n.to_string());
    }
}

/// Whoever is answered knows that the feed has it.
pub fn the_feed_gets_a_group_before_its_reply_is_called<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let recording = Recording::default();
    let sequencer = fixture.log.sequencer();
    sequencer
        .tail(Offset::ZERO, recording.feed())
        .expect("tailed");
    let (sender, replies) = mpsc::sync_channel(50);
    for _ in 0..50 {
        let (sender, recording) = (sender.clone(), recording.clone());
        let reply = Box::new(move |outcome: crate::append::Outcome| {
            let appended = outcome.expect("committed");
            let fed = appended
                .iter()
                .all(|one| recording.holds(one.position.offset));
            sender.send(fed).expect("the test listens");
        });
        sequencer.append(group(["a", "b"].map(draft)), reply);
    }
    for _ in 0..50 {
        let fed = replies.recv_timeout(Duration::from_secs(PATIENCE_S));
        assert_eq!(fed, Ok(true), "the feed had the group before its reply");
    }
}

/// Once somebody knows an offset, the store holds it.
pub fn what_is_fed_or_answered_can_be_read<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let recording = Recording::default();
    let store = fixture.log.store();
    let sequencer = fixture.log.sequencer();
    sequencer
        .tail(Offset::ZERO, recording.feed())
        .expect("tailed");
    for n in 1..=50 {
        let answered = fixture.submit([draft("a")]);
        for event in recording.wait_for(n) {
            let offset = event.position.offset;
            let read = store.at(&Scope::Everything, offset).expect("readable");
            assert_eq!(read, Some(event));
            assert!(sequencer.end() >= offset);
        }
        let appended = answered.wait().expect("committed");
        assert!(store.bounds().end >= appended[0].position.offset);
    }
}

/// A reply that appends does not stop the log: the group is queued like any other.
pub fn a_reply_may_append_again<L: LogUnderTest>() {
    fn chain(sequencer: &Arc<dyn Sequencer>, left: u32, done: mpsc::SyncSender<()>) {
        let next = Arc::clone(sequencer);
        let reply = move |outcome: crate::append::Outcome| {
            outcome.expect("committed");
            match left {
                0 => done.send(()).expect("the test listens"),
                _ => chain(&next, left - 1, done),
            }
        };
        sequencer.append(group([draft("a")]), Box::new(reply));
    }
    let fixture = Fixture::<L>::new();
    let (sender, done) = mpsc::sync_channel(1);
    chain(&fixture.log.sequencer(), 99, sender);
    done.recv_timeout(Duration::from_secs(PATIENCE_S))
        .expect("the chain comes to its end");
    assert_eq!(fixture.all().len(), 100);
}

/// A group that is too large leaves no trace.
pub fn a_group_beyond_the_limit_is_refused_whole<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let piece = data_of_bytes(256 * 1024);
    let pieces = GROUP_BYTES_MAX / piece.len() + 1;
    let large = (0..pieces).map(|_| draft("a").data(piece.clone()));
    let refused = fixture.try_append(large);
    assert!(
        matches!(refused, Err(AppendError::TooLarge { actual, max }) if actual > max),
        "{refused:?}"
    );
    assert_eq!(fixture.end(), Offset::ZERO);
    let small = (0..pieces / 2).map(|_| draft("a").data(piece.clone()));
    assert_eq!(fixture.append(small).len(), pieces / 2);
}

/// While the feed does not return, the queue fills up to its limit, and then callers are told.
pub fn a_stuck_feed_makes_the_log_busy_and_not_large<L: LogUnderTest>() {
    #[derive(Debug, Default)]
    struct Gate {
        open: Mutex<bool>,
        opened: Condvar,
    }
    struct StuckFeed(Arc<Gate>, mpsc::SyncSender<()>);
    impl CommitFeed for StuckFeed {
        fn committed(&mut self, _: &[Arc<Event>]) {
            // The test listens for the first call only.
            let _unheard = self.1.try_send(());
            let closed = self.0.open.lock().expect("the gate");
            let patience = Duration::from_secs(PATIENCE_S);
            let waited = self.0.opened.wait_timeout_while(closed, patience, |o| !*o);
            assert!(!waited.expect("the gate").1.timed_out(), "the gate opens");
        }
    }
    let fixture = Fixture::<L>::new();
    let gate = Arc::new(Gate::default());
    let (sender, stuck) = mpsc::sync_channel(1);
    let sequencer = fixture.log.sequencer();
    let feed = Box::new(StuckFeed(Arc::clone(&gate), sender));
    sequencer.tail(Offset::ZERO, feed).expect("tailed");
    thread::scope(|threads| {
        // A log without a thread of its own feeds on this one.
        let first = threads.spawn(|| submit(&*sequencer, group([draft("a")])).wait());
        stuck
            .recv_timeout(Duration::from_secs(PATIENCE_S))
            .expect("the feed is called");
        let data = data_of_bytes(1024 * 1024);
        let groups_max = COMMIT_QUEUE_BYTES_MAX / data.len() + 3;
        let mut waiting = Vec::new();
        let busy = (0..groups_max).any(|_| {
            let outcome = submit(&*sequencer, group([draft("a").data(data.clone())]));
            let Some(refused) = outcome.now() else {
                waiting.push(outcome);
                return false;
            };
            assert!(
                matches!(
                    refused,
                    Err(AppendError::Busy { retry_after_ms })
                        if (1..=COMMIT_QUEUE_WAIT_MS_MAX).contains(&retry_after_ms)
                ),
                "{refused:?}"
            );
            true
        });
        assert!(busy, "the queue has a limit");
        *gate.open.lock().expect("the gate") = true;
        gate.opened.notify_all();
        assert!(first.join().expect("no panic").is_ok());
        let queued = waiting.len();
        // What is under way may count, and what a log adds to the data.
        assert!(
            queued + 2 >= COMMIT_QUEUE_BYTES_MAX / data.len(),
            "{queued}"
        );
        for outcome in waiting {
            outcome.wait().expect("what was queued is committed");
        }
        assert_eq!(fixture.all().len(), queued + 1);
    });
    fixture.append([draft("a")]);
}

/// Every field of a draft is in its event.
pub fn content_comes_back_as_it_was_said<L: LogUnderTest>() {
    let fixture = Fixture::<L>::new();
    let drafts = group([
        draft("a/b")
            .also("лента/новости")
            .also("@user/u1")
            .also("@role/ADMIN")
            .also("@all")
            .id("order-1")
            .event_type("com.example/Order:v2")
            .priority(Priority::Critical)
            .source("urn:shop")
            .data(r#"{"text":"naïve 🙂"}"#)
            .metadata(r#"{"userId":"u1"}"#),
        draft("@all").priority(Priority::Low).data("\"\""),
        draft("a")
            .priority(Priority::High)
            .data(data_of_bytes(256 * 1024)),
    ]);
    let said: Vec<_> = drafts.iter().map(|draft| draft.content.clone()).collect();
    fixture.append(drafts);
    let read = fixture.all();
    let read: Vec<_> = read.iter().map(|event| event.content.clone()).collect();
    assert_eq!(read, said);
}
