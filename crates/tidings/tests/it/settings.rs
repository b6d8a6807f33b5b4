//! Layers of settings: precedence, environment names, first users' names, rules.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::tempdir;
use tidings::settings::limits::{
    RETENTION_HEARTBEATS_MIN, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SHARDS_MAX, SLOW_READER_MS_MAX,
    SLOW_READER_MS_MIN, WINDOW_BYTES_MAX, WINDOW_BYTES_MIN,
};
use tidings::settings::origin::{Origin, Sourced};
use tidings::settings::{
    Environment, Faults, Layer, LogFormat, Purpose, Settings, Sources, gather,
};
use tidings_auth::limits::LEEWAY_SECONDS_MAX;
use tidings_core::limits::{HEARTBEAT_MS_MAX, HEARTBEAT_MS_MIN, LINGER_MS_MAX};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Settings of this file text, these variables and these flags.
pub(crate) fn resolve(
    file: &str,
    variables: &[(&str, &str)],
    flags: Layer,
    development: bool,
) -> Result<Settings, Faults> {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join("tidings.toml");
    std::fs::write(&path, file).expect("written");
    gather(Sources {
        config: Some(path),
        environment: &Environment::new(variables.iter().copied()),
        flags,
        development,
    })
    .resolve(Purpose::Inspect)
}

/// The messages of everything that is wrong with a file whose secret is good.
fn messages(file: &str) -> Vec<String> {
    let secret = [("TIDINGS_AUTH_SECRET", SECRET)];
    let faults = match resolve(file, &secret, Layer::default(), false) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0,
    };
    faults.into_iter().map(|fault| fault.message).collect()
}

/// The messages, of which there is one at least.
fn wrong(file: &str) -> Vec<String> {
    let messages = messages(file);
    assert!(!messages.is_empty(), "{file}");
    messages
}

fn secret_of(file: &str, variables: &[(&str, &str)]) -> String {
    let settings = resolve(file, variables, Layer::default(), false).expect("fine");
    let secret = settings.auth.secret.expect("a secret");
    String::from_utf8(secret.expose().to_vec()).expect("UTF-8")
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = "listen = \"127.0.0.1:1\"\nheartbeat = \"1s\"\nlog_format = \"json\"\n\
                data_dir = \"/file\"\n[auth]\nsecret = \"0123456789abcdef0123456789abcdef\"\n";
    let variables = [
        ("TIDINGS_LISTEN", "127.0.0.1:2"),
        ("TIDINGS_HEARTBEAT", "2s"),
    ];
    let flags = Layer {
        listen: Some(Sourced {
            value: "127.0.0.1:3".parse().expect("an address"),
            origin: Origin::Flag("--listen"),
        }),
        ..Layer::default()
    };
    let settings = resolve(file, &variables, flags, true).expect("fine");
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.heartbeat, Duration::from_secs(2));
    assert_eq!(settings.diagnostics.format, LogFormat::Json);
    // `--dev` has an opinion on it too, and a weaker one.
    assert_eq!(settings.data_dir, PathBuf::from("/file"));
    assert_eq!(settings.limits.connections, 50_000);
}

#[test]
fn the_environment_reaches_every_kind_of_value() {
    let variables = [
        ("TIDINGS_AUTH_SECRET", SECRET),
        ("TIDINGS_LIMITS_CONNECTIONS_PER_IDENTITY", "7"),
        ("TIDINGS_WINDOW_BYTES", "1MiB"),
        ("TIDINGS_RETENTION_AGE", "7d"),
        (
            "TIDINGS_CORS_ORIGINS",
            "https://a.example, http://localhost:*",
        ),
        ("TIDINGS_LOG_LEVEL", ""),
        ("TIDINGS_URL", "http://127.0.0.1:7878"),
        ("PATH", "/bin"),
    ];
    let settings = resolve("", &variables, Layer::default(), false).expect("fine");
    assert_eq!(settings.limits.connections_per_identity, 7);
    assert_eq!(settings.window.bytes, 1024 * 1024);
    assert_eq!(settings.retention.age, Duration::from_secs(7 * 86_400));
    assert_eq!(settings.cors_origins.len(), 2);
    assert!(settings.shards >= 1);
}

