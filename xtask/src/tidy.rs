//! `cargo xtask tidy`: rules of the tree that neither the compiler nor clippy knows.
//!
//! Each rule is a file and a row of [`CHECKS`]. All findings are reported at once, each with what to
//! do about it. A rule may be excepted for one line in `xtask/tidy-exceptions.txt`, see
//! [`exceptions`].

mod code;
mod exceptions;
mod finding;
mod tree;

mod attribute_reasons;
mod clippy_fences;
mod crate_edges;
mod environment_reads;
mod file_length;
mod file_names;
mod fixed_ports;
mod leftovers;
mod listed_dependencies;
mod machine_paths;
mod module_docs;
mod sleeps;
mod workspace_lints;

use std::path::Path;

use anyhow::Result;

use finding::{Finding, Level};
use tree::Tree;

/// A rule: its name in reports and in the exceptions, and what finds the places that break it.
struct Check {
    name: &'static str,
    find: fn(&Tree) -> Vec<Finding>,
}

const CHECKS: [Check; 13] = [
    Check {
        name: "crate-edges",
        find: crate_edges::find,
    },
    Check {
        name: "file-length",
        find: file_length::find,
    },
    Check {
        name: "file-names",
        find: file_names::find,
    },
    Check {
        name: "module-docs",
        find: module_docs::find,
    },
    Check {
        name: "leftovers",
        find: leftovers::find,
    },
    Check {
        name: "sleeps",
        find: sleeps::find,
    },
    Check {
        name: "fixed-ports",
        find: fixed_ports::find,
    },
    Check {
        name: "attribute-reasons",
        find: attribute_reasons::find,
    },
    Check {
        name: "machine-paths",
        find: machine_paths::find,
    },
    Check {
        name: "clippy-fences",
        find: clippy_fences::find,
    },
    Check {
        name: "workspace-lints",
        find: workspace_lints::find,
    },
    Check {
        name: "environment-reads",
        find: environment_reads::find,
    },
    Check {
        name: "listed-dependencies",
        find: listed_dependencies::find,
    },
];

/// What a run of all rules found.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Rules that hold, notes aside.
    pub(crate) passed: u64,
    /// Rules that do not hold.
    pub(crate) failed: u64,
    findings: Vec<(&'static str, Finding)>,
}

impl Outcome {
    /// Prints every finding.
    pub(crate) fn print_findings(&self) {
        for (check, finding) in &self.findings {
            println!("{}", finding.line_of(check));
        }
    }

    /// Prints every finding and the sum, and says whether all rules hold.
    pub(crate) fn report(&self) -> bool {
        self.print_findings();
        println!("tidy: {} passed, {} failed", self.passed, self.failed);
        self.failed == 0
    }
}

/// Runs every rule over the tree below `root`.
pub(crate) fn run(root: &Path) -> Result<Outcome> {
    let tree = Tree::load(root)?;
    Ok(judge(&tree))
}

fn judge(tree: &Tree) -> Outcome {
    let (exceptions, complaints) = exceptions::read(tree);
    let mut findings: Vec<_> = CHECKS
        .iter()
        .flat_map(|check| (check.find)(tree).into_iter().map(|one| (check.name, one)))
        .filter(|(check, finding)| !exceptions.cover(check, finding, tree))
        .collect();
    findings.extend(
        complaints
            .into_iter()
            .chain(exceptions.unused())
            .map(|one| (exceptions::NAME, one)),
    );

    let broken = |name: &str| {
        findings
            .iter()
            .any(|(check, finding)| *check == name && finding.level == Level::Error)
    };
    let failed = CHECKS
        .iter()
        .map(|check| check.name)
        .chain([exceptions::NAME])
        .filter(|name| broken(name))
        .count() as u64;
    Outcome {
        passed: CHECKS.len() as u64 + 1 - failed,
        failed,
        findings,
    }
}

#[cfg(test)]
mod tests;
