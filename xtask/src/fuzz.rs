//! `cargo xtask fuzz`: the targets of `fuzz/` under libFuzzer, for as long as wanted (N14).
//!
//! `cargo test` runs every target on its seeds and some mutations. This looks for more, guided by which
//! branches an input reaches. It needs no nightly compiler: without a sanitizer, cargo-fuzz builds with a
//! stable one, and there is no unsafe code here that a sanitizer would have to watch.
//!
//! What libFuzzer finds interesting is kept below `fuzz/guided/corpus` and used again; git ignores it. An
//! input that makes a target panic goes to `fuzz/guided/artifacts`, and belongs into `fuzz/seeds` once it is
//! mended.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::suite::package;
use crate::workspace::cargo;

/// What `cargo xtask fuzz` takes.
#[derive(Debug, Args)]
pub(crate) struct FuzzArguments {
    /// Names of targets; without any, all of them run, one after the other.
    targets: Vec<String>,
    /// Seconds for each target.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Runs the one target that is named on this file, to repeat what was found.
    #[arg(long)]
    input: Option<PathBuf>,
}

/// The crate of the fuzzer's program, which reads its target from the environment.
const FOLDER: &str = "fuzz/guided";
const PROGRAM: &str = "any";
const TARGET: &str = "TIDINGS_FUZZ_TARGET";

/// One input may take so many seconds: some hundred thousand times what it should.
const TIMEOUT_SECONDS: u64 = 10;

/// What libFuzzer says of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    executions: u64,
    /// Branches that were reached.
    coverage: u64,
    /// Inputs that made the target panic, as files.
    crashes: Vec<String>,
}

/// Runs the named targets, or all, and says whether all stood it.
pub(crate) fn run(root: &Path, arguments: &FuzzArguments) -> Result<bool> {
    let all = targets(root)?;
    if let Some(unknown) = arguments.targets.iter().find(|name| !all.contains(name)) {
        bail!(
            "no target is called `{unknown}`\nhint: the targets are: {}",
            all.join(", ")
        );
    }
    package::need("g++", "g++")?;
    need_cargo_fuzz(root)?;
    if let Some(input) = &arguments.input {
        let [target] = arguments.targets.as_slice() else {
            bail!("an input is for one target\nhint: name it before `--input`");
        };
        let input = fs::canonicalize(input)
            .with_context(|| format!("cannot read `{}`", input.display()))?;
        let status = fuzzer(root, target).arg(input).status();
        return Ok(status.context("cannot start `cargo fuzz`")?.success());
    }
    let wanted = all
        .iter()
        .filter(|name| arguments.targets.is_empty() || arguments.targets.contains(name));
    let mut ok = true;
    for target in wanted {
        let found = look(root, target, arguments.seconds)?;
        let Found {
            executions,
            coverage,
            crashes,
        } = &found;
        println!(
            "{target}: {executions} executions, {coverage} branches, {} findings",
            crashes.len()
        );
        for crash in crashes {
            println!("repeat it with: cargo xtask fuzz {target} --input {crash}");
        }
        ok &= crashes.is_empty();
    }
    Ok(ok)
}

/// Every target has a folder of seeds, which a test of `tidings-fuzz` checks.
fn targets(root: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(root.join("fuzz/seeds")).context("cannot read `fuzz/seeds`")?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn need_cargo_fuzz(root: &Path) -> Result<()> {
    let is_there = cargo(root)
        .args(["fuzz", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("cannot start `cargo`")?;
    if is_there.success() {
        return Ok(());
    }
    println!("installing cargo-fuzz");
    let status = cargo(root)
        .args(["install", "--locked", "cargo-fuzz"])
        .status()
        .context("cannot start `cargo install`")?;
    ensure!(
        status.success(),
        "cargo-fuzz cannot be installed\nhint: `cargo install --locked cargo-fuzz` says why"
    );
    Ok(())
}

/// The fuzzer on a target; what follows are files, folders, or after `--` options of libFuzzer.
fn fuzzer(root: &Path, target: &str) -> Command {
    let mut command = cargo(root);
    command
        .args(["fuzz", "run", "--sanitizer", "none", "--fuzz-dir"])
        .args([FOLDER, PROGRAM])
        .env(TARGET, target);
    command
}

/// Lets libFuzzer look for so many seconds.
fn look(root: &Path, target: &str, seconds: u64) -> Result<Found> {
    let folder = |name: &str| root.join(FOLDER).join(name).join(target);
    let (corpus, artifacts) = (folder("corpus"), folder("artifacts"));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let mut child = fuzzer(root, target)
        .arg(&corpus)
        .arg(root.join("fuzz/seeds").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={TIMEOUT_SECONDS}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg("-print_final_stats=1")
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start `cargo fuzz`")?;
    let said = child.stderr.take().context("`cargo fuzz` says nothing")?;
    let mut lines = Vec::new();
    for line in BufReader::new(said).split(b'\n') {
        let line = line.context("cannot read what `cargo fuzz` says")?;
        lines.push(String::from_utf8_lossy(&line).into_owned());
    }
    let status = child.wait().context("cannot wait for `cargo fuzz`")?;
    let found = read(&lines);
    if found.executions == 0 || (!status.success() && found.crashes.is_empty()) {
        bail!("the fuzzer failed; it said:\n{}", lines.join("\n"));
    }
    if !found.crashes.is_empty() {
        // The panic's own words, and nothing of the rest.
        let panicked = lines.iter().position(|line| line.contains("panicked at"));
        let words = lines.iter().skip(panicked.unwrap_or(0)).take(4);
        words.for_each(|line| println!("{line}"));
    }
    Ok(found)
}

/// Reads the lines of libFuzzer that matter.
fn read(lines: &[String]) -> Found {
    let mut found = Found::default();
    for line in lines {
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            found.executions = count.trim().parse().unwrap_or(0);
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            found.crashes.push(path.trim().to_owned());
        } else if let Some((_, rest)) = line.split_once(" cov: ") {
            let count = rest.split(' ').next().and_then(|count| count.parse().ok());
            found.coverage = count.unwrap_or(found.coverage);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_fuzzer_says_is_read() {
        let said = "#2\tINITED cov: 731 ft: 733 corp: 1/1b\n\
                    #9\tNEW    cov: 740 ft: 791 corp: 3/8b\n\
                    artifact_prefix='x/'; Test unit written to x/crash-ab\n\
                    stat::number_of_executed_units: 1234\n";
        let lines: Vec<String> = said.lines().map(str::to_owned).collect();
        let expected = Found {
            executions: 1_234,
            coverage: 740,
            crashes: vec!["x/crash-ab".to_owned()],
        };
        assert_eq!(read(&lines), expected);
        assert_eq!(read(&[]), Found::default());
    }
}
