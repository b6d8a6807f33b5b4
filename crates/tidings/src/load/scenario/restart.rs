//! The hub ends and begins again: over how long its readers leave and come back, and whether they have
//! missed anything.

use rustix::process::{Pid, Signal, kill_process};

use crate::load::readers::Order;
use crate::load::report::{Quantiles, Report, Restart, Wave};
use crate::load::stage::Stage;
use crate::load::tally::Seconds;
use crate::load::{Load, LoadError};

pub(super) fn run(load: &Load) -> Result<Report, LoadError> {
    let mut stage = Stage::new(load)?;
    stage.open()?;
    // One event of each topic first, so that readers of any hub have an id to come back with.
    stage.publish_events(u64::from(load.topics))?;
    stage.finish()?;
    for pid in &load.server_pids {
        let pid = i32::try_from(*pid).ok().and_then(Pid::from_raw);
        // One that is gone already has been ended by somebody else.
        let _ended = pid.map(|pid| kill_process(pid, Signal::TERM));
    }
    let (away, published) = stage.restart(&Order::Return, load.events)?;
    let tally = stage.finish()?;
    let mut report = Report::new(load, stage.accepted(), &tally);
    let absence = &away.absence;
    report.restart = Some(Restart {
        events_missed: load.events,
        refused: published.refused,
        left: wave(&absence.left),
        back: wave(&absence.back),
        retry_ms: Quantiles::of(&absence.retries),
        unasked: absence.unasked,
        in_vain: absence.in_vain,
        absent: load.readers - away.open,
    });
    Ok(report)
}

fn wave(seconds: &Seconds) -> Option<Wave> {
    let (first, last) = seconds.span()?;
    let counts = seconds.0.get(first..).unwrap_or_default();
    let all: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    Some(Wave {
        first_second: first,
        last_second: last,
        mean_per_second: all as f64 / counts.len() as f64,
        peak_per_second: seconds.peak(),
        counts: seconds.0.clone(),
    })
}
