//! Work that was begun and not finished: marks, stubs, and tests that do not run.

use super::code::{Language, Line};
use super::finding::Finding;
use super::tree::Tree;

/// Marks in comments. They are found as whole words, so that `XXXL` is none.
const MARKS: [&str; 4] = ["TODO", "FIXME", "XXX", "HACK"];

/// Stubs and sleeping tests of Rust.
const RUST: [&str; 3] = ["todo!", "unimplemented!", "#[ignore"];

/// What makes a test of TypeScript sleep, or puts all others to sleep.
const TYPESCRIPT: [&str; 3] = [".only", ".skip", ".todo"];
const SUITES: [&str; 4] = ["it", "test", "describe", "suite"];

const MARK_HINT: &str = "do it, or say in a sentence why the code is as it is";
const STUB_HINT: &str = "finish it, or remove it";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.code() {
        let Some(language) = source.language() else {
            continue;
        };
        for (number, line) in source.numbered() {
            if let Some(mark) = mark_in(&line.comment) {
                let problem = format!("a comment holds `{mark}`");
                findings.push(Finding::at(&source.path, number, problem, MARK_HINT));
            }
            if let Some(stub) = stub_in(line, language) {
                let problem = format!("unfinished: `{stub}`");
                findings.push(Finding::at(&source.path, number, problem, STUB_HINT));
            }
        }
    }
    findings
}

fn mark_in(comment: &str) -> Option<&str> {
    comment
        .split(|character: char| !character.is_alphanumeric() && character != '_')
        .find(|word| MARKS.contains(word))
}

fn stub_in(line: &Line, language: Language) -> Option<String> {
    match language {
        Language::Rust => RUST
            .into_iter()
            .find(|stub| line.code.contains(stub))
            .map(str::to_owned),
        Language::TypeScript => SUITES
            .into_iter()
            .flat_map(|suite| TYPESCRIPT.map(|what| format!("{suite}{what}")))
            .find(|stub| line.code.trim_start().starts_with(stub.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stubs_and_sleeping_tests_are_found() {
        let text = "// TODO: later\nfn a() { todo!() }\nfn b() { unimplemented!(\"x\") }\n#[ignore = \"slow\"]\n";
        let tree = Tree::of(&[
            ("a.rs", text),
            (
                "a.test.ts",
                "describe.only(\"x\", () => {\n  it.skip(\"y\");\n});\n/* FIXME */\n",
            ),
        ]);
        let lines: Vec<_> = find(&tree)
            .into_iter()
            .map(|one| (one.path, one.line))
            .collect();
        let expected = [("a.rs", 1), ("a.rs", 2), ("a.rs", 3), ("a.rs", 4)]
            .into_iter()
            .chain([("a.test.ts", 1), ("a.test.ts", 2), ("a.test.ts", 4)]);
        assert!(
            lines
                .iter()
                .map(|(path, line)| (path.as_str(), *line))
                .eq(expected),
            "{lines:?}"
        );
    }

    #[test]
    fn words_in_code_and_text_are_no_leftovers() {
        let text = "let a = \"TODO todo!()\";\nlet b = items.skip(1);\n// XXXL\n";
        assert_eq!(find(&Tree::of(&[("a.rs", text)])), []);
    }
}
