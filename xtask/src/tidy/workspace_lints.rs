//! Every crate takes its lints from the workspace, else the shared rules silently do not hold there.

use super::finding::Finding;
use super::tree::Tree;

const HINT: &str = "add `[lints]` with `workspace = true` to the manifest";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    tree.sources
        .iter()
        .filter(|source| source.path.ends_with("/Cargo.toml"))
        .filter(|source| source.text.contains("[package]") && !inherits(&source.text))
        .map(|source| Finding::at(&source.path, 0, "the crate has lints of its own", HINT))
        .collect()
}

fn inherits(manifest: &str) -> bool {
    let mut in_lints = false;
    manifest.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            in_lints = line == "[lints]";
        }
        (in_lints && line == "workspace = true") || line == "lints.workspace = true"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_the_shared_lints_is_found() {
        let tree = Tree::of(&[
            (
                "crates/a/Cargo.toml",
                "[package]\nname = \"a\"\n[lints]\nworkspace = true\n",
            ),
            ("crates/b/Cargo.toml", "[package]\nname = \"b\"\n"),
            (
                "crates/c/Cargo.toml",
                "[package]\n[lints]\n[features]\nworkspace = true\n",
            ),
        ]);
        let paths: Vec<_> = find(&tree).into_iter().map(|one| one.path).collect();
        assert_eq!(paths, ["crates/b/Cargo.toml", "crates/c/Cargo.toml"]);
    }
}
