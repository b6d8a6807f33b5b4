//! Every way from one state of a connection to another, in virtual time.

use super::fixture::World;
use crate::limits::{DISMISSAL_WAIT_MS_MAX, IDLE_AFTER_MS};
use crate::shard::ConnectionState::{self, Connected, Connecting, Disconnecting, Idle, Stale};
use crate::shard::{Begin, ConnectionKey, DisconnectReason, Mode, Transport};

const NOW: Begin = Begin::Now { unknown: false };
const SLOW_MS: u64 = 10_000;
const STALE_MS: u64 = SLOW_MS / 2;

/// What may happen to a connection.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// Time passes; deadlines are met.
    Pass(u64),
    /// As above, and the reader takes what it is given every second.
    Listen(u64),
    /// An event is put into its sink, unless that is full.
    Event,
    /// The reader takes a part of what lies there.
    TakePart,
    /// The reader takes all of it.
    Take,
    /// An operator ends it.
    Kick,
    /// The hub is to be shut down.
    Drain,
}
use Step::{Drain, Event, Kick, Listen, Pass, Take, TakePart};

impl World {
    fn state(&mut self, key: ConnectionKey) -> Option<ConnectionState> {
        let (_, facts) = self.shard.inspect(self.ids[&key], self.now)?;
        Some(facts.state)
    }

    fn pass(&mut self, ms: u64) {
        self.advance(ms);
        while self.turn() {}
    }

    fn step(&mut self, key: ConnectionKey, step: Step) {
        match step {
            Pass(ms) => self.pass(ms),
            Listen(ms) => {
                for _ in 0..ms / 1_000 {
                    self.pass(1_000);
                    self.take(key);
                }
            }
            Event => {
                self.publish(&[("a", "x")], false);
                while self.turn() {}
            }
            TakePart => self.shard.progressed(key, self.now),
            Take => assert!(self.take(key), "nothing lies there"),
            Kick => {
                let reason = DisconnectReason::parse("enough").expect("a reason");
                assert!(self.shard.disconnect(self.ids[&key], &reason, self.now));
                while self.turn() {}
            }
            Drain => {
                let plan = crate::shard::DrainPlan {
                    spread_ms: 10_000,
                    retry_after_ms: 0,
                };
                self.shard.drain(plan, self.now);
            }
        }
    }
}

#[test]
fn a_connection_goes_from_state_to_state_as_it_is_written() {
    // The states of a stream after each step, none once it is gone.
    let ways: [&[(Step, Option<ConnectionState>)]; 14] = [
        &[(Take, Some(Connected))],
        &[
            (Pass(STALE_MS - 1), Some(Connecting)),
            (Pass(1), Some(Stale)),
            (TakePart, Some(Connecting)),
            (Take, Some(Connected)),
        ],
        &[
            (Take, Some(Connected)),
            (Listen(IDLE_AFTER_MS - 1_000), Some(Connected)),
            (Listen(1_000), Some(Idle)),
            (Listen(IDLE_AFTER_MS), Some(Idle)),
            (Event, Some(Connected)),
            (Take, Some(Connected)),
            (Listen(IDLE_AFTER_MS), Some(Idle)),
        ],
        &[
            (Take, Some(Connected)),
            (Event, Some(Connected)),
            (Pass(STALE_MS - 1), Some(Connected)),
            (Pass(1), Some(Stale)),
            (TakePart, Some(Connected)),
            (Pass(STALE_MS), Some(Stale)),
            (Take, Some(Connected)),
        ],
        // A sign of life that nobody takes tells as much as an event.
        &[
            (Listen(IDLE_AFTER_MS), Some(Idle)),
            (Pass(15_000), Some(Idle)),
            (Pass(STALE_MS), Some(Stale)),
            (Take, Some(Idle)),
        ],
        &[(Pass(STALE_MS), Some(Stale)), (Pass(STALE_MS), None)],
        // Whatever it was: once it is told to go, it is on its way.
        &[(Kick, Some(Disconnecting)), (Take, None)],
        &[(Take, Some(Connected)), (Kick, None)],
        &[
            (Take, Some(Connected)),
            (Event, Some(Connected)),
            (Kick, Some(Disconnecting)),
            (TakePart, Some(Disconnecting)),
            (Pass(DISMISSAL_WAIT_MS_MAX), None),
        ],
        &[
            (Listen(IDLE_AFTER_MS), Some(Idle)),
            (Pass(15_000), Some(Idle)),
            (Kick, Some(Disconnecting)),
            (Take, None),
        ],
        &[
            (Pass(STALE_MS), Some(Stale)),
            (Kick, Some(Disconnecting)),
            (Take, None),
        ],
        &[
            (Drain, Some(Disconnecting)),
            (Take, Some(Disconnecting)),
            (Pass(10_000), None),
        ],
        &[
            (Take, Some(Connected)),
            (Drain, Some(Disconnecting)),
            (Event, Some(Disconnecting)),
            (Take, Some(Disconnecting)),
            (Pass(10_000), None),
        ],
        &[
            (Pass(STALE_MS), Some(Stale)),
            (Drain, Some(Disconnecting)),
            (Pass(STALE_MS), Some(Disconnecting)),
            // It has been told to leave meanwhile, and is looked at again.
            (Pass(500), None),
        ],
    ];
    for way in ways {
        let mut world = World::with_patience(100, SLOW_MS);
        let key = world.open(&["a"], &[], NOW);
        assert_eq!(world.state(key), Some(Connecting));
        for (at, (step, expected)) in way.iter().enumerate() {
            world.step(key, *step);
            assert_eq!(world.state(key), *expected, "step {at} of {way:?}");
        }
    }
}

#[test]
fn a_page_is_connected_from_its_first_to_its_last_moment() {
    let mut world = World::with_patience(100, SLOW_MS);
    let mode = Mode::Page {
        events_max: 10,
        wait_ms: 55_000,
    };
    let page = world.open_as(&["a"], &[], NOW, mode, None);
    world.pass(54_999);
    assert_eq!(world.state(page), Some(Connected));
    let census = world.census();
    assert_eq!(census.of(Transport::Page, Connected), 1);
    assert_eq!(census.total(), 1);
    world.pass(1);
    assert_eq!(world.state(page), None);
}

#[test]
fn a_reader_that_is_given_all_the_time_in_the_world_is_never_stale() {
    let mut world = World::new(100);
    let key = world.open(&["a"], &[], NOW);
    world.pass(1_000_000_000);
    assert_eq!(world.state(key), Some(Connecting));
}

#[test]
fn words_name_states() {
    for state in ConnectionState::ALL {
        assert_eq!(ConnectionState::parse(state.as_str()), Some(state));
    }
    assert_eq!(ConnectionState::parse("Idle"), None);
}
