//! `cargo xtask bench`: the figures of the documentation, measured by one command.
//!
//! Each benchmark is a row of [`BENCHMARKS`] and a file below. It starts the release build of the
//! program on a fresh directory, loads it, checks that nothing was lost, and writes
//! `docs/benchmarks/<name>.json` with what was measured, on what, and of which commit, and the charts
//! beside it. Program and load share the machine: the figures are what both reach together. The load
//! is `tidings bench`, where it has a scenario for it.
//!
//! [`peers`] puts the same loads on other systems, each on a core of its own.

mod blocking;
pub(crate) mod chart;
mod example;
pub(crate) mod generator;
pub(crate) mod machine;
mod peers;
pub(crate) mod report;
pub(crate) mod stand;

mod auth;
mod broadcast;
mod churn;
mod http2;
mod idle;
mod key_flood;
mod publish;
mod reopen;
mod replay;
mod restart;
mod retention;
mod shards;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::program;
use report::Report;
use stand::Stand;

/// What `cargo xtask bench` takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct BenchArguments {
    /// Names of benchmarks; without any, all of them run.
    names: Vec<String>,
    /// Seconds of each measured phase.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Minutes that `idle` watches its streams.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Streams that `idle` opens.
    #[arg(long, default_value_t = 10_000)]
    streams: usize,
    /// Readers of `broadcast`.
    #[arg(long, default_value_t = 1_000)]
    readers: usize,
    /// Readers of `restart`.
    #[arg(long, default_value_t = 15_000)]
    returning: usize,
    /// Seconds over which `restart` sends its readers away, and asks them to come back.
    #[arg(long, default_value_t = 30)]
    spread: u64,
    /// Size of the events that `reopen` puts into its log, in MiB.
    #[arg(long, default_value_t = 1_024)]
    log_mib: u64,
    /// Measures other systems beside this hub instead: all cases, or those that are named, with commas
    /// between them.
    #[arg(long, value_name = "CASES", num_args = 0..=1, value_delimiter = ',', conflicts_with = "names")]
    peers: Option<Vec<String>>,
    /// Systems that `--peers` measures, with commas between them; all without it.
    #[arg(long, value_delimiter = ',', requires = "peers")]
    systems: Vec<String>,
    /// Lets `--peers` install what it lacks with `apt-get`.
    #[arg(long, requires = "peers")]
    install: bool,
    /// Measures for two seconds only.
    #[arg(long, requires = "peers")]
    quick: bool,
    /// Where results go.
    #[arg(long, default_value = "docs/benchmarks")]
    out: PathBuf,
    /// The program to measure; without it, the workspace's is built.
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// A benchmark by its name.
struct Benchmark {
    name: &'static str,
    run: fn(&Stand, &BenchArguments) -> Result<Report>,
}

const BENCHMARKS: [Benchmark; 12] = [
    Benchmark {
        name: "publish",
        run: publish::run,
    },
    Benchmark {
        name: "replay",
        run: replay::run,
    },
    Benchmark {
        name: "broadcast",
        run: broadcast::run,
    },
    Benchmark {
        name: "retention",
        run: retention::run,
    },
    Benchmark {
        name: "reopen",
        run: reopen::run,
    },
    Benchmark {
        name: "idle",
        run: idle::run,
    },
    Benchmark {
        name: "churn",
        run: churn::run,
    },
    Benchmark {
        name: "auth",
        run: auth::run,
    },
    Benchmark {
        name: "key-flood",
        run: key_flood::run,
    },
    Benchmark {
        name: "http2",
        run: http2::run,
    },
    Benchmark {
        name: "shards",
        run: shards::run,
    },
    Benchmark {
        name: "restart",
        run: restart::run,
    },
];

/// Runs the named benchmarks, or all.
pub(crate) fn run(root: &Path, arguments: &BenchArguments) -> Result<bool> {
    if cfg!(debug_assertions) {
        return program::run_optimised(root);
    }
    if let Some(cases) = &arguments.peers {
        return peers::run(root, arguments, cases);
    }
    let names = BENCHMARKS.map(|benchmark| benchmark.name);
    if let Some(unknown) = arguments
        .names
        .iter()
        .find(|name| !names.contains(&name.as_str()))
    {
        bail!(
            "no benchmark is called `{unknown}`\nhint: the benchmarks are: {}",
            names.join(", ")
        );
    }
    let binary = arguments
        .binary
        .clone()
        .map_or_else(|| program::build(root), Ok)?;
    let wanted = |benchmark: &&Benchmark| {
        arguments.names.is_empty() || arguments.names.iter().any(|name| name == benchmark.name)
    };
    for benchmark in BENCHMARKS.iter().filter(wanted) {
        println!("== {}", benchmark.name);
        let stand = Stand::new(root, &binary)?;
        let report = (benchmark.run)(&stand, arguments).with_context(|| {
            format!(
                "the benchmark `{}` failed; the hub said: {}",
                benchmark.name,
                stand.last_words()
            )
        })?;
        report.print();
        report.write(root, &root.join(&arguments.out), benchmark.name)?;
    }
    Ok(true)
}
