//! `tidings key`: keys that a hub takes, made and revoked in its data directory.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::{TempDir, tempdir};
use tidings_auth::key::Keys;
use tidings_auth::limits::KEY_NAME_BYTES_MAX;
use tidings_auth::store::LocalStore;
use tidings_core::credential::{Credential, CredentialId};
use tidings_core::port::{AuthFailure, SharedStore};
use tidings_core::time::Timestamp;

use crate::program::{Ran, run};
use crate::running::Hub;

fn now() -> Timestamp {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp(now.expect("after 1970").as_millis() as u64)
}

fn create(directory: &TempDir, more: &[&str]) -> Ran {
    let mut arguments = vec![
        "key",
        "create",
        "--name",
        "the build",
        "--subject",
        "builds",
    ];
    arguments.extend(more);
    run(directory.path(), &[], &arguments)
}

fn made(directory: &TempDir, more: &[&str]) -> String {
    let ran = create(directory, more);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let key = ran.out.strip_suffix('\n').expect("one line").to_owned();
    assert!(!key.contains(char::is_whitespace));
    assert!(!ran.err.contains(&key), "shown once: {}", ran.err);
    assert!(ran.err.contains("not shown again"), "{}", ran.err);
    key
}

fn id(key: &str) -> &str {
    key.split('_').nth(1).expect("an id")
}

const IN_DATA: [&str; 2] = ["--data-dir", "data"];

#[test]
fn a_key_says_what_the_flags_say() {
    let directory = tempdir().expect("a directory");
    let flags = [
        &IN_DATA[..],
        &["--role", "CI", "--subscribe", "a/**", "--publish", "@all"],
        &["--publish", "a/*", "--admin", "--ttl", "90d"],
    ];
    let text = made(&directory, &flags.concat());
    let keys = Keys::open(&directory.path().join("data")).expect("readable");
    let key = keys.verify(&text, now()).expect("good");
    assert_eq!(&*key.id, id(&text));
    assert_eq!(key.name, "the build");
    assert_eq!(key.subject.as_str(), "builds");
    assert_eq!(key.roles.len(), 1);
    assert_eq!(key.grants.subscribe.len(), 1);
    assert_eq!(key.grants.publish.len(), 2);
    assert!(key.grants.administer);
    let left = key.expires_at.expect("an end").since(now());
    let days = Duration::from_secs(90 * 24 * 3_600);
    assert!(left <= days && left + Duration::from_secs(3_600) > days);
}

#[test]
fn keys_are_listed_without_their_secrets() {
    let directory = tempdir().expect("a directory");
    let list = |more: &[&str]| {
        let arguments = [&["key", "list"], &IN_DATA[..], more].concat();
        run(directory.path(), &[], &arguments)
    };
    let none = list(&[]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert!(none.err.contains("no keys in `data`"), "{}", none.err);
    let (first, second) = (made(&directory, &IN_DATA), made(&directory, &IN_DATA));
    let shown = list(&[]);
    let lines: Vec<&str> = shown.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", shown.out);
    for key in [&first, &second] {
        let line = lines.iter().find(|line| line.starts_with(id(key)));
        let line = line.expect("it is listed");
        assert!(line.contains("active   made 2"), "{line}");
        assert!(line.ends_with("without end  builds  the build"), "{line}");
    }
    let shown = list(&["--json"]).out;
    for (line, key) in shown.lines().zip([&first, &second]) {
        let entry: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(entry["state"], "active");
        assert_eq!(entry["subject"], "builds");
        assert_eq!(entry["expiresAt"], serde_json::Value::Null);
        assert_eq!(entry["id"].as_str().map(str::len), Some(id(key).len()));
    }
    for key in [first, second] {
        let secret = key.rsplit('_').next().expect("a secret");
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn a_revoked_key_and_what_it_opened_count_no_longer() {
    let directory = tempdir().expect("a directory");
    let text = made(&directory, &IN_DATA);
    let revoke = |id: &str| {
        let arguments = [&["key", "revoke", id], &IN_DATA[..]].concat();
        run(directory.path(), &[], &arguments)
    };
    let unknown = revoke("AAAAAAAAAAAA");
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("tidings key list"), "{}", unknown.err);
    let ran = revoke(id(&text));
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
    let data = directory.path().join("data");
    let keys = Keys::open(&data).expect("readable");
    let refused = keys.verify(&text, now()).map(|_| ());
    assert_eq!(refused, Err(AuthFailure::Revoked));
    let store = LocalStore::open(&data).expect("readable");
    let derived = Credential {
        id: Some(CredentialId::Key(id(&text).into())),
        ..Credential::default()
    };
    let revocations = store.revocations();
    assert!(revocations.find(None, &derived, now()).is_some());
    assert_eq!(revoke(id(&text)).code, Some(0), "once more does no harm");
}

#[test]
fn keys_are_made_and_revoked_beside_a_running_hub() {
    let directory = tempdir().expect("a directory");
    let hub = Hub::start(directory.path(), &[]);
    // The development hub of this directory is the one that is meant.
    let text = made(&directory, &[]);
    let data = directory.path().join("tidings-data");
    let keys = Keys::open(&data).expect("readable");
    assert!(keys.verify(&text, now()).is_ok());
    let ran = run(directory.path(), &[], &["key", "revoke", id(&text)]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(keys.poll().expect("readable"));
    let refused = keys.verify(&text, now()).map(|_| ());
    assert_eq!(refused, Err(AuthFailure::Revoked));
    hub.signal("TERM");
    assert!(hub.end().success());
}

#[test]
fn the_data_directory_is_that_of_the_settings() {
    let directory = tempdir().expect("a directory");
    let there = |path: &str| directory.path().join(path).join("auth/keys.jsonl").exists();
    fs::write(
        directory.path().join("tidings.toml"),
        "data_dir = \"filed\"\n",
    )
    .expect("written");
    fs::create_dir(directory.path().join("tidings-data")).expect("made");
    made(&directory, &[]);
    assert!(there("filed") && !there("tidings-data"));
    fs::remove_file(directory.path().join("tidings.toml")).expect("removed");
    made(&directory, &[]);
    assert!(there("tidings-data"));
    let variables = [("TIDINGS_DATA_DIR", "named")];
    let arguments = ["key", "create", "--name", "n", "--subject", "u"];
    let ran = run(directory.path(), &variables, &arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(there("named"));
    fs::write(directory.path().join("tidings.toml"), "dta_dir = \"x\"\n").expect("written");
    let ran = run(directory.path(), &[], &arguments);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("did you mean `data_dir`"), "{}", ran.err);
}

#[test]
fn a26_a_file_of_keys_that_everybody_can_read_is_refused() {
    let directory = tempdir().expect("a directory");
    made(&directory, &IN_DATA);
    let path = directory.path().join("data/auth/keys.jsonl");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("set");
    let ran = create(&directory, &IN_DATA);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(
        ran.err.contains("hint: `chmod 600 data/auth/keys.jsonl`"),
        "{}",
        ran.err
    );
}

#[test]
fn a_key_that_cannot_be_made_says_why() {
    let directory = tempdir().expect("a directory");
    let long = "n".repeat(KEY_NAME_BYTES_MAX + 1);
    let arguments = ["key", "create", "--name", &long, "--subject", "u"];
    let ran = run(directory.path(), &[], &[&arguments[..], &IN_DATA].concat());
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("128 bytes"), "{}", ran.err);
    fs::write(directory.path().join("file"), "").expect("written");
    let ran = create(&directory, &["--data-dir", "file"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    assert!(ran.err.contains("hint:"), "{}", ran.err);
}
