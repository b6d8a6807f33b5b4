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
pub const PLACE_NAMES_MAX: usize = 8;

/// Cookies and headers of one request that are forwarded to the application: names come from the
/// settings, and few are needed.
pub const FORWARDED_PAIRS_MAX: usize = 32;

/// Bytes of those, names and values: a whole request head has no more.
pub const FORWARDED_BYTES_MAX: usize = 16 * 1024;

/// Names in a list of what may be forwarded.
pub const FORWARDED_NAMES_MAX: usize = 16;

/// Bytes of the application's answer: an identity with all its grants at their limits stays below.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Bytes of all answers of the application that are kept: ten thousand and more of ordinary ones.
pub const ANSWERS_KEPT_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How long an answer may be kept: what the application has revoked lives on for this long.
pub const ANSWER_KEPT_MS_MAX: u64 = 5 * 60 * 1_000;

/// How long an answer is kept unless a setting says otherwise.
pub const ANSWER_KEPT_MS_DEFAULT: u64 = 30_000;

/// How long a refusal is kept: whoever signs in meanwhile must not wait for it.
pub const REFUSAL_KEPT_MS_MAX: u64 = 2_000;

/// How long the application may take for an answer, at most.
pub const ASK_MS_MAX: u64 = 30_000;

/// How long it may take unless a setting says otherwise.
pub const ASK_MS_DEFAULT: u64 = 2_000;

/// Questions to the application at a time, at most.
pub const ASKING_MAX: usize = 1_024;

/// Questions at a time unless a setting says otherwise.
pub const ASKING_DEFAULT: usize = 64;

/// Requests that wait for their turn to ask. All others are refused at once: the application does
/// not keep up.
pub const ASK_WAITING_MAX: usize = 1_024;

/// Questions without an answer, one after another, after which none is asked for a while.
pub const ASK_FAILURES_DEFAULT: u32 = 5;

/// How long none is asked then.
pub const ASK_PAUSE_MS_DEFAULT: u64 = 5_000;

/// How long that lives what the application's answer opens, unless a setting says otherwise: then it
/// is asked again.
pub const ANSWER_LIFE_MS_DEFAULT: u64 = 60 * 60 * 1_000;

/// How long that may live at most: a month, like the longest session cookies.
pub const ANSWER_LIFE_MS_MAX: u64 = 31 * 24 * 60 * 60 * 1_000;

/// Questions without an answer in a row at most: more would only let others wait in vain.
pub const ASK_FAILURES_MAX: u32 = 1_000;

/// How long none is asked then, at most: nobody signs in meanwhile.
pub const ASK_PAUSE_MS_MAX: u64 = 60_000;
