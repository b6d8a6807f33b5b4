//! The program `tidings`.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidings::cli::main(std::env::args_os())
}
