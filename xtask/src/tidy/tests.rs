//! The rules as a whole: exceptions, and what fails a run.

use super::*;

const NAP: (&str, &str) = (
    "crates/a/tests/it/b.rs",
    "//! Naps.\nfn nap() { std::thread::sleep(D); }\n",
);

/// Findings of the rule of sleeps and of the exceptions' own file.
fn findings(exceptions: &str) -> Vec<String> {
    let tree = Tree::of(&[NAP, ("xtask/tidy-exceptions.txt", exceptions)]);
    judge(&tree)
        .findings
        .into_iter()
        .filter(|(check, _)| ["sleeps", exceptions::NAME].contains(check))
        .map(|(check, finding)| format!("{check}:{}", finding.problem))
        .collect()
}

#[test]
fn a_broken_rule_fails_the_run() {
    let outcome = judge(&Tree::of(&[NAP]));
    assert!(outcome.failed >= 1);
    assert_eq!(outcome.passed + outcome.failed, CHECKS.len() as u64 + 1);
    assert_eq!(findings(""), ["sleeps:a test sleeps"]);
}

#[test]
fn an_exception_covers_its_line() {
    let row = "ceiling = 1\nsleeps | crates/a/tests/it/b.rs | thread::sleep(D) | the clock itself is tested\n";
    assert_eq!(findings(row), [""; 0]);
}

#[test]
fn an_exception_needs_a_reason() {
    let row = "sleeps | crates/a/tests/it/b.rs | thread::sleep(D) | \n";
    assert_eq!(
        findings(row),
        [
            "sleeps:a test sleeps",
            "exceptions:this row is no exception"
        ]
    );
}

#[test]
fn the_list_of_exceptions_only_shrinks() {
    let row = "sleeps | crates/a/tests/it/b.rs | thread::sleep(D) | the clock itself is tested\n";
    let beyond = "exceptions:the ceiling is 0, the number of exceptions is: 1";
    assert_eq!(findings(row), [beyond]);
    let unused =
        "ceiling = 1\nsleeps | crates/a/tests/it/c.rs | sleep | the clock itself is tested\n";
    assert_eq!(
        findings(unused),
        [
            "sleeps:a test sleeps",
            "exceptions:this exception covers nothing"
        ]
    );
}

#[test]
fn notes_do_not_fail_a_run() {
    let long = format!("//! Long.\n{}", "\n".repeat(400));
    let outcome = judge(&Tree::of(&[("crates/a/src/lib.rs", &long)]));
    let lengths = |(check, _): &&(&str, Finding)| *check == "file-length";
    let long_ones: Vec<_> = outcome.findings.iter().filter(lengths).collect();
    assert!(matches!(long_ones.as_slice(), [(_, finding)] if finding.level == Level::Note));
}
