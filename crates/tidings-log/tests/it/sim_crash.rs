//! Row D2: whatever a loss of power does to what was not synced, nothing that anybody was told is lost.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use tidings_log::KeeperMode;

use crate::sim_disk::Counters;
use crate::sim_world::{Extent, Story, live};

/// How many seeds are tried; `TIDINGS_D2_SEEDS=1000` for a long night.
const SEEDS_DEFAULT: u64 = 50;
const EXTENT: Extent = Extent {
    generations: 4,
    steps: 150,
    keeper: KeeperMode::OnRequest,
};

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Lives through the seeds on all processors, and says which one failed.
fn live_all(first: u64, count: u64, extent: Extent) -> Vec<Story> {
    let next = AtomicU64::new(first);
    let work = || {
        let mut stories = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return stories;
            }
            let lived = catch_unwind(AssertUnwindSafe(|| live(seed, extent)));
            let Ok(story) = lived else {
                panic!("seed {seed} fails; TIDINGS_D2_FIRST={seed} TIDINGS_D2_SEEDS=1 repeats it");
            };
            stories.push(story);
        }
    };
    thread::scope(|threads| {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..processors).map(|_| threads.spawn(work)).collect();
        let stories = workers.into_iter().map(|worker| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        stories.flatten().collect()
    })
}

#[test]
fn d2_d11_no_loss_of_power_takes_what_anybody_was_told() {
    let seeds = setting("TIDINGS_D2_SEEDS").unwrap_or(SEEDS_DEFAULT);
    let first = setting("TIDINGS_D2_FIRST").unwrap_or(0);
    let stories = live_all(first, seeds, EXTENT);
    assert_eq!(stories.len() as u64, seeds);
    if seeds >= SEEDS_DEFAULT {
        prove_that_it_happened(&stories);
    }
}

/// What the keeper does on its own thread falls between the calls of the committer in any way. A
/// failing seed may need some repeating.
#[test]
fn d2_the_keeper_may_be_at_work_when_the_power_goes() {
    let seeds = setting("TIDINGS_D2_SEEDS").unwrap_or(SEEDS_DEFAULT / 2);
    let first = setting("TIDINGS_D2_FIRST").unwrap_or(0);
    let extent = Extent {
        keeper: KeeperMode::Thread,
        ..EXTENT
    };
    let stories = live_all(first, seeds, extent);
    let crashes = stories.iter().map(|story| story.counters.crashes_in_calls);
    assert!(seeds < 10 || crashes.sum::<u64>() >= seeds);
}

/// Accidents that never happen prove nothing.
fn prove_that_it_happened(stories: &[Story]) {
    let total = |count: fn(&Story) -> u64| stories.iter().map(count).sum::<u64>();
    let counted = |count: fn(&Counters) -> u64| {
        stories
            .iter()
            .map(|story| count(&story.counters))
            .sum::<u64>()
    };
    let happened = [
        ("crashes", counted(|c| c.crashes)),
        (
            "crashes in the middle of a call",
            counted(|c| c.crashes_in_calls),
        ),
        ("torn writes", counted(|c| c.torn_writes)),
        ("lost writes", counted(|c| c.lost_writes)),
        ("reordered sectors", counted(|c| c.reordered_sectors)),
        ("lost names", counted(|c| c.lost_names)),
        ("failed syncs", counted(|c| c.failed_syncs)),
        (
            "refusals for want of space",
            counted(|c| c.refused_for_space),
        ),
        ("failed openings", total(|s| s.failed_openings)),
        ("events", total(|s| s.events)),
        ("recognised repeats", total(|s| s.duplicates)),
        (
            "unanswered events that came back",
            total(|s| s.recovered_unanswered),
        ),
        (
            "unanswered groups that vanished",
            total(|s| s.vanished_groups),
        ),
        ("holes after retention", total(|s| s.holes)),
    ];
    for (what, count) in happened {
        assert!(count >= 10, "{what}: {count} of {happened:?}");
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    for seed in [1, 2, 3] {
        assert_eq!(live(seed, EXTENT), live(seed, EXTENT), "seed {seed}");
    }
    let others = [live(4, EXTENT).fingerprint, live(5, EXTENT).fingerprint];
    assert_ne!(others[0], others[1]);
}
