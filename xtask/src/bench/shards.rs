//! `shards`: the same broadcast on one shard with a core and on two shards with two.
//!
//! A machine of two cores has none left for the load generator then, which shares the second one: what
//! both reach together is not twice of anything. So the processor time of a delivery is told beside it, at
//! a rate that leaves room for all: shards that are in each other's way would need more of it.

use std::path::PathBuf;

use anyhow::Result;

use super::BenchArguments;
use super::chart::Chart;
use super::generator::Findings;
use super::peers::systems::{Place, Programs, System};
use super::report::{Figure, Report};
use super::stand::Stand;

/// Shards with their cores.
const PLACES: [(&str, &str); 2] = [("1", "0"), ("2", "0,1")];

const SATURATED: &str = "broadcast --readers 1000 --publishers 64";
const PACED: &str = "broadcast --readers 1000 --publishers 16 --rate 500";

/// Runs the benchmark.
pub(crate) fn run(stand: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let seconds = arguments.seconds;
    let mut figures = Vec::new();
    let mut rates = Vec::new();
    let mut costs = Vec::new();
    for (shards, cores) in PLACES {
        let measure = |load: &str| {
            measure(
                stand,
                shards,
                cores,
                &format!("{load} --duration {seconds}s"),
            )
        };
        let (saturated, paced) = (measure(SATURATED)?, measure(PACED)?);
        let name = match shards {
            "1" => "1 shard on 1 core".to_owned(),
            _ => format!("{shards} shards on {shards} cores"),
        };
        let rate = saturated.need("/deliveredPerSecond")?;
        let cost = paced.need("/serverCpuUsPerDelivery")?;
        figures.push(Figure::new(
            format!("deliveries per second at saturation, {name}"),
            rate,
            "1/s",
        ));
        figures.push(Figure::new(
            format!("processor time per delivery at saturation, {name}"),
            saturated.need("/serverCpuUsPerDelivery")?,
            "us",
        ));
        figures.push(Figure::new(
            format!("processor time per delivery at 500 events/s, {name}"),
            cost,
            "us",
        ));
        figures
            .extend(paced.percentiles("/deliveryMs", &format!("delivery at 500 events/s, {name}")));
        rates.push((name.clone(), rate));
        costs.push((name, cost));
    }
    if let [(_, one), (_, two)] = rates.as_slice() {
        let ratio = Figure::new(
            "deliveries per second of two over those of one",
            two / one,
            "times",
        );
        figures.push(ratio.with_goal(Some(
            ">= 1.7 where the load generator has a core for itself",
        )));
    }
    if let [(_, one), (_, two)] = costs.as_slice() {
        let ratio = Figure::new(
            "processor time per delivery of two over that of one",
            two / one,
            "times",
        );
        figures.push(ratio.with_goal(Some("<= 1.18, which is 2 / 1.7")));
    }
    Ok(Report {
        setup: format!(
            "1,000 readers of one topic, log in memory, {seconds} s of each load on a fresh hub: as fast as 64 publishers \
             get answers, and at 500 events/s; one shard with core 0 for the hub, then two shards with cores 0 and 1; the \
             load generator on core 1, so that two shards share theirs with it"
        ),
        figures,
        charts: vec![(
            String::new(),
            Chart::bars(
                "A delivery on one shard and on two",
                "1,000 readers, 500 events per second",
                "processor time per delivery, us",
                costs,
            ),
        )],
    })
}

fn measure(stand: &Stand, shards: &str, cores: &str, load: &str) -> Result<Findings> {
    let programs = Programs {
        tidings: stand.binary().to_owned(),
        baseline: PathBuf::new(),
    };
    let place = Place {
        cores,
        settings: &[("TIDINGS_SHARDS", shards)],
    };
    let hub = System::Memory.start_at(stand.root(), &programs, &place)?;
    hub.generator(&programs)?.run(load)
}
