//! Readers that connect only to leave again: connections per second, and what one costs.

use crate::load::clock::{micros, now_us};
use crate::load::readers::Order;
use crate::load::report::{Quantiles, Report, Storm};
use crate::load::stage::Stage;
use crate::load::{Load, LoadError};

pub(super) fn run(load: &Load) -> Result<Report, LoadError> {
    let mut stage = Stage::new(load)?;
    if !load.warm_up.is_zero() {
        let until_us = now_us() + micros(load.warm_up);
        stage.order(&Order::Storm { until_us })?;
    }
    let before = stage.meter.read();
    let begun_us = now_us();
    let until_us = begun_us + micros(load.duration);
    let tally = stage.order(&Order::Storm { until_us })?;
    let seconds = (now_us() - begun_us) as f64 / 1_000_000.0;
    let after = stage.meter.read();
    let connects = tally.openings.count();
    let each = |us: f64| us / connects.max(1) as f64;
    let mut report = Report::new(load, 0, &tally);
    report.storm = Some(Storm {
        connects,
        failed: tally.failed,
        cause: tally.cause,
        connects_per_second: connects as f64 / seconds,
        connect_ms: Quantiles::of(&tally.openings),
        server_cpu_us_per_connect: stage
            .meter
            .has_servers()
            .then(|| each(after.server_cpu_us - before.server_cpu_us)),
        generator_cpu_us_per_connect: each(after.own_cpu_us - before.own_cpu_us),
    });
    Ok(report)
}
