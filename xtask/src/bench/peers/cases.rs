//! What is measured side by side: each row is a load, the same for every system.

use super::systems::System;

/// A load, and what is taken from its findings.
pub(crate) struct Case {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it is, for a chart's title.
    pub(crate) title: &'static str,
    /// Arguments of `tidings bench`.
    pub(crate) load: &'static str,
    /// At what rate events are due.
    pub(crate) pace: Pace,
    /// How often it is run, system by system. A figure is the median: a tail of a short run is that of
    /// the machine's worst moment.
    pub(crate) runs: usize,
    /// The systems that can do it.
    pub(crate) systems: &'static [System],
    pub(crate) figures: &'static [Wanted],
}

/// At what rate events are due.
pub(crate) enum Pace {
    /// As the arguments say.
    Given,
    /// At half of what the same system reached in an earlier case.
    HalfOf(&'static str),
}

/// A figure of a case.
pub(crate) struct Wanted {
    pub(crate) name: &'static str,
    /// Where it stands in the findings.
    pub(crate) pointer: &'static str,
    pub(crate) unit: &'static str,
    /// What our systems should reach.
    pub(crate) to_reach: Option<&'static str>,
    /// Whether runs add up. What is missing in one of them is missing.
    pub(crate) adds_up: bool,
}

const ALL: &[System] = &System::ALL;
const OURS: &[System] = &[System::Durable, System::Memory];

const fn wanted(
    name: &'static str,
    pointer: &'static str,
    unit: &'static str,
    to_reach: Option<&'static str>,
) -> Wanted {
    Wanted {
        name,
        pointer,
        unit,
        to_reach,
        adds_up: false,
    }
}

const fn deliveries(to_reach: Option<&'static str>) -> Wanted {
    wanted(
        "deliveries per second",
        "/deliveredPerSecond",
        "1/s",
        to_reach,
    )
}

const fn delivery_p99(to_reach: Option<&'static str>) -> Wanted {
    wanted("p99 until delivery", "/deliveryMs/p99", "ms", to_reach)
}

const fn cpu_per_delivery(to_reach: Option<&'static str>) -> Wanted {
    wanted(
        "processor time per delivery",
        "/serverCpuUsPerDelivery",
        "us",
        to_reach,
    )
}

const DELIVERY_P50: Wanted = wanted("p50 until delivery", "/deliveryMs/p50", "ms", None);
const MISSING: Wanted = Wanted {
    adds_up: true,
    ..wanted("events missing", "/missing", "events", Some("0"))
};
const GENERATOR: Wanted = wanted(
    "generator's processor time per delivery",
    "/generatorCpuUsPerDelivery",
    "us",
    None,
);

/// All cases, in the order in which they run.
pub(crate) static CASES: [Case; 12] = [
    Case {
        name: "idle",
        title: "15,000 idle streams",
        load: "idle --readers 15000",
        pace: Pace::Given,
        runs: 1,
        systems: ALL,
        figures: &[
            wanted(
                "memory per stream",
                "/idle/serverBytesPerConnection",
                "B",
                Some("<= 400, stretch 256"),
            ),
            wanted(
                "processor time per connect",
                "/idle/serverCpuUsPerConnect",
                "us",
                Some("<= 35"),
            ),
            wanted(
                "kernel memory per stream, both ends",
                "/idle/kernelBytesPerConnection",
                "B",
                None,
            ),
        ],
    },
    Case {
        name: "broadcast",
        title: "1,000 readers of one topic, as fast as answers come",
        load: "broadcast --readers 1000 --publishers 64",
        pace: Pace::Given,
        runs: 1,
        systems: ALL,
        figures: &[
            deliveries(Some(">= 2,000,000; durable >= 1,500,000")),
            cpu_per_delivery(Some("< 1")),
            DELIVERY_P50,
            delivery_p99(None),
            MISSING,
            GENERATOR,
        ],
    },
    Case {
        name: "broadcast-2000",
        title: "1,000 readers of one topic, 2,000 events/s",
        load: "broadcast --readers 1000 --publishers 16 --rate 2000",
        pace: Pace::Given,
        runs: 1,
        systems: ALL,
        figures: &[
            delivery_p99(Some("<= 50; durable <= 60")),
            deliveries(Some(">= 2,000,000; durable >= 1,500,000")),
            cpu_per_delivery(Some("< 1")),
            DELIVERY_P50,
            wanted("events unsent", "/unsent", "events", Some("0")),
            MISSING,
        ],
    },
    Case {
        name: "broadcast-100",
        title: "1,000 readers of one topic, 100 events/s",
        load: "broadcast --readers 1000 --publishers 4 --rate 100",
        pace: Pace::Given,
        runs: 1,
        systems: ALL,
        figures: &[
            delivery_p99(Some("<= 15")),
            DELIVERY_P50,
            cpu_per_delivery(Some("<= 10")),
            MISSING,
        ],
    },
    Case {
        name: "broadcast-10",
        title: "1,000 readers of one topic, 10 events/s",
        load: "broadcast --readers 1000 --publishers 4 --rate 10",
        pace: Pace::Given,
        runs: 1,
        systems: ALL,
        figures: &[
            delivery_p99(Some("<= 15")),
            DELIVERY_P50,
            cpu_per_delivery(Some("<= 10")),
            MISSING,
        ],
    },
    Case {
        name: "unicast",
        title: "10,000 topics with one reader each, as fast as answers come",
        load: "unicast --readers 10000 --publishers 64",
        pace: Pace::Given,
        runs: 1,
        systems: ALL,
        figures: &[
            wanted(
                "publishes per second",
                "/publishedPerSecond",
                "1/s",
                Some(">= 25,000; durable >= 20,000"),
            ),
            cpu_per_delivery(None),
            delivery_p99(None),
            MISSING,
        ],
    },
    Case {
        name: "unicast-half",
        title: "10,000 topics with one reader each, at half load",
        load: "unicast --readers 10000 --publishers 64",
        pace: Pace::HalfOf("unicast"),
        runs: 5,
        systems: ALL,
        figures: &[
            delivery_p99(Some("<= 3")),
            DELIVERY_P50,
            wanted("publishes per second", "/publishedPerSecond", "1/s", None),
            cpu_per_delivery(None),
            MISSING,
        ],
    },
    Case {
        name: "unicast-lines",
        title: "10,000 topics with one reader each, NDJSON of 50 events",
        load: "unicast --readers 10000 --publishers 8 --batch 50",
        pace: Pace::Given,
        runs: 1,
        systems: OURS,
        figures: &[
            wanted(
                "events per second",
                "/publishedPerSecond",
                "1/s",
                Some(">= 60,000"),
            ),
            cpu_per_delivery(None),
            delivery_p99(None),
            MISSING,
        ],
    },
    Case {
        name: "topics",
        title: "1,000 topics with 10 readers each, as fast as answers come",
        load: "topics --readers 10000 --topics 1000 --publishers 64",
        pace: Pace::Given,
        runs: 1,
        systems: ALL,
        figures: &[
            deliveries(Some(">= 50,000")),
            cpu_per_delivery(None),
            delivery_p99(None),
            MISSING,
        ],
    },
    Case {
        name: "herd",
        title: "1,000 readers come back for 1,000 events each",
        load: "herd --readers 1000 --events 1000",
        pace: Pace::Given,
        runs: 1,
        systems: ALL,
        figures: &[
            wanted(
                "until all have everything",
                "/herd/seconds",
                "s",
                Some("<= 0.4"),
            ),
            wanted(
                "processor time per replayed event",
                "/herd/serverCpuUsPerReplayed",
                "us",
                None,
            ),
            MISSING,
        ],
    },
    Case {
        name: "storm",
        title: "Readers that connect and leave",
        load: "storm --readers 64",
        pace: Pace::Given,
        runs: 1,
        systems: ALL,
        figures: &[
            wanted(
                "processor time per connect, leaving included",
                "/storm/serverCpuUsPerConnect",
                "us",
                Some("<= 35"),
            ),
            wanted(
                "connects per second",
                "/storm/connectsPerSecond",
                "1/s",
                None,
            ),
            wanted("connects failed", "/storm/failed", "connects", Some("0")),
        ],
    },
    Case {
        name: "slow",
        title: "10 of 100 readers stop reading, 1,000 events/s of 1,000 bytes",
        load: "slow --readers 100 --stopped 10 --rate 1000 --event-bytes 1000",
        pace: Pace::Given,
        runs: 5,
        systems: ALL,
        figures: &[
            wanted(
                "the others' p99 over that without",
                "/slow/p99Ratio",
                "times",
                Some("0.8 to 1.2"),
            ),
            delivery_p99(None),
            wanted("memory grown", "/slow/serverBytesGrown", "B", Some("flat")),
            wanted("kernel memory grown", "/slow/kernelBytesGrown", "B", None),
            MISSING,
        ],
    },
];
