//! Runs `cargo test`, shows its output as it comes, and adds up the results of all test binaries.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::tally::Tally;

/// Runs the command to its end and adds up its `test result:` lines.
pub(crate) fn run(command: &mut Command) -> Result<Tally> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start `cargo test`")?;
    let output = child.stdout.take().context("`cargo test` has no output")?;
    let mut tally = Tally::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.context("cannot read the output of `cargo test`")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if let Some(binary) = result_in(&line) {
            tally = tally + binary;
        }
    }
    let status = child.wait().context("cannot wait for `cargo test`")?;
    // A binary that does not build, or that dies in mid-run, prints no result.
    if !status.success() && tally.failed == 0 {
        tally = tally + Tally::FAILED;
    }
    Ok(tally)
}

/// The tally in a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; ...`.
///
/// Ignored tests count as failed: nothing in this workspace may be switched off.
fn result_in(line: &str) -> Option<Tally> {
    // With `--nocapture` a test's own output may stand before the result in the same line.
    let (_, result) = line.split_once("test result: ")?;
    let (_, counts) = result.split_once(". ")?;
    let mut tally = Tally::default();
    for count in counts.split("; ") {
        let (number, what) = count.split_once(' ')?;
        match what {
            "passed" => tally.passed += number.parse::<u64>().ok()?,
            "failed" | "ignored" => tally.failed += number.parse::<u64>().ok()?,
            _ => {}
        }
    }
    Some(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read() {
        let line = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(
            result_in(line),
            Some(Tally {
                passed: 12,
                failed: 0
            })
        );
        let line = "test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1s";
        assert_eq!(
            result_in(line),
            Some(Tally {
                passed: 1,
                failed: 3
            })
        );
        assert_eq!(result_in("test log::reopens ... ok"), None);
    }

    #[test]
    fn a_command_that_fails_without_a_result_has_failed() {
        let tally = run(&mut Command::new("false")).expect("`false` starts");
        assert_eq!(tally, Tally::FAILED);
    }

    #[test]
    fn results_of_several_binaries_are_added() {
        let script = "echo 'test result: ok. 2 passed; 0 failed'; echo 'test result: ok. 3 passed; 0 failed'";
        let tally = run(Command::new("sh").args(["-c", script])).expect("`sh` starts");
        assert_eq!(
            tally,
            Tally {
                passed: 5,
                failed: 0
            }
        );
    }
}
