//! The lines that may break a rule, each with its reason, in `xtask/tidy-exceptions.txt`.
//!
//! A row is `rule | path | text that the line contains | reason`. The list may only shrink: a row
//! that covers nothing is an error, and so is any other number of rows than the file's own
//! `ceiling = N`, so that one more exception is a change of that number which a reviewer sees.

use std::cell::Cell;

use super::finding::Finding;
use super::tree::Tree;

/// The name under which this file's own faults are reported.
pub(crate) const NAME: &str = "exceptions";

const PATH: &str = "xtask/tidy-exceptions.txt";
const HINT: &str = "write `rule | path | text that the line contains | reason`";
const CEILING_HINT: &str =
    "keep the rule instead of an exception, or set `ceiling` to the number of rows and defend it";
const UNUSED_HINT: &str = "remove the row and lower `ceiling`";

/// The exceptions of the tree.
#[derive(Debug, Default)]
pub(crate) struct Exceptions {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    line: usize,
    check: String,
    path: String,
    text: String,
    used: Cell<bool>,
}

/// Reads the exceptions, and what is wrong with their file.
pub(crate) fn read(tree: &Tree) -> (Exceptions, Vec<Finding>) {
    let mut exceptions = Exceptions::default();
    let mut complaints = Vec::new();
    let mut ceiling = 0;
    let text = tree.source(PATH).map_or("", |source| source.text.as_str());
    for (line, row) in (1..).zip(text.lines().map(str::trim)) {
        if row.is_empty() || row.starts_with('#') {
            continue;
        }
        if let Some(number) = row
            .strip_prefix("ceiling = ")
            .and_then(|number| number.parse().ok())
        {
            ceiling = number;
            continue;
        }
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        match columns.as_slice() {
            [check, path, text, reason] if !text.is_empty() && reason.len() >= 10 => {
                exceptions.rows.push(Row {
                    line,
                    check: (*check).to_owned(),
                    path: (*path).to_owned(),
                    text: (*text).to_owned(),
                    used: Cell::new(false),
                });
            }
            _ => complaints.push(Finding::at(PATH, line, "this row is no exception", HINT)),
        }
    }
    let rows = exceptions.rows.len();
    if rows != ceiling {
        let problem = format!("the ceiling is {ceiling}, the number of exceptions is: {rows}");
        complaints.push(Finding::at(PATH, 0, problem, CEILING_HINT));
    }
    (exceptions, complaints)
}

impl Exceptions {
    /// Whether a row excepts this finding; the row counts as used from then on.
    pub(crate) fn cover(&self, check: &str, finding: &Finding, tree: &Tree) -> bool {
        let Some(source) = tree.source(&finding.path) else {
            return false;
        };
        let text = source
            .text
            .lines()
            .nth(finding.line.saturating_sub(1))
            .unwrap_or_default();
        let row = self
            .rows
            .iter()
            .find(|row| row.check == check && row.path == finding.path && text.contains(&row.text));
        if let Some(row) = row {
            row.used.set(true);
        }
        row.is_some()
    }

    /// The rows that no finding needed.
    pub(crate) fn unused(&self) -> impl Iterator<Item = Finding> {
        self.rows
            .iter()
            .filter(|row| !row.used.get())
            .map(|row| Finding::at(PATH, row.line, "this exception covers nothing", UNUSED_HINT))
    }
}
