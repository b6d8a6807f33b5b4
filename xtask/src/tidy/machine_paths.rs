//! Nothing in the tree may depend on where somebody's checkout or home is.

use std::path::Path;

use super::finding::Finding;
use super::tree::Tree;

/// Where systems keep people's homes; in two pieces, so that this file is not found by its own rule.
const HOMES: [&str; 3] = [
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/ro", "ot/"),
];

/// Recorded data is kept as it was found.
const DATA: [&str; 3] = ["ndjson", "lock", "svg"];

const HINT: &str = "write the path relative to the workspace, or take it as an argument";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let checkout = own_path(&tree.root);
    let mut findings = Vec::new();
    for source in &tree.sources {
        let extension = source.path.rsplit('.').next().unwrap_or_default();
        if DATA.contains(&extension) {
            continue;
        }
        for (number, line) in (1..).zip(source.text.lines()) {
            let paths = HOMES.into_iter().chain(checkout.as_deref());
            if paths.into_iter().any(|path| names(line, path)) {
                findings.push(Finding::at(
                    &source.path,
                    number,
                    "a path of one machine",
                    HINT,
                ));
            }
        }
    }
    findings
}

/// The checkout's own path, unless it is so short that it could be anybody's.
fn own_path(root: &Path) -> Option<String> {
    let deep = root.components().count() > 2;
    deep.then(|| root.to_string_lossy().into_owned())
}

/// Whether the line holds the path at the start of a word: `https://example.org/home/` is another's.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        before.is_none_or(|character| !character.is_alphanumeric() && !"}/.-_*".contains(character))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_and_the_checkout_are_found() {
        let home = format!("cd {}me/ann/x", "/ho");
        let tree = Tree::of(&[
            ("README.md", home.as_str()),
            ("a.rs", "let a = \"/srv/checkouts/tidings/b\";"),
            ("b.md", "https://example.org/home/x and ./home/y"),
        ]);
        let paths: Vec<_> = find(&tree).into_iter().map(|one| one.path).collect();
        assert_eq!(paths, ["README.md", "a.rs"]);
    }
}
