//! `cargo xtask hostile`: rows of the tests of hostile clients that every run has in small, at full
//! size, and those that take too long or need a network of their own.
//!
//! Each row is one of [`ROWS`] and ends with one line, like a suite. Figures that depend on the machine
//! are printed and not judged.

mod blackhole;
mod everything;
mod http2;
mod memory_limit;
mod network;
mod slow_heads;
mod stalled_handshakes;
mod stalled_readers;
mod visitor;

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::program;
use crate::suite;
use crate::suite::cargo_test;
use crate::suite::tally::Tally;
use crate::workspace::cargo;

/// What `cargo xtask hostile` takes.
#[derive(Debug, Args)]
pub(crate) struct HostileArguments {
    /// Rows; without any, all of them run.
    rows: Vec<String>,
}

/// A row by its id.
struct Row {
    id: &'static str,
    run: fn(&Path) -> Result<Tally>,
}

const ROWS: [Row; 12] = [
    Row {
        id: "n1",
        run: |root| test(root, "n1_", &[("TIDINGS_N1_RESETS", "10000")]),
    },
    Row {
        id: "n2",
        run: blackhole::run,
    },
    Row {
        id: "n3",
        run: |root| test(root, "n3_", &[]),
    },
    Row {
        id: "n4",
        run: stalled_readers::run,
    },
    Row {
        id: "n5",
        run: slow_heads::run,
    },
    Row {
        id: "n8",
        run: |root| test(root, "n8_", &[("TIDINGS_N8_REQUESTS", "100000")]),
    },
    Row {
        id: "n9",
        run: http2::run,
    },
    Row {
        id: "n11",
        run: stalled_handshakes::run,
    },
    Row {
        id: "n13",
        run: |root| test(root, "n13_", &[("TIDINGS_N13_REQUESTS", "100000")]),
    },
    Row {
        id: "m4",
        run: everything::run,
    },
    Row {
        id: "m5",
        run: |root| test(root, "m5_", &[("TIDINGS_M5_TOPICS", "1000000")]),
    },
    Row {
        id: "p5",
        run: |root| test(root, "p5_", &[("TIDINGS_P5_READERS", "15000")]),
    },
];

/// Runs the named rows, or all, and says whether all passed.
pub(crate) fn run(root: &Path, arguments: &HostileArguments) -> Result<bool> {
    if cfg!(debug_assertions) {
        return program::run_optimised(root);
    }
    let ids = ROWS.map(|row| row.id);
    if let Some(unknown) = arguments.rows.iter().find(|id| !ids.contains(&id.as_str())) {
        bail!(
            "no row is called `{unknown}`\nhint: the rows are: {}",
            ids.join(", ")
        );
    }
    let wanted =
        |row: &&Row| arguments.rows.is_empty() || arguments.rows.iter().any(|id| id == row.id);
    let mut ok = true;
    for row in ROWS.iter().filter(wanted) {
        ok &= suite::run(row.id, || (row.run)(root));
    }
    Ok(ok)
}

/// Runs the tests of the program whose names begin so, with these sizes.
fn test(root: &Path, id: &str, sizes: &[(&str, &str)]) -> Result<Tally> {
    cargo_test::run(
        cargo(root)
            .args([
                "test",
                "--release",
                "--package",
                "tidings",
                "--test",
                "it",
                "--",
            ])
            .args([id, "--nocapture"])
            .envs(sizes.iter().copied()),
    )
}

/// Fails unless this process may have so many descriptors; what it starts may have as many.
fn need_descriptors(wanted: usize) -> Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits").context("cannot read the limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    ensure!(
        soft.is_none_or(|soft| soft >= wanted),
        "too few descriptors for this row: {}\nhint: `ulimit -n {wanted}` before it",
        soft.unwrap_or_default()
    );
    Ok(())
}

/// One check of a row: prints what was seen and what was wanted.
pub(crate) fn check(what: &str, seen: impl std::fmt::Display, holds: bool) -> Tally {
    let verdict = if holds { "" } else { "  <-- wrong" };
    println!("{what}: {seen}{verdict}");
    if holds {
        Tally {
            passed: 1,
            failed: 0,
        }
    } else {
        Tally::FAILED
    }
}

/// The p-th percentile of these, which get sorted.
fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or_default()
}
