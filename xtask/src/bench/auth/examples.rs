//! The parts that are examples of `tidings-auth`: each prints its figures, one a line.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::bench::report::Figure;
use crate::workspace::cargo;

/// What stands below each bar: there is room for a word.
const LABELS: [(&str, &str); 15] = [
    ("anonymous", "none"),
    ("HS256 of the hub", "HS256"),
    ("RS256 by a published key set", "RS256"),
    ("ES256 by a published key set", "ES256"),
    ("EdDSA by a published key set", "EdDSA"),
    ("session cookie of NextAuth 4", "v4"),
    ("session cookie of Auth.js 5", "v5"),
    ("the same in three parts, 11.7 kB", "v5 ×3"),
    ("API key", "key"),
    ("ticket, issued", "ticket"),
    ("ticket, redeemed", "use"),
    ("stream token", "stream"),
    ("application, asked and kept", "app"),
    ("all of them and 20 rules, HS256", "HS+20"),
    ("all of them and 20 rules, session cookie", "v5+20"),
];

/// What the words mean.
pub(super) const LEGEND: &str =
    "v4, v5: cookies of NextAuth 4, Auth.js 5; ticket: issued, use: redeemed; +20: with 20 rules";

/// The work of each provider, and a bar for each.
pub(super) fn providers(root: &Path, figures: &mut Vec<Figure>) -> Result<Vec<(String, f64)>> {
    let mut bars = Vec::new();
    for line in example(root, "provider_cost", &[])?.lines() {
        let [name, first, later] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("`provider_cost` printed a line of another form: {line}");
        };
        if let Ok(first) = first.parse() {
            figures.push(Figure::new(format!("{name}: first request"), first, "us"));
        }
        let later = later.parse().context("no number of microseconds")?;
        figures.push(Figure::new(format!("{name}: later ones"), later, "us"));
        let label = LABELS.iter().find(|(known, _)| *known == name);
        let (_, label) = label.with_context(|| format!("`{name}` has no label"))?;
        bars.push(((*label).to_owned(), later));
    }
    Ok(bars)
}

/// What a flood of unknown keys costs those whose token is good.
pub(super) fn key_flood(root: &Path, seconds: u64, figures: &mut Vec<Figure>) -> Result<()> {
    for line in example(root, "key_flood", &[&seconds.to_string()])?.lines() {
        let [name, value, unit] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("`key_flood` printed a line of another form: {line}");
        };
        let units = ["us", "tokens", "fetches", "pauses"];
        let unit = units.into_iter().find(|known| *known == unit);
        let unit = unit.with_context(|| format!("an unknown unit: {line}"))?;
        figures.push(Figure::new(
            name,
            value.parse().context(line.to_owned())?,
            unit,
        ));
    }
    Ok(())
}

/// What an example of `tidings-auth` prints.
fn example(root: &Path, name: &str, arguments: &[&str]) -> Result<String> {
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
