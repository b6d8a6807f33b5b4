//! `tidings bench` as the load of a benchmark: its arguments, and the figures that it prints.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::chart::Series;
use super::report::Figure;
use super::stand::Hub;

/// The load generator, and what it is aimed at.
#[derive(Debug)]
pub(crate) struct Generator {
    binary: PathBuf,
    /// The core that it runs on, if it has one for itself.
    core: Option<&'static str>,
    target: Vec<String>,
    token: Option<String>,
}

/// What a load found: the object that `tidings bench --json` prints.
#[derive(Debug)]
pub(crate) struct Findings(Value);

/// Percentiles that the generator prints.
const PERCENTILES: [(&str, &str); 5] = [
    ("p50", "p50"),
    ("p90", "p90"),
    ("p99", "p99"),
    ("p99.9", "p999"),
    ("max", "max"),
];

impl Generator {
    /// A generator on a hub of ours.
    pub(crate) fn on_hub(binary: &Path, hub: &Hub) -> Self {
        let (address, pid) = (hub.running.address, hub.running.pid());
        let target = format!("--url http://{address} --server-pid {pid}");
        Self::new(binary, &target, Some(hub.token.clone()))
    }

    /// A generator with the arguments that name its target.
    pub(crate) fn new(binary: &Path, target: &str, token: Option<String>) -> Self {
        Self {
            binary: binary.to_owned(),
            core: None,
            target: target.split_whitespace().map(str::to_owned).collect(),
            token,
        }
    }

    /// The same on a core of its own.
    pub(crate) fn on_core(self, core: &'static str) -> Self {
        Self {
            core: Some(core),
            ..self
        }
    }

    /// The command of a load.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = match self.core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", core]).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        command
            .arg("bench")
            .args(arguments.split_whitespace())
            .args(&self.target)
            .arg("--json")
            .stdout(Stdio::piped());
        if let Some(token) = &self.token {
            command.env("TIDINGS_TOKEN", token);
        }
        command
    }

    /// Puts a load on the target; what is lost or repeated fails it.
    pub(crate) fn run(&self, arguments: &str) -> Result<Findings> {
        let findings = self.run_with_faults(arguments)?;
        let faults = findings.faults();
        if !faults.is_empty() {
            bail!("readers did not see every event once and in order: {faults}");
        }
        Ok(findings)
    }

    /// The same for a target that may lose events.
    pub(crate) fn run_with_faults(&self, arguments: &str) -> Result<Findings> {
        let output = self
            .command(arguments)
            .output()
            .context("cannot start the load generator")?;
        Findings::read(&output.stdout).with_context(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("the load `{arguments}` came to nothing: {}", said.trim())
        })
    }
}

impl Findings {
    /// Reads what the generator printed.
    pub(crate) fn read(printed: &[u8]) -> Result<Self> {
        serde_json::from_slice(printed)
            .map(Self)
            .context("the load generator printed no figures")
    }

    /// The number at a JSON pointer, such as `/deliveryMs/p99`.
    pub(crate) fn number(&self, pointer: &str) -> Option<f64> {
        self.0.pointer(pointer)?.as_f64()
    }

    /// The numbers of the list at a JSON pointer.
    pub(crate) fn numbers(&self, pointer: &str) -> Vec<f64> {
        let list = self.0.pointer(pointer).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Value::as_f64)
            .collect()
    }

    /// The same where it has to be there.
    pub(crate) fn need(&self, pointer: &str) -> Result<f64> {
        self.number(pointer)
            .with_context(|| format!("the load generator printed no `{pointer}`"))
    }

    /// What readers missed, saw again or out of order, as text; empty if nothing.
    pub(crate) fn faults(&self) -> String {
        let mut text = String::new();
        for name in ["missing", "repeated", "outOfOrder"] {
            let count = self.number(&format!("/{name}")).unwrap_or(0.0);
            if count > 0.0 {
                // Writing to a string cannot fail.
                let _ = write!(text, "{name} {count} ");
            }
        }
        text.trim_end().to_owned()
    }

    /// The percentiles below a pointer as figures.
    pub(crate) fn percentiles(&self, pointer: &str, of: &str) -> Vec<Figure> {
        PERCENTILES
            .iter()
            .filter_map(|(name, field)| {
                let ms = self.number(&format!("{pointer}/{field}"))?;
                Some(Figure::new(format!("{of}: {name}"), ms, "ms"))
            })
            .collect()
    }

    /// The percentiles below a pointer as points of a line.
    pub(crate) fn series(&self, pointer: &str, name: &str) -> Series {
        let at = |field: &(&str, &str)| self.number(&format!("{pointer}/{}", field.1));
        Series {
            name: name.to_owned(),
            points: (0..)
                .map(f64::from)
                .zip(PERCENTILES.iter().filter_map(at))
                .collect(),
        }
    }
}

/// What the x axis of lines of percentiles means.
pub(crate) const PERCENTILE_AXIS: &str = "0 = p50, 1 = p90, 2 = p99, 3 = p99.9, 4 = max";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_read_by_their_place() {
        let text = br#"{"missing":2,"repeated":0,"deliveryMs":{"p50":1.5,"p99":9}}"#;
        let findings = Findings::read(text).expect("JSON");
        assert_eq!(findings.number("/deliveryMs/p99"), Some(9.0));
        assert_eq!(findings.faults(), "missing 2");
        assert_eq!(findings.percentiles("/deliveryMs", "x").len(), 2);
        assert!(findings.need("/idle/seconds").is_err());
        assert!(Findings::read(b"").is_err());
    }
}