#[test]
fn the_first_users_names_of_the_secret_have_an_order() {
    let [own, second, third] = ["own", "sse", "next"].map(|name| format!("{name}-{SECRET}"));
    let own = ("TIDINGS_AUTH_SECRET", own.as_str());
    let second = ("SSE_JWT_SECRET", second.as_str());
    let third = ("NEXTAUTH_SECRET", third.as_str());
    assert_eq!(secret_of("", &[third, second, own]), own.1);
    assert_eq!(secret_of("", &[third, second]), second.1);
    assert_eq!(secret_of("", &[third]), third.1);
    assert_eq!(secret_of("", &[("SSE_JWT_SECRET", ""), third]), third.1);
    let file = format!("[auth]\nsecret = \"file-{SECRET}\"");
    assert_eq!(secret_of(&file, &[third]), third.1);
    assert_eq!(secret_of(&file, &[]), format!("file-{SECRET}"));
}

#[test]
fn unknown_names_are_errors_with_a_suggestion_and_all_are_reported_at_once() {
    let file = "lisen = \"127.0.0.1:1\"\nheartbeat = 15\n\n[limits]\nconections = 3\n\
                [window]\nbytes = \"1MB\"\n[colour]\nred = 1\n[retention]\nage = \"50s\"\n";
    let variables = [
        ("TIDINGS_LIMIT_CONNECTIONS", "3"),
        ("TIDINGS_SHARDS", "-1"),
        ("TIDINGS_TOKENS", "x"),
    ];
    let faults = resolve(file, &variables, Layer::default(), false).expect_err("all wrong");
    let directory = tempfile::env::temp_dir();
    let shown = faults
        .to_string()
        .lines()
        .map(
            |line| match line.split_once(&*directory.to_string_lossy()) {
                Some((before, after)) => {
                    let name = after.rsplit('/').next().expect("a file name");
                    format!("{before}{name}\n")
                }
                None => format!("{line}\n"),
            },
        )
        .collect::<String>();
    insta::assert_snapshot!(shown);
}

#[test]
fn a26_a_missing_or_weak_secret_refuses_with_the_line_to_add() {
    let faults = resolve("", &[], Layer::default(), false).expect_err("no secret");
    let shown = faults.to_string();
    assert!(shown.contains("[auth]\nsecret = "), "{shown}");
    let weak = [("NEXTAUTH_SECRET", "development")];
    let shown = resolve("", &weak, Layer::default(), true)
        .expect_err("a weak secret")
        .to_string();
    assert!(shown.contains("--> environment NEXTAUTH_SECRET"), "{shown}");
    assert!(shown.contains("openssl rand -hex 32"), "{shown}");
    assert!(!shown.contains("development"), "{shown}");
}

#[test]
fn rules_between_settings_are_checked() {
    let cases = [
        (
            "retention.age = \"59s\"\ndedupe.window = \"10s\"",
            "under 4 heartbeats",
        ),
        ("retention.age = \"5m\"", "less than the dedupe window"),
        ("retention.bytes = \"100MiB\"", "less than two segments"),
        ("window.bytes = \"100KiB\"", "out of range"),
        ("window.bytes = \"65GiB\"", "out of range"),
        ("drain.grace = \"1s\"", "less than the spread"),
        ("heartbeat = \"500ms\"", "out of range"),
        ("heartbeat = \"2m\"", "out of range"),
        ("auth.leeway_seconds = 61", "out of range"),
        ("limits.connections = 0", "out of range"),
        ("log.segment_bytes = \"1MiB\"", "out of range"),
        ("log.segment_bytes = \"2GiB\"", "out of range"),
        ("shards = 257", "out of range"),
        ("shards = 0", "out of range"),
    ];
    for (file, expected) in cases {
        let messages = wrong(file);
        assert!(
            messages.len() == 1 && messages[0].contains(expected),
            "{file}: {messages:?}"
        );
    }
}

