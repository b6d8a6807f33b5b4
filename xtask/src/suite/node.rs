//! Node's own test runner, in a folder of the workspace: what it needs is installed, and its summary
//! is read.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::succeed;
use super::tally::Tally;
use crate::program;

/// The oldest Node that the suites run on.
const NODE_MAJOR_MIN: u32 = 20;

/// A file of tests that takes this long hangs. Every wait within one gives up long before.
const TEST_TIMEOUT: &str = "--test-timeout=600000";

/// Runs all tests of a folder, with these variables, against the program as it is in the workspace.
pub(super) fn run(root: &Path, folder: &str, variables: &[(&str, &str)]) -> Result<Tally> {
    let folder = root.join(folder);
    look_for_node()?;
    install_packages(&folder)?;
    let program = program::build(root)?;
    node_test(
        Command::new("node")
            .args(["--test", "--test-reporter=spec", TEST_TIMEOUT])
            .current_dir(&folder)
            .env("TIDINGS_PROGRAM", program)
            .env("NO_COLOR", "1")
            .envs(variables.iter().copied()),
    )
}

fn look_for_node() -> Result<()> {
    let hint = format!("hint: install Node {NODE_MAJOR_MIN} or newer, with npm");
    let output = Command::new("node")
        .arg("--version")
        .output()
        .with_context(|| format!("cannot start `node`\n{hint}"))?;
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.trim();
    let major = version.trim_start_matches('v').split('.').next();
    let is_enough = major
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major >= NODE_MAJOR_MIN);
    ensure!(is_enough, "this Node is too old: {version}\n{hint}");
    Ok(())
}

/// Installs the packages of the lock file unless that was done after its last change.
fn install_packages(folder: &Path) -> Result<()> {
    let changed = |file: &str| fs::metadata(folder.join(file)).and_then(|file| file.modified());
    let locked = changed("package-lock.json").context("the suite has no lock file")?;
    if changed("node_modules/.package-lock.json").is_ok_and(|installed| installed >= locked) {
        return Ok(());
    }
    succeed(Command::new("npm").arg("ci").current_dir(folder))
}

/// Runs node to its end, shows its output as it comes, and reads its summary.
fn node_test(command: &mut Command) -> Result<Tally> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start `node --test`")?;
    let output = child.stdout.take().context("`node --test` has no output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read the output of `node --test`")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if let Some(counted) = summary_in(&line) {
            tally = tally + counted;
        }
    }
    let status = child.wait().context("cannot wait for `node --test`")?;
    if !status.success() && tally.failed == 0 {
        tally = tally + Tally::FAILED;
    }
    Ok(tally)
}

/// What a line of node's summary, such as `ℹ pass 7`, adds.
///
/// Skipped and unfinished tests count as failed: nothing in this workspace may be switched off.
fn summary_in(line: &str) -> Option<Tally> {
    let (what, number) = line.strip_prefix("ℹ ")?.split_once(' ')?;
    let number = number.parse().ok()?;
    let (passed, failed) = match what {
        "pass" => (number, 0),
        "fail" | "cancelled" | "skipped" | "todo" => (0, number),
        _ => return None,
    };
    Some(Tally { passed, failed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_node_is_read() {
        let script =
            "printf 'ℹ tests 9\\nℹ pass 4\\nℹ fail 2\\nℹ skipped 3\\nℹ duration_ms 12.5\\n'";
        let tally = node_test(Command::new("sh").args(["-c", script])).expect("`sh` starts");
        let expected = Tally {
            passed: 4,
            failed: 5,
        };
        assert_eq!(tally, expected);
    }

    #[test]
    fn a_run_that_fails_without_a_summary_has_failed() {
        let tally = node_test(&mut Command::new("false")).expect("`false` starts");
        assert_eq!(tally, Tally::FAILED);
    }
}
