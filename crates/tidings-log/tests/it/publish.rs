//! Append, read back, open again.

use tidings_core::port::{EventStore, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;

use crate::support::{
    Bench, Read, append, append_each, draft, offsets, query, read_all, scope, text,
};

#[test]
fn what_is_appended_is_read_back_before_and_after_an_opening() {
    let bench = Bench::new();
    let log = bench.open();
    assert_eq!(log.end(), Offset(0));
    let first = append(
        &log,
        vec![draft(&["a/1"], None, "1"), draft(&["b"], None, "2")],
    );
    let first = first.expect("appended");
    assert_eq!(first[0].position.offset, Offset(1));
    assert_eq!(first[1].position.offset, Offset(2));
    append_each(&log, &["a/2"], (3..=400).map(|n| format!("{n:0300}")));
    let everything = read_all(&log, &Scope::Everything, 0);
    assert_eq!(offsets(&everything), (1..=400).collect::<Vec<_>>());
    assert_eq!(everything[1], Read::Event(2, "2".into()));
    assert_eq!(offsets(&read_all(&log, &scope(&["b"]), 0)), [2]);
    assert_eq!(offsets(&read_all(&log, &scope(&["a/*"]), 0)).len(), 399);
    assert_eq!(offsets(&read_all(&log, &scope(&["a/1", "b"]), 1)), [2]);
    let lineage = log.lineage();
    drop(log);

    let log = bench.open();
    assert_eq!(log.end(), Offset(400));
    assert_eq!(read_all(&log, &Scope::Everything, 0), everything);
    assert_eq!(log.lineage().epochs()[..1], *lineage.epochs());
    assert_eq!(log.lineage().epochs().len(), 2);
    let again = append(&log, vec![draft(&["b"], None, "x")]).expect("appended");
    assert_eq!(again[0].position.offset, Offset(401));
    assert_eq!(again[0].position.epoch, log.lineage().current());
    assert_eq!(offsets(&read_all(&log, &scope(&["b"]), 0)), [2, 401]);
    assert!(log.recovered().damage.is_empty());
}

#[test]
fn single_events_are_found_by_id_place_and_time() {
    let bench = Bench::new();
    let log = bench.open();
    for number in 1..=200_u64 {
        let id = format!("id{}", number % 100);
        let keys: &[&str] = if number % 2 == 0 { &["even"] } else { &["odd"] };
        let mut one = draft(keys, Some(&id), &format!("{number:0400}"));
        one.dedupe = None;
        append(&log, vec![one]).expect("appended");
        bench.clock.pass(10);
    }
    log.close();
    for log in [log, bench.open()] {
        let id = tidings_core::id::EventId::parse("id7").expect("id");
        let found = log
            .by_id(&scope(&["odd"]), &id)
            .expect("read")
            .expect("found");
        assert_eq!(found.position.offset, Offset(107));
        assert_eq!(log.by_id(&scope(&["even"]), &id).expect("read"), None);
        let at = log
            .at(&scope(&["odd"]), Offset(7))
            .expect("read")
            .expect("found");
        assert_eq!(text(&at), format!("{:0400}", 7));
        assert_eq!(log.at(&scope(&["even"]), Offset(7)).expect("read"), None);
        assert_eq!(log.at(&Scope::Everything, Offset(201)).expect("read"), None);
        assert_eq!(log.before_time(at.timestamp).expect("read"), Offset(6));
        let key = tidings_core::audience::Key::parse("even").expect("key");
        let extent = log.extent(&key).expect("read").expect("held");
        assert_eq!((extent.earliest, extent.head), (Offset(2), Offset(200)));
        let newest = |through, max| {
            let mut query = query(&scope(&["even", "odd"]), 0);
            query.events_max = max;
            let found = log.newest_per_key(&query, Offset(through)).expect("read");
            let offsets = found.events.iter().map(|event| event.position.offset.0);
            (offsets.collect::<Vec<_>>(), found.more)
        };
        assert_eq!(newest(200, 10), (vec![199, 200], false));
        assert_eq!(newest(150, 10), (vec![149, 150], false));
        assert_eq!(newest(150, 1), (vec![149], true));
        assert_eq!(newest(1, 10), (vec![1], false));
    }
}
