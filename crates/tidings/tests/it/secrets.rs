//! Where the secret comes from, and who may read it (A12, A26).

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::{TempDir, tempdir};
use tidings::settings::{Environment, Gathered, Layer, Purpose, Sources, gather};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn gathered(directory: &TempDir, variables: &[(&str, &str)], development: bool) -> Gathered {
    let path = directory.path().join("tidings.toml");
    if !path.exists() {
        let data = directory.path().join("data");
        let file = format!("data_dir = {:?}", data.to_str().expect("UTF-8"));
        fs::write(&path, file).expect("written");
    }
    gather(Sources {
        config: Some(path),
        environment: &Environment::new(variables.iter().copied()),
        flags: Layer::default(),
        development,
    })
}

fn secret_file(directory: &TempDir, text: &str, mode: u32) -> String {
    let path = directory.path().join("secret");
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
    path.to_str().expect("UTF-8").to_owned()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[test]
fn a_secret_file_loses_its_final_line_break_and_nothing_else() {
    let directory = tempdir().expect("a directory");
    for end in ["", "\n", "\r\n"] {
        let file = secret_file(&directory, &format!(" {SECRET}{end}"), 0o600);
        let settings = gathered(&directory, &[("TIDINGS_AUTH_SECRET_FILE", &file)], false)
            .resolve(Purpose::Serve)
            .expect("fine");
        let secret = settings.auth.secret.expect("a secret");
        assert_eq!(secret.expose(), format!(" {SECRET}").as_bytes());
        assert!(settings.warnings.is_empty());
    }
}

#[test]
fn a26_a_world_readable_secret_file_is_warned_of() {
    let directory = tempdir().expect("a directory");
    let file = secret_file(&directory, SECRET, 0o644);
    let settings = gathered(&directory, &[("TIDINGS_AUTH_SECRET_FILE", &file)], false)
        .resolve(Purpose::Serve)
        .expect("fine");
    assert_eq!(settings.warnings.len(), 1);
}

#[test]
fn a_secret_and_a_secret_file_of_one_source_contradict_each_other() {
    let directory = tempdir().expect("a directory");
    let file = secret_file(&directory, &format!("file-{SECRET}"), 0o600);
    let named = ("TIDINGS_AUTH_SECRET_FILE", file.as_str());
    let both = [named, ("TIDINGS_AUTH_SECRET", SECRET)];
    let faults = gathered(&directory, &both, false)
        .resolve(Purpose::Inspect)
        .expect_err("both");
    assert_eq!(faults.0.len(), 1);
    // A variable of another program is weaker than one of ours.
    let foreign = [named, ("NEXTAUTH_SECRET", SECRET)];
    let secret = gathered(&directory, &foreign, false)
        .token_secret()
        .expect("fine");
    assert!(secret.expose().starts_with(b"file-"));
}

#[test]
fn a_secret_file_must_be_there_and_be_a_secret() {
    let directory = tempdir().expect("a directory");
    let refused = |file: &str| {
        gathered(&directory, &[("TIDINGS_AUTH_SECRET_FILE", file)], true)
            .resolve(Purpose::Serve)
            .expect_err(file)
            .to_string()
    };
    assert!(refused("/nowhere/secret").contains("/nowhere/secret"));
    let weak = secret_file(&directory, "CANARY\n", 0o600);
    let shown = refused(&weak);
    assert!(
        shown.contains("6 bytes") && !shown.contains("CANARY"),
        "{shown}"
    );
    let huge = secret_file(&directory, &"x".repeat(100_000), 0o600);
    assert!(refused(&huge).contains("at most"));
    assert!(!directory.path().join("data").exists(), "nothing was made");
}

#[test]
fn a26_a_development_secret_is_made_once_and_for_its_owner_only() {
    let directory = tempdir().expect("a directory");
    let resolve = |purpose| gathered(&directory, &[], true).resolve(purpose);
    let inspected = resolve(Purpose::Inspect).expect("fine");
    assert!(inspected.auth.secret.is_none());
    assert!(
        !directory.path().join("data").exists(),
        "looking makes nothing"
    );
    gathered(&directory, &[], true)
        .token_secret()
        .expect_err("no hub has been here");

    let first = resolve(Purpose::Serve)
        .expect("fine")
        .auth
        .secret
        .expect("made");
    let second = resolve(Purpose::Serve)
        .expect("fine")
        .auth
        .secret
        .expect("kept");
    assert_eq!(first.expose(), second.expose());
    assert_eq!(first.expose().len(), 64);
    let token = gathered(&directory, &[], true)
        .token_secret()
        .expect("there");
    assert_eq!(first.expose(), token.expose());

    let path = directory.path().join("data/dev-secret");
    assert_eq!(mode(&path), 0o600);
    let entries = fs::read_dir(directory.path().join("data")).expect("there");
    assert_eq!(entries.count(), 1);

    fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("set");
    let shown = resolve(Purpose::Serve).expect_err("readable").to_string();
    assert!(shown.contains("chmod 600"), "{shown}");
}

#[test]
fn a_hub_that_will_not_start_makes_no_secret() {
    let directory = tempdir().expect("a directory");
    gathered(&directory, &[("TIDINGS_SHARDS", "0")], true)
        .resolve(Purpose::Serve)
        .expect_err("no shards");
    assert!(!directory.path().join("data").exists());
}

#[test]
fn a12_settings_do_not_show_their_secrets() {
    let directory = tempdir().expect("a directory");
    let variables = [("TIDINGS_AUTH_SECRET", SECRET)];
    let gathered = gathered(&directory, &variables, false);
    let environment = Environment::new(variables);
    let shown = format!(
        "{gathered:?}{environment:?}{}",
        tidings::settings::effective(&gathered)
    );
    assert!(!shown.contains(SECRET), "{shown}");
    let settings = gathered.resolve(Purpose::Serve).expect("fine");
    assert!(!format!("{settings:?}").contains(SECRET));
}

#[test]
fn a12_faults_do_not_show_the_secrets_that_they_are_about() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join("tidings.toml");
    let issuer =
        "[[auth.issuer]]\nname = \"a\"\nissuer = \"https://a.example\"\naudiences = \"a\"\n";
    let session = "[[auth.session]]\nname = \"s\"\n";
    let application = "[auth.application]\ncookies = [\"sid\"]\n";
    for file in [
        "[auth]\nsecret = \"CANARY".to_owned(),
        "[auth]\nsecret = CANARY".to_owned(),
        "[auth]\nsecret = [\"CANARY\"]".to_owned(),
        "[auth]\nsecrt = \"CANARY\"".to_owned(),
        "[auth]\nsession_secret = { value = \"CANARY\" }".to_owned(),
        "[auth]\nprevious_secret = \"CANARY\"".to_owned(),
        format!("{issuer}secret = \"CANARY\""),
        format!("{issuer}secret = [1, \"CANARY\"]"),
        format!("{issuer}secrt = \"CANARY\""),
        format!("{issuer}key = \"CANARY\""),
        format!("{issuer}key = [\"-----BEGIN PRIVATE KEY-----CANARY\"]"),
        format!("{issuer}jwks_url = \"https://me:CANARY@a.example/jwks.json\""),
        format!("{session}secret = [\"{SECRET}\", \"CANARY\"]"),
        format!("{session}secret = \"CANARY"),
        format!("{application}url = \"https://me:CANARY@a.example/me\""),
    ] {
        fs::write(&path, &file).expect("written");
        let gathered = gathered(&directory, &[], false);
        let effective = tidings::settings::effective(&gathered);
        let debug = format!("{gathered:?}");
        let faults = gathered.resolve(Purpose::Inspect).expect_err(&file);
        // What somebody has put into an address stands there for all to see; it is refused.
        let is_in_address = file.contains("@a.example");
        for shown in [faults.to_string(), format!("{faults:?}")] {
            assert!(!shown.contains("CANARY"), "{file}\n{shown}");
        }
        for shown in [effective, debug] {
            assert!(
                is_in_address || !shown.contains("CANARY"),
                "{file}\n{shown}"
            );
        }
    }
}
