//! The work of each provider by itself.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::bench::example;
use crate::bench::report::Figure;

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
pub(super) fn measure(root: &Path, figures: &mut Vec<Figure>) -> Result<Vec<(String, f64)>> {
    let mut bars = Vec::new();
    for line in example::run(root, "provider_cost", &[])?.lines() {
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
