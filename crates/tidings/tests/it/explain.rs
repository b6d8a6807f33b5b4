//! `tidings auth explain`: why a credential is accepted or refused, and what it may do.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use tempfile::{TempDir, tempdir};

use crate::program::{Ran, command, ran, run};

const SECRET: (&str, &str) = ("TIDINGS_AUTH_SECRET", "0123456789abcdef0123456789abcdef");

const RULES: &str = "data_dir = \"data\"\n\
    [[rule]]\nroles = [\"EDITOR\"]\nsubscribe = [\"project/*\", \"workspace/{workspace}/**\"]\n\
    [[rule]]\nroles = [\"ADMIN\"]\nsubscribe = [\"**\"]\n";

fn with_rules() -> TempDir {
    let directory = tempdir().expect("a directory");
    fs::write(directory.path().join("tidings.toml"), RULES).expect("written");
    directory
}

fn editor(directory: &Path) -> String {
    let arguments = ["token", "--sub", "u1", "--role", "EDITOR", "--publish", "a"];
    run(directory, &[SECRET], &arguments).out.trim().to_owned()
}

fn explain(directory: &Path, arguments: &[&str]) -> Ran {
    run(
        directory,
        &[SECRET],
        &[&["auth", "explain"], arguments].concat(),
    )
}

/// No part of a credential that is secret is said again.
fn is_silent(ran: &Ran, credential: &str) {
    for part in credential
        .split(['.', '_', '='])
        .filter(|part| part.len() > 12)
    {
        assert!(
            !ran.out.contains(part) && !ran.err.contains(part),
            "{ran:?}"
        );
    }
}

#[test]
fn an_accepted_token_is_explained_with_its_rules() {
    let directory = with_rules();
    let token = editor(directory.path());
    let ran = explain(
        directory.path(),
        &["--token", &token, "--topic", "project/42"],
    );
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    for words in [
        "accepted",
        "subject         u1",
        "roles           EDITOR",
        "rule 1          applies: ",
        "left out `workspace/{workspace}/**`: ",
        "rule 2          does not apply: ",
        "`project/42` is allowed",
        "publish         `project/42` is refused",
    ] {
        assert!(ran.out.contains(words), "no `{words}` in {}", ran.out);
    }
    is_silent(&ran, &token);
}

#[test]
fn the_same_is_said_as_json() {
    let directory = with_rules();
    let token = editor(directory.path());
    let ran = explain(
        directory.path(),
        &["--json", "--token", &token, "--topic", "project/42"],
    );
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let json: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(json["identity"]["subject"], "u1", "{json:#}");
    assert_eq!(json["rules"].as_array().map(Vec::len), Some(2), "{json:#}");
    is_silent(&ran, &token);
}

#[test]
fn refused_and_revoked_credentials_are_exit_code_one_and_not_repeated() {
    let directory = with_rules();
    let token = editor(directory.path());
    let middle = token.len() / 2;
    let other = if &token[middle..=middle] == "A" {
        "B"
    } else {
        "A"
    };
    let forged = format!("{}{other}{}", &token[..middle], &token[middle + 1..]);
    let key = run(
        directory.path(),
        &[],
        &["key", "create", "--name", "n", "--subject", "u1"],
    );
    let wrong_key = format!("{}x", key.out.trim());
    for credential in [&forged, &wrong_key, "CANARY-0123456789-0123456789"] {
        for json in [&[][..], &["--json"]] {
            let ran = explain(directory.path(), &[&["--token", credential], json].concat());
            assert_eq!(ran.code, Some(1), "{}", ran.out);
            assert!(ran.out.contains("refused"), "{}", ran.out);
            assert!(
                ran.err.contains("the credential is not accepted"),
                "{}",
                ran.err
            );
            is_silent(&ran, credential);
        }
    }
    let cookie = "authjs.session-token=CANARY-0123456789; other=CANARY-0123456789";
    let variables = [SECRET, ("AUTH_SECRET", "fedcba9876543210fedcba9876543210")];
    let ran = run(
        directory.path(),
        &variables,
        &["auth", "explain", "--cookie", cookie],
    );
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.out.contains("refused"), "{}", ran.out);
    is_silent(&ran, cookie);

    assert_eq!(
        explain(directory.path(), &["--token", &token]).code,
        Some(0)
    );
    let revoked = run(directory.path(), &[], &["revoke", "subject:u1"]);
    assert_eq!(revoked.code, Some(0), "{}", revoked.err);
    let ran = explain(directory.path(), &["--token", &token]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("revoked         subject:u1"),
        "{}",
        ran.out
    );
}

#[test]
fn a_credential_comes_from_standard_input_or_from_a_variable() {
    let directory = with_rules();
    let token = editor(directory.path());
    let mut process = command(
        directory.path(),
        &[SECRET],
        &["auth", "explain", "--token", "-"],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .expect("the program starts");
    let mut stdin = process.stdin.take().expect("piped");
    writeln!(stdin, "{token}").expect("written");
    drop(stdin);
    let shown = ran(process.wait_with_output().expect("it ends"));
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    assert!(shown.out.contains("subject         u1"), "{}", shown.out);
    is_silent(&shown, &token);

    let variables = [SECRET, ("TIDINGS_TOKEN", token.as_str())];
    let shown = run(directory.path(), &variables, &["auth", "explain"]);
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    let help = run(directory.path(), &variables, &["auth", "explain", "--help"]);
    assert!(!help.out.contains(&token), "{}", help.out);

    let ran = explain(directory.path(), &[]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(
        ran.err.contains("give `--token`, `--cookie`"),
        "{}",
        ran.err
    );
    let twice = explain(directory.path(), &["--token", "-", "--cookie", "-"]);
    assert_eq!((twice.code, twice.out.as_str()), (Some(1), ""));
    assert!(twice.err.contains("only one of them"), "{}", twice.err);
}
