//! Events to readers of one or many topics: rates, latencies, and the cost of a delivery.

use crate::load::report::{Flow, Quantiles, Report};
use crate::load::stage::{Phase, Stage};
use crate::load::tally::Tally;
use crate::load::{Load, LoadError};

pub(super) fn run(load: &Load) -> Result<Report, LoadError> {
    let mut stage = Stage::new(load)?;
    stage.open()?;
    let phase = stage.publish()?;
    let tally = stage.finish()?;
    let mut report = Report::new(load, stage.accepted(), &tally);
    report.flow = Some(flow(load, &stage, &phase, &tally));
    Ok(report)
}

/// The figures of a phase whose events have all arrived.
pub(super) fn flow(load: &Load, stage: &Stage<'_>, phase: &Phase, tally: &Tally) -> Flow {
    let now = stage.meter.read();
    let publishing_us = phase.published.ended_us.max(phase.to_us) - phase.from_us;
    let delivering_us = tally.last_us.max(phase.to_us) - phase.from_us;
    let events = tally.events.saturating_sub(phase.events_at_start);
    let server_us = now.server_cpu_us - phase.at_start.server_cpu_us;
    let own_us = now.own_cpu_us - phase.at_start.own_cpu_us;
    let per = |us: f64, count: u64| (count > 0).then(|| us / count as f64);
    let of_server = |us: Option<f64>| us.filter(|_| stage.meter.has_servers());
    Flow {
        rate: load.rate,
        seconds: publishing_us as f64 / 1_000_000.0,
        refused: phase.published.refused,
        unsent: phase.published.unsent,
        published_per_second: per_second(phase.published.timed, publishing_us),
        publish_ms: Quantiles::of(&phase.published.answers),
        delivered_per_second: per_second(events, delivering_us),
        delivery_ms: Quantiles::of(&tally.deliveries),
        server_cpu_us_per_publish: of_server(per(server_us, phase.published.timed)),
        server_cpu_us_per_delivery: of_server(per(server_us, events)),
        server_bytes: of_server(Some(phase.at_end.server_bytes)),
        generator_cpu_us_per_publish: per(own_us, phase.published.timed),
        generator_cpu_us_per_delivery: per(own_us, events),
    }
}

fn per_second(count: u64, us: u64) -> f64 {
    count as f64 * 1_000_000.0 / us.max(1) as f64
}
