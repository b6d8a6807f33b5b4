//! TLS from the outside: settings, the program, its own client and curl, and certificates that change.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::{TempDir, tempdir};
use tidings::settings::limits::CERTIFICATE_BYTES_MAX;
use tidings::settings::{Environment, Faults, Layer, Purpose, Settings, Sources, gather};
use tidings_testkit::certificate::{MadeCertificate, Validity, certificate};

use crate::asking::Reading;
use crate::program::run;
use crate::running::{Hub, PATIENCE, figure_in};

const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// Writes a certificate and its key where the settings of these tests have them.
fn write(directory: &Path, made: &MadeCertificate) {
    fs::write(directory.join("chain.pem"), &made.chain).expect("written");
    let key = directory.join("key.pem");
    fs::write(&key, &made.key).expect("written");
    fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("set");
}

fn directory(validity: Validity) -> (TempDir, MadeCertificate) {
    let (directory, made) = (
        tempdir().expect("a directory"),
        certificate(&NAMES, validity),
    );
    write(directory.path(), &made);
    (directory, made)
}

const FILES: [(&str, &str); 2] = [
    ("TIDINGS_TLS_CERTIFICATE", "chain.pem"),
    ("TIDINGS_TLS_KEY", "key.pem"),
];

/// Settings with these files.
fn resolve(directory: &Path, names: &[(&str, &str)]) -> Result<Settings, Faults> {
    let path = directory.join("tidings.toml");
    fs::write(
        &path,
        "[auth]\nsecret = \"0123456789abcdef0123456789abcdef\"",
    )
    .expect("written");
    let absolute: Vec<(&str, String)> = names
        .iter()
        .map(|(name, file)| (*name, directory.join(file).display().to_string()))
        .collect();
    let variables = absolute.iter().map(|(name, file)| (*name, file.as_str()));
    gather(Sources {
        config: Some(path),
        environment: &Environment::new(variables),
        flags: Layer::default(),
        development: false,
    })
    .resolve(Purpose::Inspect)
}

/// A request over TLS to whoever has this certificate.
fn ask(hub: &Hub, trusted: &MadeCertificate, line: &str) -> Result<Reading, String> {
    ask_with(hub, trusted, line, "")
}

/// The same with a body.
fn ask_with(
    hub: &Hub,
    trusted: &MadeCertificate,
    line: &str,
    body: &str,
) -> Result<Reading, String> {
    let mut roots = RootCertStore::empty();
    let own = CertificateDer::from_pem_slice(trusted.chain.as_bytes()).expect("PEM");
    roots.add(own).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::IpAddress(hub.address.ip().into());
    let mut connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut socket = TcpStream::connect(hub.address).expect("the hub listens");
    socket.set_read_timeout(Some(PATIENCE)).expect("set");
    while connection.is_handshaking() {
        let done = connection.complete_io(&mut socket);
        done.map_err(|error| error.to_string())?;
    }
    let stream = Box::new(StreamOwned::new(connection, socket));
    Ok(Reading::over(stream, line, &[], body))
}

fn figure(hub: &Hub, trusted: &MadeCertificate, name: &str) -> u64 {
    let mut answer = ask(hub, trusted, "GET /metrics").expect("trusted");
    answer.read_to_end();
    figure_in(&answer.text, name)
}

fn stream(hub: &Hub, trusted: &MadeCertificate) -> Reading {
    let line = "GET /v1/stream?userId=me&topics=a/**";
    let mut stream = ask(hub, trusted, line).expect("trusted");
    stream.until("tidings.hello");
    stream
}

/// The end of a certificate has a place among the figures.
const END: &str = "tidings_http_tls_certificate_end_timestamp_seconds";

