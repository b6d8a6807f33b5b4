//! The program that a chore runs: built from the workspace, in the profile of the chore itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::workspace::cargo;

/// Builds the program, which is quick when nothing has changed, and names its binary.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    build_package(root, "tidings")
}

/// The same for any package whose program is called like it.
pub(crate) fn build_package(root: &Path, package: &str) -> Result<PathBuf> {
    let (profile, folder) = if cfg!(debug_assertions) {
        ("dev", "debug")
    } else {
        ("release", "release")
    };
    let status = cargo(root)
        .args([
            "build",
            "--quiet",
            "--package",
            package,
            "--profile",
            profile,
        ])
        .status()
        .context("cannot start `cargo build`")?;
    ensure!(status.success(), "`{package}` does not build");

    let output = cargo(root)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cannot start `cargo metadata`")?;
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("`cargo metadata` printed no JSON")?;
    let target = metadata["target_directory"]
        .as_str()
        .context("`cargo metadata` names no target directory")?;
    Ok(Path::new(target).join(folder).join(package))
}

/// Runs the same chore again as a release build: a load generator must cost little.
pub(crate) fn run_optimised(root: &Path) -> Result<bool> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let status = cargo(root)
        .args(["run", "--quiet", "--release", "--package", "xtask", "--"])
        .args(arguments)
        .status()
        .context("cannot start `cargo run`")?;
    Ok(status.success())
}
