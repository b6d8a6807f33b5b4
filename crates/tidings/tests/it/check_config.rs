//! `tidings check-config` and the refusals of `tidings serve`.

use std::fs;

use tempfile::tempdir;

use crate::program::run;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn the_effective_settings_are_printed_with_their_origins() {
    let directory = tempdir().expect("a directory");
    let file = "heartbeat = \"10s\"\n[limits]\nconnections = 5\n\n[[retention.rule]]\n\
                pattern = \"a/**\"\nage = \"1h\"\ncount = 9\n";
    fs::write(directory.path().join("tidings.toml"), file).expect("written");
    let variables = [("NEXTAUTH_SECRET", SECRET), ("TIDINGS_LOG_FORMAT", "json")];
    let ran = run(directory.path(), &variables, &["check-config", "--dev"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    insta::assert_snapshot!(ran.out);
    // What is printed is a settings file, but for the secret.
    let again = ran.out.replace("[masked]", SECRET);
    fs::write(directory.path().join("tidings.toml"), again).expect("written");
    let again = run(directory.path(), &[], &["check-config", "--dev"]);
    assert_eq!(again.code, Some(0), "{}", again.err);
}

#[test]
fn the_reference_is_as_published() {
    let directory = tempdir().expect("a directory");
    let ran = run(directory.path(), &[], &["check-config", "--reference"]);
    assert_eq!(ran.code, Some(0));
    insta::assert_snapshot!(ran.out);
}

#[test]
fn wrong_settings_are_exit_code_one_with_everything_on_stderr() {
    let directory = tempdir().expect("a directory");
    let variables = [
        ("TIDINGS_SHARD", "1"),
        ("TIDINGS_HEARTBEAT", "1"),
        ("SSE_JWT_SECRET", "CANARY"),
    ];
    for verb in ["check-config", "serve"] {
        let ran = run(directory.path(), &variables, &[verb]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{verb}");
        assert_eq!(ran.err.matches("error: ").count(), 3, "{}", ran.err);
        assert!(
            ran.err.contains("did you mean `TIDINGS_SHARDS`?"),
            "{}",
            ran.err
        );
        assert!(!ran.err.contains("CANARY"), "{}", ran.err);
    }
}

#[test]
fn serve_without_a_secret_says_which_line_to_add() {
    let directory = tempdir().expect("a directory");
    let ran = run(directory.path(), &[], &["serve"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    insta::assert_snapshot!(ran.err);
}
