//! Every Rust file opens with what it is and why.

use super::finding::Finding;
use super::tree::Tree;

const HINT: &str = "open the file with a `//!` line that says what it is";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    tree.rust()
        .filter(|source| {
            let first = source.text.lines().next().unwrap_or_default();
            first
                .strip_prefix("//!")
                .is_none_or(|words| words.trim().is_empty())
        })
        .map(|source| Finding::at(&source.path, 1, "the file does not say what it is", HINT))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_docs_is_found() {
        let tree = Tree::of(&[
            ("a.rs", "//! The log.\nuse b;\n"),
            ("b.rs", "use b;\n"),
            ("c.rs", "//!\n"),
            ("d.rs", ""),
        ]);
        let paths: Vec<_> = find(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(paths, ["b.rs", "c.rs", "d.rs"]);
    }
}
