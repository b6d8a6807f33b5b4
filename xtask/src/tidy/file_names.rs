//! A file is named after the idea in it; a drawer for everything has no name.

use super::finding::Finding;
use super::tree::Tree;

const BANNED: [&str; 14] = [
    "common",
    "handler",
    "handlers",
    "helper",
    "helpers",
    "manager",
    "managers",
    "misc",
    "service",
    "services",
    "types",
    "util",
    "utils",
    "utilities",
];

const HINT: &str =
    "name the file after the one idea in it, a word of the glossary where there is one";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    tree.code()
        .filter_map(|source| {
            let banned = source
                .path
                .split('/')
                .map(|part| part.split('.').next().unwrap_or(part))
                .find(|part| BANNED.contains(&part.to_ascii_lowercase().as_str()))?;
            let problem = format!("`{banned}` says nothing about what is in it");
            Some(Finding::at(&source.path, 0, problem, HINT))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawers_are_refused_as_file_and_as_folder() {
        let tree = Tree::of(&[
            ("crates/a/src/utils.rs", ""),
            ("packages/client/src/helpers/x.ts", ""),
            ("crates/a/src/event_type.rs", ""),
            ("docs/common.md", ""),
        ]);
        let paths: Vec<_> = find(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(
            paths,
            ["crates/a/src/utils.rs", "packages/client/src/helpers/x.ts"]
        );
    }
}
