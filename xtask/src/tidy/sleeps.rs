//! Tests wait for what they test, never for a clock: a sleep is either too short or wasted.
//!
//! Sleeps of tokio are fine where time is virtual, that is in a test that starts its runtime paused.

use super::code::Language;
use super::finding::Finding;
use super::tree::{Source, Tree};

const RUST: [&str; 3] = ["sleep(", "sleep_until(", "sleep_ms("];
const RUST_REAL: &str = "thread::sleep";
const TYPESCRIPT: [&str; 2] = ["setTimeout(r", "setTimeout(done"];
const PAUSED: &str = "start_paused = true";

const HINT: &str =
    "wait for the event itself (a channel, a line of output, a state), or use virtual time";

pub(crate) fn find(tree: &Tree) -> Vec<Finding> {
    tree.code().flat_map(findings_of).collect()
}

fn findings_of(source: &Source) -> Vec<Finding> {
    // What stands outside of a test is for all of them.
    let mut starts = source
        .test_lines()
        .filter(|(_, line)| starts_runtime(&line.code))
        .peekable();
    let mut paused = starts.peek().is_some() && starts.all(|(_, line)| line.code.contains(PAUSED));
    let mut findings = Vec::new();
    for (number, line) in source.test_lines() {
        if starts_runtime(&line.code) || line.code.contains("#[test]") {
            paused = line.code.contains(PAUSED);
        }
        let nap = match source.language() {
            Some(Language::Rust) => {
                let real = line.code.contains(RUST_REAL);
                RUST.iter().any(|call| calls(&line.code, call)) && (real || !paused)
            }
            _ => TYPESCRIPT.iter().any(|call| line.code.contains(call)),
        };
        if nap {
            findings.push(Finding::at(&source.path, number, "a test sleeps", HINT));
        }
    }
    findings
}

fn starts_runtime(code: &str) -> bool {
    code.trim_start().starts_with("#[tokio::test")
}

/// Whether the code calls this function, and not one whose name only ends like it.
fn calls(code: &str, function: &str) -> bool {
    code.match_indices(function).any(|(at, _)| {
        let before = code.get(..at).unwrap_or_default();
        let longer =
            before.ends_with(|character: char| character.is_alphanumeric() || character == '_');
        !longer && !before.ends_with("fn ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(path: &str, text: &str) -> Vec<usize> {
        find(&Tree::of(&[(path, text)]))
            .into_iter()
            .map(|one| one.line)
            .collect()
    }

    #[test]
    fn sleeps_of_test_files_are_found() {
        let text =
            "fn a() { std::thread::sleep(D); }\nasync fn b() { tokio::time::sleep(D).await; }\n";
        assert_eq!(lines_of("crates/a/tests/it/b.rs", text), [1, 2]);
        let imported =
            "use tokio::time::sleep;\nfn no_sleep() {}\nasync fn c() { sleep(D).await; }\n";
        assert_eq!(lines_of("crates/a/tests/it/b.rs", imported), [3]);
        assert_eq!(lines_of("crates/a/src/b/tests.rs", text), [1, 2]);
        assert_eq!(lines_of("crates/a/src/b.rs", text), [0; 0]);
        assert_eq!(
            lines_of(
                "packages/a/b.test.ts",
                "await new Promise(r => setTimeout(r, 5));"
            ),
            [1]
        );
    }

    #[test]
    fn sleeps_of_inline_tests_are_found() {
        let text = "fn a() { thread::sleep(D); }\n#[cfg(test)]\nmod tests {\n  fn b() { thread::sleep(D); }\n}\n";
        assert_eq!(lines_of("crates/a/src/b.rs", text), [4]);
    }

    #[test]
    fn virtual_time_may_pass() {
        let text = "#[tokio::test(start_paused = true)]\nasync fn a() { tokio::time::sleep(D).await; }\n\
                    #[tokio::test]\nasync fn b() { tokio::time::sleep(D).await; }\n";
        assert_eq!(lines_of("crates/a/tests/it/b.rs", text), [4]);
    }

    #[test]
    fn what_tests_share_runs_in_the_time_of_all_of_them() {
        let shared = "async fn drip() { tokio::time::sleep(D).await; }\n";
        let paused = "#[tokio::test(start_paused = true)]\nasync fn a() { drip().await; }\n";
        let real = "#[tokio::test]\nasync fn b() { drip().await; }\n";
        let path = "crates/a/src/b/tests.rs";
        assert_eq!(lines_of(path, &[shared, paused].concat()), [0; 0]);
        assert_eq!(lines_of(path, &[shared, paused, real].concat()), [1]);
        assert_eq!(lines_of(path, shared), [1]);
    }
}
