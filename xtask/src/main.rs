//! Chores of the workspace, run as `cargo xtask <chore>`.
//!
//! Everything that continuous integration checks is one of these chores, so that a contributor can
//! run the same thing with the same words. Start reading at [`suite`], then [`tidy`].

#![expect(
    clippy::print_stdout,
    reason = "a chore talks to the person who runs it"
)]

mod bench;
mod demo;
mod fuzz;
mod hostile;
mod program;
mod soak;
mod suite;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Chores of the workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Check the rules of the tree that no compiler checks.
    Tidy,
    /// Run the suites that continuous integration runs, all of them unless some are named.
    Test(suite::TestArguments),
    /// Run the crash tests at length: `kill -9` of the program, power loss of the log.
    Torture(suite::TortureArguments),
    /// Run the tests of hostile clients at full size, and those that need a network of their own.
    Hostile(hostile::HostileArguments),
    /// Cut readers off in every way for a while, and find out whether anything was lost or has grown.
    Soak(soak::SoakArguments),
    /// Look for inputs that make a decoder panic, by a fuzzer that sees which branches are reached.
    Fuzz(fuzz::FuzzArguments),
    /// Publish a recorded feed, kill the hub in the middle, and count what three readers got.
    Demo(demo::DemoArguments),
    /// Measure the figures of the documentation.
    Bench(bench::BenchArguments),
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let root = workspace::root()?;
    let ok = match arguments.chore {
        Chore::Tidy => tidy::run(&root)?.report(),
        Chore::Test(arguments) => suite::test(&root, &arguments)?,
        Chore::Torture(arguments) => suite::torture(&root, &arguments),
        Chore::Hostile(arguments) => hostile::run(&root, &arguments)?,
        Chore::Soak(arguments) => soak::run(&root, &arguments)?,
        Chore::Fuzz(arguments) => fuzz::run(&root, &arguments)?,
        Chore::Demo(arguments) => demo::run(&root, &arguments)?,
        Chore::Bench(arguments) => bench::run(&root, &arguments)?,
    };
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
