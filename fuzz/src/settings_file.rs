//! The settings file: whatever stands in it, all faults are told, and no secret is shown.

use tidings::settings::keys::KEYS;
use tidings::settings::{
    Environment, Gathered, Layer, Purpose, Settings, Sources, effective, gather,
};
use toml::{Table, Value};

/// What stands in secrets, and may not be shown anywhere.
const CANARY: &str = "canary";

/// Entries of tables that are secrets.
const SECRETS: [&str; 2] = ["secret", "key"];

/// Input: a settings file.
pub fn settings_file(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    // Settings may name files that are read, such as this machine's devices.
    if text.contains("file") || text.contains('\\') {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tidings.toml");
    std::fs::write(&path, text).expect("written");
    let read = || -> Gathered {
        gather(Sources {
            config: Some(path.clone()),
            environment: &Environment::default(),
            flags: Layer::default(),
            development: false,
        })
    };
    let gathered = read();
    let shown = effective(&gathered);
    assert!(
        gathered
            .faults
            .0
            .iter()
            .all(|fault| !fault.message.is_empty())
    );
    let said = match gathered.resolve(Purpose::Inspect) {
        Ok(settings) => {
            is_bounded(&settings);
            format!("{settings:?} {:?}", settings.warnings)
        }
        Err(faults) => {
            assert!(!faults.0.is_empty(), "a refusal says why");
            let again = read().resolve(Purpose::Inspect).err();
            assert_eq!(again.as_ref(), Some(&faults), "and the same again");
            faults.to_string()
        }
    };
    if let Ok(table) = text.parse::<Table>()
        && only_in_secrets(&Value::Table(table), "")
    {
        assert!(!shown.contains(CANARY), "{shown}");
        assert!(!said.contains(CANARY), "{said}");
    }
}

/// Nothing that a limit is set to lets everything through.
fn is_bounded(settings: &Settings) {
    let limits = &settings.limits;
    for most in [
        limits.connections,
        limits.connections_per_identity,
        limits.connections_per_address,
    ] {
        assert!(most > 0);
    }
}

/// Whether the canary stands where secrets do and nowhere else, names included.
fn only_in_secrets(value: &Value, name: &str) -> bool {
    match value {
        Value::Table(table) => table.iter().all(|(key, value)| {
            let inner = format!("{name}.{key}");
            !key.contains(CANARY) && only_in_secrets(value, inner.trim_start_matches('.'))
        }),
        Value::Array(values) => values.iter().all(|value| only_in_secrets(value, name)),
        Value::String(text) => !text.contains(CANARY) || is_secret(name),
        _ => true,
    }
}

fn is_secret(name: &str) -> bool {
    let is_key = KEYS.iter().any(|key| key.secret && key.name == name);
    let table = name.rsplit_once('.');
    let in_table = table.is_some_and(|(table, entry)| {
        matches!(table, "auth.issuer" | "auth.session") && SECRETS.contains(&entry)
    });
    is_key || in_table
}
