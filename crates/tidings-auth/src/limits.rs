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