#[test]
fn what_is_wrong_with_the_files_is_said_with_a_way_out() {
    let (directory, made) = directory(Validity::Now);
    let path = directory.path();
    let other = certificate(&NAMES, Validity::Now);
    let mut large = made.chain.clone();
    while (large.len() as u64) <= CERTIFICATE_BYTES_MAX {
        large += &made.chain;
    }
    for (name, content) in [
        ("other-key.pem", other.key.as_str()),
        ("empty.pem", ""),
        ("large.pem", &large),
        (
            "locked.pem",
            &made.key.replace("PRIVATE", "ENCRYPTED PRIVATE"),
        ),
    ] {
        fs::write(path.join(name), content).expect("written");
    }
    let [certificate, key] = FILES.map(|(name, _)| name);
    let (chain, missing) = ((certificate, "chain.pem"), "missing.pem");
    for (names, message, hint) in [
        (
            vec![chain],
            "`tls.certificate` is set, and `tls.key` is not",
            "set `tls.key`, too",
        ),
        (
            vec![(key, "key.pem")],
            "`tls.key` is set, and `tls.certificate` is not",
            "set `tls.certificate`, too",
        ),
        (
            vec![(certificate, missing), (key, "key.pem")],
            "`tls.certificate`: cannot read",
            "the user of this process",
        ),
        (
            vec![chain, (key, missing)],
            "`tls.key`: cannot read",
            "the user of this process",
        ),
        (
            vec![chain, (key, "other-key.pem")],
            "is not that of the first certificate",
            "stands first in its file",
        ),
        (
            vec![chain, (key, "locked.pem")],
            "no private key in the clear",
            "`openssl pkey",
        ),
        (
            vec![(certificate, "empty.pem"), (key, "key.pem")],
            "it holds no certificate",
            "give PEM",
        ),
        (
            vec![(certificate, "large.pem"), (key, "key.pem")],
            "it has more than 262144 bytes",
            "the user of this process",
        ),
    ] {
        let faults = resolve(path, &names).expect_err(message);
        assert_eq!(faults.0.len(), 1, "{faults}");
        let shown = faults.to_string();
        assert!(shown.contains(message) && shown.contains(hint), "{shown}");
        assert!(shown.contains("TIDINGS_TLS_"), "{shown}");
    }
    assert!(resolve(path, &FILES).expect("fine").warnings.is_empty());
}

#[test]
fn what_can_be_used_and_should_not_is_warned_of() {
    let (expired, _) = directory(Validity::Years(2000, 2001));
    let warnings = resolve(expired.path(), &FILES).expect("fine").warnings;
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].contains("has expired: 2001-01-01T"),
        "{warnings:?}"
    );

    let (open, _) = directory(Validity::Now);
    let mode = Permissions::from_mode(0o644);
    fs::set_permissions(open.path().join("key.pem"), mode).expect("set");
    let warnings = resolve(open.path(), &FILES).expect("fine").warnings;
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("every user of this machine can read"));
}

#[test]
fn the_program_and_curl_talk_to_a_hub_over_tls() {
    let (directory, made) = directory(Validity::Now);
    let path = directory.path();
    let hub = Hub::start(path, &FILES);
    let url = format!("https://{}", hub.address);
    let minted = run(
        path,
        &[],
        &[
            "token",
            "--sub",
            "me",
            "--publish",
            "a/**",
            "--subscribe",
            "a/**",
        ],
    );
    assert_eq!(minted.code, Some(0), "{}", minted.err);
    let (token, listen) = (minted.out.trim().to_owned(), hub.address.to_string());
    let as_me = [
        ("TIDINGS_TOKEN", token.as_str()),
        ("TIDINGS_URL", url.as_str()),
    ];

    let publish = ["publish", "--topic", "a/1", "--type", "t", "\"hello\""];
    let refused = run(path, &as_me, &publish);
    assert_eq!(refused.code, Some(1));
    let hint = "hint: name the certificate of who has signed the hub's own with `--ca`";
    assert!(refused.err.contains(hint), "{}", refused.err);
    let published = run(
        path,
        &as_me,
        &[&publish[..], &["--ca", "chain.pem"]].concat(),
    );
    assert_eq!(published.code, Some(0), "{}", published.err);
    let tail = [
        "tail",
        "--topic",
        "a/**",
        "--since",
        "earliest",
        "--count",
        "1",
        "--ca",
        "chain.pem",
    ];
    let told = run(path, &as_me, &tail);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(told.out.contains("hello"), "{}", told.out);
    for (file, words) in [
        ("none.pem", "cannot use `none.pem`"),
        ("key.pem", "no certificate"),
    ] {
        let ran = run(path, &as_me, &["publish", "--type", "t", "1", "--ca", file]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.err.contains(words), "{}", ran.err);
    }

    let settings = [("TIDINGS_LISTEN", listen.as_str()), FILES[0], FILES[1]];
    for (arguments, said) in [
        (&["health"][..], "alive"),
        (&["health", "--ready"], "ready"),
    ] {
        let ran = run(path, &settings, arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!(ran.out, format!("{{\"status\":\"{said}\"}}\n"));
    }

    for (protocol, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let output = Command::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--cacert",
                "chain.pem",
                protocol,
            ])
            .args(["--write-out", " %{http_version}", &format!("{url}/healthz")])
            .current_dir(path)
            .output()
            .expect("curl is there");
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said, format!("{{\"status\":\"alive\"}} {version}"));
    }
    assert!(figure(&hub, &made, END) > 0);
}

