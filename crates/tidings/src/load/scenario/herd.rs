//! All readers leave, miss events, and come back at once: the time until each has everything.

use crate::load::clock::now_us;
use crate::load::readers::Order;
use crate::load::report::{Herd, Quantiles, Report};
use crate::load::stage::Stage;
use crate::load::{Load, LoadError};

pub(super) fn run(load: &Load) -> Result<Report, LoadError> {
    let mut stage = Stage::new(load)?;
    stage.open()?;
    // One event of each topic first, so that readers of any hub have an id to come back with.
    stage.publish_events(u64::from(load.topics))?;
    stage.finish()?;
    stage.order(&Order::Leave)?;
    let published = stage.publish_events(load.events)?;

    let at_return = stage.meter.read();
    let returned_us = now_us();
    let tally = stage.finish()?;
    let seconds = tally.last_us.saturating_sub(returned_us) as f64 / 1_000_000.0;
    let now = stage.meter.read();
    let replayed = load.events as f64 * load.readers as f64 / f64::from(load.topics);
    let mut report = Report::new(load, stage.accepted(), &tally);
    report.herd = Some(Herd {
        events_missed: load.events,
        refused: published.refused,
        seconds,
        replayed_per_second: replayed / seconds,
        return_ms: Quantiles::of(&tally.returns),
        server_cpu_us_per_replayed: stage
            .meter
            .has_servers()
            .then(|| (now.server_cpu_us - at_return.server_cpu_us) / replayed),
    });
    Ok(report)
}
