//! Parts of the toolchain that a machine with nothing but `rustc` and `cargo` may lack.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::workspace::cargo;

/// Makes sure that `cargo <subcommand>` exists, by installing its component where rustup can.
pub(crate) fn need(root: &Path, subcommand: &str, component: &str) -> Result<()> {
    if exists(root, subcommand) {
        return Ok(());
    }
    println!("installing {component}");
    // Without rustup this fails as it does without the component: there is one thing to say.
    let added = Command::new("rustup")
        .current_dir(root)
        .args(["component", "add", component])
        .status();
    if added.is_ok_and(|status| status.success()) && exists(root, subcommand) {
        return Ok(());
    }
    bail!(
        "there is no `cargo {subcommand}`\n\
         hint: `rustup component add {component}`, or your system's package of it"
    )
}

fn exists(root: &Path, subcommand: &str) -> bool {
    cargo(root)
        .args([subcommand, "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_subcommand_is_noticed() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert!(!exists(here, "no-such-subcommand"));
    }
}
