//! Whether a hub has stood a soak.

use std::time::Duration;

use super::Found;
use super::counts::Counts;
use super::oracle::Fault;
use super::watch::second_and_last_tenth;
use crate::hostile::check;
use crate::suite::tally::Tally;

/// Memory of the last tenth of the time over that of the second one; what an allocator keeps comes on top.
const MEMORY_GROWTH_MAX: f64 = 1.10;
const MEMORY_SLACK_MIB: f64 = 8.0;

/// The same for a brief soak, whose second tenth is its second second: the hub is still warming up.
const MEMORY_SLACK_MIB_BRIEF: f64 = 24.0;

/// The same for descriptors; streams that were left standing come on top.
const DESCRIPTOR_GROWTH_MAX: f64 = 1.10;
const DESCRIPTOR_SLACK: f64 = 16.0;

/// A soak that is shorter is brief.
const BRIEF_BELOW: Duration = Duration::from_secs(60);

/// Of a hundred requests for a stream.
const FAILED_PERCENT_MAX: f64 = 1.0;

const RETURN_SECONDS_MAX: f64 = 5.0;

/// What must never be, in words.
pub(super) const FAULTS: [(Fault, &str); 8] = [
    (Fault::Lost, "events lost"),
    (Fault::Repeated, "events repeated"),
    (Fault::OutOfOrder, "events out of order"),
    (Fault::Foreign, "events altered or not for the reader"),
    (Fault::Backwards, "cursors that ran backwards"),
    (
        Fault::Misplaced,
        "events whose publisher's order was not kept",
    ),
    (Fault::Gap, "gaps told though nothing was removed"),
    (Fault::Unfinished, "readers that did not reach the end"),
];

/// Says of each thing that must hold whether it does.
pub(super) fn judge(found: &Found) -> Tally {
    let counts = &found.world.counts;
    let oracle = found.world.oracle();
    for fault in oracle.described() {
        println!("{fault}");
    }
    let mut tally = Tally::default();
    for (fault, words) in FAULTS {
        tally = tally + check(words, oracle.count(fault), oracle.count(fault) == 0);
    }
    let (second, last) = second_and_last_tenth(&found.samples.memory_mib, found.size.lasts);
    let is_brief = found.size.lasts < BRIEF_BELOW;
    let slack = if is_brief {
        MEMORY_SLACK_MIB_BRIEF
    } else {
        MEMORY_SLACK_MIB
    };
    let most = second * MEMORY_GROWTH_MAX + slack;
    tally = tally
        + check(
            "memory of the second and of the last tenth, MiB",
            format!("{second:.1}, {last:.1}"),
            last <= most,
        );
    let (second, last) = second_and_last_tenth(&found.samples.descriptors, found.size.lasts);
    let most = second * DESCRIPTOR_GROWTH_MAX + DESCRIPTOR_SLACK;
    let failed = counts.failed_percent();
    let back = counts.return_seconds();
    tally
        + check(
            "descriptors of the second and of the last tenth",
            format!("{second}, {last}"),
            last <= most,
        )
        + check(
            "of a hundred connects failed",
            format!("{failed:.2}"),
            failed < FAILED_PERCENT_MAX,
        )
        + check(
            "seconds until a reader is back, on average",
            format!("{back:.3}"),
            counts.returns.get() > 0 && back < RETURN_SECONDS_MAX,
        )
        + check(
            "streams that the hub ended without a word",
            counts.unexplained.get(),
            counts.unexplained.get() == 0,
        )
        + everything_happened(counts, oracle.compared())
}

/// A soak in which something did not happen proves nothing about it.
fn everything_happened(counts: &Counts, compared: u64) -> Tally {
    let happened = [
        ("events", counts.events.get()),
        ("publishes that were cut off", counts.publishes_cut.get()),
        ("repeats that were recognised", counts.duplicates.get()),
        ("streams reset", counts.resets.get()),
        ("streams closed", counts.closes.get()),
        ("streams half-closed", counts.half_closes.get()),
        ("streams left standing", counts.left_standing.get()),
        ("credentials renewed", counts.renewals.get()),
        ("credentials that ended", counts.expired.get()),
        ("credentials revoked", counts.revoked.get()),
        ("reloads of the settings", counts.reloads.get()),
    ];
    let words: Vec<String> = happened
        .iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    let all = compared > 0 && happened.iter().all(|(_, count)| *count > 0);
    let words = format!("{compared} deliveries, {}", words.join(", "));
    check("everything happened", words, all)
}
