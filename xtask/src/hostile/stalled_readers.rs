//! N4 at full size: a thousand readers stop reading beside five thousand who go on, at a hundred events
//! a second.

use std::path::Path;

use anyhow::Result;

use super::{check, need_descriptors};
use crate::bench::stand::Stand;
use crate::program;
use crate::suite::tally::Tally;

const READERS: usize = 6_000;

/// Of them, in percent.
const STOPPED_PERCENT: usize = 17;

/// More memory than this for those who stopped is too much.
const GROWTH_MIB_MAX: f64 = 100.0;

/// Long enough for the kernel's buffers to fill up and for a slow reader to be given up after that.
const SECONDS: usize = 40;

pub(super) fn run(root: &Path) -> Result<Tally> {
    need_descriptors(READERS + 300)?;
    let stand = Stand::new(root, &program::build(root)?)?;
    let hub = stand.start()?;
    let load = format!(
        "slow --readers {READERS} --stopped {STOPPED_PERCENT} --rate 100 --publishers 1 \
         --duration {SECONDS}s --patience 30s --event-bytes 200"
    );
    let findings = stand.generator(&hub).run_with_faults(&load)?;
    let stopped = findings.need("/slow/stopped")?;
    println!(
        "publishing: {:.0} events/s, delivering: {:.0} events/s",
        findings.need("/publishedPerSecond")?,
        findings.need("/deliveredPerSecond")?
    );
    println!(
        "p99 of the healthy: {:.1} ms, before anybody stopped: {:.1} ms",
        findings.need("/deliveryMs/p99")?,
        findings.need("/slow/allRead/deliveryMs/p99")?
    );
    let faults = findings.faults();
    let mib = findings.need("/slow/serverBytesGrown")? / 1_048_576.0;
    let ended = "tidings_hub_connections_ended_total{cause=\"slow_reader\"}";
    let given_up = hub.figure(ended)? as f64;
    Ok(check(
        "events lost, repeated or out of order",
        &faults,
        faults.is_empty(),
    ) + check(
        "readers that stopped, of which were given up",
        format!("{stopped}, {given_up}"),
        stopped >= 1_000.0 && given_up >= stopped,
    ) + check(
        "more memory with them, MiB",
        format!("{mib:.1}"),
        mib <= GROWTH_MIB_MAX,
    ))
}
