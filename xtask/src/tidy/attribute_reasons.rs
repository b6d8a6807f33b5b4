//! A lint is silenced with a reason, and by `expect`, so that the exception goes when its cause does.

use super::finding::Finding;
use super::tree::{Source, Tree};

/// An attribute over more lines than this is none that silences a lint.
const ATTRIBUTE_LINES_MAX: usize = 12;

const HINT: &str = "write `#[expect(lint, reason = \"why\")]`";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.rust() {
        for (number, line) in source.numbered() {
            let code = line.code.trim_start();
            let allow = ["#[allow(", "#![allow("]
                .iter()
                .any(|start| code.starts_with(start));
            let expect = ["#[expect(", "#![expect("]
                .iter()
                .any(|start| code.starts_with(start));
            if (allow || expect) && !attribute(source, number).contains("reason =") {
                findings.push(Finding::at(
                    &source.path,
                    number,
                    "a lint is silenced without a reason",
                    HINT,
                ));
            }
        }
    }
    findings
}

/// The attribute that begins at this line, joined over its lines.
fn attribute(source: &Source, number: usize) -> String {
    let mut joined = String::new();
    for (_, line) in source.numbered().skip(number - 1).take(ATTRIBUTE_LINES_MAX) {
        joined.push_str(&line.code);
        if line.code.contains(")]") {
            break;
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silenced_lint_needs_its_reason() {
        let text = "#[allow(dead_code)]\n#[expect(\n  dead_code,\n  reason = \"why\"\n)]\n#![allow(\n  x\n)]\nfn a() {}\n";
        let lines: Vec<_> = find(&Tree::of(&[("a.rs", text)]))
            .into_iter()
            .map(|one| one.line)
            .collect();
        assert_eq!(lines, [1, 6]);
    }
}
