//! What the program says of itself.

use tempfile::tempdir;

use crate::program::run;

#[test]
fn the_help_of_every_verb_is_as_published() {
    let directory = tempdir().expect("a directory");
    for verb in [
        "",
        "serve",
        "publish",
        "tail",
        "token",
        "auth",
        "auth explain",
        "key",
        "key create",
        "key list",
        "key revoke",
        "revoke",
        "check-config",
        "health",
        "bench",
    ] {
        let mut arguments: Vec<&str> = verb.split_whitespace().collect();
        arguments.push("--help");
        // The width of the help follows the terminal; this is what it is without one.
        let ran = run(directory.path(), &[("COLUMNS", "100")], &arguments);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{verb}");
        let name = match verb {
            "" => "tidings".to_owned(),
            verb => verb.replace(' ', "_"),
        };
        insta::assert_snapshot!(format!("help_{name}"), ran.out);
    }
}

#[test]
fn a_command_line_that_is_not_understood_is_exit_code_two() {
    let directory = tempdir().expect("a directory");
    for arguments in [
        vec![],
        vec!["serv"],
        vec!["serve", "--lisen", "x"],
        vec!["serve", "--listen", "nowhere"],
        vec!["token"],
        vec!["publish", "1"],
        vec!["publish", "--type", "a", "--topic", "a*", "1"],
        vec!["publish", "--type", "a", "--file", "f", "1"],
        vec!["publish", "--type", "a", "--id-field", "id", "1"],
        vec!["publish", "--file", "f", "--topic-template", "a/{b"],
        vec!["tail", "--topic", "a//b"],
        vec!["tail", "--events", "a b"],
        vec!["token", "--sub", "a%2Fb"],
        vec!["token", "--sub", "u1", "--subscribe", "a*"],
        vec!["token", "--sub", "u1", "--ttl", "soon"],
        vec!["auth"],
        vec!["auth", "explain", "--topic", "a*"],
        vec!["key"],
        vec!["key", "create", "--name", "n"],
        vec!["key", "create", "--name", "n", "--subject", "a%2Fb"],
        vec![
            "key",
            "create",
            "--name",
            "n",
            "--subject",
            "u",
            "--ttl",
            "0s",
        ],
        vec!["key", "revoke"],
        vec!["revoke"],
        vec!["revoke", "u1"],
        vec!["revoke", "subject:u1", "--list"],
        vec!["revoke", "subject:u1", "--lift", "--issued-before", "now"],
        vec!["check-config", "--reference", "--dev"],
    ] {
        let ran = run(directory.path(), &[], &arguments);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!ran.err.is_empty(), "{arguments:?}");
    }
}
