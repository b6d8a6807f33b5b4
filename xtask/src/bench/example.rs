//! Measurements that are examples of `tidings-auth`, because they need what is inside: each prints its
//! figures, one a line.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::workspace::cargo;

/// What an example of `tidings-auth` prints.
pub(super) fn run(root: &Path, name: &str, arguments: &[&str]) -> Result<String> {
    let output = cargo(root)
        .args(["run", "--quiet", "--release", "--package", "tidings-auth"])
        .args(["--example", name, "--"])
        .args(arguments)
        .output()
        .context("cannot start `cargo run`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{name}` failed: {said}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
