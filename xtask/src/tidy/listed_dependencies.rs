//! Every direct dependency stands in the root manifest, and in `docs/DEPENDENCIES.md` with a reason;
//! and what stands there is used.

use super::finding::Finding;
use super::tree::Tree;
use crate::workspace::Package;

const MANIFEST: &str = "Cargo.toml";
const LIST: &str = "docs/DEPENDENCIES.md";

const REASON_BYTES_MIN: usize = 15;

const LIST_HINT: &str = "add a row `| name | reason |` to docs/DEPENDENCIES.md";
const UNUSED_HINT: &str =
    "remove it from the root and from docs/DEPENDENCIES.md until a crate needs it";
const STALE_HINT: &str = "remove the row";
const ROOT_HINT: &str = "name the dependency in `[workspace.dependencies]` of the root, and inherit it with `workspace = true`";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let text = |path: &str| tree.source(path).map_or("", |source| source.text.as_str());
    let declared = declared(text(MANIFEST));
    let listed = listed(text(LIST));

    let mut findings = Vec::new();
    for (line, name) in &declared {
        if !listed.iter().any(|(_, of)| of == name) {
            let problem = format!("`{name}` has no reason in docs/DEPENDENCIES.md");
            findings.push(Finding::at(MANIFEST, *line, problem, LIST_HINT));
        }
    }
    let used = |name: &str| {
        let names = |package: &Package| package.dependencies.iter().any(|one| one.name == name);
        tree.packages.iter().any(names)
    };
    for (line, name) in declared.iter().filter(|(_, name)| !used(name)) {
        let problem = format!("no crate uses `{name}`");
        findings.push(Finding::at(MANIFEST, *line, problem, UNUSED_HINT));
    }
    for (line, name) in &listed {
        if !declared.iter().any(|(_, of)| of == name) {
            let problem = format!("`{name}` is no dependency");
            findings.push(Finding::at(LIST, *line, problem, STALE_HINT));
        }
    }
    for source in tree
        .sources
        .iter()
        .filter(|source| source.path.ends_with("/Cargo.toml"))
    {
        for (line, name) in own_dependencies(&source.text) {
            let problem = format!("`{name}` is not inherited from the workspace");
            findings.push(Finding::at(&source.path, line, problem, ROOT_HINT));
        }
    }
    findings
}

/// Names of `[workspace.dependencies]`, the workspace's own crates left out.
fn declared(manifest: &str) -> Vec<(usize, &str)> {
    section_rows(manifest, |section| section == "[workspace.dependencies]")
        .filter(|(_, name, value)| !name.is_empty() && !value.contains("path ="))
        .map(|(line, name, _)| (line, name))
        .collect()
}

/// Dependencies that a crate declares with a version of its own.
fn own_dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let dependencies = |section: &str| section.ends_with("dependencies]");
    section_rows(manifest, dependencies)
        .filter(|(_, name, value)| {
            !name.ends_with(".workspace")
                && !value.contains("workspace = true")
                && !value.contains("path =")
        })
        .map(|(line, name, _)| (line, name))
        .collect()
}

/// Rows `name = value` of the sections that are wanted, with their line numbers.
fn section_rows(
    manifest: &str,
    wanted: impl Fn(&str) -> bool,
) -> impl Iterator<Item = (usize, &str, &str)> {
    let mut inside = false;
    (1..)
        .zip(manifest.lines())
        .filter_map(move |(number, line)| {
            if line.starts_with('[') {
                inside = wanted(line.trim());
            }
            let (name, value) = line.split_once(" = ").filter(|_| inside)?;
            let key = name
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character));
            key.then_some((number, name, value))
        })
}

/// Names of the list's rows that give a reason.
fn listed(list: &str) -> Vec<(usize, &str)> {
    (1..)
        .zip(list.lines())
        .filter_map(|(number, line)| {
            let mut columns = line.strip_prefix("| `")?.split('|').map(str::trim);
            let name = columns.next()?.trim_end_matches('`');
            let reason = columns.next()?;
            (reason.len() >= REASON_BYTES_MIN).then_some((number, name))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    const ROOT: &str = "[workspace.dependencies]\nours = { path = \"crates/ours\" }\nbytes = \"1\"\n\n[profile.dev]\ndebug = 1\n";

    /// A tree whose only crate uses `bytes`.
    fn tree(list: &str) -> Tree {
        let mut tree = Tree::of(&[(MANIFEST, ROOT), (LIST, list)]);
        tree.packages.push(Package {
            name: "ours".to_owned(),
            manifest: "crates/ours/Cargo.toml".to_owned(),
            dependencies: vec![Dependency {
                name: "bytes".to_owned(),
                dev: false,
            }],
        });
        tree
    }

    #[test]
    fn each_dependency_needs_a_reason() {
        assert_eq!(
            find(&tree("| `bytes` | shared buffers without copies |\n")),
            []
        );
        assert_eq!(find(&tree("| `bytes` | |\n")).len(), 1);
    }

    #[test]
    fn a_stale_row_is_found() {
        let list =
            "| `bytes` | shared buffers without copies |\n| `gone` | was used once for this |\n";
        assert_eq!(find(&tree(list)).len(), 1);
    }

    #[test]
    fn a_dependency_that_no_crate_uses_is_found() {
        let mut tree = tree("| `bytes` | shared buffers without copies |\n");
        tree.packages.clear();
        let problems: Vec<_> = find(&tree).into_iter().map(|one| one.problem).collect();
        assert_eq!(problems, ["no crate uses `bytes`"]);
    }

    #[test]
    fn a_crate_inherits_its_versions() {
        let own =
            "[package]\nname = \"a\"\n[dependencies]\nbytes.workspace = true\nslab = \"0.4\"\n";
        let tree = Tree::of(&[("crates/a/Cargo.toml", own)]);
        let lines: Vec<_> = find(&tree).into_iter().map(|one| one.line).collect();
        assert_eq!(lines, [5]);
    }
}
