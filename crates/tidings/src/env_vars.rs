//! Every environment variable that is not the name of a key.
//!
//! The others follow from the keys: `limits.connections` is `TIDINGS_LIMITS_CONNECTIONS`.

/// Prefix of the program's own variables. An unknown name with it is an error.
pub const PREFIX: &str = "TIDINGS_";

/// The settings file, unless `--config` names one.
pub const CONFIG: &str = "TIDINGS_CONFIG";

/// Where `publish` and `tail` find the hub, unless `--url` says it.
pub const URL: &str = "TIDINGS_URL";

/// The token of `publish` and `tail`, unless `--token` says it.
pub const TOKEN: &str = "TIDINGS_TOKEN";

/// Where systemd hears whether the hub is ready.
pub const NOTIFY_SOCKET: &str = "NOTIFY_SOCKET";

/// Own variables that are no keys.
pub const OWN: [&str; 3] = [CONFIG, URL, TOKEN];

/// Variables of the programs that Tidings serves and of OpenTelemetry, with the key that each sets; the first that is
/// there counts.
pub const FOREIGN: [(&str, &str); 7] = [
    ("SSE_JWT_SECRET", "auth.secret"),
    ("NEXTAUTH_SECRET", "auth.secret"),
    ("AUTH_SECRET", "auth.session_secret"),
    ("NEXTAUTH_SECRET", "auth.session_secret"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "traces.endpoint"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "traces.endpoint"),
    ("OTEL_SERVICE_NAME", "traces.service"),
];
