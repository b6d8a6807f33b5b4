//! Limits of settings, with their unit in the name and why they are what they are.

/// Bytes of a settings file: hundreds of times the longest sensible one.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Retention rules: each is compared with every topic of the log.
pub const RETENTION_RULES_MAX: usize = 256;

/// Origins that browsers may come from.
pub const CORS_ORIGINS_MAX: usize = 256;

/// Readers that are given less time than this may only be far away.
pub const SLOW_READER_MS_MIN: u64 = 1_000;

/// Readers that take nothing for longer than this are gone.
pub const SLOW_READER_MS_MAX: u64 = 300_000;

/// Retention under this many heartbeats would tell readers of gaps after a short loss of network.
pub const RETENTION_HEARTBEATS_MIN: u32 = 4;

/// Shards: one thread each.
pub const SHARDS_MAX: u64 = 256;

/// Bytes of a log segment at least: two of the largest groups.
pub const SEGMENT_BYTES_MIN: u64 = 2 * tidings_core::limits::GROUP_BYTES_MAX as u64;

/// Bytes of a log segment at most: recovery reads one whole segment.
pub const SEGMENT_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Memory for recent events at most: more than a machine for one hub has to spare.
pub const WINDOW_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;

/// Memory for recent events at least: one event of the largest size.
pub const WINDOW_BYTES_MIN: u64 = tidings_core::limits::EVENT_BYTES_MAX as u64;

/// Random bytes of a development secret.
pub const DEVELOPMENT_SECRET_BYTES: usize = 32;

/// Issuers of tokens: each has keys of its own to be fetched.
pub const ISSUERS_MAX: usize = 32;

/// Kinds of session cookies: each is looked for in every request.
pub const SESSIONS_MAX: usize = 8;

/// Access rules: each is looked at whenever somebody connects.
pub const RULES_MAX: usize = 256;

/// Patterns of one access rule.
pub const RULE_ENTRIES_MAX: usize = 64;

/// Profiles: a request's path is compared with all of them, and with the built-in ones.
pub const PROFILE_TABLES_MAX: usize = 32;

/// Entries of a list of hosts or networks.
pub const LIST_ENTRIES_MAX: usize = 256;

/// Bytes of a file with certificates or a key: a chain has some thousands.
pub const CERTIFICATE_BYTES_MAX: u64 = 256 * 1024;

/// How many days before its end a certificate is warned of: those that are renewed by themselves are
/// renewed earlier.
pub const CERTIFICATE_ENDS_SOON_DAYS: u64 = 14;
