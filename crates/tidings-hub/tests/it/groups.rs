//! Groups and separate lines: limits, refusals that name the event, and order.

use std::sync::Arc;

use tidings_core::event::Content;
use tidings_core::grant::PublishGrant;
use tidings_core::identity::Identity;
use tidings_core::limits::{EVENT_BYTES_MAX, GROUP_BYTES_MAX, GROUP_EVENTS_MAX};
use tidings_core::port::{AppendError, Sequencer as _};
use tidings_core::position::Offset;
use tidings_core::start::Start;
use tidings_hub::{PublishError, Published};
use tidings_log::memory::MemoryOptions;
use tidings_testkit::clock::ManualClock;
use tidings_testkit::draft::{data_of_bytes, draft};

use crate::contrary_log::ContraryLog;
use crate::fixture::{Fixture, content, identity, memory_log, number_event, one_shard, soon};

fn only_a() -> Identity {
    let mut identity = identity("publisher");
    identity.grants.publish = vec![PublishGrant::parse("a/*").expect("a grant")];
    identity
}

fn contents(keys: &[&str]) -> Vec<Content> {
    (0..)
        .zip(keys)
        .map(|(number, key)| content(number_event(key, number)))
        .collect()
}

/// What became of lines, in words: the offset, or why not.
fn outcomes(outcomes: &[Result<Published, PublishError>]) -> Vec<String> {
    let word = |outcome: &Result<Published, PublishError>| match outcome {
        Ok(published) if published.duplicate => format!("again {}", published.position.offset),
        Ok(published) => published.position.offset.to_string(),
        Err(PublishError::NotGranted { index, key }) => format!("not granted {index} {key}"),
        Err(PublishError::Append(AppendError::IdReused { index, .. })) => format!("reused {index}"),
        Err(other) => other.to_string(),
    };
    outcomes.iter().map(word).collect()
}

