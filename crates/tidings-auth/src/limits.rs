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
