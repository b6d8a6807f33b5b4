//! Packages of Debian that the suites need and a machine may lack.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::succeed;

/// Makes sure that a program starts, by installing its package where that is possible.
pub(crate) fn need(program: &str, package: &str) -> Result<()> {
    let starts = || {
        Command::new(program)
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    if starts() {
        return Ok(());
    }
    install(program, package)?;
    if !starts() {
        bail!("`{program}` does not start, though its package `{package}` is installed");
    }
    Ok(())
}

/// Installs the package of a missing program, if this is Debian and this process may.
pub(crate) fn install(program: &str, package: &str) -> Result<()> {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root || !Path::new("/usr/bin/apt-get").exists() {
        bail!("there is no `{program}`\nhint: as root, `apt-get install {package}`");
    }
    println!("installing {package}");
    succeed(Command::new("apt-get").args(["-q", "update"]))?;
    succeed(
        Command::new("apt-get")
            .args(["-q", "-y", "install", "--no-install-recommends", package])
            .env("DEBIAN_FRONTEND", "noninteractive")
            // Services of run level 1 are none: nothing that is installed is started.
            .env("RUNLEVEL", "1"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_starts_needs_no_package() {
        need("cargo", "no-such-package").expect("cargo runs this test");
    }
}
