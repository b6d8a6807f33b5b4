//! Some readers stop reading: the others' latencies with and without them, the memory of the hub,
//! and whether the stopped ones get everything when they read on.

use crate::load::readers::Order;
use crate::load::report::{Report, Slow};
use crate::load::stage::Stage;
use crate::load::{Load, LoadError};

use super::delivery::flow;

pub(super) fn run(load: &Load) -> Result<Report, LoadError> {
    let mut stage = Stage::new(load)?;
    stage.open()?;
    let phase = stage.publish()?;
    let without = stage.finish()?;
    let all_read = flow(load, &stage, &phase, &without);

    let readers = load.stopped_readers();
    stage.order(&Order::Stop { readers })?;
    let before = stage.meter.read();
    let phase = stage.publish()?;
    // Those that stopped read on here, and count as everybody, but are not timed.
    let tally = stage.finish()?;
    let with = flow(load, &stage, &phase, &tally);

    let p99_ratio = with
        .delivery_ms
        .zip(all_read.delivery_ms)
        .map(|(with, without)| with.p99 / without.p99);
    let mut report = Report::new(load, stage.accepted(), &tally);
    report.slow = Some(Slow {
        stopped: readers,
        p99_ratio,
        server_bytes_grown: stage
            .meter
            .has_servers()
            .then_some(phase.at_end.server_bytes - before.server_bytes),
        kernel_bytes_grown: phase.at_end.kernel_bytes - before.kernel_bytes,
        all_read,
    });
    report.flow = Some(with);
    Ok(report)
}
