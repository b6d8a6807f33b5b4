//! Which crate may depend on which.
//!
//! The edges are the architecture: core is pure, the engine knows no protocol, and only the program
//! names a concrete adapter. An edge that is not in [`ALLOWED`] is a change of the design.

use super::finding::Finding;
use super::tree::Tree;
use crate::workspace::Package;

/// Each crate of the workspace and the crates of the workspace that its product code may use.
const ALLOWED: [(&str, &[&str]); 12] = [
    ("tidings-core", &[]),
    ("tidings-wire", &["tidings-core"]),
    ("tidings-log", &["tidings-core"]),
    ("tidings-hub", &["tidings-core"]),
    ("tidings-auth", &["tidings-core"]),
    (
        "tidings-http",
        &[
            "tidings-core",
            "tidings-hub",
            "tidings-wire",
            "tidings-auth",
        ],
    ),
    ("tidings-client", &["tidings-core", "tidings-wire"]),
    ("tidings-testkit", &["tidings-core", "tidings-hub"]),
    (
        "xtask",
        &["tidings-core", "tidings-client", "tidings-testkit"],
    ),
    (
        "tidings-fuzz",
        &[
            "tidings-core",
            "tidings-wire",
            "tidings-auth",
            "tidings-http",
            "tidings",
            "tidings-testkit",
        ],
    ),
    // A hub of another make, which shares nothing with this one.
    ("tidings-bench-baseline", &[]),
    ("tidings", EVERYTHING),
];

const EVERYTHING: &[&str] = &[
    "tidings-core",
    "tidings-wire",
    "tidings-log",
    "tidings-hub",
    "tidings-auth",
    "tidings-http",
    "tidings-client",
];

/// Tests may assemble what product code may not: a log under an engine, a fake, a client.
const ALLOWED_IN_TESTS: [&str; 5] = [
    "tidings-core",
    "tidings-wire",
    "tidings-log",
    "tidings-client",
    "tidings-testkit",
];

/// Crates without clock, disk, network, randomness or runtime.
const PURE: [&str; 2] = ["tidings-core", "tidings-wire"];

/// Each of these would bring one of those in.
const IMPURE: [&str; 20] = [
    "async-std",
    "axum",
    "chrono",
    "crossbeam-channel",
    "fs4",
    "futures-util",
    "getrandom",
    "hyper",
    "hyper-util",
    "jiff",
    "mio",
    "rand",
    "reqwest",
    "rustix",
    "smol",
    "socket2",
    "tempfile",
    "time",
    "tokio",
    "tracing",
];

/// Core's own types have no serial form; their bytes belong to wire and log.
const SERIAL: [&str; 2] = ["serde", "serde_json"];

const HINT: &str = "move the code to the crate that may know both sides, or pass it through a port of `tidings-core`";
const UNKNOWN_HINT: &str =
    "give the crate a row in `xtask/src/tidy/crate_edges.rs` and in ARCHITECTURE.md";
const PURE_HINT: &str =
    "take time, randomness and bytes as arguments; IO belongs to the crates outside";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    tree.packages.iter().flat_map(findings_of).collect()
}

fn findings_of(package: &Package) -> Vec<Finding> {
    let name = package.name.as_str();
    let Some((_, allowed)) = ALLOWED.iter().find(|(of, _)| *of == name) else {
        let problem = format!("no edges are known for the crate `{name}`");
        return vec![Finding::at(&package.manifest, 0, problem, UNKNOWN_HINT)];
    };
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let on = dependency.name.as_str();
        let ours = ALLOWED.iter().any(|(of, _)| *of == on);
        let in_tests = dependency.dev && (ALLOWED_IN_TESTS.contains(&on) || name == "tidings");
        if ours && !allowed.contains(&on) && !in_tests {
            let problem = format!("`{name}` must not depend on `{on}`");
            findings.push(Finding::at(&package.manifest, 0, problem, HINT));
        }
        let serial_core = name == "tidings-core" && SERIAL.contains(&on);
        let impure = PURE.contains(&name) && (IMPURE.contains(&on) || serial_core);
        if impure && !dependency.dev {
            let problem = format!("`{name}` is pure and must not depend on `{on}`");
            findings.push(Finding::at(&package.manifest, 0, problem, PURE_HINT));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn problems(name: &str, on: &str, dev: bool) -> usize {
        let mut tree = Tree::of(&[]);
        tree.packages.push(Package {
            name: name.to_owned(),
            manifest: format!("crates/{name}/Cargo.toml"),
            dependencies: vec![Dependency {
                name: on.to_owned(),
                dev,
            }],
        });
        find(&tree).len()
    }

    #[test]
    fn the_engine_must_not_know_a_protocol() {
        assert_eq!(problems("tidings-hub", "tidings-wire", false), 1);
        assert_eq!(problems("tidings-hub", "tidings-http", true), 1);
        assert_eq!(problems("tidings-hub", "tidings-core", false), 0);
    }

    #[test]
    fn only_the_program_and_tests_name_a_log() {
        assert_eq!(problems("tidings-http", "tidings-log", false), 1);
        assert_eq!(problems("tidings-http", "tidings-log", true), 0);
        assert_eq!(problems("tidings", "tidings-log", false), 0);
    }

    #[test]
    fn pure_crates_use_no_runtime() {
        assert_eq!(problems("tidings-wire", "tokio", false), 1);
        assert_eq!(problems("tidings-core", "serde", false), 1);
        assert_eq!(problems("tidings-wire", "serde", false), 0);
        assert_eq!(problems("tidings-log", "rustix", false), 0);
    }

    #[test]
    fn an_unknown_crate_needs_a_row() {
        assert_eq!(problems("tidings-extra", "bytes", false), 1);
    }
}
