//! The program `tidings`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Publishes allocate on one thread and free on another, which the C library's allocator pays for
/// with locks and with memory that it does not give back.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tidings::cli::main(std::env::args_os())
}
