//! N9 measured: how long attacks over HTTP/2 last, and what each costs the hub's process until then.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tidings_testkit::h2_attack::{Attack, Attacker};

use super::check;
use super::visitor::Visitor;
use crate::bench::machine::{processor_seconds, resident_bytes};
use crate::bench::stand::Stand;
use crate::program;
use crate::suite::tally::Tally;

/// From the first byte to the end of the connection.
const LASTS_MAX: Duration = Duration::from_secs(1);

const PROCESSOR_SECONDS_MAX: f64 = 1.0;
const GROWTH_MIB_MAX: f64 = 32.0;

/// How long a connection that only holds what it has is looked at: longer than anything of it takes.
const HELD: Duration = Duration::from_secs(5);

/// No attack may get through so many rounds.
const ROUNDS_MAX: u32 = 100_000;

/// How long somebody who behaves may wait for an answer, at p99.
const VISIT_P99_MS_MAX: f64 = 100.0;

const TARGET: &str = "/v1/events?userId=attacker&topics=large&since=earliest&limit=1000";

pub(super) fn run(root: &Path) -> Result<Tally> {
    let stand = Stand::new(root, &program::build(root)?)?;
    let stand = stand.with(&[("TIDINGS_WINDOW_BYTES", "1MiB")]);
    let hub = stand.start()?;
    let (address, process) = (hub.running.address, hub.running.pid());
    let visitor = Visitor::new(address);
    // A page is as large as it can be.
    for _ in 0..4 {
        visitor.publish("large", 250_000)?;
    }
    let mut tally = Tally::default();
    for attack in Attack::ALL {
        let visiting = visitor.visit();
        let used = processor_seconds(process).context("the hub has ended")?;
        let memory = resident_bytes(process).context("the hub has ended")?;
        let mut most = memory;
        let begun = Instant::now();
        let mut attacker = Attacker::begin(address, attack, TARGET)?;
        if attack.is_idle() {
            while begun.elapsed() < HELD {
                thread::sleep(HELD / 100);
                most = most.max(resident_bytes(process).context("the hub has ended")?);
            }
        } else {
            while attacker.rounds() < ROUNDS_MAX && attacker.round() {
                most = most.max(resident_bytes(process).context("the hub has ended")?);
            }
        }
        let lasted = begun.elapsed();
        let outcome = attacker.end();
        let used = processor_seconds(process).context("the hub has ended")? - used;
        let mib = most.saturating_sub(memory) as f64 / 1_048_576.0;
        let p99 = visiting.p99_ms()?;
        println!("{attack:?}: {outcome:?}");
        if !attack.is_idle() {
            tally = tally
                + check(
                    "  ended by the hub after",
                    format!("{lasted:.2?}"),
                    outcome.is_ended && lasted <= LASTS_MAX,
                );
        }
        tally = tally
            + check(
                "  processor time, s",
                format!("{used:.2}"),
                used < PROCESSOR_SECONDS_MAX,
            )
            + check(
                "  more memory, MiB",
                format!("{mib:.1}"),
                mib < GROWTH_MIB_MAX,
            )
            + check(
                "  p99 of others meanwhile, ms",
                format!("{p99:.1}"),
                p99 < VISIT_P99_MS_MAX,
            );
    }
    Ok(tally)
}
