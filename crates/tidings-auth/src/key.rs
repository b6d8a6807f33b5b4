//! API keys: what a server or a script proves itself with, for as long as nobody revokes it.
//!
//! ```text
//! tdk_4fQz81LmXo0B_<43 characters, 256 random bits><6 characters, check sum>
//!     └─ id: public, in lists and logs    └─ shown once; only its SHA-256 is kept
//! ```
//!
//! Passwords are kept as slow hashes because people choose guessable ones. This secret was chosen by
//! the system's randomness out of 2^256, so nobody finds it by trying, however fast the hash is, and
//! a request costs a microsecond. The check sum tells a typo from an unknown key before anything is
//! looked up, and lets a scanner of repositories know a leaked key for certain.
//!
//! A key comes as `Authorization: Bearer tdk_...` or as `X-Api-Key`.

mod journaled;
mod keys;
mod provider;
mod text;

pub use journaled::{Key, KeyState};
pub use keys::{CreatedKey, KeyError, KeyRequest, Keys};
pub use provider::KeyProvider;
