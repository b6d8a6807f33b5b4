//! Where the workspace is, and which packages it has.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The folder of the root manifest: of the checkout that `cargo xtask` was called in, even where
/// several share a target directory, else of the one that this binary was built from.
pub(crate) fn root() -> Result<PathBuf> {
    let built_from = || env!("CARGO_MANIFEST_DIR").into();
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(built_from, PathBuf::from);
    here.parent()
        .map(Path::to_path_buf)
        .context("xtask stands in no workspace")
}

/// A `cargo` command in the workspace, of the toolchain that runs the chore.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    command.current_dir(root);
    command
}

/// A package of the workspace, as `cargo metadata` describes it.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// Name in its manifest.
    pub(crate) name: String,
    /// Path of its manifest, relative to the root.
    pub(crate) manifest: String,
    /// What it names as dependencies, of every kind.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of a package.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    /// Name of the package that is depended on.
    pub(crate) name: String,
    /// Only for its tests, benches and examples.
    pub(crate) dev: bool,
}

/// All packages of the workspace.
pub(crate) fn packages(root: &Path) -> Result<Vec<Package>> {
    let output = cargo(root)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cannot start `cargo metadata`")?;
    if !output.status.success() {
        bail!(
            "`cargo metadata` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let metadata: Value =
        serde_json::from_slice(&output.stdout).context("`cargo metadata` printed no JSON")?;
    let packages = metadata["packages"]
        .as_array()
        .context("`cargo metadata` names no packages")?;
    Ok(packages.iter().map(|one| package(root, one)).collect())
}

fn package(root: &Path, value: &Value) -> Package {
    let manifest = Path::new(text(&value["manifest_path"]));
    let dependencies = value["dependencies"].as_array().map(Vec::as_slice);
    Package {
        name: text(&value["name"]).to_owned(),
        manifest: manifest
            .strip_prefix(root)
            .unwrap_or(manifest)
            .to_string_lossy()
            .into_owned(),
        dependencies: dependencies
            .unwrap_or_default()
            .iter()
            .map(|dependency| Dependency {
                name: text(&dependency["name"]).to_owned(),
                dev: text(&dependency["kind"]) == "dev",
            })
            .collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
