//! What a benchmark ran on, and what it measured: machine, toolchain, date, commit.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

/// The machine, as its kernel describes it.
pub(crate) fn description() -> Value {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kibibytes: f64 = row(&meminfo, "MemTotal")
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .unwrap_or_default();
    json!({
        "processor": row(&cpuinfo, "model name").unwrap_or("unknown"),
        "cores": available_parallelism().map_or(0, usize::from),
        "memoryGiB": (kibibytes / 1024.0 / 1024.0).round(),
        "system": said_by(Command::new("uname").args(["-srm"])),
        "rustc": said_by(Command::new("rustc").arg("--version")),
    })
}

/// Today, as `2026-11-21`.
pub(crate) fn date() -> String {
    said_by(Command::new("date").args(["-u", "+%Y-%m-%d"]))
}

/// The commit that is checked out, with a mark if the tree differs from it.
pub(crate) fn commit(root: &Path) -> String {
    said_by(Command::new("git").current_dir(root).args([
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
        "--exclude=*",
    ]))
}

/// Resident memory of a process in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kibibytes: u64 = row(&status, "VmRSS")?.split(' ').next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Processor time that a process has used, in seconds, with that of its kernel calls.
pub(crate) fn processor_seconds(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    ticks(&stat).map(|ticks| ticks as f64 / TICKS_PER_SECOND)
}

/// How many processes wanted a core over the last minute.
pub(crate) fn load_average() -> Result<f64> {
    let text = fs::read_to_string("/proc/loadavg").context("cannot read `/proc/loadavg`")?;
    let first = text.split(' ').next().and_then(|first| first.parse().ok());
    first.context("`/proc/loadavg` has another form")
}

/// How finely Linux counts processor time for programs; the same on every machine in use.
const TICKS_PER_SECOND: f64 = 100.0;

/// Columns 14 and 15 of a process's `stat`. Its name, the second, may hold spaces.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut columns = rest.split(' ').skip(11);
    let mut next = || columns.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

/// The value of the first row `name : value`.
fn row<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim())
    })
}

fn said_by(command: &mut Command) -> String {
    let output = command
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&output).trim().to_owned();
    if text.is_empty() {
        "unknown".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_time_of_a_process_is_read() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 100 1 2";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("7 (a"), None);
    }

    #[test]
    fn rows_of_proc_are_read() {
        let text = "processor\t: 0\nmodel name\t: Some Processor\nVmRSS:\t    2048 kB\n";
        assert_eq!(row(text, "model name"), Some("Some Processor"));
        assert_eq!(row(text, "VmRSS"), Some("2048 kB"));
        assert_eq!(row(text, "flags"), None);
    }
}
