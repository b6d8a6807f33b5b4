//! `tidings bench` against a real hub.

use serde_json::Value;
use tempfile::tempdir;
use tidings_testkit::program::Program;

use crate::program::run;

#[test]
fn a_load_is_measured_and_every_reader_sees_every_event() {
    let folder = tempdir().expect("a directory");
    let program = Program::new(env!("CARGO_BIN_EXE_tidings"), folder.path());
    let hub = program
        .start("127.0.0.1:0".parse().expect("an address"))
        .expect("a hub");
    let url = format!("http://{}", hub.address);
    let data_dir = program.data_dir();
    let data_dir = data_dir.to_str().expect("UTF-8");
    let token = [
        "token",
        "--sub",
        "load",
        "--subscribe",
        "bench/*",
        "--publish",
        "bench/*",
    ];
    let token = run(
        folder.path(),
        &[],
        &[&token[..], &["--data-dir", data_dir]].concat(),
    );
    let variables = [
        ("TIDINGS_URL", url.as_str()),
        ("TIDINGS_TOKEN", token.out.trim()),
    ];
    let load = [
        "bench",
        "--readers",
        "5",
        "--publishers",
        "2",
        "--duration",
        "1s",
        "--json",
    ];

    let ran = run(folder.path(), &variables, &load);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    let number = |name: &str| report[name].as_u64().expect(name);
    assert!(number("published") > 0, "{report}");
    assert_eq!(number("delivered"), number("published") * 5, "{report}");
    assert_eq!(
        (number("missing"), number("repeated"), number("gaps")),
        (0, 0, 0),
        "{report}"
    );

    let elsewhere = [&load[..], &["--topic", "elsewhere"]].concat();
    let refused = run(folder.path(), &variables, &elsewhere);
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert!(refused.err.contains("hint: "), "{}", refused.err);
}

#[test]
fn readers_that_the_hub_does_not_admit_are_an_error_that_says_why() {
    let folder = tempdir().expect("a directory");
    let program = Program::new(env!("CARGO_BIN_EXE_tidings"), folder.path())
        .with_setting("TIDINGS_LIMITS_CONNECTIONS_PER_IDENTITY", "2");
    let hub = program
        .start("127.0.0.1:0".parse().expect("an address"))
        .expect("a hub");
    let url = format!("http://{}", hub.address);
    let token = program
        .token("load", &["--subscribe", "bench/*", "--publish", "bench/*"])
        .expect("a token");
    let variables = [("TIDINGS_URL", url.as_str()), ("TIDINGS_TOKEN", &token)];
    let ran = run(folder.path(), &variables, &["bench", "--readers", "3"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    for part in ["only 2 of 3 readers", "too_many_connections", "hint: "] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
}
