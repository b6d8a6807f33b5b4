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

/// Bytes of one journal of keys or revocations: read whole when the hub starts, and far above what
/// the numbers of keys and revocations come to.
pub const JOURNAL_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// How long somebody waits for another process that writes to a journal, which takes milliseconds:
/// one that was stopped in the middle must not stop a hub.
pub const JOURNAL_LOCK_WAIT_MS_MAX: u64 = 2_000;

/// How often a lock is tried while waiting for it.
pub const JOURNAL_LOCK_RETRY_MS: u64 = 2;

/// Lines of a journal below which it is never rewritten: the gain would not be worth the syncs.
pub const JOURNAL_REWRITE_LINES_MIN: u64 = 1_024;

/// API keys of one hub: keys are for programs, not for people. Each costs about a kilobyte.
pub const KEYS_MAX: usize = 10_000;

/// Bytes of the name of an API key: a few words for people.
pub const KEY_NAME_BYTES_MAX: usize = 128;

/// How long a key that has ended is still listed, so that somebody who wonders can see why it did.
pub const KEY_REMEMBERED_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// Revocations in force at once: each is looked at by no request but kept by every hub, at about
/// 200 bytes.
pub const REVOCATIONS_MAX: usize = 100_000;

/// Tickets that wait to be used: as many people as open a stream within half a minute.
pub const TICKETS_MAX: usize = 100_000;

/// Bytes of what all waiting tickets stand for: 600 on average at the most of them.
pub const TICKETS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of what one ticket stands for: 100 patterns and 64 roles of full length.
pub const TICKET_CONTENT_BYTES_MAX: usize = 48 * 1024;

/// How long a ticket waits to be used: a page load, not a coffee.
pub const TICKET_LIFETIME_MS: u64 = 30_000;

/// How long a stream token is good for, by which time the page has asked for another.
pub const STREAM_TOKEN_LIFETIME_MS: u64 = 3_600_000;

/// Secrets of stream tokens at once: the one that signs, and older ones while they are replaced.
pub const STREAM_TOKEN_SECRETS_MAX: usize = 8;

/// Buckets whose units are not all back. Beyond it, whoever is new is told so.
pub const BUCKETS_MAX: usize = 100_000;

/// A wall clock that runs backwards by less is two calls that overtook each other; by more, somebody
/// set it.
pub const CLOCK_STEP_MS_MAX: u64 = 1_000;
