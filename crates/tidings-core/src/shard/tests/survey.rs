//! Looking over connections: which are meant, what is known of them, and how much a slice does.

use super::fixture::{World, holder};
use crate::audience::{Role, Subject};
use crate::limits::{DESCRIBED_PER_SLICE_MAX, PATTERNS_PER_SLICE_MAX, SURVEYED_PER_SLICE_MAX};
use crate::pattern::Pattern;
use crate::provenance::{ProfileIndex, Protocol, Provenance};
use crate::shard::{
    Begin, Census, ConnectionFacts, ConnectionKey, ConnectionState, Mode, Transport, Wanted, Which,
};
use crate::time::Timestamp;
use crate::topic::Topic;

const NOW: Begin = Begin::Now { unknown: false };
const ALL: Wanted = Wanted {
    described_max: usize::MAX,
    described_after: None,
    subjects: false,
};

impl World {
    /// All slices of a survey.
    fn survey(&mut self, which: &Which, wanted: Wanted) -> (Census, Vec<ConnectionFacts>) {
        let (mut census, mut described, mut next) = (Census::default(), Vec::new(), Some(0));
        while let Some(from) = next {
            let found = self.shard.survey(which, wanted, from, self.now);
            census.add(&found.census);
            described.extend(found.described.into_iter().map(|(_, facts)| facts));
            next = found.next;
            assert!(next.is_none_or(|next| next > from), "it goes on");
        }
        (census, described)
    }

    pub(super) fn census(&mut self) -> Census {
        self.survey(&Which::default(), Wanted::default()).0
    }

    fn found(&mut self, which: &Which) -> Vec<ConnectionKey> {
        let (census, described) = self.survey(which, ALL);
        assert_eq!(census.total(), described.len() as u64);
        described.iter().map(|facts| facts.id.key).collect()
    }

    fn open_by(&mut self, subject: &str, profile: u8, patterns: &[&str]) -> ConnectionKey {
        self.holder = holder(subject, "token:main:first");
        self.provenance.profile = ProfileIndex(profile);
        self.open(patterns, &[], NOW)
    }
}

#[test]
fn connections_are_found_by_state_subject_topic_and_profile() {
    let mut world = World::new(100);
    let ann = world.open_by("ann", 0, &["a/1", "@user/ann"]);
    let ben = world.open_by("ben", 3, &["a/*"]);
    let cyd = world.open_by("ann", 3, &["b"]);
    world.take(ben);
    let topic = |text| Topic::parse(text).ok();
    let cases = [
        (Which::default(), vec![ann, ben, cyd]),
        (
            Which {
                state: Some(ConnectionState::Connected),
                ..Which::default()
            },
            vec![ben],
        ),
        (
            Which {
                subject: holder("ann", "key:k").subject().cloned(),
                ..Which::default()
            },
            vec![ann, cyd],
        ),
        (
            Which {
                topic: topic("a/1"),
                ..Which::default()
            },
            vec![ann, ben],
        ),
        (
            Which {
                topic: topic("a/2"),
                ..Which::default()
            },
            vec![ben],
        ),
        (
            Which {
                profile: Some(ProfileIndex(3)),
                subject: holder("ann", "key:k").subject().cloned(),
                ..Which::default()
            },
            vec![cyd],
        ),
        (
            Which {
                profile: Some(ProfileIndex(9)),
                ..Which::default()
            },
            vec![],
        ),
    ];
    for (which, expected) in cases {
        assert_eq!(world.found(&which), expected, "{which:?}");
    }
    world.shard.left(ann, world.now);
    assert_eq!(world.found(&Which::default()), [ben, cyd]);
}

#[test]
fn what_an_operator_sees_of_a_connection() {
    let mut world = World::new(100);
    world.advance(5_000);
    let opened_at = world.now.wall;
    let mut provenance = Provenance {
        profile: ProfileIndex(2),
        protocol: Protocol::Http2,
        ..Provenance::default()
    };
    provenance.metadata.add("tab", "7").expect("an entry");
    world.provenance = provenance.clone();
    let ends = Timestamp(opened_at.0 + 600_000);
    let patterns = ["a", "b/*", "@all", "@role/ADMIN", "@user/reader"];
    let stream = Mode::stream(1_000_000);
    let key = world.open_as(&patterns, &["x.*"], NOW, stream, Some(ends));
    world.take(key);
    world.publish(&[("a", "x.1"), ("c", "x.1"), ("a", "y")], false);
    world.advance(1_000);
    let id = world.ids[&key];
    let (_, facts) = world.shard.inspect(id, world.now).expect("it is there");
    assert_eq!((facts.id, facts.state), (id, ConnectionState::Connected));
    assert_eq!(facts.transport, Transport::Stream);
    assert_eq!(
        (facts.protocol, facts.profile),
        (Protocol::Http2, ProfileIndex(2))
    );
    assert_eq!(facts.subject.as_ref().map(Subject::as_str), Some("reader"));
    assert_eq!((facts.opened_at, facts.expires_at), (opened_at, Some(ends)));
    assert_eq!(
        (facts.cursor.offset.0, facts.lag),
        (0, 3),
        "something waits"
    );
    assert_eq!(facts.events, 0);
    let asked: Vec<&str> = facts.asked.iter().map(Pattern::as_str).collect();
    assert_eq!(asked, ["a", "b/*"]);
    let roles: Vec<&str> = facts.roles().map(Role::as_str).collect();
    assert_eq!((roles, facts.has_audience()), (vec!["ADMIN"], true));
    assert_eq!(facts.types.globs()[0].as_str(), "x.*");
    assert_eq!(facts.metadata, provenance.metadata);

    world.settle();
    world.publish(&[("c", "x"), ("c", "x")], false);
    let (_, facts) = world.shard.inspect(id, world.now).expect("it is there");
    assert_eq!(facts.events, 1);
    let hello_and_event = "hello@0:none;1;".len() as u64;
    assert_eq!(facts.bytes, hello_and_event);
    assert_eq!(
        (facts.cursor.offset.0, facts.lag),
        (5, 0),
        "nothing is for it"
    );
    world.shard.left(key, world.now);
    assert_eq!(world.shard.inspect(id, world.now), None);
}

