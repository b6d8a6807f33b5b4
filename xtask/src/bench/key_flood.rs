//! `key-flood`: what tokens with made-up key names cost those whose token is good (A7).
//!
//! The example `key_flood` of `tidings-auth` measures it: an issuer of its own over HTTP, a good token
//! alone, beside other good ones and beside the flood, and how many fetches reach the issuer.

use anyhow::{Context, Result, bail};

use super::chart::Chart;
use super::machine::load_average;
use super::report::{Figure, Report};
use super::stand::Stand;
use super::{BenchArguments, example};
use crate::workspace;

/// The units that the example prints.
const UNITS: [&str; 4] = ["us", "tokens", "fetches", "pauses"];

/// Runs the benchmark.
pub(crate) fn run(_: &Stand, arguments: &BenchArguments) -> Result<Report> {
    let root = workspace::root()?;
    let seconds = arguments.seconds;
    let mut figures = vec![Figure::new(
        "load average before",
        load_average()?,
        "processes",
    )];
    let mut bars = Vec::new();
    for line in example::run(&root, "key_flood", &[&seconds.to_string()])?.lines() {
        let [name, value, unit] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("`key_flood` printed a line of another form: {line}");
        };
        let unit = UNITS.into_iter().find(|known| *known == unit);
        let unit = unit.with_context(|| format!("an unknown unit: {line}"))?;
        let value: f64 = value
            .parse()
            .with_context(|| format!("no number: {line}"))?;
        figures.push(Figure::new(name, value, unit));
        if let Some(what) = name.strip_prefix("a good token ") {
            let what = what.replace("beside other good ones", "good");
            bars.push((what.replace("beside unknown keys", "flood"), value));
        }
    }
    figures.push(Figure::new(
        "load average after",
        load_average()?,
        "processes",
    ));
    Ok(Report {
        setup: format!(
            "verifications of a good token one after the other, alone, beside other good ones and beside tokens with \
             unknown keys, 64 at a time on another thread, {seconds} s each; the issuer is a server on loopback that \
             takes 50 ms, and the hub's clock runs ten times as fast, so that it may be asked again every three seconds"
        ),
        figures,
        charts: vec![(
            String::new(),
            Chart::bars(
                "A good token beside a flood of unknown keys",
                "alone; good: beside other good ones; flood: beside unknown keys",
                "microseconds",
                bars,
            ),
        )],
    })
}
