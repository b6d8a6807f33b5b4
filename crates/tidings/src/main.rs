//! The program `tidings`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Publishes allocate on one thread and free on another; `docs/DEPENDENCIES.md` has what that costs
/// with this allocator and with the C library's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tidings::cli::main(std::env::args_os())
}