#[tokio::test]
async fn a_group_beyond_a_limit_is_refused_whole() {
    let fixture = Fixture::new();
    let events = (0..=GROUP_EVENTS_MAX).map(|_| draft("a")).collect();
    assert_eq!(
        fixture.publish_group(events).await,
        Err(PublishError::TooManyEvents {
            actual: GROUP_EVENTS_MAX + 1,
            max: GROUP_EVENTS_MAX
        })
    );
    let large = data_of_bytes(EVENT_BYTES_MAX);
    let events = (0..=GROUP_BYTES_MAX / EVENT_BYTES_MAX)
        .map(|_| draft("a").data(large.clone()))
        .collect();
    let refused = fixture.publish_group(events).await;
    assert!(matches!(
        refused,
        Err(PublishError::TooLarge {
            max: GROUP_BYTES_MAX,
            ..
        })
    ));
    let figures = fixture.hub.figures();
    assert_eq!((figures.publishes_refused, figures.end_offset), (2, 0));

    let most = (0..GROUP_EVENTS_MAX).map(|_| draft("a")).collect();
    let published = fixture.publish_group(most).await.expect("published");
    assert_eq!(published.len(), GROUP_EVENTS_MAX);
    assert_eq!(fixture.publish_group(Vec::new()).await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_is_not_granted_is_named_with_its_index_and_nothing_is_published() {
    let fixture = Fixture::new();
    let group = contents(&["a/1", "a/2", "b/1", "@all"]);
    let refused = soon(fixture.hub.publish(&only_a(), group)).await;
    let Err(PublishError::NotGranted { index, key }) = refused else {
        panic!("not refused: {refused:?}");
    };
    assert_eq!((index, key.to_string().as_str()), (2, "b/1"));
    assert_eq!(fixture.hub.figures().end_offset, 0);
}

#[tokio::test]
async fn each_line_has_its_own_outcome_and_the_others_keep_their_order() {
    let fixture = Fixture::new();
    let mut reader = fixture.live(&["a/*"]).await;
    let used = content(draft("a/0").data("\"first\"").id("used"));
    soon(fixture.hub.publish(&only_a(), vec![used.clone()]))
        .await
        .expect("published");
    assert_eq!(reader.word().await, "\"first\"");

    let mut lines = contents(&["a/0", "b/1", "a/2", "a/3", "a/4", "@all", "a/6", "a/7"]);
    lines[3] = content(draft("a/3").data("\"other\"").id("used"));
    lines[6] = used;
    let published = soon(fixture.hub.publish_each(&only_a(), lines)).await;
    assert_eq!(
        outcomes(&published),
        [
            "2",
            "not granted 0 b/1",
            "3",
            "reused 0",
            "4",
            "not granted 0 @all",
            "again 1",
            "5"
        ]
    );
    assert_eq!(reader.words(4).await, ["0", "2", "4", "7"]);
    assert_eq!(fixture.hub.figures().publishes_refused, 3);
}

#[tokio::test]
async fn more_lines_than_a_group_takes_keep_their_order() {
    const LINES: u64 = GROUP_EVENTS_MAX as u64 * 2 + 100;
    let fixture = Fixture::new();
    let lines = (0..LINES)
        .map(|number| content(number_event("a/1", number)))
        .collect();
    let published = soon(fixture.hub.publish_each(&only_a(), lines)).await;
    let offsets: Vec<_> = published
        .iter()
        .map(|outcome| outcome.as_ref().expect("published").position.offset.0)
        .collect();
    assert_eq!(offsets, (1..=LINES).collect::<Vec<_>>());
    let mut reader = fixture.stream(&["a/1"], Start::Earliest, "complete").await;
    reader.expect(0..LINES).await;
}

#[tokio::test]
async fn more_bytes_of_lines_than_a_group_takes_are_published_too() {
    let fixture = Fixture::new();
    let large = data_of_bytes(EVENT_BYTES_MAX);
    let lines = (0..=GROUP_BYTES_MAX / EVENT_BYTES_MAX)
        .map(|_| content(draft("a/1").data(large.clone())))
        .collect();
    let published = soon(fixture.hub.publish_each(&only_a(), lines)).await;
    assert!(published.iter().all(Result::is_ok), "{published:?}");
}

#[tokio::test]
async fn a_line_is_never_blamed_for_another_though_ids_are_used_up_meanwhile() {
    let clock = Arc::new(ManualClock::default());
    let log = memory_log(MemoryOptions::default(), &clock);
    // Somebody else has just used an id: of the fourth event, then of the second.
    let taken = Some(log.lineage().position(Offset(1)));
    let contested = ContraryLog::new(log.clone(), move |append| {
        let index = *[3, 1].get(append)?;
        Some(AppendError::IdReused {
            index,
            position: taken,
        })
    });
    let fixture = Fixture::over(&one_shard(), clock, contested, log);
    let lines = contents(&["a/0", "a/1", "a/2", "a/3", "a/4"]);
    let published = soon(fixture.hub.publish_each(&only_a(), lines)).await;
    assert_eq!(
        outcomes(&published),
        ["1", "reused 0", "2", "reused 0", "3"]
    );
}

#[tokio::test]
async fn a_line_with_the_id_of_an_earlier_line_is_told_where_that_stands() {
    let fixture = Fixture::new();
    let lines = [
        number_event("a", 1),
        number_event("a", 2).id("x"),
        number_event("a", 3).id("x"),
        number_event("a", 4),
    ];
    let outcomes = fixture
        .hub
        .publish_each(&identity("p"), lines.map(content).to_vec())
        .await;
    let positions: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().map(|published| published.position.offset))
        .collect();
    let first = outcomes[1].as_ref().expect("published").position;
    let reused = PublishError::Append(AppendError::IdReused {
        index: 0,
        position: Some(first),
    });
    assert_eq!(
        positions,
        [Ok(Offset(1)), Ok(Offset(2)), Err(&reused), Ok(Offset(3))]
    );
}
