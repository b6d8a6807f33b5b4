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

/// Bytes of a key's name in a token or a key set: names in use are thumbprints, dates or UUIDs.
pub const KEY_ID_BYTES_MAX: usize = 256;

/// Bytes of a token's own name (`jti`): it is kept with every revocation.
pub const TOKEN_ID_BYTES_MAX: usize = 128;

/// Random bytes of the name of a token that is made here: 128 bits never meet.
pub const TOKEN_ID_RANDOM_BYTES: usize = 16;

/// Bytes of a claim's path: a URL as a name, and a few names below it.
pub const CLAIM_PATH_BYTES_MAX: usize = 256;

/// Names in a claim's path: nobody nests claims deeper.
pub const CLAIM_PATH_NAMES_MAX: usize = 8;

/// Entries of an `aud` claim. More are no audience but an attack on whoever compares them.
pub const AUDIENCES_PER_TOKEN_MAX: usize = 64;

/// Bytes of an issuer's name in the settings, which stands before every subject of it.
pub const ISSUER_NAME_BYTES_MAX: usize = 32;

/// Issuers of one hub: each may keep a key set.
pub const ISSUERS_MAX: usize = 64;

/// Keys that are tried for one token, when it does not say which. A key costs 17 to 60 µs, and a third
/// of a millisecond at most (ES512).
pub const KEYS_TRIED_MAX: usize = 8;

/// Keys of one set: issuers publish two or three.
pub const KEY_SET_KEYS_MAX: usize = 100;

/// Bytes of a published key set, certificates included.
pub const KEY_SET_BYTES_MAX: usize = 256 * 1024;

/// Time for fetching a key set: a reader waits for it.
pub const KEY_SET_FETCH_MS_MAX: u64 = 5_000;

/// The shortest time between two fetches of one issuer's key set, whatever anybody presents: a new
/// key counts at most so long after its first use.
pub const KEY_SET_FETCH_INTERVAL_MS: u64 = 30_000;

/// Beyond this age a key set is fetched again in the background.
pub const KEY_SET_REFRESH_MS: u64 = 5 * 60 * 1_000;

/// Beyond this age a key set is used only if its issuer cannot be reached: a key that an issuer has
/// withdrawn counts at most so long.
pub const KEY_SET_FRESH_MS: u64 = 10 * 60 * 1_000;

/// Beyond this age a key set is used no more, even if its issuer cannot be reached.
pub const KEY_SET_STALE_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

/// Bits of an RSA key at least (RFC 7518, section 3.3).
pub const RSA_BITS_MIN: usize = 2_048;

/// Cookies of one request in which a session token is looked for.
pub const SESSION_COOKIES_MAX: usize = 4;

/// Bytes of an address that the hub itself asks.
pub const ADDRESS_BYTES_MAX: usize = 2_048;

/// The longest session that a stream may live beyond its token: after a week anybody can be asked
/// to present one again.
pub const STREAM_SESSION_SECONDS_MAX: u64 = 7 * 24 * 60 * 60;

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

/// Placeholders of one pattern of a rule: each may multiply what it grants.
pub const PLACEHOLDERS_MAX: usize = 4;

/// Patterns that one pattern of a rule may become, where claims are lists: the workspaces of one
/// person.
pub const CLAIM_VALUES_MAX: usize = 64;

/// Patterns that rules grant to one identity together: each is looked at whenever it opens a stream.
pub const PATTERNS_BY_RULES_MAX: usize = 256;
