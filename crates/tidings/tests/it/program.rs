//! Running the program as a person would, in a directory of its own.

use std::path::Path;
use std::process::{Command, Output};

/// What the program printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

/// The program in a directory, with no variables but these.
pub(crate) fn command(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
    command
        .current_dir(directory)
        .env_clear()
        .envs(variables.iter().copied())
        .args(arguments);
    command
}

/// Runs the program to its end.
pub(crate) fn run(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let output = command(directory, variables, arguments)
        .output()
        .expect("the program starts");
    ran(output)
}

/// What a run printed.
pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
        code: output.status.code(),
    }
}