#[test]
fn a_value_at_its_limit_is_taken_and_the_next_one_is_not() {
    let ranges = [
        ("shards", "", 1, SHARDS_MAX),
        ("auth.leeway_seconds", "", 0, LEEWAY_SECONDS_MAX),
        ("limits.connections", "", 1, u64::from(u32::MAX)),
        (
            "limits.connections_per_identity",
            "",
            1,
            u64::from(u32::MAX),
        ),
        ("limits.connections_per_address", "", 1, u64::from(u32::MAX)),
        ("retention.count", "", 1, u64::from(u32::MAX)),
        ("dedupe.ids", "", 1, u64::from(u32::MAX)),
        ("window.events", "", 1, u64::from(u32::MAX)),
        ("window.bytes", "", WINDOW_BYTES_MIN, WINDOW_BYTES_MAX),
        (
            "log.segment_bytes",
            "",
            SEGMENT_BYTES_MIN,
            SEGMENT_BYTES_MAX,
        ),
        ("heartbeat", "ms", HEARTBEAT_MS_MIN, HEARTBEAT_MS_MAX),
        (
            "streams.slow_reader",
            "ms",
            SLOW_READER_MS_MIN,
            SLOW_READER_MS_MAX,
        ),
        ("streams.linger", "ms", 0, LINGER_MS_MAX),
    ];
    for (key, unit, min, max) in ranges {
        let with = |value: u64| match unit {
            "" => messages(&format!("{key} = {value}")),
            _ => messages(&format!("{key} = \"{value}{unit}\"")),
        };
        for fine in [min, max] {
            assert_eq!(with(fine), [""; 0], "{key} = {fine}");
        }
        for bad in min.checked_sub(1).into_iter().chain([max + 1]) {
            let messages = with(bad);
            assert_eq!(messages.len(), 1, "{key} = {bad}: {messages:?}");
            assert!(messages[0].contains("out of range"), "{messages:?}");
        }
    }
    let age = |ms: u64| {
        messages(&format!(
            "heartbeat = \"1s\"\ndedupe.window = \"1s\"\nretention.age = \"{ms}ms\""
        ))
    };
    let least = u64::from(RETENTION_HEARTBEATS_MIN) * 1_000;
    assert_eq!(age(least), [""; 0]);
    assert!(age(least - 1)[0].contains("under 4 heartbeats"));
}

#[test]
fn a_fault_does_not_drag_others_behind_it() {
    // The default age would be fine, and what was meant is unknown.
    assert_eq!(wrong("retention.age = \"soon\"").len(), 1);
    assert_eq!(
        wrong("heartbeat = \"2m\"\nretention.age = \"1m\"\ndedupe.window = \"1s\"").len(),
        1
    );
}

#[test]
fn development_stays_on_loopback() {
    let everywhere = [("TIDINGS_LISTEN", "0.0.0.0:7878")];
    let faults = resolve("", &everywhere, Layer::default(), true).expect_err("not loopback");
    assert_eq!(faults.0.len(), 1);
    let settings = resolve("", &[], Layer::default(), true).expect("fine");
    assert_eq!(settings.data_dir, PathBuf::from("./tidings-data"));
    assert_eq!(settings.listen.to_string(), "127.0.0.1:7878");
    let allowed = |origin: &str| settings.cors_origins.iter().any(|one| one.allows(origin));
    assert!(allowed("http://localhost:5173") && allowed("http://127.0.0.1:3000"));
    assert!(!allowed("http://example.org"));
    let production = [("TIDINGS_AUTH_SECRET", SECRET)];
    let settings = resolve("", &production, Layer::default(), false).expect("fine");
    assert!(settings.cors_origins.is_empty());
    assert_eq!(settings.data_dir, PathBuf::from("/var/lib/tidings"));
}
