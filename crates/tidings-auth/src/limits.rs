//! Limits of credentials, with their unit in the name and why they are what they are.

/// Bytes of a bearer token: more than any proxy lets through in one header anyway.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Bytes of an HS256 secret at least: the output of its hash, below which it can be guessed
/// (RFC 7518, section 3.2).
pub const SECRET_BYTES_MIN: usize = 32;

/// Bytes of a secret at most: anything longer is the wrong file.
pub const SECRET_BYTES_MAX: usize = 4 * 1024;

/// Clocks of machines that keep time differ by less than this; more would only prolong stolen
/// tokens.
pub const LEEWAY_SECONDS_MAX: u64 = 60;

/// Seconds by which clocks may differ unless a setting says otherwise.
pub const LEEWAY_SECONDS_DEFAULT: u64 = 5;

/// The last second of the year 9999. A later time is one in milliseconds, or nonsense.
pub const CLAIM_SECONDS_MAX: u64 = 253_402_300_799;

/// Bytes of a session cookie with all its parts: a whole request head has no more.
pub const SESSION_COOKIE_BYTES_MAX: usize = 16 * 1024;

/// Parts of a session cookie: five of them fill the largest request head.
pub const SESSION_CHUNKS_MAX: usize = 8;

/// Cookie names that a session provider looks for, before their prefixes: each one that is there
/// costs a verification.
pub const SESSION_NAMES_MAX: usize = 8;

/// Secrets of a session provider: the one in use, and those that it replaces. A forged cookie is
/// tried with all of them.
pub const SESSION_SECRETS_MAX: usize = 4;

/// Seconds by which the clock of the application may differ: what Auth.js itself allows.
pub const SESSION_LEEWAY_SECONDS: u64 = 15;

/// Bytes of a token's `jti`, which is kept for as long as what it opens.
pub const TOKEN_ID_BYTES_MAX: usize = 256;

/// Bytes of a provider's name in the settings, which becomes part of credentials' names.
pub const PROVIDER_NAME_BYTES_MAX: usize = 32;

/// Names of a place in a JSON object: real claims stand two or three deep.
pub const PLACE_SEGMENTS_MAX: usize = 8;
