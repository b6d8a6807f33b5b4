//! Lines behind a refusal of the log are refused too, so that a retry keeps their order.

use std::sync::Arc;

use tidings_core::port::{AppendError, Sequencer as _};
use tidings_core::position::Offset;
use tidings_hub::PublishError;
use tidings_log::memory::MemoryOptions;
use tidings_testkit::clock::ManualClock;

use crate::contrary_log::ContraryLog;
use crate::fixture::{Fixture, content, identity, memory_log, number_event, one_shard};

#[tokio::test]
async fn nothing_behind_a_refusal_of_the_log_is_committed() {
    let clock = Arc::new(ManualClock::default());
    let log = memory_log(MemoryOptions::default(), &clock);
    // The first append brings the id into use; the second is the group that it spoils; the third,
    // the events before the spoiled one, finds no space.
    let sequencer = ContraryLog::new(log.clone(), |append| {
        (append == 2).then_some(AppendError::Full)
    });
    let fixture = Fixture::over(&one_shard(), clock, sequencer.clone(), log.clone());
    let publisher = identity("p");
    fixture
        .hub
        .publish(&publisher, vec![content(number_event("a", 1).id("x"))])
        .await
        .expect("new");

    let lines = [
        number_event("a", 2),
        number_event("a", 3).id("x"),
        number_event("a", 4),
    ];
    let outcomes = fixture
        .hub
        .publish_each(&publisher, lines.map(content).to_vec())
        .await;

    let full = Err(PublishError::Append(AppendError::Full));
    assert_eq!([&outcomes[0], &outcomes[2]], [&full, &full]);
    let reused = matches!(
        outcomes[1],
        Err(PublishError::Append(AppendError::IdReused { index: 0, .. }))
    );
    assert!(reused, "{:?}", outcomes[1]);
    assert_eq!(sequencer.appends(), 3, "the log refused");
    assert_eq!(log.end(), Offset(1));
}
