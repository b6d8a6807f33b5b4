//! What a benchmark found: figures with units, charts, and what was done to get them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::chart::Chart;
use super::machine;

/// What a benchmark found.
#[derive(Debug)]
pub(crate) struct Report {
    /// One sentence: what was done.
    pub(crate) setup: String,
    /// What was measured.
    pub(crate) figures: Vec<Figure>,
    /// Charts, each with the part of its file name after the benchmark's.
    pub(crate) charts: Vec<(String, Chart)>,
}

/// One number.
#[derive(Debug)]
pub(crate) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    to_reach: Option<&'static str>,
    /// What each of several runs had.
    runs: Vec<f64>,
}

impl Figure {
    /// A number with what it counts, and its unit.
    pub(crate) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            to_reach: None,
            runs: Vec::new(),
        }
    }

    /// The same with what each of several runs had.
    pub(crate) fn with_runs(self, runs: Vec<f64>) -> Self {
        Self { runs, ..self }
    }

    /// The same with what it should be.
    pub(crate) fn with_goal(self, to_reach: Option<&'static str>) -> Self {
        Self { to_reach, ..self }
    }

    /// The value with as many digits as it deserves.
    fn rounded(&self) -> f64 {
        rounded(self.value)
    }
}

impl Report {
    /// Prints the figures.
    pub(crate) fn print(&self) {
        println!("{}", self.setup);
        for figure in &self.figures {
            println!(
                "  {:<52} {:>12} {}{}",
                figure.name,
                figure.rounded(),
                figure.unit,
                figure
                    .to_reach
                    .map_or_else(String::new, |to_reach| format!(" (to reach: {to_reach})"))
            );
        }
    }

    /// Writes `<name>.json` and the charts.
    pub(crate) fn write(&self, root: &Path, folder: &Path, name: &str) -> Result<()> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make `{}`", folder.display()))?;
        let text = serde_json::to_string_pretty(&self.to_json(root, name))?;
        put(&folder.join(format!("{name}.json")), &format!("{text}\n"))?;
        for (part, chart) in &self.charts {
            put(&folder.join(format!("{name}{part}.svg")), &chart.to_svg())?;
        }
        Ok(())
    }

    fn to_json(&self, root: &Path, name: &str) -> Value {
        let figure = |figure: &Figure| {
            let mut json =
                json!({ "name": figure.name, "value": figure.rounded(), "unit": figure.unit });
            if let Some(to_reach) = figure.to_reach {
                json["toReach"] = to_reach.into();
            }
            if figure.runs.len() > 1 {
                let runs: Vec<f64> = figure.runs.iter().copied().map(rounded).collect();
                json["runs"] = runs.into();
            }
            json
        };
        json!({
            "name": name,
            "setup": self.setup,
            "date": machine::date(),
            "commit": machine::commit(root),
            "machine": machine::description(),
            "figures": self.figures.iter().map(figure).collect::<Vec<_>>(),
        })
    }
}

fn rounded(value: f64) -> f64 {
    let scale = match value.abs() {
        100.0.. => 1.0,
        1.0.. => 100.0,
        _ => 10_000.0,
    };
    (value * scale).round() / scale
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}
