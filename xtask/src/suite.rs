//! `cargo xtask test` and `cargo xtask torture`: the suites that continuous integration runs.
//!
//! Each suite is a row of [`SUITES`] and ends with one line, `name: N passed, N failed`. A suite that
//! ran nothing has failed: a check that silently checks nothing is worse than none.

mod browser;
pub(crate) mod cargo_test;
mod deploy;
mod node;
pub(crate) mod package;
pub(crate) mod tally;
mod toolchain;

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::soak;
use crate::tidy;
use crate::workspace::cargo;
use tally::Tally;

/// What `cargo xtask test` takes.
#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// Names of suites; without any, all of them run.
    suites: Vec<String>,
}

/// What `cargo xtask torture` takes.
#[derive(Debug, Args)]
pub(crate) struct TortureArguments {
    /// Rounds of `kill -9` of the program under load.
    #[arg(long, default_value_t = 2_000)]
    rounds: u32,
    /// Seeds of simulated power loss of the log.
    #[arg(long, default_value_t = 1_000)]
    seeds: u32,
}

/// A part of what continuous integration checks.
struct Suite {
    name: &'static str,
    run: fn(&Path) -> Result<Tally>,
}

const SUITES: [Suite; 9] = [
    Suite {
        name: "fmt",
        run: fmt,
    },
    Suite {
        name: "tidy",
        run: tidy_rules,
    },
    Suite {
        name: "clippy",
        run: clippy,
    },
    Suite {
        name: "doc",
        run: doc,
    },
    Suite {
        name: "rust",
        run: rust,
    },
    Suite {
        name: "browser",
        run: browser::run,
    },
    Suite {
        name: "auth",
        run: auth,
    },
    Suite {
        name: "deploy",
        run: deploy::run,
    },
    Suite {
        name: "torture",
        run: torture_briefly,
    },
    Suite {
        name: "soak",
        run: soak::briefly,
    },
];

/// Rounds and seeds of the crash tests in every run of all suites; `cargo xtask torture` does more.
const ROUNDS_BRIEF: u32 = 200;
const SEEDS_BRIEF: u32 = 50;

/// Runs the named suites, or all, and says whether all passed.
pub(crate) fn test(root: &Path, arguments: &TestArguments) -> Result<bool> {
    let names = SUITES.map(|suite| suite.name);
    if let Some(unknown) = arguments
        .suites
        .iter()
        .find(|name| !names.contains(&name.as_str()))
    {
        bail!(
            "no suite is called `{unknown}`\nhint: the suites are: {}",
            names.join(", ")
        );
    }
    let wanted = |suite: &&Suite| {
        arguments.suites.is_empty() || arguments.suites.iter().any(|name| name == suite.name)
    };
    let mut ok = true;
    for suite in SUITES.iter().filter(wanted) {
        ok &= run(suite.name, || (suite.run)(root));
    }
    Ok(ok)
}

/// Runs the crash tests with this many rounds and seeds.
pub(crate) fn torture(root: &Path, arguments: &TortureArguments) -> bool {
    run("torture", || {
        crash_tests(root, arguments.rounds, arguments.seeds)
    })
}

/// Runs one suite, and prints its time and its one line.
pub(crate) fn run(name: &str, suite: impl FnOnce() -> Result<Tally>) -> bool {
    println!("== {name}");
    let began = Instant::now();
    let tally = suite().unwrap_or_else(|error| {
        println!("{error:#}");
        Tally::FAILED
    });
    println!("({name} took {:.1} s)", began.elapsed().as_secs_f64());
    println!("{name}: {tally}");
    tally.is_good()
}

fn fmt(root: &Path) -> Result<Tally> {
    toolchain::need(root, "fmt", "rustfmt")?;
    one_command(cargo(root).args(["fmt", "--all", "--check"]))
}

fn tidy_rules(root: &Path) -> Result<Tally> {
    let outcome = tidy::run(root)?;
    outcome.print_findings();
    Ok(Tally {
        passed: outcome.passed,
        failed: outcome.failed,
    })
}

fn clippy(root: &Path) -> Result<Tally> {
    toolchain::need(root, "clippy", "clippy")?;
    one_command(cargo(root).args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn doc(root: &Path) -> Result<Tally> {
    one_command(
        cargo(root)
            .args(["doc", "--workspace", "--no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
    )
}

fn rust(root: &Path) -> Result<Tally> {
    // Tests of what real clients make of packed streams start them.
    package::need("curl", "curl")?;
    package::need("python3", "python3")?;
    cargo_test::run(cargo(root).args(["test", "--workspace", "--no-fail-fast"]))
}

/// Credentials made by the libraries that applications use, and the guide to them, as it is written.
fn auth(root: &Path) -> Result<Tally> {
    node::run(root, "tests/auth", &[])
}

fn torture_briefly(root: &Path) -> Result<Tally> {
    crash_tests(root, ROUNDS_BRIEF, SEEDS_BRIEF)
}

/// D1 (`kill -9` of the program) and D2 (power loss under the log): the tests whose names begin so.
fn crash_tests(root: &Path, rounds: u32, seeds: u32) -> Result<Tally> {
    let tests = |package: &str, id: &str| {
        let mut command = cargo(root);
        command
            .args([
                "test",
                "--package",
                package,
                "--test",
                "it",
                "--",
                id,
                "--nocapture",
            ])
            .env("TIDINGS_D1_ROUNDS", rounds.to_string())
            .env("TIDINGS_D2_SEEDS", seeds.to_string());
        cargo_test::run(&mut command)
    };
    let killed = tests("tidings", "d1_")?;
    let unpowered = tests("tidings-log", "d2_")?;
    if killed.passed == 0 || unpowered.passed == 0 {
        bail!("one of the crash tests D1 and D2 did not run");
    }
    Ok(killed + unpowered)
}

/// A check that is one command: it holds or not.
fn one_command(command: &mut Command) -> Result<Tally> {
    let status = command
        .status()
        .with_context(|| format!("cannot start: {}", command.get_program().display()))?;
    Ok(if status.success() {
        Tally {
            passed: 1,
            failed: 0,
        }
    } else {
        Tally::FAILED
    })
}

/// Runs a command that prepares a suite.
fn succeed(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_owned();
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", program.display()))?;
    ensure!(status.success(), "`{}` failed: {status}", program.display());
    Ok(())
}
