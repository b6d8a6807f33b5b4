//! Settings files: their lines, their tables, their rules.

use std::time::Duration;

use tempfile::tempdir;
use tidings::settings::limits::{FILE_BYTES_MAX, RETENTION_RULES_MAX};
use tidings::settings::{Environment, Faults, Layer, Purpose, Settings, Sources, gather};

use crate::settings::resolve;

const SECRET: (&str, &str) = ("TIDINGS_AUTH_SECRET", "0123456789abcdef0123456789abcdef");

fn read(file: &str) -> Result<Settings, Faults> {
    resolve(file, &[SECRET], Layer::default(), false)
}

fn refused(file: &str) -> String {
    read(file).expect_err(file).to_string()
}

#[test]
fn rules_of_retention_are_read() {
    let rules = read(
        "[[retention.rule]]\npattern = \"project/**\"\nage = \"1h\"\n\n\
         [[retention.rule]]\npattern = \"a\"\nbytes = \"1MiB\"\ncount = 5\n",
    )
    .expect("fine")
    .retention
    .rules;
    assert_eq!(rules.len(), 2);
    assert_eq!(rules[0].pattern.as_str(), "project/**");
    assert_eq!(rules[0].age, Some(Duration::from_secs(3_600)));
    assert_eq!(
        (rules[1].bytes, rules[1].count),
        (Some(1024 * 1024), Some(5))
    );
}

#[test]
fn a_rule_that_bounds_nothing_or_too_much_is_refused() {
    let rule = |lines: &str| refused(&format!("[[retention.rule]]\n{lines}"));
    for (lines, expected) in [
        ("pattern = \"a\"", "bounds nothing"),
        ("age = \"1h\"", "has no `pattern`"),
        (
            "pattern = \"a*\"\nage = \"1h\"",
            "a wildcard is a whole segment",
        ),
        ("pattern = \"a\"\nage = 5", "not a duration"),
        ("pattern = \"a\"\nage = \"30s\"", "under 4 heartbeats"),
        (
            "pattern = \"a\"\nage = \"7d\"",
            "longer than `retention.age`",
        ),
        ("pattern = \"a\"\ncount = 0", "keeps nothing"),
        ("patern = \"a\"\ncount = 1", "did you mean `pattern`"),
    ] {
        let shown = rule(lines);
        assert!(shown.contains(expected), "{lines}: {shown}");
    }
    assert!(refused("[retention.rule]\npattern = \"a\"").contains("[[retention.rule]]"));
    let many = "[[retention.rule]]\npattern = \"a\"\ncount = 1\n";
    read(&many.repeat(RETENTION_RULES_MAX)).expect("as many as allowed");
    let shown = refused(&many.repeat(RETENTION_RULES_MAX + 1));
    assert!(shown.contains("more than"), "{shown}");
}

#[test]
fn a_fault_names_its_line() {
    let shown = refused("# one\n\nheartbeat = \"soon\"\n");
    assert!(shown.contains("tidings.toml:3"), "{shown}");
    let shown = refused("heartbeat = \"15s\"\nheartbeat = \"16s\"\n");
    assert!(shown.contains("tidings.toml:2"), "{shown}");
    let shown = refused("limits = 3\n");
    assert!(shown.contains("write `[limits]`"), "{shown}");
}

#[test]
fn what_a_file_that_is_no_toml_may_hold_is_not_said_to_be_missing() {
    let faults = resolve("[auth\nsecret = 1", &[], Layer::default(), false).expect_err("no TOML");
    let shown = faults.to_string();
    assert!(shown.starts_with("error: it is not TOML: "), "{shown}");
    assert_eq!(faults.0.len(), 1, "{shown}");
}

#[test]
fn a_file_that_is_named_must_be_there_and_be_small() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join("settings.toml");
    let named = |variables: &[(&str, &str)], config| {
        gather(Sources {
            config,
            environment: &Environment::new(variables.iter().copied()),
            flags: Layer::default(),
            development: true,
        })
        .resolve(Purpose::Inspect)
    };
    named(&[], Some(path.clone())).expect_err("not there");
    let variable = ("TIDINGS_CONFIG", path.to_str().expect("UTF-8"));
    named(&[variable], None).expect_err("not there");

    std::fs::write(&path, "heartbeat = \"5s\"").expect("written");
    let settings = named(&[variable], None).expect("there");
    assert_eq!(settings.heartbeat, Duration::from_secs(5));

    std::fs::write(&path, "#".repeat(FILE_BYTES_MAX as usize)).expect("written");
    named(&[], Some(path.clone())).expect("as large as allowed");
    std::fs::write(&path, "#".repeat(FILE_BYTES_MAX as usize + 1)).expect("written");
    let shown = named(&[], Some(path)).expect_err("too large").to_string();
    assert!(shown.contains("larger than 1MiB"), "{shown}");
}