#[test]
fn n11_replaced_files_are_noticed_and_shown_and_no_connection_drops() {
    let (directory, old) = directory(Validity::Years(2020, 2040));
    let hub = Hub::start(directory.path(), &FILES);
    assert_eq!(figure(&hub, &old, END), 2_208_988_800);
    let mut before = stream(&hub, &old);

    // A certificate with the key of another is never shown.
    let new = certificate(&NAMES, Validity::Years(2020, 2041));
    fs::write(directory.path().join("chain.pem"), &new.chain).expect("written");
    hub.log_until("the one before is shown on");
    let refused = "tidings_reloads_total{outcome=\"refused\"}";
    assert_eq!(figure(&hub, &old, refused), 1);

    write(directory.path(), &new);
    hub.log_until("another certificate is shown from now on");
    ask(&hub, &old, "GET /healthz").expect_err("the old one is not shown any more");
    assert_eq!(figure(&hub, &new, END), 2_240_611_200);
    let mut after = stream(&hub, &new);
    publish(&hub, &new, 7);
    before.until("\"data\":7");
    after.until("\"data\":7");
    assert_eq!(
        figure(&hub, &new, "tidings_hub_connections_opened_total"),
        2
    );
}

#[test]
fn a_signal_shows_the_certificate_of_other_files_unless_they_are_wrong() {
    let (directory, old) = directory(Validity::Now);
    let path = directory.path();
    let settings = |chain: &str| {
        let file = format!("[tls]\ncertificate = {chain:?}\nkey = \"key-2.pem\"\n");
        fs::write(path.join("tidings.toml"), file).expect("written");
    };
    fs::write(path.join("key-2.pem"), &old.key).expect("written");
    settings("chain.pem");
    let hub = Hub::start(path, &[]);
    let mut before = stream(&hub, &old);

    settings("chain-2.pem");
    hub.signal("HUP");
    hub.log_until("the settings cannot be used; those before stay in force");
    hub.log_until("`tls.certificate`: cannot read `chain-2.pem`");
    publish(&hub, &old, 1);
    before.until("\"data\":1");

    let new = certificate(&NAMES, Validity::Now);
    fs::write(path.join("key-2.pem"), &new.key).expect("written");
    fs::write(path.join("chain-2.pem"), &new.chain).expect("written");
    hub.signal("HUP");
    hub.log_until("the settings have been read again, and are in force");
    publish(&hub, &new, 2);
    ask(&hub, &old, "GET /healthz").expect_err("the old one is not shown any more");
    before.until("\"data\":2");
}

fn publish(hub: &Hub, trusted: &MadeCertificate, data: u8) {
    let target = "POST /v1/events?userId=publisher";
    let body = format!(r#"{{"type":"t","topics":["a/1"],"data":{data}}}"#);
    let mut answer = ask_with(hub, trusted, target, &body).expect("trusted");
    answer.read_to_end();
    assert!(answer.is_open(), "{}", answer.text);
}