#[test]
fn when_a_connection_was_opened_moves_with_the_wall_clock_alone() {
    let mut world = World::new(100);
    world.advance(5_000);
    let key = world.open(&["a"], &[], NOW);
    let opened_at = |world: &mut World| {
        let (_, facts) = world
            .shard
            .inspect(world.ids[&key], world.now)
            .expect("there");
        facts.opened_at.0
    };
    let first = opened_at(&mut world);
    assert_eq!(first, world.now.wall.0);
    for slewed in [1, 999] {
        world.advance(1_000);
        world.now.wall.0 += slewed;
        assert_eq!(opened_at(&mut world), first);
        world.now.wall.0 -= slewed;
    }
    world.now.wall.0 += 3_600_000;
    assert_eq!(opened_at(&mut world), first + 3_600_000);
    world.now.wall.0 = 100;
    assert_eq!(opened_at(&mut world), 0, "before the epoch");
}

#[test]
fn what_few_connections_have_outlives_what_else_they_seldom_have() {
    let mut world = World::new(100);
    world.publish(&[("a/1", "x")], false);
    world.provenance.metadata.add("tab", "7").expect("an entry");
    let last = Begin::Last { unknown: false };
    let key = world.open(&["a/*"], &[], last);
    world.settle();
    let (_, facts) = world
        .shard
        .inspect(world.ids[&key], world.now)
        .expect("there");
    assert_eq!(facts.metadata.iter().count(), 1);
}

#[test]
fn a_slice_looks_at_so_many_describes_so_many_and_goes_on_behind_them() {
    let mut world = World::new(100);
    let count = SURVEYED_PER_SLICE_MAX + DESCRIBED_PER_SLICE_MAX;
    for _ in 0..count {
        world.open(&["a"], &[], NOW);
    }
    let all = Which::default();
    let slice = world.shard.survey(&all, Wanted::default(), 0, world.now);
    assert_eq!(slice.census.total(), SURVEYED_PER_SLICE_MAX as u64);
    assert_eq!(slice.next, Some(SURVEYED_PER_SLICE_MAX as u32));
    let slice = world.shard.survey(&all, ALL, 0, world.now);
    assert_eq!(slice.described.len(), DESCRIBED_PER_SLICE_MAX);
    assert_eq!(slice.next, Some(DESCRIBED_PER_SLICE_MAX as u32));
    let (census, described) = world.survey(&all, ALL);
    assert_eq!((census.total(), described.len()), (count as u64, count));
    // A page of them: behind that slot, and no more than so many in each slice.
    let page = Wanted {
        described_max: 3,
        described_after: Some(4),
        subjects: true,
    };
    let slice = world.shard.survey(&all, page, 0, world.now);
    let slots: Vec<usize> = slice.described.iter().map(|(key, _)| key.slot()).collect();
    assert_eq!(slots, [5, 6, 7]);
    assert_eq!(slice.census.total(), SURVEYED_PER_SLICE_MAX as u64);
    assert_eq!(slice.subjects.len(), SURVEYED_PER_SLICE_MAX);
    let beyond = world.shard.survey(&all, ALL, u32::MAX, world.now);
    assert_eq!((beyond.census.total(), beyond.next), (0, None));
}

#[test]
fn a_slice_ends_where_it_has_looked_through_many_patterns() {
    let mut world = World::new(100);
    let patterns: Vec<String> = (0..1_024).map(|number| format!("a/{number}")).collect();
    let patterns: Vec<&str> = patterns.iter().map(String::as_str).collect();
    for _ in 0..6 {
        world.open(&patterns, &[], NOW);
    }
    let which = Which {
        topic: Topic::parse("a/7").ok(),
        ..Which::default()
    };
    let slice = world.shard.survey(&which, Wanted::default(), 0, world.now);
    let looked_at = (PATTERNS_PER_SLICE_MAX / patterns.len()) as u64;
    assert_eq!(slice.census.total(), looked_at);
    assert_eq!(world.found(&which).len(), 6);
}
