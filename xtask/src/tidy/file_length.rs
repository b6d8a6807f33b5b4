//! Files are read whole by people: above the soft limit a file is noted, above the hard one refused.

use super::finding::Finding;
use super::tree::Tree;

const LINES_SOFT: usize = 300;
const LINES_HARD: usize = 500;

const HINT: &str = "split the file by idea: state, transitions, driver, tests";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    tree.code()
        .filter_map(|source| {
            let lines = source.lines.len();
            let over = |limit: usize| {
                let problem = format!("the limit is {limit} lines, the file has: {lines}");
                Finding::at(&source.path, 0, problem, HINT)
            };
            if lines > LINES_HARD {
                Some(over(LINES_HARD))
            } else if lines > LINES_SOFT {
                Some(over(LINES_SOFT).noted())
            } else {
                None
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::finding::Level;

    fn level_of(lines: usize) -> Option<Level> {
        let tree = Tree::of(&[("crates/a/src/lib.rs", &"\n".repeat(lines))]);
        find(&tree).first().map(|finding| finding.level)
    }

    #[test]
    fn long_files_are_noted_and_longer_ones_refused() {
        assert_eq!(level_of(300), None);
        assert_eq!(level_of(301), Some(Level::Note));
        assert_eq!(level_of(500), Some(Level::Note));
        assert_eq!(level_of(501), Some(Level::Error));
    }
}
