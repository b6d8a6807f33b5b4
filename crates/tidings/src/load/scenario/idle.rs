//! Streams that nobody publishes to: memory and processor time of a connection.

use std::thread;

use crate::load::clock::now_us;
use crate::load::meter::Reading;
use crate::load::readers::Order;
use crate::load::report::{Idle, Quantiles, Report};
use crate::load::stage::Stage;
use crate::load::tally::Tally;
use crate::load::{Load, LoadError};

/// Streams that were opened and held.
pub(super) struct Held<'a> {
    pub(super) connections: usize,
    /// How long it took to open them.
    pub(super) seconds: f64,
    pub(super) opened: &'a Tally,
    pub(super) has_servers: bool,
    /// The meter before, with all of them open, and at the end.
    pub(super) readings: [Reading; 3],
}

pub(super) fn run(load: &Load) -> Result<Report, LoadError> {
    let mut stage = Stage::new(load)?;
    let begun = now_us();
    let opened = stage.open()?;
    let seconds = (now_us() - begun) as f64 / 1_000_000.0;
    let at_open = stage.meter.read();
    thread::sleep(load.duration);
    let held = stage.order(&Order::Count)?;
    let at_end = stage.meter.read();
    stage.order(&Order::Leave)?;
    let mut report = Report::new(load, 0, &held);
    report.idle = Some(idle(
        load,
        &Held {
            connections: load.readers,
            seconds,
            opened: &opened,
            has_servers: stage.meter.has_servers(),
            readings: [stage.before, at_open, at_end],
        },
    ));
    Ok(report)
}

/// The figures of streams that were held.
pub(super) fn idle(load: &Load, held: &Held<'_>) -> Idle {
    let readers = load.readers.max(1) as f64;
    let [before, at_open, at_end] = &held.readings;
    let of_server = |value: f64| held.has_servers.then_some(value);
    Idle {
        connections: held.connections,
        held_seconds: load.duration.as_secs_f64(),
        opened_per_second: readers / held.seconds,
        open_ms: Quantiles::of(&held.opened.openings),
        server_cpu_us_per_connect: of_server(
            (at_open.server_cpu_us - before.server_cpu_us) / readers,
        ),
        server_cpu_percent_held: of_server(
            (at_end.server_cpu_us - at_open.server_cpu_us)
                / (load.duration.as_secs_f64() * 10_000.0),
        ),
        server_bytes_before: of_server(before.server_bytes),
        server_bytes_opened: of_server(at_open.server_bytes),
        server_bytes_held: of_server(at_end.server_bytes),
        server_bytes_per_connection: of_server(
            (at_end.server_bytes - before.server_bytes) / readers,
        ),
        kernel_bytes_per_connection: (at_end.kernel_bytes - before.kernel_bytes) / readers,
    }
}
