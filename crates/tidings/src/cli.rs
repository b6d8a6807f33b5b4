//! The command line: one file per verb. Data goes to stdout, everything else to stderr.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::settings::value::{Raw, Value};

pub mod failure;

mod auth;
mod bench;
mod check_config;
mod connect;
mod data_dir;
mod health;
mod key;
mod limits;
mod publish;
mod revoke;
mod serve;
mod tail;
mod token;

/// Delivers events from servers to people's browsers and apps, without losing one.
#[derive(Debug, Parser)]
#[command(
    name = "tidings",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Serve(serve::Serve),
    Publish(Box<publish::Publish>),
    Tail(tail::Tail),
    Token(token::Token),
    Key(key::Key),
    Revoke(revoke::Revoke),
    Auth(auth::Auth),
    CheckConfig(check_config::CheckConfig),
    Health(health::Health),
    Bench(bench::Bench),
}

/// Runs the program with these arguments: 0 is success, 1 a failure, 2 a command line that is not
/// understood.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and are no failure. If even that cannot be written,
            // the exit code still tells.
            let _unwritten = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let outcome = match cli.verb {
        Verb::Serve(serve) => serve.run(),
        Verb::Publish(publish) => publish.run(),
        Verb::Tail(tail) => tail.run(),
        Verb::Token(token) => token.run(),
        Verb::Key(key) => key.run(),
        Verb::Revoke(revoke) => revoke.run(),
        Verb::Auth(auth) => auth.run(),
        Verb::CheckConfig(check) => check.run(),
        Verb::Health(health) => health.run(),
        Verb::Bench(bench) => bench.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // `tidings tail | head` has what it wanted.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&failure::report(&error));
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Writes a line to stderr.
fn tell(text: &str) {
    // Nobody is left to tell that stderr is gone.
    let _unwritten = writeln!(io::stderr(), "{text}");
}

/// Writes a line of data to stdout.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// A duration of the command line, such as `10m`.
fn duration(text: &str) -> Result<Duration, String> {
    Duration::read(&Raw::Text(text.to_owned()))
        .ok_or_else(|| format!("expected {}", Duration::EXPECTED))
}
