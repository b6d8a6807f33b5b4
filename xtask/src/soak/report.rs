//! What a soak comes to, in figures and charts.

use super::Found;
use super::verdict::FAULTS;
use super::watch::second_and_last_tenth;
use crate::bench::chart::{Chart, Series};
use crate::bench::report::{Figure, Report};

/// The figures and charts of a soak.
pub(super) fn report(found: &Found) -> Report {
    Report {
        setup: format!(
            "{:.1} minutes; {} readers whose streams are reset, closed, half-closed, left standing, read slowly, \
             renewed, expired and revoked, and that come back with their last id; 8 publishers of single events, \
             arrays and lines, with ids and without, cut off and repeated; an operator that revokes, and has \
             other and wrong settings read; a build {} optimisation; seed {}",
            found.size.lasts.as_secs_f64() / 60.0,
            found.size.readers,
            if cfg!(debug_assertions) {
                "without"
            } else {
                "with"
            },
            found.size.seed,
        ),
        figures: figures(found),
        charts: charts(found),
    }
}

fn figures(found: &Found) -> Vec<Figure> {
    let counts = &found.world.counts;
    let oracle = found.world.oracle();
    let figure = |name: &str, count: u64, unit| Figure::new(name, count as f64, unit);
    let (memory, memory_last) = second_and_last_tenth(&found.samples.memory_mib, found.size.lasts);
    let (open, open_last) = second_and_last_tenth(&found.samples.descriptors, found.size.lasts);
    let mut figures = vec![
        Figure::new("memory in the second tenth of the time", memory, "MiB"),
        Figure::new("memory in the last tenth", memory_last, "MiB")
            .with_goal(Some("<= 1.1 times, and 8 MiB")),
        Figure::new(
            "descriptors in the second tenth of the time",
            open,
            "descriptors",
        ),
        Figure::new("descriptors in the last tenth", open_last, "descriptors")
            .with_goal(Some("<= 1.1 times, and 16")),
    ];
    let faults = FAULTS.iter();
    figures.extend(
        faults.map(|(fault, words)| figure(words, oracle.count(*fault), "").with_goal(Some("0"))),
    );
    figures.extend([
        figure("deliveries compared", oracle.compared(), "events"),
        figure("events published", counts.events.get(), "events"),
        figure(
            "publishes cut off and repeated",
            counts.publishes_cut.get(),
            "requests",
        ),
        figure("repeats recognised", counts.duplicates.get(), "events"),
        figure("connects", counts.connects.get(), "streams"),
        Figure::new(
            "share of connects that failed",
            counts.failed_percent(),
            "%",
        )
        .with_goal(Some("< 1")),
        Figure::new(
            "mean time until a reader is back",
            counts.return_seconds(),
            "s",
        )
        .with_goal(Some("< 5")),
        figure("streams reset", counts.resets.get(), "streams"),
        figure("streams closed", counts.closes.get(), "streams"),
        figure("streams half-closed", counts.half_closes.get(), "streams"),
        figure(
            "streams left standing",
            counts.left_standing.get(),
            "streams",
        ),
        figure(
            "slow readers told to go",
            counts.slow_readers.get(),
            "streams",
        ),
        figure("credentials renewed", counts.renewals.get(), "credentials"),
        figure(
            "credentials that ended under a stream",
            counts.expired.get(),
            "credentials",
        ),
        figure("revocations", counts.revocations.get(), "requests"),
        figure("reloads of the settings", counts.reloads.get(), "reloads"),
        figure("streams ended by them", counts.revoked.get(), "streams"),
    ]);
    figures
}

fn charts(found: &Found) -> Vec<(String, Chart)> {
    let minutes = |points: &[(f64, f64)]| {
        let points = points.iter();
        points
            .map(|(seconds, value)| (seconds / 60.0, *value))
            .collect()
    };
    let line = |title: &str, unit: &str, name: &str, points: &[(f64, f64)]| {
        let series = Series {
            name: name.to_owned(),
            points: minutes(points),
        };
        Chart::lines(title, "minutes", unit, vec![series])
    };
    vec![
        (
            "-memory".to_owned(),
            line(
                "Memory of a hub under a soak",
                "resident memory, MiB",
                "resident memory",
                &found.samples.memory_mib,
            ),
        ),
        (
            "-descriptors".to_owned(),
            line(
                "Descriptors of a hub under a soak",
                "open descriptors",
                "descriptors",
                &found.samples.descriptors,
            ),
        ),
    ]
}
