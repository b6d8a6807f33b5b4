//! Limits of the settings file, reached in a running hub.

use tempfile::tempdir;
use tidings_testkit::program::Program;

use crate::program::run;

#[test]
fn m2_the_operators_limits_of_events_and_bodies_hold() {
    let folder = tempdir().expect("a directory");
    let program = Program::new(env!("CARGO_BIN_EXE_tidings"), folder.path())
        .with_setting("TIDINGS_LIMITS_EVENT_BYTES", "100")
        .with_setting("TIDINGS_LIMITS_BODY_BYTES", "400");
    let hub = program
        .start("127.0.0.1:0".parse().expect("an address"))
        .expect("a hub");
    let url = format!("http://{}", hub.address);
    let token = program.token("p", &["--publish", "a"]).expect("a token");
    let publish = |bytes: usize| {
        let data = format!("\"{}\"", "x".repeat(bytes - 2));
        let arguments = [
            "publish", "--url", &url, "--token", &token, "--topic", "a", "--type", "t", &data,
        ];
        run(folder.path(), &[], &arguments)
    };
    assert_eq!(publish(100).code, Some(0), "{}", publish(100).err);
    let large = publish(101);
    assert_eq!(large.code, Some(1));
    assert!(
        large.err.contains("101 bytes where at most 100"),
        "{}",
        large.err
    );
    let body = publish(500);
    assert_eq!(body.code, Some(1));
    assert!(body.err.contains("400 bytes"), "{}", body.err);
}
