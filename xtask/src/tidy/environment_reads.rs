//! The environment is read in one place, where settings are made and documented.

use super::finding::Finding;
use super::tree::Tree;

const READS: [&str; 4] = ["env::var(", "env::var_os(", "env::vars(", "env::vars_os("];

/// The product's crates, and the one module of them that may read the environment.
const PRODUCT: &str = "crates/";
const SETTINGS: [&str; 2] = [
    "crates/tidings/src/settings.rs",
    "crates/tidings/src/settings/",
];

const HINT: &str = "make it a setting in `crates/tidings/src/settings`, and pass the value on";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.rust() {
        let product = source.path.starts_with(PRODUCT) && source.path.contains("/src/");
        if !product || SETTINGS.iter().any(|path| source.path.starts_with(path)) {
            continue;
        }
        let first_test = source
            .test_lines()
            .next()
            .map_or(usize::MAX, |(number, _)| number);
        for (number, line) in source
            .numbered()
            .take_while(|(number, _)| *number < first_test)
        {
            let clap = line.code.contains("arg(") && line.code.contains("env = ");
            let read = READS.iter().any(|read| line.code.contains(read));
            if clap || read {
                findings.push(Finding::at(
                    &source.path,
                    number,
                    "the environment is read here",
                    HINT,
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_and_tests_read_the_environment() {
        let read = "let a = std::env::var(\"X\");";
        let tree = Tree::of(&[
            ("crates/tidings-log/src/lib.rs", read),
            ("crates/tidings/src/settings/environment.rs", read),
            ("crates/tidings-log/tests/it/crash.rs", read),
            (
                "crates/tidings/src/cli.rs",
                "#[arg(long, env = \"X\")]\nlet env = 1;",
            ),
        ]);
        let places: Vec<_> = find(&tree)
            .into_iter()
            .map(|one| (one.path, one.line))
            .collect();
        let expected = [
            ("crates/tidings-log/src/lib.rs", 1),
            ("crates/tidings/src/cli.rs", 1),
        ];
        assert_eq!(places, expected.map(|(path, line)| (path.to_owned(), line)));
    }
}
